//! The settings file and its current value. Readers take an `Arc` and never wait; writes are
//! serialized.
//!
//! If the file changed on disk since the last read, an edit applies to its current content: an edit
//! is a function of the settings, so neither side's changes are lost. If the current content is
//! broken, the edit is refused and the file stays unchanged.
//!
//! A broken file never stops the gateway: at the start the defaults are used, later the last valid
//! settings.

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use private_files::write_atomic;
use serde::{Deserialize, Serialize};
use similar::TextDiff;

use crate::read::{ParsedSettings, parse};
use crate::write::{NEW_FILE_TEXT, apply_repairs, rewrite};
use crate::{FileProblem, ProposedFix, Settings, Severity};

/// Largest file that is read, in bytes. A thousand backends take a tenth of it.
pub const FILE_BYTES_MAX: u64 = 1_048_576;
/// Most backup copies beside the file; past it a fix is refused.
const BACKUPS_MAX: usize = 99;

/// Rounds of repairs in one fix: names are nested three deep, and each may hide the next.
const REPAIR_ROUNDS_MAX: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SettingsFileState {
    /// Usable, or missing.
    Valid,
    /// Not usable; [`SettingsStore::problems`] has the reasons, and edits are refused.
    Invalid,
}

/// Error of reading or changing the file.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The operating system refused to read it.
    #[error("could not read {}; check its permissions", .path.display())]
    Read {
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// The path is a folder, a pipe or a device.
    #[error("{} is not a regular file; move it away, or put a text file there", .path.display())]
    NotAFile { path: PathBuf },
    /// The operating system refused to write it, or it is a symbolic link.
    #[error("could not write {}; check its folder's permissions and the free space", .path.display())]
    Write {
        /// The settings file or its backup.
        path: PathBuf,
        source: io::Error,
    },
    /// The file has errors, so an edit could destroy its writer's intent.
    #[error("{} has errors and was not changed; repair it first: {}", .path.display(), first_error(.problems))]
    Invalid { path: PathBuf, problems: Vec<FileProblem> },
    /// The edit would break a rule. Nothing was written.
    #[error("the change was not made: {}", first_error(.problems))]
    Rejected {
        /// Errors of the edited settings.
        problems: Vec<FileProblem>,
    },
    /// Nothing is wrong, or no certain repair is known.
    #[error("there is nothing that can be repaired automatically; correct the file by hand")]
    NothingToFix,
    /// No fix was applied, or it was undone.
    #[error("no repair of the settings file was made that can be undone")]
    NothingToUndo,
    /// The file differs from the one that the fix was shown for, or that it left.
    #[error("{} has changed in the meantime; check it again first", .path.display())]
    Changed { path: PathBuf },
}

#[derive(Debug, thiserror::Error)]
pub enum SettingsEditError<E> {
    /// The edit itself returned an error.
    #[error(transparent)]
    Refused(E),
    /// The file could not be changed, or the result would be invalid.
    #[error(transparent)]
    Settings(SettingsError),
}

/// An applied fix, kept for an undo. It holds no text of the file, in which there may be a key that is
/// still to be removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedFix {
    /// Copy of the file before the fix.
    pub backup: PathBuf,
    /// Hash of the text that the fix wrote.
    fixed: String,
}

/// What became of the file before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplacedFile {
    /// It was the same, and stays.
    Same,
    /// There was none.
    New,
    /// It was copied.
    Kept,
}

pub struct SettingsStore {
    path: PathBuf,
    loaded: ArcSwap<LoadedSettings>,
    writing: Mutex<()>,
}

/// Omits the file's text, which may hold a key.
impl fmt::Debug for SettingsStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SettingsStore").field("path", &self.path).finish_non_exhaustive()
    }
}

struct LoadedSettings {
    settings: Arc<Settings>,
    state: SettingsFileState,
    problems: Vec<FileProblem>,
    fix: Option<PreparedFix>,
}

struct PreparedFix {
    original: String,
    fixed: String,
    proposal: ProposedFix,
}

fn text_hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

