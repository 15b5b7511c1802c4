//! Wires tools and undoes it.
//!
//! A change is written down before the first file is touched (`record`), each file is replaced at
//! once, and the record is brought up to date after the last. What a kill leaves in between is
//! finished by [`Wiring::repair`]: a wiring is completed, an undo is repeated, and a file that
//! somebody changed in the meantime is left alone.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::client_tool::ClientTool;
use crate::conflict::find_conflicts;
use crate::document::{Document, edit_text};
use crate::environment::ToolEnvironment;
use crate::error::{ToolFileProblem, WiringError};
use crate::files::{Disk, lock_folder, missing_folders, read_config, remove_temporaries};
use crate::guide::{GuidedTool, ToolGuide};
use crate::installation::Installation;
use crate::key::{KeyChange, ValueEdit};
use crate::plan::{FileChange, WiringPlan};
use crate::record::{Phase, Records, WiringRecord};
use crate::status::ToolStatus;
use crate::tool::{ToolFile, WiredTool};
use crate::undo::{ChangedKeys, WiredFile, WiredKey};

/// The wiring of this user's tools for one purpose: client tools use the gateway, agents get our MCP
/// server.
pub struct Wiring<T = ClientTool> {
    environment: ToolEnvironment,
    state_folder: PathBuf,
    records: Records<T>,
    pub(crate) disk: Disk,
}

/// A wiring that was thought through and not carried out.
struct PreparedWiring {
    record: WiringRecord,
    plan: WiringPlan,
}

impl Wiring {
    /// How the tools reach a gateway at `address` that are not wired. `model` stands in examples.
    #[must_use]
    pub fn guides(&self, address: &str, model: Option<&str>) -> Vec<ToolGuide> {
        let guide = |tool: &GuidedTool| ToolGuide::new(*tool, &self.environment, address, model);
        GuidedTool::ALL.iter().map(guide).collect()
    }
}

impl<T: WiredTool> Wiring<T> {
    /// `state_folder` is where the records are kept.
    #[must_use]
    pub fn new(environment: ToolEnvironment, state_folder: &Path) -> Self {
        Self {
            environment,
            state_folder: state_folder.to_owned(),
            records: Records::new(state_folder),
            disk: Disk::default(),
        }
    }

    /// The state of every tool.
    #[must_use]
    pub fn list(&self) -> Vec<ToolStatus<T>> {
        T::ALL.iter().map(|tool| self.status(*tool)).collect()
    }

    #[must_use]
    pub fn status(&self, tool: T) -> ToolStatus<T> {
        let planned = (tool.definition().files)(&self.environment);
        ToolStatus::find(tool, &self.environment, self.records.load(tool), &planned)
    }

    /// What [`Self::wire`] would change.
    pub fn plan(&self, tool: T, target: &T::Target) -> Result<WiringPlan, WiringError> {
        Ok(self.prepare(tool, target)?.plan)
    }

    /// What [`Self::unwire`] would change.
    pub fn plan_unwire(
        &self,
        tool: T,
        changed_keys: ChangedKeys,
    ) -> Result<WiringPlan, WiringError> {
        let record = self.records.load(tool)?.ok_or_else(|| not_wired(tool))?;
        let (changes, keys) = undo_changes(&record, changed_keys)?;
        Ok(WiringPlan::new(&changes, keys, Vec::new()))
    }

    /// Points a tool at the gateway, or once more if it is wired. With the `fingerprint` of a plan,
    /// nothing else than that plan is carried out.
    pub fn wire(
        &self,
        tool: T,
        target: &T::Target,
        fingerprint: Option<&str>,
    ) -> Result<ToolStatus<T>, WiringError> {
        let _lock = lock_folder(&self.state_folder, &self.disk)?;
        self.repair_tool(tool)?;
        let PreparedWiring { mut record, plan } = self.prepare(tool, target)?;
        if fingerprint.is_some_and(|seen| seen != plan.fingerprint) {
            let path = record.files.first().map(|file| file.path.clone()).unwrap_or_default();
            return Err(WiringError::Outdated(path));
        }
        let earlier = self.records.load(tool)?;
        self.records.save(&self.disk, tool, &record)?;
        if let Err(error) = record.files.iter().try_for_each(|file| self.write_file(file)) {
            self.take_back(tool, &record, earlier.as_ref());
            return Err(error);
        }
        record.phase = Phase::Wired;
        self.records.save(&self.disk, tool, &record)?;
        Ok(self.status(tool))
    }

