//! Tries a budget on the ledger's past.

use budgets::{BudgetBackTest, PastCall, PastRequest, back_test};
use domain::{Budget, BudgetId, DAY_MS, RequestId, WallTime};
use jiff::tz::TimeZone;
use ledger::{LedgerError, PAST_CALLS_MAX, PastCallRow};

use crate::budgets::watch::BudgetWatch;

/// What a budget would have done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetTrial {
    pub found: BudgetBackTest,
    /// From when on requests are counted.
    pub from: WallTime,
    /// True if there are older calls than could be looked at.
    pub is_cut: bool,
}

impl BudgetWatch {
    /// Replays the requests of the last `days` days on `budget`, and those before that its period has.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn back_test(
        &self,
        id: &BudgetId,
        budget: &Budget,
        days: u32,
    ) -> Result<BudgetTrial, LedgerError> {
        let zone = TimeZone::system();
        let from = self.clock.wall().unix_ms().saturating_sub(i64::from(days) * DAY_MS);
        let from = WallTime::from_unix_ms(from);
        let begun = budget.schedule.around(from, &zone).map_or(from, |(begun, _)| begun);
        let calls = self.ledger.past_calls(begun).await?;
        let is_cut = calls.len() >= PAST_CALLS_MAX;
        let oldest = calls.first().map(|call| call.started).filter(|_| is_cut);
        let from = oldest.map_or(from, |oldest| from.max(oldest));
        let found = back_test(id, budget, &zone, from, group_calls(calls));
        Ok(BudgetTrial { found, from, is_cut })
    }
}

/// The requests of `calls`, in order.
fn group_calls(calls: Vec<PastCallRow>) -> Vec<PastRequest> {
    let mut requests: Vec<PastRequest> = Vec::new();
    let mut last = None::<RequestId>;
    for row in calls {
        let PastCallRow { request, client, project, started, ended, .. } = row;
        let call = PastCall {
            backend: row.backend,
            credential: row.credential,
            models: row.models,
            cost: row.cost,
        };
        match requests.last_mut().filter(|_| last == Some(request)) {
            Some(same) => same.calls.push(call),
            None => {
                requests.push(PastRequest { client, project, started, ended, calls: vec![call] });
            }
        }
        last = Some(request);
    }
    requests
}
