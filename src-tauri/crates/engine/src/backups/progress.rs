//! How far a backup, its check, a restore or a merge is, as an event tells it.

domain::words! {
    /// What is done with an archive, or with another machine's export.
    BackupTask {
        Create = "create",
        Check = "check",
        Restore = "restore",
        Merge = "merge",
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupProgress {
    pub task: BackupTask,
    /// Bytes of the parts that are read or written; requests of a merge.
    pub done: u64,
    /// 0 until it is known.
    pub total: u64,
    /// False once it has ended, whatever its outcome.
    pub is_running: bool,
}