    /// Undoes a wiring. What others changed in the files stays.
    pub fn unwire(&self, tool: T, changed_keys: ChangedKeys) -> Result<ToolStatus<T>, WiringError> {
        let _lock = lock_folder(&self.state_folder, &self.disk)?;
        self.repair_tool(tool)?;
        let record = self.records.load(tool)?.ok_or_else(|| not_wired(tool))?;
        self.undo_record(tool, record, changed_keys)?;
        Ok(self.status(tool))
    }

    /// Undoes every wiring, each with its outcome. A tool that fails does not stop the others.
    pub fn unwire_all(
        &self,
        changed_keys: ChangedKeys,
    ) -> Vec<(T, Result<ToolStatus<T>, WiringError>)> {
        let wired = T::ALL.iter().copied();
        let wired = wired.filter(|tool| !matches!(self.records.load(*tool), Ok(None)));
        wired.map(|tool| (tool, self.unwire(tool, changed_keys))).collect()
    }

    /// Finishes what a killed process left half done. Returns the tools that could not be finished.
    pub fn repair(&self) -> Vec<(T, WiringError)> {
        let unfinished = T::ALL.iter().copied().filter(|tool| {
            !matches!(
                self.records.load(*tool),
                Ok(None | Some(WiringRecord { phase: Phase::Wired, .. }))
            )
        });
        let repair = |tool| {
            let _lock = lock_folder(&self.state_folder, &self.disk)?;
            self.repair_tool(tool)
        };
        unfinished.filter_map(|tool| repair(tool).err().map(|error| (tool, error))).collect()
    }

    fn prepare(&self, tool: T, target: &T::Target) -> Result<PreparedWiring, WiringError> {
        let definition = tool.definition();
        let earlier = self.records.load(tool)?;
        if earlier.is_none() && Installation::of_tool(definition, &self.environment).is_none() {
            return Err(WiringError::NotInstalled(tool.full_name()));
        }
        let planned = (definition.files)(&self.environment);
        let wired: Vec<_> = earlier.iter().flat_map(|record| &record.files).collect();
        let moved = wired.iter().find(|old| planned.iter().all(|file| file.path != old.path));
        if let Some(moved) = moved {
            let what = "is still wired, and the tool uses another file now; unwire it first";
            return Err(ToolFileProblem::new(&moved.path, what).into());
        }
        let (mut files, mut edits) = (Vec::new(), Vec::new());
        for file in &planned {
            let wired = wired.iter().find(|wired| wired.path == file.path);
            let of_file = (file.edits)(target);
            files.push(prepare_file(file, &of_file, wired.copied())?);
            edits.extend(of_file);
        }
        let (path, own) = match files.first() {
            Some(file) => {
                (file.path.as_path(), parse(file.format, &file.path, &file.written)?.value())
            }
            None => (Path::new(""), Value::Null),
        };
        let conflicts = find_conflicts(definition, &self.environment, &edits, (path, &own));
        let changes: Vec<_> = files.iter().map(wiring_change).collect();
        let plan = WiringPlan::new(&changes, Vec::new(), conflicts);
        let record = WiringRecord::new::<T>(target, files, earlier.as_ref());
        Ok(PreparedWiring { record, plan })
    }

    /// Writes a file of a wiring, if that is still to be done, and reads it back.
    fn write_file(&self, file: &WiredFile) -> Result<(), WiringError> {
        let now = read_config(&file.path)?;
        if now.as_ref() == Some(&file.written) {
            return Ok(());
        }
        if now != file.replaced {
            return Err(WiringError::Outdated(file.path.clone()));
        }
        if let Some(folder) = file.path.parent() {
            self.disk.create_folder(folder)?;
        }
        self.disk.replace(&file.path, &file.written)?;
        if read_config(&file.path)?.as_ref() == Some(&file.written) {
            return Ok(());
        }
        Err(ToolFileProblem::new(&file.path, "does not hold what was written to it").into())
    }

    /// Puts back what a failed wiring has replaced. Where that fails too, the record stays and the
    /// next repair goes on from it.
    fn take_back(&self, tool: T, failed: &WiringRecord, earlier: Option<&WiringRecord>) {
        let put_back = || {
            for file in &failed.files {
                if read_config(&file.path)?.as_ref() == Some(&file.written) {
                    self.put(file, file.replaced.as_deref())?;
                }
                self.remove_folders(file);
            }
            match earlier {
                Some(earlier) => self.records.save(&self.disk, tool, earlier),
                None => self.records.remove(&self.disk, tool),
            }
        };
        let outcome: Result<(), WiringError> = put_back();
        drop(outcome);
    }

    fn put(&self, file: &WiredFile, text: Option<&str>) -> Result<(), WiringError> {
        match text {
            Some(text) => self.disk.replace(&file.path, text),
            None => self.disk.remove(&file.path),
        }
    }

