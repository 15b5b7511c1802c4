//! What costs stand on beside the requests: prices, provider's bills, budgets, and what a statement lists.

pub(crate) mod billed;
pub(crate) mod budget_history;
pub(crate) mod budget_reservations;
pub(crate) mod cost_bases;
pub(crate) mod dismissed_anomalies;
pub(crate) mod price_changes;
pub(crate) mod price_table;
pub(crate) mod project_meters;
pub(crate) mod stated_costs;
pub(crate) mod statement_rows;
