//! Reads and replaces the files of tools, and our own records.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use private_files::sync_folder;

use crate::error::{ToolFileProblem, WiringError};

/// Largest file of a tool that is read, in bytes.
pub(crate) const CONFIG_BYTES_MAX: u64 = 4 << 20;

/// Where Claude Code keeps its MCP servers beside all that it remembers, which may outgrow the limit.
const CLAUDE_STATE: &str = ".claude.json";
const CLAUDE_ADDS_ITSELF: &str = "; Claude Code adds the server itself: `claude mcp add --scope user gatehouse -- gatehouse mcp`";

/// Folder in the state folder with the records of all changes, and with their lock.
pub(crate) const RECORDS_FOLDER: &str = "wiring";

/// Start of the name of a file that is about to replace another one.
const TEMPORARY_PREFIX: &str = ".gatehouse-wiring-";

/// Reads a file of a tool; none if there is none.
pub(crate) fn read_config(path: &Path) -> Result<Option<String>, WiringError> {
    read_text(path, CONFIG_BYTES_MAX)
}

/// Reads a file of at most `bytes_max`; none if there is none.
pub(crate) fn read_text(path: &Path, bytes_max: u64) -> Result<Option<String>, WiringError> {
    let problem = |what: &str| Err(ToolFileProblem::new(path, what).into());
    let metadata = match path.metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return match path.is_symlink() {
                true => problem("is a link to a file that does not exist"),
                false => Ok(None),
            };
        }
        Err(error) => return Err(WiringError::io(path, error)),
    };
    if !metadata.is_file() {
        return problem("is not a regular file");
    }
    let mut bytes = Vec::new();
    let opened = File::open(path).map_err(|error| WiringError::io(path, error))?;
    let read = opened.take(bytes_max + 1).read_to_end(&mut bytes);
    read.map_err(|error| WiringError::io(path, error))?;
    if bytes.len() as u64 > bytes_max {
        let way_out = if path.ends_with(CLAUDE_STATE) { CLAUDE_ADDS_ITSELF } else { "" };
        return problem(&format!("is larger than {} MiB{way_out}", bytes_max >> 20));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(_) => problem("is not UTF-8 text"),
    }
}

/// Changes files. In tests, a function is called after each step that a kill may follow.
#[derive(Default)]
pub(crate) struct Disk {
    #[cfg(test)]
    pub(crate) after_step: Option<Box<dyn Fn() + Send + Sync>>,
}

impl Disk {
    #[cfg_attr(not(test), expect(clippy::unused_self, reason = "tests observe the steps"))]
    fn step(&self) {
        #[cfg(test)]
        if let Some(observe) = &self.after_step {
            observe();
        }
    }

    /// Replaces a file at once: a crash leaves the old or the new one. The mode stays, a link stays
    /// and its target is replaced. A new file is for this user only.
    pub(crate) fn replace(&self, path: &Path, text: &str) -> Result<(), WiringError> {
        match self.replace_target(path, text, Expected::Anything) {
            Ok(_) => Ok(()),
            Err(error) => Err(WiringError::io(path, error)),
        }
    }

    /// As [`Self::replace`], if the file holds `before`, which is asked last: what somebody writes
    /// while the new file is prepared is not lost. None if there is to be no file yet.
    pub(crate) fn replace_unchanged(
        &self,
        path: &Path,
        before: Option<&str>,
        text: &str,
    ) -> Result<(), WiringError> {
        let expected = before.map_or(Expected::Nothing, Expected::Text);
        match self.replace_target(path, text, expected) {
            Ok(true) => Ok(()),
            Ok(false) => Err(WiringError::Outdated(path.to_owned())),
            Err(error) => Err(WiringError::io(path, error)),
        }
    }

