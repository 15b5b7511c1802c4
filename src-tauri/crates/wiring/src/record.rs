//! What wiring did to a tool, kept until it is undone: the journal of a change in progress, and the
//! snapshot for the undo.
//!
//! The file may hold a copy of the user's own file with a key in it, and is for this user only.

use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{ToolFileProblem, WiringError};
use crate::files::{Disk, RECORDS_FOLDER, read_config};
use crate::tool::{WiredTool, WiringOrigin};
use crate::undo::{ChangedKeys, WiredFile};

/// Version of the file's shape.
const VERSION: u32 = 1;

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
        Self { version: VERSION, phase: Phase::Wiring, client, address, since_unix_ms, files }
    }
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
        self.folder.join(format!("{}{}.json", tool.word(), T::RECORD_SUFFIX))
    }

    /// None if the tool is not wired.
    pub(crate) fn load(&self, tool: T) -> Result<Option<WiringRecord>, WiringError> {
        let path = self.file(tool);
        let Some(text) = read_config(&path)? else { return Ok(None) };
        let damaged = |_| ToolFileProblem::new(&path, "the record of the wiring is damaged");
        let record: WiringRecord = serde_json::from_str(&text).map_err(damaged)?;
        match record.version {
            VERSION => Ok(Some(record)),
            _ => {
                Err(ToolFileProblem::new(&path, "was written by a newer version of Gatehouse")
                    .into())
            }
        }
    }

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

    /// The tool that is wired in this file. A record that cannot be read may name any file.
    pub(crate) fn wires(&self, path: &Path) -> Option<T> {
        let is_wired = |tool: &T| match self.load(*tool) {
            Ok(record) => record.is_some_and(|it| it.files.iter().any(|file| file.path == path)),
            Err(_) => true,
        };
        T::ALL.iter().copied().find(is_wired)
    }
}
