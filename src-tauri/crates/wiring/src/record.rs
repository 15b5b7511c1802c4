//! What wiring did to a tool, kept until it is undone: the journal of a change in progress, and what was
//! taken out of the tool's files, for the undo.
//!
//! Of the user's own file nothing is kept but what wiring took out, and that is sealed
//! ([`crate::record_keys`]) unless it is certainly no key ([`crate::harmless`]). Records of the first version
//! hold whole texts in plain, and others what only looked like no key; they are read, and written in the
//! present form at the next start or change.

use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::Secret;
use serde::{Deserialize, Serialize};

use crate::error::{ToolFileProblem, WiringError};
use crate::files::{CONFIG_BYTES_MAX, Disk, RECORDS_FOLDER, read_text};
use crate::first_record::FirstRecord;
use crate::record_keys::{RecordKeys, RecordKeysError, seal, unseal};
use crate::tool::{WiredTool, WiringOrigin};
use crate::undo::{ChangedKeys, KeptTakenOut, TakenOut, WiredFile};

/// Version of the file's shape.
const VERSION: u32 = 2;

/// Largest record that is read, in bytes: of the first version, which holds three texts of a tool's
/// file with their quotes and line breaks escaped.
const RECORD_BYTES_MAX: u64 = 8 * CONFIG_BYTES_MAX;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WiringRecord {
    pub(crate) version: u32,
    pub(crate) phase: Phase,
    pub(crate) client: Option<String>,
    pub(crate) address: Option<String>,
    /// When the tool was given this client and address, in milliseconds of Unix time. None for one
    /// that uses neither, and in records of earlier versions.
    #[serde(default)]
    pub(crate) since_unix_ms: Option<i64>,
    pub(crate) files: Vec<WiredFile>,
    /// True if the file has the shape of an earlier version, or holds in plain what is now sealed.
    #[serde(skip)]
    pub(crate) is_outdated: bool,
}

#[derive(Deserialize)]
struct RecordVersion {
    version: u32,
}

/// How far a change got. It is written before the first file is touched and after the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Phase {
    Wiring,
    Wired,
    Unwiring(ChangedKeys),
}

impl WiringRecord {
    /// `earlier` is the record of the wiring that this one replaces.
    pub(crate) fn new<T: WiredTool>(
        target: &T::Target,
        files: Vec<WiredFile>,
        earlier: Option<&Self>,
    ) -> Self {
        let WiringOrigin { client, address, since } = T::origin(target);
        let same = earlier.filter(|it| (&it.client, &it.address) == (&client, &address));
        let since_unix_ms =
            same.and_then(|it| it.since_unix_ms).or(since.map(|time| time.unix_ms()));
        let (version, phase, is_outdated) = (VERSION, Phase::Wiring, false);
        Self { version, phase, client, address, since_unix_ms, files, is_outdated }
    }

    /// The record once every file is written.
    pub(crate) fn of_finished(self) -> Self {
        Self { phase: Phase::Wired, ..self }.map_taken_out(TakenOut::of_finished)
    }

    /// As it was read from a file, with what may be a key in plain text found out.
    fn mark_possible_keys(mut self) -> Self {
        for file in &mut self.files {
            if let KeptTakenOut::Plain(taken_out) = &file.taken_out {
                let taken_out = taken_out.clone().mark_possible_key(&file.keys);
                self.is_outdated |= taken_out.may_hold_key;
                file.taken_out = KeptTakenOut::Plain(taken_out);
            }
        }
        self
    }

    /// What is sealed stays as it is.
    fn map_taken_out(mut self, map: impl Fn(TakenOut) -> TakenOut) -> Self {
        for file in &mut self.files {
            if let KeptTakenOut::Plain(taken_out) = &file.taken_out {
                file.taken_out = KeptTakenOut::Plain(map(taken_out.clone()));
            }
        }
        self
    }
}