impl SettingsStore {
    /// Opens the file at `path`. A missing file means the defaults; nothing is written before the
    /// first edit. A file with errors opens as [`SettingsFileState::Invalid`]. Reads the disk: call it off
    /// the async threads.
    ///
    /// # Errors
    /// The operating system refuses to read the file.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, SettingsError> {
        let path = path.into();
        let content = read_file(&path)?;
        let loaded = LoadedSettings::from_content(&content, &Arc::default());
        Ok(Self { path, loaded: ArcSwap::from_pointee(loaded), writing: Mutex::new(()) })
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The effective settings. Never waits for an edit.
    #[must_use]
    pub fn current(&self) -> Arc<Settings> {
        Arc::clone(&self.loaded.load().settings)
    }

    /// Usability of the file at the last read.
    #[must_use]
    pub fn state(&self) -> SettingsFileState {
        self.loaded.load().state
    }

    /// Problems of the file at the last read, in line order.
    #[must_use]
    pub fn problems(&self) -> Vec<FileProblem> {
        self.loaded.load().problems.clone()
    }

    /// All certain repairs of the file at the last read, if there are any.
    #[must_use]
    pub fn proposed_fix(&self) -> Option<ProposedFix> {
        self.loaded.load().fix.as_ref().map(|fix| fix.proposal.clone())
    }

    /// Reads the file again. If it has errors, the effective settings stay. Reads the disk: call it
    /// off the async threads.
    pub fn reload(&self) -> Result<SettingsFileState, SettingsError> {
        let _writing = self.writing.lock();
        self.load()?;
        Ok(self.state())
    }

    /// Changes the settings and saves them atomically; returns the effective settings and the
    /// result of `change`. Reads the file first, so `change` gets its current content. Blocks for a
    /// disk sync: call it off the async threads.
    ///
    /// The result of `change` may be discarded, so it must only modify its draft.
    pub fn edit<T, E>(
        &self,
        change: impl FnOnce(&mut Settings) -> Result<T, E>,
    ) -> Result<(Arc<Settings>, T), SettingsEditError<E>> {
        let _writing = self.writing.lock();
        let content = self.load().map_err(SettingsEditError::Settings)?;
        let before = self.valid_settings().map_err(SettingsEditError::Settings)?;
        let mut draft = (*before).clone();
        let outcome = change(&mut draft).map_err(SettingsEditError::Refused)?;
        let saved = self.save(&content, &before, &draft).map_err(SettingsEditError::Settings)?;
        Ok((saved, outcome))
    }

    /// Applies the proposed fix and keeps a copy of the file beside it. Fails if the file differs
    /// from the one that [`proposed_fix`](Self::proposed_fix) was based on.
    pub fn apply_fix(&self) -> Result<AppliedFix, SettingsError> {
        let _writing = self.writing.lock();
        let shown = self.loaded.load_full();
        let Some(PreparedFix { original, fixed, .. }) = &shown.fix else {
            return Err(SettingsError::NothingToFix);
        };
        if !matches!(self.load()?, FileContent::Text(text) if text == *original) {
            return Err(SettingsError::Changed { path: self.path.clone() });
        }
        let backup = self.backup(original)?;
        self.write(fixed)?;
        self.load()?;
        Ok(AppliedFix { backup, fixed: text_hash(fixed) })
    }

    /// Restores the file as it was before `applied`. Fails if it was changed since.
    pub fn undo_fix(&self, applied: &AppliedFix) -> Result<(), SettingsError> {
        let _writing = self.writing.lock();
        if !matches!(self.load()?, FileContent::Text(text) if text_hash(&text) == applied.fixed) {
            return Err(SettingsError::Changed { path: self.path.clone() });
        }
        let FileContent::Text(original) = read_file(&applied.backup)? else {
            return Err(SettingsError::Changed { path: applied.backup.clone() });
        };
        self.write(&original)?;
        self.load().map(drop)
    }

