//! Order statistics of small samples, and whole numbers from their means.

use domain::NanoUsd;

/// The value below which `share` (0 to 1) of the sorted sample lies, by linear interpolation; 0 for
/// an empty sample.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = share.clamp(0.0, 1.0) * last as f64;
    let below = floor_index(place);
    let at = |index: usize| sorted.get(index.min(last)).copied().unwrap_or_default();
    let (low, high) = (at(below), at(below + 1));
    low + (high - low) * (place - below as f64)
}

/// Sorts a sample of finite numbers.
pub(crate) fn sorted(mut sample: Vec<f64>) -> Vec<f64> {
    sample.sort_unstable_by(f64::total_cmp);
    sample
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place in a sample: whole, not negative, below its length"
)]
fn floor_index(place: f64) -> usize {
    place.floor().max(0.0) as usize
}

/// The nearest amount to a sum of nano-dollars, or to their mean.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "a sum of whole nano-dollars, or their mean")]
pub fn whole_nanos(amount: f64) -> NanoUsd {
    NanoUsd::new(amount.round() as i64)
}

/// The nearest count to a sum of requests, or to their mean.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count of requests, or their mean"
)]
pub fn whole_count(count: f64) -> u64 {
    count.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_the_neighbours() {
        let sample = sorted(vec![30.0, 10.0, 20.0, 40.0]);
        let check = |share, expected| assert_eq!(quantile(&sample, share), expected);
        check(0.0, 10.0);
        check(0.5, 25.0);
        check(1.0, 40.0);
        assert_eq!(quantile(&[7.0], 0.9), 7.0);
        assert_eq!(quantile(&[], 0.5), 0.0);
    }
}
