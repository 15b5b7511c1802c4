//! Puts the budgets of the settings in force, loads what was spent from the ledger, which is the
//! truth, and tells the user of the marks that they reach.
//!
//! Loaded at the start before anything is served, when budgets change, and every minute. A mark is
//! written to the ledger before the user is told of it and noted as told afterwards, so that a
//! restart tells of what a crash kept back, and of nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use budgets::{BudgetStatus, Interrupted, LoadedSpending};
use domain::{
    BudgetAllowance, BudgetCrossing, BudgetDimension, BudgetId, BudgetMark, Clock, WallTime,
};
use gateway::Budgets;
use jiff::tz::TimeZone;
use ledger::{BilledName, Ledger, LedgerError, Spend};
use settings::Settings;
use tokio::sync::{Mutex, Notify};

use crate::budgets::notice::BudgetNotice;
use crate::events::{EngineEvent, EventBus};
use crate::process::tasks::Tasks;
use crate::topic::Topic;

/// Interval of the corrections, in seconds.
const CORRECTION_SECS: u64 = 60;

/// Reached marks of a budget that are shown. More than a period can have.
pub(crate) const BUDGET_CROSSINGS_SHOWN_MAX: usize = 50;

pub struct BudgetWatch {
    budgets: Arc<Budgets>,
    pub(crate) ledger: Ledger,
    pub(crate) clock: Arc<dyn Clock>,
    events: EventBus,
    changed: Notify,
    /// Held by a correction: two at once would each add what the other found.
    loading: Mutex<()>,
    /// Held while the user is told, so that a mark is told once.
    telling: Mutex<()>,
}

impl BudgetWatch {
    pub(crate) fn new(ledger: Ledger, clock: Arc<dyn Clock>, events: EventBus) -> Self {
        let budgets = Budgets::new(Arc::clone(&clock));
        let (changed, loading, telling) = (Notify::new(), Mutex::default(), Mutex::default());
        Self { budgets, ledger, clock, events, changed, loading, telling }
    }

    /// Shared with the gateway.
    pub(crate) fn budgets(&self) -> Arc<Budgets> {
        Arc::clone(&self.budgets)
    }

    /// The budgets in their present periods.
    #[must_use]
    pub fn statuses(&self) -> Vec<BudgetStatus> {
        self.budgets.statuses()
    }

    /// Puts the budgets of `settings` in force. What was spent follows with the next [`Self::load`].
    pub(crate) fn apply(&self, settings: &Settings) {
        let named = settings.budgets.iter().map(|(id, budget)| (id.clone(), budget.clone()));
        self.budgets.configure(named, TimeZone::system());
        self.budgets.show_in(settings.currency.shown().0);
        self.changed.notify_one();
    }

    /// Reads what was spent and what is allowed more from the ledger.
    ///
    /// # Errors
    /// The ledger cannot be read; then the budgets keep what they know.
    pub async fn load(&self) -> Result<(), LedgerError> {
        let _alone = self.loading.lock().await;
        let statuses = self.budgets.statuses();
        let is_of_model = |status: &BudgetStatus| {
            matches!(status.budget.scope, Some((BudgetDimension::Model, _)))
        };
        if statuses.iter().any(is_of_model) {
            for BilledName { backend, model, billed } in self.ledger.billed_names().await? {
                self.budgets.note_billed_name(&backend, &model, &billed);
            }
        }
        for status in statuses {
            let now = self.clock.wall();
            let Spend { cost, unpriced_requests, .. } = match status.from < now {
                true => self.ledger.spend_in(status.budget.scope.clone(), status.from, now).await?,
                false => Spend::default(),
            };
            let allowances = self.ledger.budget_allowances(status.id.clone(), now).await?;
            let cut_off =
                self.ledger.interrupted_reservations(status.id.clone(), status.from, now).await?;
            let interrupted = Interrupted { requests: cut_off.requests, amount: cut_off.amount };
            let loaded = LoadedSpending { spent: cost, interrupted, unpriced_requests, allowances };
            self.budgets.correct(&status.id, status.from, status.spent, loaded);
        }
        Ok(())
    }

