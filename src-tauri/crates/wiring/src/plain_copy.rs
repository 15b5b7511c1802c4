//! Takes plain copies of keys that the vault holds out of `.env` files and the files of tools, and puts
//! them back on request.
//!
//! A copy is emptied where it stands: `OPENAI_API_KEY=`, `"apiKey": ""`. Its line, quotes, comments and
//! everything else stay byte for byte, which every reader of the file still parses, and which shows
//! where a key was.
//!
//! The backup is in two halves, and neither is a plain copy. What was removed is a key that the vault
//! holds, so the vault is where it stays. Where it was is a record in the state folder: the path, the
//! lines as hashes, the place in the line, and the key's fingerprint. No text of the user's file is in
//! it, since that may hold other secrets. The undo finds the lines by their hashes, also where the rest
//! of the file has changed, and puts the key in that has the fingerprint. Without such a key in the
//! vault there is no undo, and it says so.
//!
//! The order of writes: the caller has read the key back from the vault and compared it; the record is
//! written and synced; the file is replaced at once if it is still as previewed, and read back. A kill
//! in between leaves the old or the new file, and at worst a record of a removal that did not happen,
//! which is told by the lines and dropped.
//!
//! Files that cannot be changed without a risk are left to their owner, with the reason ([`obstacle`]).

mod edit;
mod env_file;
mod find;
mod git;
mod obstacle;
mod record;
mod restore;

use std::path::{Path, PathBuf};

use domain::{CredentialId, Secret, WallTime};

use crate::error::{ToolFileProblem, WiringError};
use crate::files::{Disk, lock_folder, read_config, remove_temporaries};
use crate::plain_copy::edit::CopyEdit;
use crate::plain_copy::obstacle::Surroundings;
use crate::plain_copy::record::{RemovalRecord, RemovalRecords};

pub use record::RemovedCopy;

/// A key of the vault.
#[derive(Debug, Clone)]
pub struct StoredKey {
    pub id: CredentialId,
    pub secret: Secret,
}

/// A line that holds a copy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CopyPlace {
    pub path: PathBuf,
    /// From 1.
    pub line: usize,
}

/// What [`PlainCopies::remove`] would change. Nothing is written yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyRemovalPlan {
    pub files: Vec<CopyFilePlan>,
    pub left: Vec<LeftCopy>,
    /// Changes with any of the files. Given back, it makes sure that this plan is carried out.
    pub fingerprint: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyFilePlan {
    pub path: PathBuf,
    /// From 1.
    pub lines: Vec<usize>,
    /// Unified diff, with every secret masked.
    pub diff: String,
    /// Git tracks the file, so its history may hold the key.
    pub is_tracked: bool,
}

/// A copy that its owner has to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftCopy {
    pub place: CopyPlace,
    /// Why, and what to do, in a sentence.
    pub reason: String,
}

/// What came of each file.
pub type CopyRemovalOutcome = (PathBuf, Result<RemovedCopy, WiringError>);

/// Removes plain copies of keys and puts them back.
pub struct PlainCopies {
    home: PathBuf,
    state_folder: PathBuf,
    records: RemovalRecords,
    pub(crate) disk: Disk,
}

impl PlainCopies {
    /// Files outside of `home` are left alone. `state_folder` is where the records are kept.
    #[must_use]
    pub fn new(home: &Path, state_folder: &Path) -> Self {
        Self {
            home: home.to_owned(),
            state_folder: state_folder.to_owned(),
            records: RemovalRecords::new(state_folder),
            disk: Disk::default(),
        }
    }

    /// What the removal of the copies of `keys` at `places` would change. A copy of one of them that
    /// stands elsewhere in these files goes too.
    pub fn plan(
        &self,
        keys: &[StoredKey],
        places: &[CopyPlace],
    ) -> Result<CopyRemovalPlan, WiringError> {
        Ok(self.prepare(keys, places)?.0)
    }

    /// Carries out the plan with this fingerprint. A file that fails does not stop the others.
    pub fn remove(
        &self,
        keys: &[StoredKey],
        places: &[CopyPlace],
        fingerprint: &str,
        now: WallTime,
    ) -> Result<Vec<CopyRemovalOutcome>, WiringError> {
        let _lock = lock_folder(&self.state_folder, &self.disk)?;
        let (plan, edits) = self.prepare(keys, places)?;
        if plan.fingerprint != fingerprint {
            let path = places.first().map(|place| place.path.clone()).unwrap_or_default();
            return Err(WiringError::Outdated(path));
        }
        let remove = |edit: &CopyEdit| (edit.path.clone(), self.remove_from(edit, keys, now));
        Ok(edits.iter().map(remove).collect())
    }

