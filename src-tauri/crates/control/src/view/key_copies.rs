//! Request and view types for removing plain copies of keys. No view holds a key or another secret of
//! the user's files.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Count, KeysScan, UnixMs};

/// Asks how copies would be removed that a scan of the same places finds.
#[derive(Debug, Clone, Deserialize, Type)]
pub struct KeyCopiesQuery {
    pub scan: KeysScan,
    /// Of the keys. Each must be in the vault.
    pub fingerprints: Vec<String>,
}

/// What would change. Nothing is written yet.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct KeyCopiesPlanView {
    pub files: Vec<KeyCopiesFileView>,
    /// Copies that their owner has to remove.
    pub left: Vec<LeftKeyCopyView>,
    /// Given back, it makes sure that this plan is carried out.
    pub fingerprint: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct KeyCopiesFileView {
    /// `~` is the home folder.
    pub path: String,
    /// From 1.
    pub lines: Vec<Count>,
    /// Unified diff, with secrets masked.
    pub diff: String,
    /// What else to know before it is changed.
    pub warning: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LeftKeyCopyView {
    /// `~` is the home folder.
    pub path: String,
    /// From 1.
    pub line: Count,
    /// Why, and what to do.
    pub reason: String,
}

/// Carries out a plan.
#[derive(Debug, Clone, Deserialize, Type)]
pub struct KeyCopiesRemove {
    pub scan: KeysScan,
    pub fingerprints: Vec<String>,
    /// Fingerprint of the plan. If the files have changed since, nothing is removed.
    pub plan: String,
}

/// What came of one file.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct KeyCopiesOutcomeView {
    /// `~` is the home folder.
    pub path: String,
    /// Why it was left as it is; None if it was changed.
    pub error: Option<String>,
    pub removed: Option<RemovedKeyCopyView>,
}

/// A file from which copies were removed.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RemovedKeyCopyView {
    pub id: String,
    /// `~` is the home folder.
    pub path: String,
    pub removed_at: UnixMs,
    /// From 1, at the time of the removal.
    pub lines: Vec<Count>,
    /// Names of the keys in the vault, at that time.
    pub keys: Vec<String>,
    /// Why the keys cannot be put back; None if they can.
    pub problem: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RemovedKeyCopyRef {
    pub id: String,
}
