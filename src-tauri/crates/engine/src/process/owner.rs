//! Ownership of a data folder: a lock that admits one engine, and a note with the owner's control
//! address.
//!
//! The lock is an advisory file lock of the operating system. It ends with its process, so a killed
//! owner leaves no stale lock.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::PathBuf;

use domain::Secret;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::Folders;

/// Maximum accepted size of a note, in bytes; a real one has about 200.
const NOTE_BYTES_MAX: u64 = 4_096;

/// Holds the data folder until dropped.
#[derive(Debug)]
pub struct OwnerLock {
    file: File,
    note: PathBuf,
}

/// Why the data folder could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error(
        "another Gatehouse is using the data folder {0} and cannot be reached; it may be starting \
         or stopping, so try again in a moment, or stop it"
    )]
    Held(PathBuf),
    #[error("could not lock the data folder at {path}; check its permissions")]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// How to reach the engine that owns a data folder.
#[derive(Debug, Clone, Deserialize)]
pub struct OwnerNote {
    /// Control listener, `http://127.0.0.1:PORT`.
    pub address: String,
    /// Control token. Its file has mode 0600 and is removed when the engine stops.
    pub token: Secret,
    /// Process id, for display only.
    pub pid: u32,
    pub version: String,
}

impl OwnerLock {
    /// Locks the data folder. Fails if another engine holds it.
    pub fn acquire(folders: &Folders) -> Result<Self, LockError> {
        let path = folders.data.join("owner.lock");
        let failed = |source| LockError::Io { path: path.clone(), source };
        let file = private_files::open_or_create_file(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file, note: note_path(folders) }),
            Err(TryLockError::WouldBlock) => Err(LockError::Held(folders.data.clone())),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Writes the note atomically, so that other processes can reach this engine.
    pub fn publish(&self, note: &OwnerNote) -> io::Result<()> {
        let beside = self.note.with_extension("json.new");
        let _ = std::fs::remove_file(&beside);
        let mut file = private_files::create_new_file(&beside)?;
        let text = Zeroizing::new(note_json(note).to_string());
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, &self.note)
    }
}

impl OwnerLock {
    /// Removes the note. Call it explicitly at the stop, because a window's process ends without
    /// running drops.
    pub fn withdraw(&self) {
        // A missing note is fine.
        let _ = std::fs::remove_file(&self.note);
    }
}

impl Drop for OwnerLock {
    fn drop(&mut self) {
        self.withdraw();
        let _ = self.file.unlock();
    }
}

/// Reads the note of the engine that owns the data folder; `None` if none runs. A free lock marks
/// the note as left by a killed owner.
#[must_use]
pub fn find_owner(folders: &Folders) -> Option<OwnerNote> {
    if !is_owned(folders) {
        return None;
    }
    let path = note_path(folders);
    if path.metadata().ok()?.len() > NOTE_BYTES_MAX {
        return None;
    }
    let text = Zeroizing::new(std::fs::read_to_string(path).ok()?);
    serde_json::from_str(&text).ok()
}

/// True if an engine holds the data folder, even if it is stopping and no longer responds.
#[must_use]
pub fn is_owned(folders: &Folders) -> bool {
    let lock = OpenOptions::new().write(true).open(folders.data.join("owner.lock"));
    lock.is_ok_and(|lock| lock.try_lock().is_err())
}

/// The only place that exposes the control token in writing. Its file is readable by this user
/// only.
fn note_json(note: &OwnerNote) -> serde_json::Value {
    serde_json::json!({
        "address": note.address,
        "token": note.token.expose(),
        "pid": note.pid,
        "version": note.version,
    })
}

fn note_path(folders: &Folders) -> PathBuf {
    folders.runtime.join("control.json")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn folders(home: &Path) -> Folders {
        let folders = Folders::resolve(Some(home)).expect("folders");
        folders.create().expect("created");
        folders
    }

    fn note() -> OwnerNote {
        OwnerNote {
            address: "http://127.0.0.1:9".to_owned(),
            token: Secret::parse("ghc_marked".to_owned()).expect("a token"),
            pid: 1,
            version: "0".to_owned(),
        }
    }

    #[test]
    fn the_second_engine_is_refused_and_finds_the_first() {
        let home = tempfile::tempdir().expect("a folder");
        let folders = folders(home.path());
        let owner = OwnerLock::acquire(&folders).expect("free");
        assert!(find_owner(&folders).is_none(), "no note yet");
        owner.publish(&note()).expect("published");
        assert!(matches!(OwnerLock::acquire(&folders), Err(LockError::Held(_))));
        assert_eq!(find_owner(&folders).expect("a note").address, "http://127.0.0.1:9");
        owner.withdraw();
        assert!(!note_path(&folders).exists(), "no token is left behind");
        drop(owner);
        assert!(find_owner(&folders).is_none());
        assert!(OwnerLock::acquire(&folders).is_ok());
    }

    #[test]
    fn a_note_left_by_a_killed_owner_is_not_believed() {
        let home = tempfile::tempdir().expect("a folder");
        let folders = folders(home.path());
        OwnerLock::acquire(&folders).expect("free").publish(&note()).expect("published");
        let text = note_json(&note()).to_string().into_bytes();
        File::create(note_path(&folders)).and_then(|mut f| f.write_all(&text)).expect("left over");
        assert!(find_owner(&folders).is_none());
    }

    #[cfg(unix)]
    #[test]
    fn the_note_is_for_this_user_only_and_debug_hides_its_token() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().expect("a folder");
        let folders = folders(home.path());
        let owner = OwnerLock::acquire(&folders).expect("free");
        owner.publish(&note()).expect("published");
        let mode = note_path(&folders).metadata().expect("metadata").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!format!("{:?}", note()).contains("marked"));
    }
}
