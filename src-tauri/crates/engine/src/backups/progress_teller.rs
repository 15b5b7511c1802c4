//! Tells how far a backup, its check, a restore or a merge is, and stops it when it is cancelled.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use archive::ArchiveWatch;

use crate::backups::progress::{BackupProgress, BackupTask};
use crate::events::{EngineEvent, EventBus};

/// Tells of each percent, and stops when the work is cancelled.
pub(crate) struct ProgressTeller {
    pub(crate) task: BackupTask,
    pub(crate) events: EventBus,
    pub(crate) cancelled: Arc<AtomicBool>,
    pub(crate) told_percent: AtomicU64,
}

impl ProgressTeller {
    pub(crate) fn begin(task: BackupTask, events: EventBus, cancelled: Arc<AtomicBool>) -> Self {
        cancelled.store(false, Ordering::Relaxed);
        let teller = Self { task, events, cancelled, told_percent: AtomicU64::new(0) };
        teller.tell(0, 0, true);
        teller
    }

    fn tell(&self, done: u64, total: u64, is_running: bool) {
        let task = self.task;
        self.events.send(EngineEvent::Backup(BackupProgress { task, done, total, is_running }));
    }
}

impl Drop for ProgressTeller {
    fn drop(&mut self) {
        self.tell(0, 0, false);
    }
}

impl ArchiveWatch for ProgressTeller {
    fn goes_on(&self, done: u64, total: u64) -> bool {
        let percent = done.saturating_mul(100).checked_div(total).unwrap_or_default();
        if self.told_percent.swap(percent, Ordering::Relaxed) != percent {
            self.tell(done, total, true);
        }
        !self.cancelled.load(Ordering::Relaxed)
    }
}
