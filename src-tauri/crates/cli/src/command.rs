//! The commands, one file each: the arguments, one call of the core, and the answer as text.

pub(crate) mod alert_ladder;
pub(crate) mod alert_rules;
pub(crate) mod alert_trials;
pub(crate) mod alerts;
pub(crate) mod ask;
pub(crate) mod audit;
pub(crate) mod backends;
pub(crate) mod backup;
pub(crate) mod budgets;
pub(crate) mod cache;
pub(crate) mod check;
pub(crate) mod clients;
pub(crate) mod completers;
pub(crate) mod completions;
mod data_file;
pub(crate) mod export;
pub(crate) mod health;
mod health_tree;
pub(crate) mod keys;
pub(crate) mod ledger;
pub(crate) mod mcp;
pub(crate) mod models;
pub(crate) mod notify;
pub(crate) mod panel;
pub(crate) mod pause;
pub(crate) mod pins;
pub(crate) mod prices;
pub(crate) mod profiles;
pub(crate) mod requests;
pub(crate) mod routes;
pub(crate) mod run;
pub(crate) mod services;
pub(crate) mod settings;
pub(crate) mod slo;
pub(crate) mod status;
pub(crate) mod stop;
pub(crate) mod token;
pub(crate) mod usage;
pub(crate) mod vault;

#[cfg(test)]
mod tests;