    /// The removals that can be undone, or no more, the newest first.
    pub fn removed(&self) -> Result<Vec<RemovedCopy>, WiringError> {
        let _lock = lock_folder(&self.state_folder, &self.disk)?;
        let mut removed = Vec::new();
        for (id, record) in self.records.load_all()? {
            let text = read_config(&record.path).ok().flatten();
            match text.as_deref() {
                Some(text) if record.is_undone_in(text) => self.records.remove(&self.disk, &id)?,
                text => removed.push(record.describe(&id, text)),
            }
        }
        removed.sort_by(|one, other| (other.at, &other.id).cmp(&(one.at, &one.id)));
        Ok(removed)
    }

    /// Puts the keys back into a file, and drops the record. `keys` are all of the vault.
    pub fn restore(&self, id: &str, keys: &[StoredKey]) -> Result<RemovedCopy, WiringError> {
        let _lock = lock_folder(&self.state_folder, &self.disk)?;
        let record = self.records.load(id)?;
        let surroundings = Surroundings::new(&self.home, &self.state_folder);
        if surroundings.obstacle(&record.path).is_some() {
            let what = "can no longer be changed safely; put the key back in an editor";
            return Err(ToolFileProblem::new(&record.path, what).into());
        }
        remove_temporaries(&record.path);
        let now = read_config(&record.path)?;
        let now =
            now.ok_or_else(|| ToolFileProblem::new(&record.path, "does not exist any more"))?;
        if !record.is_undone_in(&now) {
            let restored = restore::restore(&record, &now, keys)?;
            self.disk.replace_unchanged(&record.path, Some(&now), &restored)?;
        }
        self.records.remove(&self.disk, id)?;
        Ok(RemovedCopy { can_restore: true, ..record.describe(id, None) })
    }

    /// Removes what a killed process left beside the files: of an undo, that is a file with a key.
    pub fn repair(&self) -> Result<(), WiringError> {
        let _lock = lock_folder(&self.state_folder, &self.disk)?;
        let records = self.records.load_all()?;
        records.iter().for_each(|(_, record)| remove_temporaries(&record.path));
        Ok(())
    }

    fn prepare(
        &self,
        keys: &[StoredKey],
        places: &[CopyPlace],
    ) -> Result<(CopyRemovalPlan, Vec<CopyEdit>), WiringError> {
        let surroundings = Surroundings::new(&self.home, &self.state_folder);
        let (mut edits, mut left): (Vec<CopyEdit>, Vec<LeftCopy>) = (Vec::new(), Vec::new());
        let mut paths: Vec<&PathBuf> = places.iter().map(|place| &place.path).collect();
        paths.dedup();
        for (at, path) in paths.iter().enumerate() {
            let is_first = !paths.iter().take(at).any(|earlier| is_same_file(earlier, path));
            let of_path = || places.iter().filter(|place| place.path == **path);
            if !is_first {
                continue;
            }
            match surroundings.prepare(path, keys) {
                Ok(edit) => {
                    left.extend(of_path().filter_map(|place| edit.leave(place)));
                    edits.extend(Some(edit).filter(CopyEdit::changes_something));
                }
                Err(reason) => left.extend(
                    of_path()
                        .map(|place| LeftCopy { place: place.clone(), reason: reason.clone() }),
                ),
            }
        }
        let files = edits.iter().map(CopyEdit::plan).collect();
        let fingerprint = edit::fingerprint(&edits);
        Ok((CopyRemovalPlan { files, left, fingerprint }, edits))
    }

    fn remove_from(
        &self,
        edit: &CopyEdit,
        keys: &[StoredKey],
        now: WallTime,
    ) -> Result<RemovedCopy, WiringError> {
        remove_temporaries(&edit.path);
        let record = RemovalRecord::new(edit, keys, now);
        let id = self.records.add(&self.disk, &record)?;
        if let Err(error) = self.disk.replace_unchanged(&edit.path, Some(&edit.before), &edit.after)
        {
            // The file is as it was, so there is nothing to undo. If not, the record is needed.
            let text = read_config(&edit.path).ok().flatten();
            if text.is_some_and(|text| !record.is_restorable_in(&text)) {
                self.records.remove(&self.disk, &id)?;
            }
            return Err(error);
        }
        if read_config(&edit.path)?.as_ref() != Some(&edit.after) {
            let what = "does not hold what was written to it";
            return Err(ToolFileProblem::new(&edit.path, what).into());
        }
        Ok(record.describe(&id, Some(&edit.after)))
    }
}

/// True for two names of one file, as of a link and its target.
fn is_same_file(one: &Path, other: &Path) -> bool {
    one == other || matches!((one.canonicalize(), other.canonicalize()), (Ok(a), Ok(b)) if a == b)
}
