//! The forecast: at the pace so far, a budget is used up before its period ends.

use domain::{NanoUsd, WallTime};

use crate::BudgetStatus;

/// Part of the period that must be over before its pace means something, in percent: six days of a
/// month, a day and a half of a week, five hours of a day.
pub(crate) const FORECAST_ELAPSED_PERCENT_MIN: i128 = 20;

impl BudgetStatus {
    /// When the budget is used up if spending goes on at the pace since the period began. `None` if
    /// it lasts, if it is used up already, while less than `FORECAST_ELAPSED_PERCENT_MIN` of the
    /// period is over, and for a rolling window, which has no end.
    #[must_use]
    pub fn used_up_at(&self, at: WallTime) -> Option<WallTime> {
        let (spent, limit) = (self.spent, self.limit(at));
        if self.budget.schedule.is_rolling() || spent <= NanoUsd::ZERO || spent >= limit {
            return None;
        }
        let since = |time: WallTime| i128::from(time.unix_ms()) - i128::from(self.from.unix_ms());
        let (elapsed, length) = (since(at), since(self.until));
        if elapsed * 100 < length * FORECAST_ELAPSED_PERCENT_MIN {
            return None;
        }
        let needed = elapsed * i128::from(limit.nanos()) / i128::from(spent.nanos());
        let used_up = i64::try_from(needed).ok()?.checked_add(self.from.unix_ms())?;
        (needed < length).then(|| WallTime::from_unix_ms(used_up))
    }
}
