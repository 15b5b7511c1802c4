//! A day of a backend as one cell of a strip.

use crate::ObservedTime;
use crate::observed::OBSERVED_MIN;

/// Least share of the observed time of a good day.
const GOOD_SHARE_MIN: f64 = 0.995;
/// Below this share of the observed time a day is bad.
const PARTIAL_SHARE_MIN: f64 = 0.95;

domain::words! {
    /// How a backend answered within a day.
    StripCell {
        /// It answered, but for at most half a percent of the observed time
        Good = "good",
        /// It did not answer for up to a twentieth of the observed time
        Partial = "partial",
        /// It did not answer for longer
        Bad = "bad",
        /// Nothing was observed
        NotObserved = "not_observed",
    }
}

#[must_use]
pub fn strip_cell(time: ObservedTime) -> StripCell {
    let observed = time.observed();
    if observed < OBSERVED_MIN {
        return StripCell::NotObserved;
    }
    let share = time.good.as_secs_f64() / observed.as_secs_f64();
    if share >= GOOD_SHARE_MIN {
        StripCell::Good
    } else if share >= PARTIAL_SHARE_MIN {
        StripCell::Partial
    } else {
        StripCell::Bad
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn cells_change_at_their_bounds() {
        let cell = |good: u64, bad: u64| {
            let [good, bad] = [good, bad].map(Duration::from_secs);
            strip_cell(ObservedTime { good, bad })
        };
        assert_eq!(cell(0, 0), StripCell::NotObserved);
        assert_eq!(cell(59, 0), StripCell::NotObserved);
        assert_eq!(cell(60, 0), StripCell::Good);
        assert_eq!(cell(995, 5), StripCell::Good);
        assert_eq!(cell(994, 6), StripCell::Partial);
        assert_eq!(cell(950, 50), StripCell::Partial);
        assert_eq!(cell(949, 51), StripCell::Bad);
        assert_eq!(cell(0, 60), StripCell::Bad);
    }
}
