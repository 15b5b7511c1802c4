//! Objectives of services: what is left of the downtime that they allow.
//!
//! A service gets no requests of ours, so that nothing but observed time says how it serves. It is
//! kept by the hour, which is too coarse for the short windows of burn rates.

use std::time::Duration;

use crate::{Objective, ObservedTime};

/// Least observed time of a service level: a whole day, so that it is not judged by one evening.
const OBSERVED_LEVEL_MIN: Duration = Duration::from_secs(86_400);
/// Least downtime that is allowed in the observed time. It is two checks at the usual interval: with
/// less, the first one that failed would decide.
const ALLOWED_DOWNTIME_MIN: Duration = Duration::from_secs(60);

impl Objective {
    /// Time of the observed one in which a service may be down.
    #[must_use]
    pub fn allowed_downtime(self, observed: Duration) -> Duration {
        observed.mul_f64(self.allowed_bad_share())
    }

    /// Observed time from which it is told how much of the allowed downtime is left.
    #[must_use]
    pub fn observed_min(self) -> Duration {
        let share = self.allowed_bad_share();
        let decisive = ALLOWED_DOWNTIME_MIN.div_f64(if share > 0.0 { share } else { 1.0 });
        OBSERVED_LEVEL_MIN.max(decisive)
    }

    /// Share of the allowed downtime that is left: 1 with none used, below 0 with more downtime than
    /// allowed. `None` with less time than [`Self::observed_min`].
    #[must_use]
    pub fn downtime_left(self, time: ObservedTime) -> Option<f64> {
        let (observed, allowed) = (time.observed(), self.allowed_downtime(time.observed()));
        let is_told = observed >= self.observed_min() && !allowed.is_zero();
        is_told.then(|| 1.0 - time.bad.as_secs_f64() / allowed.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use domain::{ServiceGoal, ServicePeriod};

    use super::*;

    const WEEK: Objective = Objective::new(ServiceGoal::Percent99_5, ServicePeriod::Week);

    fn time(observed_secs: u64, bad_secs: u64) -> ObservedTime {
        let secs = Duration::from_secs;
        ObservedTime { good: secs(observed_secs - bad_secs), bad: secs(bad_secs) }
    }

    #[test]
    fn what_is_left_equals_what_is_computed_by_hand() {
        // 30 h observed allow 9 min; 6 min down leave a third.
        let thirty = time(30 * 3_600, 360);
        assert_eq!(WEEK.allowed_downtime(thirty.observed()), Duration::from_secs(540));
        assert!((WEEK.downtime_left(thirty).expect("a day") - 1.0 / 3.0).abs() < 1e-9);
        // Twice the downtime that 40 h allow.
        assert!((WEEK.downtime_left(time(40 * 3_600, 1_440)).expect("a day") + 1.0).abs() < 1e-9);
    }

    #[test]
    fn nothing_is_told_of_less_than_a_day_or_of_less_than_two_checks() {
        assert_eq!(WEEK.downtime_left(time(86_399, 3_600)), None);
        assert_eq!(WEEK.downtime_left(time(86_400, 0)), Some(1.0));
        let strict = Objective::new(ServiceGoal::Percent99_99, ServicePeriod::Month);
        assert_eq!(strict.observed_min().as_secs(), 600_000);
        assert_eq!(strict.downtime_left(time(599_999, 30)), None);
        assert!(strict.downtime_left(time(600_001, 30)).is_some());
    }
}
