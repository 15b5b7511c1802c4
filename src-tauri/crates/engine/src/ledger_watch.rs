//! What the watch over the ledger knows: its file, the last backup, the last fault.

use domain::WallTime;
use ledger::Recovery;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::ledger_problem::BackupFailure;

#[derive(Debug)]
pub(crate) struct LedgerWatch {
    pub(crate) recovery: Recovery,
    pub(crate) backup: Mutex<BackupStatus>,
    /// Why the last file check or rewrite failed.
    pub(crate) file_error: Mutex<Option<String>>,
    /// Wakes the task that announces changes.
    pub(crate) changed: Notify,
}

#[derive(Debug, Default)]
pub(crate) struct BackupStatus {
    pub(crate) due_since: Option<WallTime>,
    pub(crate) failure: Option<BackupFailure>,
}

impl LedgerWatch {
    pub(crate) fn new(recovery: Recovery) -> Self {
        Self {
            recovery,
            backup: Mutex::default(),
            file_error: Mutex::default(),
            changed: Notify::new(),
        }
    }
}
