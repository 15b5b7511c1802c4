//! The delay before a retry.
//!
//! Full jitter: a random delay between zero and the exponential step. Clients that failed together
//! come back spread out, which costs a recovering server the least work (AWS Architecture Blog,
//! "Exponential Backoff And Jitter", 2015).

use std::time::Duration;

/// `chance` (0 to 1) times the step `base` × 2^`earlier`, at most `cap`. `earlier` is the number of
/// previous retries. A `chance` out of range is clamped.
#[must_use]
pub fn full_jitter(base: Duration, cap: Duration, earlier: u32, chance: f64) -> Duration {
    let step = base.saturating_mul(1_u32.checked_shl(earlier).unwrap_or(u32::MAX)).min(cap);
    step.mul_f64(clamp_chance(chance))
}

/// Clamps `chance` to 0..=1; a value that is not finite becomes 0.
pub(crate) fn clamp_chance(chance: f64) -> f64 {
    if chance.is_finite() { chance.clamp(0.0, 1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: Duration = Duration::from_millis(500);
    const CAP: Duration = Duration::from_secs(30);

    #[test]
    fn the_step_doubles_up_to_the_cap_and_chance_takes_a_part_of_it() {
        let longest = |earlier| full_jitter(BASE, CAP, earlier, 1.0).as_millis();
        assert_eq!([0, 1, 2, 5, 6, 7].map(longest), [500, 1_000, 2_000, 16_000, 30_000, 30_000]);
        assert_eq!(longest(31), 30_000);
        assert_eq!(longest(u32::MAX), 30_000);
        assert_eq!(full_jitter(BASE, CAP, 1, 0.25), Duration::from_millis(250));
        assert_eq!(full_jitter(BASE, CAP, 1, 0.0), Duration::ZERO);
    }

    #[test]
    fn a_chance_out_of_range_is_brought_into_it() {
        let delay = |chance| full_jitter(BASE, CAP, 0, chance);
        assert_eq!(delay(7.0), BASE);
        assert_eq!(delay(-1.0), Duration::ZERO);
        assert_eq!(delay(f64::NAN), Duration::ZERO);
        assert_eq!(delay(f64::INFINITY), Duration::ZERO);
    }
}
