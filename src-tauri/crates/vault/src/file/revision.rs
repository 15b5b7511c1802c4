//! The highest revision of the vault file seen so far. It is stored beside the logs, not beside the
//! file: a backup or a synchronised folder that restores an old vault must not restore this too.
//!
//! It guards against accidents. Someone who can write both files can reset both.

use std::path::Path;

use super::disk;

/// The highest revision seen; 0 if there is none or the file holds no number.
pub(super) fn load_highest(path: &Path) -> u64 {
    let bytes = disk::read(path).ok().flatten().unwrap_or_default();
    std::str::from_utf8(&bytes).ok().and_then(|text| text.trim().parse().ok()).unwrap_or_default()
}

/// Saves `revision`. An error is ignored: keys are safe, and only an older file in their place
/// would go unnoticed.
pub(super) fn save_highest(path: &Path, revision: u64) {
    let _forgotten = disk::replace(path, format!("{revision}\n").as_bytes());
}
