//! When first tokens count as slow. The shown state "degraded", the rule "slow answers" and the adaptive
//! limit all take their numbers from here.

use std::time::Duration;

/// From this share of the usual time on, in percent, first tokens are slow.
pub const SLOW_PERCENT: u32 = 200;
/// They must also take this much longer. Less is not felt.
pub const SLOWER_MIN: Duration = Duration::from_secs(1);
/// Fewer calls say nothing.
pub const SLOW_CALLS_MIN: u32 = 10;

/// How long first tokens take in percent of the usual time; `None` unless they take longer than that by
/// more than [`SLOWER_MIN`].
#[must_use]
pub fn percent_if_slower(recent: Duration, usual: Duration) -> Option<f64> {
    let is_felt = recent.saturating_sub(usual) > SLOWER_MIN && !usual.is_zero();
    is_felt.then(|| 100.0 * recent.as_secs_f64() / usual.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_that_is_not_felt_is_none() {
        let percent = |recent, usual| {
            percent_if_slower(Duration::from_millis(recent), Duration::from_millis(usual))
        };
        assert_eq!(percent(1_250, 250), None, "a second longer, not more");
        assert!(percent(1_251, 250).is_some());
        assert_eq!(percent(1_500, 250), Some(600.0));
        assert_eq!(percent(100, 1_100), None, "faster");
        assert_eq!(percent(5_000, 0), None, "nothing is usual");
        assert_eq!(percent(4_000, 2_000), Some(f64::from(SLOW_PERCENT)));
    }
}
