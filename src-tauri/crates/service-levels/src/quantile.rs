//! How sure it is that a quantile of one time differs from that of another.
//!
//! A quantile lies between two of the ordered values, whatever their distribution is, with a
//! probability that the binomial distribution tells (W. J. Conover, *Practical Nonparametric
//! Statistics*, 3rd edition, section 3.2; Hahn and Meeker, *Statistical Intervals*, section 5.2). The
//! difference of two quantiles lies between the differences of the ends of both intervals. Each of them
//! is as wide as 97.5 % need, so that both hold in 95 % of all cases (Bonferroni), which is rather too
//! careful than not careful enough. The values count as independent of each other.

use std::ops::RangeInclusive;

/// Confidence of [`QuantileChange`], in percent.
pub const CHANGE_CONFIDENCE_PERCENT: u32 = 95;

/// Fewer values than this in one of both times tell nothing.
pub(crate) const CHANGE_VALUES_MIN: u64 = 100;

/// Of the standard normal distribution: 97.5 % lie between it and its negative.
const INTERVAL_Z: f64 = 2.241_402_8;

/// By how much a quantile may have changed, in the unit of the values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuantileChange {
    pub low: f64,
    pub high: f64,
}

impl QuantileChange {
    /// From the intervals of the quantile, now and before.
    #[must_use]
    pub fn between(before: &RangeInclusive<f64>, now: &RangeInclusive<f64>) -> Self {
        Self { low: now.start() - before.end(), high: now.end() - before.start() }
    }

    /// `None` while the interval has zero in it.
    #[must_use]
    pub fn is_rise(&self) -> Option<bool> {
        match (self.low > 0.0, self.high < 0.0) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }
}

/// The places among `count` ordered values, from 1 on, between which the quantile lies; both included.
/// `None` with too few values.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole numbers of 1..=count"
)]
pub fn quantile_ranks(count: u64, percent: f64) -> Option<RangeInclusive<u64>> {
    if count < CHANGE_VALUES_MIN || !(0.0..=100.0).contains(&percent) {
        return None;
    }
    let share = percent / 100.0;
    let expected = count as f64 * share;
    let spread = INTERVAL_Z * (expected * (1.0 - share)).sqrt();
    let (low, high) = ((expected - spread).floor(), (expected + spread).ceil() + 1.0);
    // Beyond the smallest or the largest value nothing is known.
    (low >= 1.0 && high <= count as f64).then_some(low as u64..=high as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Probability that `hits` of `count` values are below the quantile.
    fn probability(count: u64, share: f64, hits: u64) -> f64 {
        let log_factorial = |number: u64| (1..=number).map(|it| (it as f64).ln()).sum::<f64>();
        let ways = log_factorial(count) - log_factorial(hits) - log_factorial(count - hits);
        (ways + hits as f64 * share.ln() + (count - hits) as f64 * (1.0 - share).ln()).exp()
    }

    #[test]
    fn the_quantile_is_within_its_ranks_as_often_as_is_said() {
        for percent in [50.0, 95.0] {
            for count in [100, 101, 140, 200, 333, 500, 1_000, 1_500] {
                let Some(ranks) = quantile_ranks(count, percent) else {
                    assert!(percent > 50.0 && count < 140, "{count} values at {percent} %");
                    continue;
                };
                // It is not below the first rank, nor above the last.
                let within = *ranks.start()..*ranks.end();
                let sum: f64 = within.map(|hits| probability(count, percent / 100.0, hits)).sum();
                assert!((0.975..0.995).contains(&sum), "{sum} of {count} values at {percent} %");
            }
        }
    }

    #[test]
    fn too_few_values_have_no_interval() {
        assert_eq!(quantile_ranks(99, 50.0), None);
        assert_eq!(quantile_ranks(100, 50.0), Some(38..=63));
        assert_eq!(quantile_ranks(100, 95.0), None, "no value may be above the quantile");
        assert_eq!(quantile_ranks(200, 95.0), Some(183..=198));
        assert_eq!(quantile_ranks(200, f64::NAN), None);
    }

    #[test]
    fn a_change_is_told_only_if_zero_is_out_of_the_question() {
        let change = |before: RangeInclusive<f64>, now: RangeInclusive<f64>| {
            QuantileChange::between(&before, &now).is_rise()
        };
        assert_eq!(change(100.0..=120.0, 120.1..=140.0), Some(true));
        assert_eq!(change(100.0..=120.0, 120.0..=140.0), None);
        assert_eq!(change(120.1..=140.0, 100.0..=120.0), Some(false));
        assert_eq!(change(100.0..=140.0, 110.0..=130.0), None);
    }
}