    /// The newest marks that a budget reached, newest first.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn crossings(&self, id: &BudgetId) -> Result<Vec<BudgetCrossing>, LedgerError> {
        self.ledger.budget_crossings(id.clone(), BUDGET_CROSSINGS_SHOWN_MAX).await
    }

    /// Allows more than the limit of a budget.
    ///
    /// # Errors
    /// The ledger cannot be written or read.
    pub async fn allow(&self, id: &BudgetId, more: BudgetAllowance) -> Result<(), LedgerError> {
        self.ledger.allow_budget(id.clone(), more).await?;
        self.load().await
    }

    /// Takes back everything that a budget is allowed more.
    ///
    /// # Errors
    /// The ledger cannot be written or read.
    pub async fn disallow(&self, id: &BudgetId) -> Result<(), LedgerError> {
        self.ledger.end_budget_allowances(id.clone(), self.clock.wall()).await?;
        self.load().await
    }

    /// Tells the user of the marks that were reached and not told of yet: of the last one of a budget,
    /// if several were reached at once.
    pub(crate) async fn tell(&self) -> Result<(), LedgerError> {
        let _alone = self.telling.lock().await;
        for status in self.budgets.statuses() {
            let now = self.clock.wall();
            let marks = status.marks(now);
            if marks.is_empty() {
                continue;
            }
            let told = self.crossings(&status.id).await?;
            let new: Vec<BudgetCrossing> = marks
                .into_iter()
                .map(|mark| crossing(&status, mark, now))
                .filter(|crossing| !told.iter().any(|told| is_told(crossing, told)))
                .collect();
            let Some(last) = new.last().cloned() else { continue };
            self.ledger.record_budget_crossings(new).await?;
            self.send_notice(&status, last).await?;
        }
        Ok(())
    }

    /// Tells of the marks that were recorded, but whose notification a crash took: of the last one of
    /// a budget. One of an earlier period is history and no news.
    pub(crate) async fn tell_untold(&self) -> Result<(), LedgerError> {
        let _alone = self.telling.lock().await;
        let untold = self.ledger.untold_budget_crossings().await?;
        let last: BTreeMap<&BudgetId, &BudgetCrossing> =
            untold.iter().map(|crossing| (&crossing.budget, crossing)).collect();
        let statuses = self.budgets.statuses();
        for (id, crossing) in last {
            let status = statuses.iter().find(|status| status.id == *id);
            match status.filter(|status| status.from <= crossing.at) {
                Some(status) => self.send_notice(status, crossing.clone()).await?,
                None => self.ledger.mark_budget_crossings_told(id.clone()).await?,
            }
        }
        Ok(())
    }

    async fn send_notice(
        &self,
        status: &BudgetStatus,
        crossing: BudgetCrossing,
    ) -> Result<(), LedgerError> {
        let notice =
            BudgetNotice::of(status, crossing, &TimeZone::system(), self.budgets.shown_currency());
        self.events.send(EngineEvent::Budget(Arc::new(notice)));
        self.events.send_changed(&[Topic::Usage]);
        self.ledger.mark_budget_crossings_told(status.id.clone()).await
    }

    pub(crate) fn spawn(self: &Arc<Self>, tasks: &Tasks) {
        let (watch, ticks) = (Arc::clone(self), tasks.clone());
        tasks.spawn("budgets", async move {
            if let Err(error) = watch.tell_untold().await {
                tracing::warn!(%error, "pending notifications of budgets could not be read");
            }
            loop {
                if let Err(error) = watch.tell().await {
                    tracing::warn!(%error, "marks of the budgets could not be recorded");
                }
                let goes_on = tokio::select! {
                    () = watch.budgets.mark_reached() => continue,
                    () = watch.changed.notified() => true,
                    goes_on = ticks.sleep(Duration::from_secs(CORRECTION_SECS)) => goes_on,
                };
                if !goes_on {
                    return;
                }
                if let Err(error) = watch.load().await {
                    tracing::warn!(%error, "what the budgets spent could not be read");
                }
            }
        });
    }
}

