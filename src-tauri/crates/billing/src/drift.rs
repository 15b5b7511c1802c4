//! How far what a provider billed is from what was computed.
//!
//! Two levels, both as a share of the bill. Each amount that is compared is to agree within
//! [`EXPECTED_DRIFT_PERMILLE`]: panel and command line mark what does not. An alert is for a bill to
//! act on: a week of a provider that is off by the percentage of its rule, which the user sets, and by
//! [`ALERT_DIFFERENCE_MIN`].

use domain::NanoUsd;
use jiff::civil::Date;

/// What the ledger has of a provider's day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Computed {
    pub cost: NanoUsd,
    pub requests: u64,
    /// Requests that nothing was billed for.
    pub unbilled_requests: u64,
    /// Requests without a known cost; not in `cost`.
    pub unpriced_requests: u64,
}

impl std::ops::AddAssign for Computed {
    fn add_assign(&mut self, other: Self) {
        self.cost += other.cost;
        self.requests += other.requests;
        self.unbilled_requests += other.unbilled_requests;
        self.unpriced_requests += other.unpriced_requests;
    }
}

/// How far a computed cost may be from the bill, in thousandths of the bill.
pub const EXPECTED_DRIFT_PERMILLE: u32 = 5;

/// A smaller difference in a provider's week raises no alert, whatever its share.
pub const ALERT_DIFFERENCE_MIN: NanoUsd = NanoUsd::new(1_000_000_000);

/// Billed minus computed as a share of the bill, in percent; `None` if nothing was billed.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a share for people and a threshold")]
pub fn drift_percent(billed: NanoUsd, computed: NanoUsd) -> Option<f64> {
    let difference = (billed - computed).nanos() as f64;
    (billed > NanoUsd::ZERO).then(|| 100.0 * difference / billed.nanos() as f64)
}

/// [`drift_percent`] for the alert: a bill of nothing for a computed cost is all of it lower. 0 where
/// the difference is too small for an alert.
#[must_use]
pub fn alert_drift_percent(billed: NanoUsd, computed: NanoUsd) -> f64 {
    let difference = (billed - computed).nanos().unsigned_abs();
    if difference < ALERT_DIFFERENCE_MIN.nanos().unsigned_abs() {
        return 0.0;
    }
    drift_percent(billed, computed).unwrap_or(-100.0)
}

/// True if they are further apart than is expected of a computed cost.
#[must_use]
pub fn is_beyond_expected(billed: NanoUsd, computed: NanoUsd) -> bool {
    let difference = i128::from((billed - computed).nanos()).abs();
    difference * 1_000 > i128::from(billed.nanos().max(0)) * i128::from(EXPECTED_DRIFT_PERMILLE)
}

/// The sum of a provider's report of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Billed(pub NanoUsd);

/// A reason why the two differ, as far as one is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DriftReason {
    /// Requests whose cost is not known.
    Unpriced(u64),
    /// More than the ledger has. What went past Gatehouse cannot be known.
    BilledMore,
    /// Less than the ledger has: a discount, a credit, or a price that is too high.
    BilledLess,
    /// The day goes on, so the report is not final.
    NotOver,
}

/// The difference of a day; `None` without a report, which is not a difference of 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    pub difference: Option<NanoUsd>,
    pub reasons: Vec<DriftReason>,
}

impl Drift {
    #[must_use]
    pub fn of(computed: Computed, billed: Option<Billed>, day: Date, today: Date) -> Self {
        let difference = billed.map(|billed| billed.0 - computed.cost);
        let mut reasons = Vec::new();
        if computed.unpriced_requests > 0 {
            reasons.push(DriftReason::Unpriced(computed.unpriced_requests));
        }
        if day >= today {
            reasons.push(DriftReason::NotOver);
        }
        match difference {
            Some(more) if more > NanoUsd::ZERO => reasons.push(DriftReason::BilledMore),
            Some(less) if less < NanoUsd::ZERO => reasons.push(DriftReason::BilledLess),
            _ => {}
        }
        Self { difference, reasons }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_a_share_of_the_bill_and_has_two_levels() {
        let check = |billed, computed, percent, is_marked, alerted: f64| {
            let [billed, computed] = [billed, computed].map(NanoUsd::new);
            assert_eq!(drift_percent(billed, computed), percent);
            assert_eq!(is_beyond_expected(billed, computed), is_marked);
            assert!((alert_drift_percent(billed, computed) - alerted).abs() < 1e-9);
        };
        let dollar = ALERT_DIFFERENCE_MIN.nanos();
        check(0, 0, None, false, 0.0);
        check(1_000, 995, Some(0.5), false, 0.0);
        check(1_000, 994, Some(0.6), true, 0.0);
        check(1_000, 1_006, Some(-0.6), true, 0.0);
        check(0, 7, None, true, 0.0);
        // A dollar of fifty is two percent of the bill, though more than that of what was computed.
        check(50 * dollar, 49 * dollar, Some(2.0), true, 2.0);
        check(
            50 * dollar,
            49 * dollar + 1,
            Some(100.0 * (dollar - 1) as f64 / (50 * dollar) as f64),
            true,
            0.0,
        );
        check(0, dollar, None, true, -100.0);
    }

    #[test]
    fn a_day_without_a_report_has_no_difference() {
        let (day, today) = (jiff::civil::date(2026, 11, 20), jiff::civil::date(2026, 11, 23));
        let computed = |cost, unpriced_requests| Computed {
            cost: NanoUsd::new(cost),
            requests: 5,
            unbilled_requests: 0,
            unpriced_requests,
        };
        let check =
            |cost, unpriced, billed: Option<i64>, difference: Option<i64>, reasons: &[_]| {
                let billed = billed.map(|billed| Billed(NanoUsd::new(billed)));
                let drift = Drift::of(computed(cost, unpriced), billed, day, today);
                assert_eq!(drift.difference, difference.map(NanoUsd::new));
                assert_eq!(drift.reasons, reasons);
            };
        check(7, 0, None, None, &[]);
        check(7, 2, None, None, &[DriftReason::Unpriced(2)]);
        check(7, 0, Some(7), Some(0), &[]);
        check(7, 0, Some(0), Some(-7), &[DriftReason::BilledLess]);
        check(7, 2, Some(10), Some(3), &[DriftReason::Unpriced(2), DriftReason::BilledMore]);
        let now = Drift::of(computed(7, 0), Some(Billed(NanoUsd::new(7))), today, today);
        assert_eq!(now.reasons, [DriftReason::NotOver]);
    }
}