/// None if there is none.
fn load_record(path: &Path) -> Result<Option<WiringRecord>, WiringError> {
    let Some(text) = read_text(path, RECORD_BYTES_MAX)? else { return Ok(None) };
    let damaged = || ToolFileProblem::new(path, "the record of the wiring is damaged");
    let record = match serde_json::from_str(&text).map(|RecordVersion { version }| version) {
        Ok(VERSION) => serde_json::from_str(&text).ok().map(WiringRecord::mark_possible_keys),
        Ok(FirstRecord::VERSION) => {
            let first: Option<FirstRecord> = serde_json::from_str(&text).ok();
            first.and_then(|first| first.into_record(VERSION))
        }
        Ok(_) => {
            let newer = "was written by a newer version of Gatehouse";
            return Err(ToolFileProblem::new(path, newer).into());
        }
        Err(_) => None,
    };
    Ok(Some(record.ok_or_else(damaged)?))
}

/// True if `key` opens the record of this name, which is then sealed with it.
#[must_use]
pub fn is_sealed_with(state_folder: &Path, record: &str, key: &Secret) -> bool {
    let loaded = load_record(&record_file(&state_folder.join(RECORDS_FOLDER), record));
    loaded.ok().flatten().is_some_and(|loaded| {
        loaded.files.iter().any(|file| match &file.taken_out {
            KeptTakenOut::Plain(_) => false,
            KeptTakenOut::Sealed(sealed) => unseal(key, record, sealed).is_some(),
        })
    })
}

fn record_file(folder: &Path, record: &str) -> PathBuf {
    folder.join(format!("{record}.json"))
}

/// The records of all tools of one purpose, in the state folder. Those of all purposes lie together,
/// under one lock: they may change the same files.
pub(crate) struct Records<T> {
    folder: PathBuf,
    tools: PhantomData<fn() -> T>,
}

impl<T: WiredTool> Records<T> {
    pub(crate) fn new(state_folder: &Path) -> Self {
        Self { folder: state_folder.join(RECORDS_FOLDER), tools: PhantomData }
    }

    fn file(&self, tool: T) -> PathBuf {
        record_file(&self.folder, &record_name(tool))
    }

    /// None if the tool is not wired.
    pub(crate) fn load(&self, tool: T) -> Result<Option<WiringRecord>, WiringError> {
        load_record(&self.file(tool))
    }

    /// `record` is sealed.
    pub(crate) fn save(
        &self,
        disk: &Disk,
        tool: T,
        record: &WiringRecord,
    ) -> Result<(), WiringError> {
        let path = self.file(tool);
        let text = serde_json::to_string_pretty(record)
            .map_err(|error| WiringError::io(&path, error.into()))?;
        disk.replace(&path, &text)
    }

    pub(crate) fn remove(&self, disk: &Disk, tool: T) -> Result<(), WiringError> {
        disk.remove(&self.file(tool))
    }

    /// Renames a record that cannot be opened now, so that the tool counts as not wired and nothing is
    /// lost.
    pub(crate) fn set_aside(&self, tool: T) -> Result<(), WiringError> {
        let path = self.file(tool);
        let name = |number| self.folder.join(format!("{}.lost-{number}.json", record_name(tool)));
        let free = (1..=SET_ASIDE_MAX).map(name).find(|aside| !aside.exists());
        let full = || ToolFileProblem::new(&path, "has too many records that cannot be opened");
        let aside = free.ok_or_else(full)?;
        std::fs::rename(&path, aside).map_err(|error| WiringError::io(&path, error))
    }

    /// The tool that is wired in this file. A record that cannot be read may name any file.
    pub(crate) fn wires(&self, path: &Path) -> Option<T> {
        let is_wired = |tool: &T| match self.load(*tool) {
            Ok(record) => record.is_some_and(|it| it.files.iter().any(|file| file.path == path)),
            Err(_) => true,
        };
        T::ALL.iter().copied().find(is_wired)
    }
}

/// Most records of a tool that are kept because they cannot be opened.
const SET_ASIDE_MAX: usize = 20;

/// The name of a tool's record, and of its key.
pub(crate) fn record_name<T: WiredTool>(tool: T) -> String {
    format!("{}{}", tool.word(), T::RECORD_SUFFIX)
}

/// The names of all keys that records of one purpose may be sealed with.
pub fn record_keys_of<T: WiredTool>() -> impl Iterator<Item = String> {
    T::ALL.iter().map(|tool| record_name(*tool))
}

fn not_sealed(path: &Path, source: RecordKeysError) -> WiringError {
    WiringError::NotSealed { path: path.to_owned(), source }
}

