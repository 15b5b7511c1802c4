//! Records of the first version, which held the texts of a tool's file in plain.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use crate::document::{Document, Format};
use crate::key::KeyPath;
use crate::record::{Phase, WiringRecord};
use crate::undo::{KeptTakenOut, TakenOut, TextHash, WiredFile, WiredKey, created_objects};

#[derive(Deserialize)]
pub(crate) struct FirstRecord {
    phase: Phase,
    client: Option<String>,
    address: Option<String>,
    #[serde(default)]
    since_unix_ms: Option<i64>,
    files: Vec<FirstFile>,
}

#[derive(Deserialize)]
struct FirstFile {
    path: PathBuf,
    format: Format,
    before: Option<String>,
    written: String,
    replaced: Option<String>,
    keys: Vec<FirstKey>,
    created_folders: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct FirstKey {
    path: KeyPath,
    written: Option<Value>,
}

impl FirstRecord {
    pub(crate) const VERSION: u32 = 1;

    /// None if it is damaged.
    pub(crate) fn into_record(self, version: u32) -> Option<WiringRecord> {
        let Self { phase, client, address, since_unix_ms, files } = self;
        let files = files.into_iter().map(FirstFile::into_file).collect::<Option<Vec<_>>>()?;
        let is_outdated = true;
        Some(WiringRecord { version, phase, client, address, since_unix_ms, files, is_outdated })
    }
}

impl FirstFile {
    fn into_file(self) -> Option<WiredFile> {
        let Self { path, format, before, written, replaced, keys, created_folders } = self;
        let (before, replaced) = (before.as_deref(), replaced.as_deref());
        let value = Document::parse(format, before.unwrap_or_default()).ok()?.value();
        let wired = |FirstKey { path, written }| {
            let was_set = Some(path.find(&value).is_some());
            WiredKey { path, written, was_set }
        };
        let keys: Vec<_> = keys.into_iter().map(wired).collect();
        let taken_out = TakenOut::new(format, &keys, before, replaced, &written).ok()?;
        Some(WiredFile {
            path,
            format,
            existed: before.is_some(),
            written: TextHash::of(&written),
            replaced: replaced.map(TextHash::of),
            created_objects: created_objects(keys.iter().map(|key| &key.path), &value),
            keys,
            created_folders,
            taken_out: KeptTakenOut::Plain(taken_out),
        })
    }
}
