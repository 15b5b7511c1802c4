//! What the removal of plain copies left in a file: the half of the backup that holds no secret.

use std::path::{Path, PathBuf};

use domain::WallTime;
use serde::{Deserialize, Serialize};

use super::StoredKey;
use super::edit::{CopyEdit, Filler, Hole};
use crate::error::{ToolFileProblem, WiringError};
use crate::files::{Disk, RECORDS_FOLDER, read_config, remove_temporaries};

/// Version of a record's shape.
const VERSION: u32 = 1;

/// Most records; past it the oldest go, and with them the undo of what they tell.
pub(crate) const REMOVALS_MAX: usize = 200;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RemovalRecord {
    version: u32,
    pub(super) path: PathBuf,
    pub(super) at: WallTime,
    pub(super) lines: Vec<EmptiedLine>,
}

/// A line from which keys were removed. The hashes leave out how it ends, since an editor may change
/// the ends of all lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EmptiedLine {
    /// From 1, at the time of the removal.
    pub(super) number: usize,
    pub(super) hash_before: String,
    pub(super) hash_after: String,
    /// From left to right.
    pub(super) holes: Vec<LineHole>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LineHole {
    /// In the line as it is without the keys, in bytes.
    pub(super) column: usize,
    pub(super) filler: Filler,
    /// Fingerprint of the key that was there.
    pub(super) fingerprint: String,
    /// Its name in the vault at that time, to speak of it.
    pub(super) key: String,
}

/// A removal as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedCopy {
    pub id: String,
    /// The file that was changed.
    pub path: PathBuf,
    pub at: WallTime,
    /// From 1, at that time.
    pub lines: Vec<usize>,
    /// Names of the keys in the vault, at that time.
    pub keys: Vec<String>,
    /// False if the lines are not as the removal left them: then the undo would not know where to put
    /// the keys.
    pub can_restore: bool,
}

impl RemovalRecord {
    pub(super) fn new(edit: &CopyEdit, keys: &[StoredKey], at: WallTime) -> Self {
        let mut lines: Vec<EmptiedLine> = Vec::new();
        let mut offset_after = 0;
        let ends = edit.before.split_inclusive('\n').scan(0, |end, line| {
            *end += line.len();
            Some((*end, line))
        });
        for (number, (end, line)) in (1..).zip(ends) {
            let start = end - line.len();
            let holes = edit.holes.iter().filter(|hole| (start..end).contains(&hole.removed.start));
            let holes = line_holes(start, holes, keys);
            let length = line.len() - holes.iter().map(|(_, removed)| removed).sum::<usize>()
                + holes.iter().map(|(hole, _)| hole.filler.text().len()).sum::<usize>();
            let after = edit.after.get(offset_after..offset_after + length).unwrap_or_default();
            offset_after += length;
            if !holes.is_empty() {
                lines.push(EmptiedLine {
                    number,
                    hash_before: line_hash(line),
                    hash_after: line_hash(after),
                    holes: holes.into_iter().map(|(hole, _)| hole).collect(),
                });
            }
        }
        Self { version: VERSION, path: edit.path.clone(), at, lines }
    }

    /// The lines of `text` that the record speaks of, by their indexes; none if one of them is not there
    /// or stands twice where it was not.
    pub(super) fn find_lines(&self, text: &str) -> Option<Vec<usize>> {
        self.find(text, |line| &line.hash_after)
    }

    pub(super) fn is_restorable_in(&self, text: &str) -> bool {
        self.find_lines(text).is_some()
    }

    /// True if each line has its keys: they were put back, or never removed.
    pub(super) fn is_undone_in(&self, text: &str) -> bool {
        self.find(text, |line| &line.hash_before).is_some()
    }

    fn find(&self, text: &str, wanted: impl Fn(&EmptiedLine) -> &String) -> Option<Vec<usize>> {
        let hashes: Vec<String> = text.split_inclusive('\n').map(line_hash).collect();
        let position = |line: &EmptiedLine| {
            let at = line.number.saturating_sub(1);
            if hashes.get(at) == Some(wanted(line)) {
                return Some(at);
            }
            let mut others = (0..hashes.len()).filter(|at| hashes.get(*at) == Some(wanted(line)));
            others.next().filter(|_| others.next().is_none())
        };
        let found: Vec<usize> = self.lines.iter().map(position).collect::<Option<_>>()?;
        let distinct: std::collections::BTreeSet<_> = found.iter().collect();
        (distinct.len() == found.len()).then_some(found)
    }

