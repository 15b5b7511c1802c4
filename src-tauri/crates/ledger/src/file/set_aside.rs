//! Keeps an unusable ledger file: moved beside the new one, read-only, never overwritten or deleted
//! by this program.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use domain::WallTime;

use crate::LedgerError;
use crate::error::file_error;
use sqlite_file::{wal_path, with_suffix};

/// Most kept files of one ledger. Past it opening fails instead, so that a failing disk does not
/// fill the folder.
pub(crate) const SET_ASIDE_FILES_MAX: usize = 16;

/// Separates the ledger's name from the reason in the name of a kept file.
const KEPT_SUFFIX: &str = ".kept-";

/// Moves the ledger at `path` and its write-ahead log to `<path>.kept-<reason>-<time>` and makes
/// both read-only. Returns the name of the kept file; `None` if both were empty.
///
/// # Errors
/// [`LedgerError::File`] when a file cannot be moved or [`SET_ASIDE_FILES_MAX`] is reached; nothing
/// is lost then.
pub(crate) fn set_aside(
    path: &Path,
    reason: &str,
    at: WallTime,
) -> Result<Option<String>, LedgerError> {
    let wal = wal_path(path);
    if file_bytes(path) == 0 && file_bytes(&wal) == 0 {
        remove(path).and_then(|()| remove_side_files(path))?;
        return Ok(None);
    }
    let target = unused_name(path, reason, at)?;
    // The main file first: a log left alone is set aside by the next start, but a main file without
    // its log would be taken as complete.
    for (from, to) in [(path, target.clone()), (wal.as_path(), wal_path(&target))] {
        if from.exists() {
            fs::rename(from, &to).map_err(|error| file_error(from, error))?;
            make_read_only(&to);
        }
    }
    remove_side_files(path)?;
    Ok(target.file_name().map(|name| name.to_string_lossy().into_owned()))
}

/// Names of the kept files of the ledger at `path`, sorted.
pub(crate) fn kept_files(path: &Path) -> io::Result<Vec<String>> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(Vec::new());
    };
    let start = format!("{}{KEPT_SUFFIX}", name.to_string_lossy());
    let mut kept = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.starts_with(&start) && !name.ends_with("-wal") && !name.ends_with("-shm") {
            kept.push(name);
        }
    }
    kept.sort();
    Ok(kept)
}

/// `2026-11-22T12-34-56Z`: a time that is valid in file names on every file system.
pub(crate) fn file_name_time(at: WallTime) -> String {
    let text = at.to_rfc3339();
    format!("{}Z", text.get(..19).unwrap_or(&text).replace(':', "-"))
}

fn unused_name(path: &Path, reason: &str, at: WallTime) -> Result<PathBuf, LedgerError> {
    let kept = kept_files(path).map_err(|error| file_error(path, error))?;
    let base = with_suffix(path, &format!("{KEPT_SUFFIX}{reason}-{}", file_name_time(at)));
    let numbered =
        (2..=SET_ASIDE_FILES_MAX + 1).map(|number| with_suffix(&base, &format!("-{number}")));
    let free = std::iter::once(base.clone())
        .chain(numbered)
        .find(|name| !name.exists() && !wal_path(name).exists());
    match free {
        Some(free) if kept.len() < SET_ASIDE_FILES_MAX => Ok(free),
        _ => Err(file_error(
            path,
            io::Error::other(format!(
                "{SET_ASIDE_FILES_MAX} ledger files are already kept; move some of them away"
            )),
        )),
    }
}

/// Removes SQLite's side files, which it creates again by itself.
pub(crate) fn remove_side_files(path: &Path) -> Result<(), LedgerError> {
    remove(&wal_path(path)).and_then(|()| remove(&sqlite_file::shm_path(path)))
}

fn remove(path: &Path) -> Result<(), LedgerError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(file_error(path, error)),
        _ => Ok(()),
    }
}

fn make_read_only(path: &Path) {
    let read_only = fs::metadata(path).and_then(|file| {
        let mut permissions = file.permissions();
        permissions.set_readonly(true);
        fs::set_permissions(path, permissions)
    });
    if let Err(error) = read_only {
        tracing::warn!(%error, path = %path.display(), "a kept file could not be made read-only");
    }
}

/// Size in bytes; 0 if the file is missing.
pub(crate) fn file_bytes(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |file| file.len())
}
