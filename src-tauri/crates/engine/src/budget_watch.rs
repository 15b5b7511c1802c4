//! Puts the budgets of the settings in force and loads what was spent from the ledger, which is the
//! truth: at the start before anything is served, when budgets change, and every minute.

use std::sync::Arc;
use std::time::Duration;

use budgets::BudgetStatus;
use domain::{BudgetDimension, Clock, NanoUsd};
use gateway::Budgets;
use jiff::tz::TimeZone;
use ledger::{BucketWidth, GroupBy, Ledger, LedgerError, UsageKey, UsageQuery};
use settings::Settings;
use tokio::sync::{Mutex, Notify};

use crate::tasks::Tasks;

/// Interval of the corrections, in seconds.
const CORRECTION_SECS: u64 = 60;

pub struct BudgetWatch {
    budgets: Arc<Budgets>,
    ledger: Ledger,
    clock: Arc<dyn Clock>,
    changed: Notify,
    /// Held by a correction: two at once would each add what the other found.
    loading: Mutex<()>,
}

impl BudgetWatch {
    pub(crate) fn new(ledger: Ledger, clock: Arc<dyn Clock>) -> Self {
        let budgets = Budgets::new(Arc::clone(&clock));
        Self { budgets, ledger, clock, changed: Notify::new(), loading: Mutex::default() }
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
        self.changed.notify_one();
    }

    /// Reads what was spent from the ledger.
    ///
    /// # Errors
    /// The ledger cannot be read; then the budgets keep what they know.
    pub async fn load(&self) -> Result<(), LedgerError> {
        let _alone = self.loading.lock().await;
        for status in self.budgets.statuses() {
            let spent = self.spent(&status).await?;
            self.budgets.correct(&status.id, status.from, status.spent, spent);
        }
        Ok(())
    }

    async fn spent(&self, status: &BudgetStatus) -> Result<NanoUsd, LedgerError> {
        let scope = status.budget.scope.as_ref();
        let group_by = scope.map_or(GroupBy::Backend, |(dimension, _)| group_by(*dimension));
        let to = self.clock.wall();
        let query = UsageQuery::new(status.from, to, BucketWidth::Day, &TimeZone::UTC, group_by);
        // An empty range: the period begins now.
        let Ok(query) = query else { return Ok(NanoUsd::ZERO) };
        let sums = self.ledger.usage(query).await?;
        Ok(match scope {
            None => sums.totals.cost,
            Some((_, name)) => {
                let key = UsageKey::Named(name.clone());
                let group = sums.groups.iter().find(|(group, _)| *group == key);
                group.map_or(NanoUsd::ZERO, |(_, totals)| totals.cost)
            }
        })
    }

    pub(crate) fn spawn(self: &Arc<Self>, tasks: &Tasks) {
        let (watch, ticks) = (Arc::clone(self), tasks.clone());
        tasks.spawn("budgets", async move {
            loop {
                let goes_on = tokio::select! {
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

const fn group_by(dimension: BudgetDimension) -> GroupBy {
    match dimension {
        BudgetDimension::Backend => GroupBy::Backend,
        BudgetDimension::Credential => GroupBy::Credential,
        BudgetDimension::Client => GroupBy::Client,
        BudgetDimension::Project => GroupBy::Project,
        BudgetDimension::Model => GroupBy::Model,
    }
}