    /// The text of the file, or that of a new one if there is none. Only a text without errors: any
    /// other may hold a key. Reads the disk: call it off the async threads.
    ///
    /// # Errors
    /// The file has errors or cannot be read.
    pub fn text(&self) -> Result<String, SettingsError> {
        let _writing = self.writing.lock();
        let content = self.load()?;
        self.valid_settings()?;
        Ok(match content {
            FileContent::Text(text) => text,
            FileContent::Missing | FileContent::Unreadable(_) => NEW_FILE_TEXT.to_owned(),
        })
    }

    /// Replaces the whole file with `text`, and copies what it was to `kept` first. Does nothing if
    /// it is that text already. Blocks for a disk sync: call it off the async threads.
    ///
    /// # Errors
    /// [`SettingsError::Rejected`] if the text has errors; nothing is written then. Disk errors.
    pub fn replace(&self, text: &str, kept: &Path) -> Result<ReplacedFile, SettingsError> {
        let _writing = self.writing.lock();
        let mut problems = parse(text).problems;
        problems.retain(|problem| problem.severity == Severity::Error);
        if !problems.is_empty() {
            return Err(SettingsError::Rejected { problems });
        }
        let failed = |source| SettingsError::Write { path: kept.to_owned(), source };
        let replaced = match self.load()? {
            FileContent::Text(before) if before == text => return Ok(ReplacedFile::Same),
            FileContent::Missing => ReplacedFile::New,
            // Whatever it holds, it is kept as it is.
            FileContent::Text(_) | FileContent::Unreadable(_) => {
                let before = std::fs::read(&self.path).map_err(failed)?;
                write_atomic(kept, &before).map_err(failed)?;
                ReplacedFile::Kept
            }
        };
        self.write(text)?;
        self.load()?;
        Ok(replaced)
    }

    fn load(&self) -> Result<FileContent, SettingsError> {
        let content = read_file(&self.path)?;
        self.loaded.store(Arc::new(LoadedSettings::from_content(&content, &self.current())));
        Ok(content)
    }

    fn valid_settings(&self) -> Result<Arc<Settings>, SettingsError> {
        let loaded = self.loaded.load();
        match loaded.state {
            SettingsFileState::Valid => Ok(Arc::clone(&loaded.settings)),
            SettingsFileState::Invalid => Err(SettingsError::Invalid {
                path: self.path.clone(),
                problems: loaded.problems.clone(),
            }),
        }
    }

    /// Validates the new text with the same rules as a handwritten file, then writes it.
    fn save(
        &self,
        content: &FileContent,
        before: &Settings,
        draft: &Settings,
    ) -> Result<Arc<Settings>, SettingsError> {
        let old = match content {
            FileContent::Text(text) => text,
            _ => NEW_FILE_TEXT,
        };
        let new = rewrite(old, before, draft)
            .map_err(|_| SettingsError::Changed { path: self.path.clone() })?;
        let mut problems = parse(&new).problems;
        problems.retain(|problem| problem.severity == Severity::Error);
        problems.extend((new.len() as u64 > FILE_BYTES_MAX).then(too_large_problem));
        if !problems.is_empty() {
            return Err(SettingsError::Rejected { problems });
        }
        if new != old {
            self.write(&new)?;
            self.loaded.store(Arc::new(LoadedSettings::from_content(
                &FileContent::Text(new),
                &self.current(),
            )));
        }
        Ok(self.current())
    }

    fn write(&self, text: &str) -> Result<(), SettingsError> {
        write_atomic(&self.path, text.as_bytes())
            .map_err(|source| SettingsError::Write { path: self.path.clone(), source })
    }

    fn backup(&self, text: &str) -> Result<PathBuf, SettingsError> {
        let name = |number: usize| self.path.with_extension(format!("before-fix-{number}.toml"));
        let failed = |source| SettingsError::Write { path: name(1), source };
        let free = (1..=BACKUPS_MAX).map(name).find(|path| path.symlink_metadata().is_err());
        let path = free.ok_or_else(|| failed(io::ErrorKind::AlreadyExists.into()))?;
        write_atomic(&path, text.as_bytes()).map_err(failed)?;
        Ok(path)
    }
}

