//! Keys of the vault: their state and balance, copies in plain text, and changes of the vault.

pub(crate) mod balances;
pub(crate) mod copies;
pub(crate) mod provider_check;
pub(crate) mod replaced;
pub(crate) mod retired;
pub(crate) mod scanner;
pub(crate) mod statuses;
pub(crate) mod vault_change;
pub(crate) mod vault_switch;