pub(crate) fn crossing(status: &BudgetStatus, mark: BudgetMark, at: WallTime) -> BudgetCrossing {
    BudgetCrossing {
        budget: status.id.clone(),
        mark,
        period_from: status.from,
        at,
        spent: status.spent,
        limit: status.limit(at),
    }
}

/// True if the user was told of a mark in its period: in a rolling window, within its length. A
/// refusal is told again once more was allowed and used up too.
fn is_told(crossing: &BudgetCrossing, told: &BudgetCrossing) -> bool {
    let is_same_limit = crossing.mark != BudgetMark::Refused || told.limit == crossing.limit;
    told.mark == crossing.mark && told.at >= crossing.period_from && is_same_limit
}

#[cfg(test)]
mod tests {
    use domain::{Budget, NanoUsd};
    use settings::Settings;

    use super::*;
    use crate::test_parts::{NOW, clock, ledger_in};

    fn watch(home: &tempfile::TempDir) -> (BudgetWatch, EventBus) {
        let events = EventBus::default();
        let watch = BudgetWatch::new(ledger_in(home), clock(), events.clone());
        let mut settings = Settings::default();
        let id = BudgetId::new("monthly").expect("a name");
        settings.budgets.insert(id, Budget::new(NanoUsd::new(1_000_000_000)));
        watch.apply(&settings);
        (watch, events)
    }

    fn reached(percent: u16, period_from: WallTime, at: WallTime) -> BudgetCrossing {
        BudgetCrossing {
            budget: BudgetId::new("monthly").expect("a name"),
            mark: BudgetMark::Spent(percent),
            period_from,
            at,
            spent: NanoUsd::new(900_000_000),
            limit: NanoUsd::new(1_000_000_000),
        }
    }

    /// Titles of the notices that were sent.
    fn titles(sent: &mut tokio::sync::broadcast::Receiver<EngineEvent>) -> Vec<String> {
        let mut titles = Vec::new();
        while let Ok(event) = sent.try_recv() {
            if let EngineEvent::Budget(notice) = event {
                titles.push(notice.title.clone());
            }
        }
        titles
    }

    #[tokio::test]
    async fn a_mark_that_a_crash_kept_back_is_told_once_by_the_next_start() {
        let home = tempfile::tempdir().expect("a folder");
        let (before, _) = watch(&home);
        let from = before.statuses()[0].from;
        // Recorded, and then the process dies before the user is told.
        let marks = vec![reached(50, from, NOW), reached(80, from, NOW)];
        before.ledger.record_budget_crossings(marks).await.expect("recorded");
        drop(before);

        let (after, events) = watch(&home);
        let mut sent = events.subscribe();
        after.tell_untold().await.expect("told");
        assert_eq!(titles(&mut sent), ["Budget monthly: 80 % used"]);
        after.tell_untold().await.expect("nothing to tell");
        after.tell().await.expect("nothing to tell");
        drop(after);
        let (again, events) = watch(&home);
        let mut sent = events.subscribe();
        again.tell_untold().await.expect("nothing to tell");
        assert_eq!(titles(&mut sent), Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_mark_of_an_earlier_period_is_no_news() {
        let home = tempfile::tempdir().expect("a folder");
        let (watch, events) = watch(&home);
        let earlier = WallTime::from_unix_ms(watch.statuses()[0].from.unix_ms() - 1);
        let marks = vec![reached(80, WallTime::default(), earlier)];
        watch.ledger.record_budget_crossings(marks).await.expect("recorded");
        let mut sent = events.subscribe();
        watch.tell_untold().await.expect("read");
        assert_eq!(titles(&mut sent), Vec::<String>::new());
        assert_eq!(watch.ledger.untold_budget_crossings().await.expect("read"), Vec::new());
    }
}
