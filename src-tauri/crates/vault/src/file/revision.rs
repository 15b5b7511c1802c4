//! The highest revision of the vault file that was seen, kept beside the logs rather than beside the
//! file: what puts an old vault back (a backup, a synchronised folder) must not put this back too.
//!
//! It guards against accidents. Someone who can write both files can set both back.

use std::path::Path;

use super::disk;

/// What was seen; 0 if nothing was, or if the file does not hold a number.
pub(super) fn seen(path: &Path) -> u64 {
    let bytes = disk::read(path).ok().flatten().unwrap_or_default();
    std::str::from_utf8(&bytes).ok().and_then(|text| text.trim().parse().ok()).unwrap_or_default()
}

/// Remembers `revision`. Where that cannot be written, the keys are safe all the same; only an old file
/// in their place would not be noticed.
pub(super) fn note(path: &Path, revision: u64) {
    let _forgotten = disk::replace(path, format!("{revision}\n").as_bytes());
}