/// Seals records, and opens what is sealed in them.
pub(crate) struct RecordSeal<T> {
    keys: Arc<dyn RecordKeys>,
    tools: PhantomData<fn() -> T>,
}

impl<T: WiredTool> RecordSeal<T> {
    pub(crate) fn new(keys: Arc<dyn RecordKeys>) -> Self {
        Self { keys, tools: PhantomData }
    }

    /// The record as it may be written to a file.
    pub(crate) fn seal(&self, tool: T, record: WiringRecord) -> Result<WiringRecord, WiringError> {
        let mut record = record;
        for file in &mut record.files {
            let KeptTakenOut::Plain(taken_out) = &file.taken_out else { continue };
            if taken_out.may_hold_key {
                file.taken_out = KeptTakenOut::Sealed(self.seal_one(tool, &file.path, taken_out)?);
            }
        }
        Ok(record)
    }

    /// Asks the vault for what a change of this record needs. It is called before the lock is taken: a
    /// vault that does not answer holds up no change of another tool, and refuses at once from then on.
    pub(crate) fn check_vault(&self, tool: T, record: &WiringRecord) -> Result<(), WiringError> {
        for file in &record.files {
            match &file.taken_out {
                KeptTakenOut::Plain(taken_out) if taken_out.may_hold_key => {
                    let found = self.keys.find(&record_name(tool));
                    found.map_err(|source| not_sealed(&file.path, source))?;
                }
                KeptTakenOut::Plain(_) => {}
                KeptTakenOut::Sealed(_) => drop(self.open(tool, file)?),
            }
        }
        Ok(())
    }

    fn seal_one(&self, tool: T, path: &Path, taken_out: &TakenOut) -> Result<String, WiringError> {
        let name = record_name(tool);
        let find = || match self.keys.find(&name)? {
            Some(key) => Ok(key),
            None => self.keys.create(&name),
        };
        let key = find().map_err(|source| not_sealed(path, source));
        let damaged = || ToolFileProblem::new(path, "holds a key that cannot be sealed");
        let plain = serde_json::to_vec(taken_out).map_err(|_| damaged())?;
        Ok(seal(&key?, &name, &plain).ok_or_else(damaged)?)
    }

    /// What was taken out of a file; None if it is sealed and nothing has the key any more.
    pub(crate) fn open(&self, tool: T, file: &WiredFile) -> Result<Option<TakenOut>, WiringError> {
        let sealed = match &file.taken_out {
            KeptTakenOut::Plain(taken_out) => return Ok(Some(taken_out.clone())),
            KeptTakenOut::Sealed(sealed) => sealed,
        };
        let name = record_name(tool);
        let closed = |source| WiringError::Sealed { path: file.path.clone(), source };
        let unsealed = |key: &Secret| unseal(key, &name, sealed);
        let plain = match self.keys.find(&name).map_err(closed)?.as_ref().and_then(unsealed) {
            Some(plain) => Some(plain),
            None => {
                let opens = |key: &Secret| unsealed(key).is_some();
                let found = self.keys.find_elsewhere(&name, &opens).map_err(closed)?;
                found.as_ref().and_then(unsealed)
            }
        };
        let opened = plain.and_then(|plain| serde_json::from_slice(&plain).ok());
        Ok(opened.map(|opened| TakenOut { may_hold_key: true, ..opened }))
    }

    /// True if something was taken out that cannot be opened now, or never again.
    pub(crate) fn is_closed(&self, tool: T, record: &WiringRecord) -> bool {
        record.files.iter().any(|file| !matches!(self.open(tool, file), Ok(Some(_))))
    }

    /// As [`Self::open`], for a change that cannot do without.
    pub(crate) fn open_or_refuse(
        &self,
        tool: T,
        file: &WiredFile,
    ) -> Result<TakenOut, WiringError> {
        self.open(tool, file)?.ok_or_else(|| WiringError::SealLost(file.path.clone()))
    }

    /// Forgets the key of a record that is gone.
    pub(crate) fn forget(&self, tool: T, record: &WiringRecord) {
        let is_sealed = |file: &WiredFile| matches!(file.taken_out, KeptTakenOut::Sealed(_));
        if record.files.iter().any(is_sealed) {
            self.keys.remove(&record_name(tool));
        }
    }
}