    /// False if the file is not as expected.
    fn replace_target(&self, path: &Path, text: &str, expected: Expected<'_>) -> io::Result<bool> {
        let real = if path.is_symlink() { path.canonicalize()? } else { path.to_owned() };
        let mode = match real.metadata() {
            Ok(metadata) => Some(writable(metadata.permissions())?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let folder = real.parent().unwrap_or(Path::new("."));
        let mut temporary =
            tempfile::Builder::new().prefix(TEMPORARY_PREFIX).tempfile_in(folder)?;
        self.step();
        temporary.write_all(text.as_bytes())?;
        if let Some(mode) = mode {
            temporary.as_file().set_permissions(mode)?;
        }
        temporary.as_file().sync_all()?;
        self.step();
        let persisted = match expected {
            Expected::Anything => temporary.persist(&real),
            Expected::Nothing => match temporary.persist_noclobber(&real) {
                Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                    return Ok(false);
                }
                persisted => persisted,
            },
            Expected::Text(before) if !holds(&real, before)? => return Ok(false),
            Expected::Text(_) => temporary.persist(&real),
        };
        persisted.map_err(|error| error.error)?;
        sync_folder(folder)?;
        self.step();
        Ok(true)
    }

    /// Removes a file; one that is gone is no error.
    pub(crate) fn remove(&self, path: &Path) -> Result<(), WiringError> {
        let removed = match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => path.parent().filter(|folder| folder.is_dir()).map_or(Ok(()), sync_folder),
        };
        self.step();
        removed.map_err(|error| WiringError::io(path, error))
    }

    /// As [`Self::remove`], if the file holds `before`.
    pub(crate) fn remove_unchanged(&self, path: &Path, before: &str) -> Result<(), WiringError> {
        match holds(path, before) {
            Ok(false) => Err(WiringError::Outdated(path.to_owned())),
            Ok(true) => self.remove(path),
            Err(error) => Err(WiringError::io(path, error)),
        }
    }

    /// Creates a folder and those above it, for this user only.
    pub(crate) fn create_folder(&self, folder: &Path) -> Result<(), WiringError> {
        let created = private_files::create_folder(folder);
        self.step();
        created.map_err(|error| WiringError::io(folder, error))
    }

    pub(crate) fn remove_empty_folder(&self, folder: &Path) {
        drop(std::fs::remove_dir(folder));
        self.step();
    }
}

/// What a file must hold for its replacement.
#[derive(Clone, Copy)]
enum Expected<'a> {
    Anything,
    /// There is no file.
    Nothing,
    Text(&'a str),
}

/// False also for a file that is gone.
fn holds(path: &Path, text: &str) -> io::Result<bool> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(bytes == text.as_bytes()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// A read-only file could be replaced by its name; its owner does not want that.
fn writable(mode: Permissions) -> io::Result<Permissions> {
    match mode.readonly() {
        true => Err(io::Error::new(io::ErrorKind::PermissionDenied, "the file is read-only")),
        false => Ok(mode),
    }
}

/// Waits until no other process changes files of tools, which takes milliseconds. Removes what a killed
/// one left beside the records.
pub(crate) fn lock_folder(state_folder: &Path, disk: &Disk) -> Result<File, WiringError> {
    let folder = state_folder.join(RECORDS_FOLDER);
    let path = folder.join("lock");
    disk.create_folder(&folder)?;
    let open = || -> io::Result<File> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
        file.lock()?;
        Ok(file)
    };
    let locked = open().map_err(|error| WiringError::io(&path, error))?;
    remove_temporaries(&path);
    Ok(locked)
}

/// The folders above `path` that do not exist, outermost first.
pub(crate) fn missing_folders(path: &Path) -> Vec<PathBuf> {
    let above = path.ancestors().skip(1).take_while(|folder| !folder.exists());
    let mut missing: Vec<_> = above.map(Path::to_owned).collect();
    missing.reverse();
    missing
}

/// Removes what a killed process left beside `path`.
pub(crate) fn remove_temporaries(path: &Path) {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let entries = real.parent().and_then(|folder| folder.read_dir().ok());
    for entry in entries.into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY_PREFIX) {
            drop(std::fs::remove_file(entry.path()));
        }
    }
}
