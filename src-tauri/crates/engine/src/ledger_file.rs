//! The file of the ledger: its checks, daily backups and problems.

pub(crate) mod problem;
pub(crate) mod watch;
