//! How far what a provider billed for a day is from what was computed.

use domain::NanoUsd;
use jiff::civil::Date;

/// What the ledger has of a provider's day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Computed {
    pub cost: NanoUsd,
    pub requests: u64,
    /// Requests without a known cost; not in `cost`.
    pub unpriced_requests: u64,
}

impl std::ops::AddAssign for Computed {
    fn add_assign(&mut self, other: Self) {
        self.cost += other.cost;
        self.requests += other.requests;
        self.unpriced_requests += other.unpriced_requests;
    }
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
    fn a_day_without_a_report_has_no_difference() {
        let (day, today) = (jiff::civil::date(2026, 11, 20), jiff::civil::date(2026, 11, 23));
        let computed = |cost, unpriced_requests| Computed {
            cost: NanoUsd::new(cost),
            requests: 5,
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
