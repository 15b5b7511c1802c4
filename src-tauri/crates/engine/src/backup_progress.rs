//! How far a backup, its check or a restore is, as an event tells it.

domain::words! {
    /// What is done with an archive.
    BackupTask {
        Create = "create",
        Check = "check",
        Restore = "restore",
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupProgress {
    pub task: BackupTask,
    /// Bytes of the parts that are read or written.
    pub done_bytes: u64,
    /// 0 until it is known.
    pub total_bytes: u64,
    /// False once it has ended, whatever its outcome.
    pub is_running: bool,
}
