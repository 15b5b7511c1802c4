//! Request and view types for budgets.

use domain::{BudgetDimension, BudgetPeriod};
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{NanoDollars, UnixMs};

/// A spending limit and what became of it in its present period.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BudgetView {
    pub id: String,
    pub limit_nano_usd: NanoDollars,
    pub period: BudgetPeriod,
    /// Whose spending counts; None for all of it.
    pub scope: Option<BudgetScopeView>,
    pub spent_nano_usd: NanoDollars,
    /// For requests under way.
    pub reserved_nano_usd: NanoDollars,
    /// Start of the period.
    pub from: UnixMs,
    /// End of the period; then it begins anew.
    pub until: UnixMs,
    /// Spent and reserved of the limit, at most 999.
    pub used_percent: u32,
    /// Part of the period that is over.
    pub elapsed_percent: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct BudgetScopeView {
    pub dimension: BudgetDimension,
    /// The name of the backend, key, client or project, or the model as the backend names it.
    pub name: String,
}

/// Adds or changes a budget.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BudgetSet {
    pub id: String,
    /// Decimal dollars: `20`, `2.50`.
    pub limit_usd: String,
    pub period: BudgetPeriod,
    pub scope: Option<BudgetScopeView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BudgetRef {
    pub id: String,
}