impl LoadedSettings {
    fn from_content(content: &FileContent, last_valid: &Arc<Settings>) -> Self {
        let (reading, text) = match content {
            FileContent::Missing => (parse(""), None),
            FileContent::Text(text) => (parse(text), Some(text)),
            FileContent::Unreadable(problem) => (ParsedSettings::unreadable(problem.clone()), None),
        };
        let valid = reading.errors() == 0;
        let fix = text.and_then(|text| PreparedFix::propose(text, &reading));
        Self {
            settings: if valid { Arc::new(reading.settings) } else { Arc::clone(last_valid) },
            state: if valid { SettingsFileState::Valid } else { SettingsFileState::Invalid },
            problems: reading.problems,
            fix,
        }
    }
}

impl PreparedFix {
    /// Proposes a fix only if it leaves fewer problems. A repaired name can uncover problems below
    /// it, so the result is read and repaired again.
    fn propose(text: &str, reading: &ParsedSettings) -> Option<Self> {
        let steps_of = |reading: &ParsedSettings| -> Vec<String> {
            reading.problems.iter().filter_map(|problem| problem.fix.clone()).collect()
        };
        let mut steps = steps_of(reading);
        let mut fixed = apply_repairs(text, &reading.repairs).ok()?;
        let mut after = parse(&fixed);
        for _ in 1..REPAIR_ROUNDS_MAX {
            if after.repairs.is_empty() {
                break;
            }
            steps.extend(steps_of(&after));
            fixed = apply_repairs(&fixed, &after.repairs).ok()?;
            after = parse(&fixed);
        }
        if after.problems.len() >= reading.problems.len() {
            return None;
        }
        let (shown, shown_fixed) = (reading.mask_secrets(text), after.mask_secrets(&fixed));
        let diff = TextDiff::from_lines(&shown, &shown_fixed)
            .unified_diff()
            .header("settings.toml", "settings.toml (repaired)")
            .to_string();
        let proposal = ProposedFix { diff, steps, errors_left: after.errors() };
        Some(Self { original: text.to_owned(), fixed, proposal })
    }
}

enum FileContent {
    Missing,
    Text(String),
    Unreadable(FileProblem),
}

/// Reads the text of a settings file that is not in use.
///
/// # Errors
/// It is missing, too large, no file, or no text.
pub fn read_text(path: &Path) -> Result<String, SettingsError> {
    match read_file(path)? {
        FileContent::Text(text) => Ok(text),
        FileContent::Missing => {
            let source = io::ErrorKind::NotFound.into();
            Err(SettingsError::Read { path: path.to_owned(), source })
        }
        FileContent::Unreadable(problem) => {
            Err(SettingsError::Rejected { problems: vec![problem] })
        }
    }
}

fn read_file(path: &Path) -> Result<FileContent, SettingsError> {
    let failed = |source| SettingsError::Read { path: path.to_owned(), source };
    // Opening a FIFO waits for a writer, and a device may be endless.
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err(SettingsError::NotAFile { path: path.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(FileContent::Missing),
        Err(error) => return Err(failed(error)),
    }
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(FileContent::Missing),
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Ok(FileContent::Unreadable(too_large_problem()));
    }
    Ok(String::from_utf8(bytes).map_or_else(
        |_| {
            let what = "the file is not UTF-8 text";
            FileContent::Unreadable(file_problem(what, "save it as UTF-8 in your editor"))
        },
        FileContent::Text,
    ))
}

pub(crate) fn too_large_problem() -> FileProblem {
    let what = format!("the file has more than {FILE_BYTES_MAX} bytes");
    file_problem(&what, "remove what does not belong in this file")
}

fn file_problem(what: &str, hint: &str) -> FileProblem {
    FileProblem {
        severity: Severity::Error,
        path: String::new(),
        line: None,
        column: None,
        what: what.to_owned(),
        hint: hint.to_owned(),
        fix: None,
    }
}

/// The first error, and the number of further ones.
fn first_error(problems: &[FileProblem]) -> String {
    let mut errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
    let text = errors.next().map(ToString::to_string).unwrap_or_default();
    match errors.count() {
        0 => text,
        more => format!("{text} (and {more} more)"),
    }
}