    /// Removes the folders that wiring created, if they are empty.
    fn remove_folders(&self, file: &WiredFile) {
        for folder in file.created_folders.iter().rev() {
            self.disk.remove_empty_folder(folder);
        }
    }

    fn undo_record(
        &self,
        tool: T,
        mut record: WiringRecord,
        changed_keys: ChangedKeys,
    ) -> Result<(), WiringError> {
        let (changes, keys) = undo_changes(&record, changed_keys)?;
        if changed_keys == ChangedKeys::Refuse && !keys.is_empty() {
            return Err(WiringError::KeysChanged {
                tool: tool.full_name(),
                changed: T::CHANGED,
                changes: keys,
            });
        }
        record.phase = Phase::Unwiring(changed_keys);
        self.records.save(&self.disk, tool, &record)?;
        for (file, change) in record.files.iter().zip(&changes) {
            if change.from != change.to {
                self.put(file, change.to.as_deref())?;
            }
            self.remove_folders(file);
        }
        self.records.remove(&self.disk, tool)
    }

    fn repair_tool(&self, tool: T) -> Result<(), WiringError> {
        let Some(mut record) = self.records.load(tool)? else { return Ok(()) };
        if record.phase == Phase::Wired {
            return Ok(());
        }
        record.files.iter().for_each(|file| remove_temporaries(&file.path));
        if let Phase::Unwiring(changed_keys) = record.phase {
            match self.undo_record(tool, record.clone(), changed_keys) {
                // Someone changed our keys since; whoever asks again is told.
                Err(WiringError::KeysChanged { .. }) => {}
                outcome => return outcome,
            }
        } else {
            for file in &record.files {
                match self.write_file(file) {
                    // Someone changed the file since, which then shows as drift.
                    Err(WiringError::Outdated(_)) | Ok(()) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        record.phase = Phase::Wired;
        self.records.save(&self.disk, tool, &record)
    }
}

fn not_wired<T: WiredTool>(tool: T) -> WiringError {
    WiringError::NotWired { tool: tool.full_name(), changed: T::CHANGED }
}

fn parse(
    format: crate::document::Format,
    path: &Path,
    text: &str,
) -> Result<Document, WiringError> {
    Ok(Document::parse(format, text).map_err(|found| found.in_file(path))?)
}

/// Plans the wiring of one file. One that is wired already is first undone in thought, so that the
/// undo of the new wiring leads to what was there before both, with what others changed.
fn prepare_file<G>(
    file: &ToolFile<G>,
    edits: &[ValueEdit],
    wired: Option<&WiredFile>,
) -> Result<WiredFile, WiringError> {
    let in_file = |found: crate::document::SyntaxProblem| found.in_file(&file.path);
    let now = read_config(&file.path)?;
    let before = match wired {
        Some(wired) => wired.undo(now.as_deref(), ChangedKeys::Keep).map_err(in_file)?.text,
        None => now.clone(),
    };
    let text = before.as_deref().unwrap_or_default();
    let document = parse(file.format, &file.path, text)?;
    let written = edit_text(file.format, text, edits).map_err(in_file)?;
    let keys = edits.iter().map(|edit| WiredKey {
        path: edit.path.clone(),
        before: document.get(&edit.path),
        written: edit.value.clone(),
    });
    let created_folders = match wired {
        Some(wired) if !wired.created_folders.is_empty() => wired.created_folders.clone(),
        _ => missing_folders(&file.path),
    };
    Ok(WiredFile {
        path: file.path.clone(),
        format: file.format,
        keys: keys.collect(),
        before,
        written,
        replaced: now,
        created_folders,
    })
}

fn wiring_change(file: &WiredFile) -> FileChange {
    FileChange {
        path: file.path.clone(),
        format: file.format,
        from: file.replaced.clone(),
        to: Some(file.written.clone()),
    }
}

/// What an undo changes in each file, and the keys that someone else changed.
fn undo_changes(
    record: &WiringRecord,
    changed_keys: ChangedKeys,
) -> Result<(Vec<FileChange>, Vec<KeyChange>), WiringError> {
    let (mut changes, mut keys) = (Vec::new(), Vec::new());
    for file in &record.files {
        let from = read_config(&file.path)?;
        let undone = file.undo(from.as_deref(), changed_keys);
        let undone = undone.map_err(|found| found.in_file(&file.path))?;
        keys.extend(undone.changes);
        let (path, format) = (file.path.clone(), file.format);
        changes.push(FileChange { path, format, from, to: undone.text });
    }
    Ok((changes, keys))
}
