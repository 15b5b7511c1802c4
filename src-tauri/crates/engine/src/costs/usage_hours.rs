//! Usage by hour, as unusual hours are looked for in.

use analytics::{HOURS_BEFORE, HourlyUsage};
use budgets::BudgetStatus;
use domain::{BudgetPeriod, HOUR_MS, NanoUsd, WallTime};
use ledger::{DimensionFilter, Ledger, LedgerError, UsageTotals};

/// The user's own traffic of every hour of UTC to that of `to`, and from [`HOURS_BEFORE`] before that of
/// `from`, the first that is asked about.
///
/// # Errors
/// The ledger cannot be read.
pub async fn usage_hours(
    ledger: &Ledger,
    from: WallTime,
    to: WallTime,
) -> Result<Vec<HourlyUsage>, LedgerError> {
    let history = i64::try_from(HOURS_BEFORE).unwrap_or_default() * HOUR_MS;
    let start = from.minus_ms(history).hour_start();
    let known = ledger.usage_by_hour(start, to, DimensionFilter::default()).await?;
    Ok(without_gaps(start, to, &known))
}

/// The smallest budget for all spending of a day.
#[must_use]
pub fn smallest_daily_budget(statuses: &[BudgetStatus]) -> Option<NanoUsd> {
    let daily = statuses.iter().filter(|status| {
        status.budget.scope.is_none() && status.budget.schedule.period() == BudgetPeriod::Day
    });
    daily.map(|status| status.budget.limit).min()
}

/// Every hour from `start` to that of `to`; those that are not known are without requests.
pub(crate) fn without_gaps(
    start: WallTime,
    to: WallTime,
    known: &[(WallTime, UsageTotals)],
) -> Vec<HourlyUsage> {
    let mut known = known.iter().peekable();
    let mut hours = Vec::new();
    let mut hour = start;
    while hour <= to {
        let totals = known.next_if(|(start, _)| *start == hour).map(|(_, totals)| *totals);
        let UsageTotals { cost, requests, .. } = totals.unwrap_or_default();
        hours.push(HourlyUsage { start: hour, cost, requests });
        hour = hour.plus_ms(HOUR_MS);
    }
    hours
}
