//! What budgets keep in the ledger.

use domain::{BudgetAllowance, BudgetCrossing, BudgetId, WallTime};

use super::Ledger;
use crate::costs::{budget_history, budget_reservations};
use crate::write::writes::LedgerWrite;
use crate::{InterruptedReservations, LedgerError};

impl Ledger {
    /// Saves marks that budgets reached, of which the user is to be told. Past
    /// [`crate::BUDGET_CROSSINGS_KEPT_MAX`] of a budget its oldest are deleted.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn record_budget_crossings(
        &self,
        crossings: Vec<BudgetCrossing>,
    ) -> Result<(), LedgerError> {
        self.inner.queue.write(LedgerWrite::BudgetCrossings(crossings)).await.map(drop)
    }

    /// The marks that the user was not told of, oldest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn untold_budget_crossings(&self) -> Result<Vec<BudgetCrossing>, LedgerError> {
        self.read(budget_history::list_untold).await
    }

    /// Notes that the user was told of every mark of a budget.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn mark_budget_crossings_told(&self, budget: BudgetId) -> Result<(), LedgerError> {
        self.inner.queue.write(LedgerWrite::BudgetCrossingsTold(budget)).await.map(drop)
    }

    /// The newest `limit` marks that a budget reached, newest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn budget_crossings(
        &self,
        budget: BudgetId,
        limit: usize,
    ) -> Result<Vec<BudgetCrossing>, LedgerError> {
        self.read(move |connection| budget_history::list_crossings(connection, &budget, limit))
            .await
    }

    /// Allows more than a budget's limit. Past `BUDGET_ALLOWANCES_KEPT_MAX` of a budget its
    /// oldest are deleted.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn allow_budget(
        &self,
        budget: BudgetId,
        allowance: BudgetAllowance,
    ) -> Result<(), LedgerError> {
        let job = LedgerWrite::BudgetAllowance { budget, allowance };
        self.inner.queue.write(job).await.map(drop)
    }

    /// Ends everything that a budget is allowed more at `at`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn end_budget_allowances(
        &self,
        budget: BudgetId,
        at: WallTime,
    ) -> Result<(), LedgerError> {
        self.inner.queue.write(LedgerWrite::EndBudgetAllowances { budget, at }).await.map(drop)
    }

    /// What a budget is allowed more at `at`, oldest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn budget_allowances(
        &self,
        budget: BudgetId,
        at: WallTime,
    ) -> Result<Vec<BudgetAllowance>, LedgerError> {
        self.read(move |connection| budget_history::list_allowances(connection, &budget, at)).await
    }

    /// What `budget` reserved for the requests of `from..to` that a kill cut off.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn interrupted_reservations(
        &self,
        budget: BudgetId,
        from: WallTime,
        to: WallTime,
    ) -> Result<InterruptedReservations, LedgerError> {
        self.read(move |connection| {
            budget_reservations::sum_interrupted(connection, &budget, from, to)
        })
        .await
    }
}
