//! The highest revision of the vault file that was seen, kept beside the logs rather than beside the
//! file: what puts an old vault back (a backup, a synchronised folder) must not put this back too.
//!
//! It guards against accidents. Someone who can write both files can set both back.

use std::path::Path;

use super::disk;

/// What was seen; 0 if nothing was, or if the file does not hold a number.
pub(super) fn seen(path: &Path) -> u64 {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.trim().parse().unwrap_or_default()
}

/// Remembers `revision`, if it is news. Where that cannot be written, the keys are safe all the same;
/// only an old file in their place would not be noticed.
pub(super) fn note(path: &Path, revision: u64) {
    if seen(path) < revision {
        let _forgotten = disk::replace(path, format!("{revision}\n").as_bytes());
    }
}