    pub(super) fn describe(&self, id: &str, text: Option<&str>) -> RemovedCopy {
        let holes = || self.lines.iter().flat_map(|line| &line.holes);
        let mut keys: Vec<String> = holes().map(|hole| hole.key.clone()).collect();
        keys.sort();
        keys.dedup();
        RemovedCopy {
            id: id.to_owned(),
            path: self.path.clone(),
            at: self.at,
            lines: self.lines.iter().map(|line| line.number).collect(),
            keys,
            can_restore: text.is_some_and(|text| self.is_restorable_in(text)),
        }
    }
}

/// The holes of a line that begins at `start`, each with the bytes that were removed there.
fn line_holes<'a>(
    start: usize,
    holes: impl Iterator<Item = &'a Hole>,
    keys: &[StoredKey],
) -> Vec<(LineHole, usize)> {
    let (mut removed_before, mut filled_before) = (0, 0);
    let hole = |hole: &Hole| {
        let key = keys.get(hole.key)?;
        let column = hole.removed.start - start - removed_before + filled_before;
        removed_before += hole.removed.len();
        filled_before += hole.filler.text().len();
        let (fingerprint, key) = (key.secret.fingerprint(), key.id.to_string());
        Some((LineHole { column, filler: hole.filler, fingerprint, key }, hole.removed.len()))
    };
    holes.filter_map(hole).collect()
}

fn line_hash(line: &str) -> String {
    let line = line.trim_end_matches(['\n', '\r']);
    let mut hasher = blake3::Hasher::new_derive_key("gatehouse line of a plain copy");
    hasher.update(line.as_bytes()).finalize().to_hex().to_string()
}

/// The records, in a folder beside those of the wiring.
pub(super) struct RemovalRecords {
    folder: PathBuf,
}

impl RemovalRecords {
    pub(super) fn new(state_folder: &Path) -> Self {
        Self { folder: state_folder.join(RECORDS_FOLDER).join("removed") }
    }

    /// Writes a new record. Returns its id.
    pub(super) fn add(&self, disk: &Disk, record: &RemovalRecord) -> Result<String, WiringError> {
        disk.create_folder(&self.folder)?;
        remove_temporaries(&self.file("new"));
        let mut ids = self.ids()?;
        ids.sort();
        let surplus = (ids.len() + 1).saturating_sub(REMOVALS_MAX);
        for id in ids.iter().take(surplus) {
            self.remove(disk, id)?;
        }
        let stem = record.at.to_file_stamp();
        let mut names = (1_u32..).map(|number| format!("{stem}-{number:03}"));
        let id = names.find(|id| !ids.contains(id)).unwrap_or(stem);
        let path = self.file(&id);
        let text = serde_json::to_string_pretty(record)
            .map_err(|error| WiringError::io(&path, error.into()))?;
        disk.replace(&path, &text)?;
        Ok(id)
    }

    pub(super) fn load(&self, id: &str) -> Result<RemovalRecord, WiringError> {
        let path = self.file(id);
        let problem = |what: &str| WiringError::from(ToolFileProblem::new(&path, what));
        let text = if is_id(id) { read_config(&path)? } else { None };
        let text = text.ok_or_else(|| WiringError::NotRemoved(id.to_owned()))?;
        let record: RemovalRecord =
            serde_json::from_str(&text).map_err(|_| problem("is damaged"))?;
        match record.version {
            VERSION => Ok(record),
            _ => Err(problem("was written by a newer version of Gatehouse")),
        }
    }

    /// All that can be read.
    pub(super) fn load_all(&self) -> Result<Vec<(String, RemovalRecord)>, WiringError> {
        let load = |id: String| self.load(&id).ok().map(|record| (id, record));
        Ok(self.ids()?.into_iter().filter_map(load).collect())
    }

    pub(super) fn remove(&self, disk: &Disk, id: &str) -> Result<(), WiringError> {
        disk.remove(&self.file(id))
    }

    fn file(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    fn ids(&self) -> Result<Vec<String>, WiringError> {
        let entries = match self.folder.read_dir() {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(WiringError::io(&self.folder, error)),
        };
        let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        let ids = names.filter_map(|name| Some(name.strip_suffix(".json")?.to_owned()));
        Ok(ids.filter(|id| is_id(id)).collect())
    }
}

/// True for a name that leads to no other folder.
fn is_id(id: &str) -> bool {
    !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}
