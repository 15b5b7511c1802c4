//! Wires tools and undoes it.
//!
//! A change is written down before the first file is touched (`record`), each file is replaced at
//! once, and the record is brought up to date after the last. What a kill leaves in between is
//! finished by [`Wiring::repair`]: a wiring is completed, an undo is repeated, and a file that
//! somebody changed in the meantime is left alone.
//!
//! A tool may save its file while we change it. A file is replaced only if it is as it was read; if it is
//! not, the change is thought through anew, or refused where it was shown to the user before.

mod prepare;
mod undo_record;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::client_tool::ClientTool;
use crate::environment::ToolEnvironment;
use crate::error::{ToolFileProblem, WiringError};
use crate::files::{Disk, lock_folder, read_config, remove_temporaries};
use crate::guide::{GuidedTool, ToolGuide};
use crate::plan::WiringPlan;
use crate::record::{Phase, RecordSeal, Records, WiringRecord};
use crate::record_keys::RecordKeys;
use crate::status::ToolStatus;
use crate::tool::WiredTool;
use crate::undo::{ChangedKeys, KeptTakenOut, TakenOut, WiredFile};
use crate::wiring::prepare::{FileTexts, PreparedWiring};
use crate::wiring::undo_record::UndoChanges;

/// Most attempts at a change of files that somebody else changes at the same time.
const ATTEMPTS_MAX: usize = 3;

/// The wiring of this user's tools for one purpose: client tools use the gateway, agents get our MCP
/// server.
pub struct Wiring<T = ClientTool> {
    environment: ToolEnvironment,
    state_folder: PathBuf,
    records: Records<T>,
    seal: RecordSeal<T>,
    pub(crate) disk: Disk,
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
    /// `state_folder` is where the records are kept, and `keys` what they are sealed with.
    #[must_use]
    pub fn new(
        environment: ToolEnvironment,
        state_folder: &Path,
        keys: Arc<dyn RecordKeys>,
    ) -> Self {
        Self {
            environment,
            state_folder: state_folder.to_owned(),
            records: Records::new(state_folder),
            seal: RecordSeal::new(keys),
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
        let UndoChanges { files, keys, left_sealed } =
            self.undo_changes(tool, &record, changed_keys)?;
        Ok(WiringPlan { left_sealed, ..WiringPlan::new(&files, keys, Vec::new()) })
    }

    /// Points a tool at the gateway, or once more if it is wired. With the `fingerprint` of a plan,
    /// nothing else than that plan is carried out.
    pub fn wire(
        &self,
        tool: T,
        target: &T::Target,
        fingerprint: Option<&str>,
    ) -> Result<ToolStatus<T>, WiringError> {
        match self.prepare(tool, target) {
            Ok(prepared) => self.seal.check_vault(tool, &prepared.record)?,
            Err(error @ WiringError::Sealed { .. }) => return Err(error),
            // It may be another one once what a kill left is repaired.
            Err(_) => {}
        }
        let _lock = lock_folder(&self.state_folder, &self.disk)?;
        self.repair_tool(tool)?;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let prepared = self.prepare(tool, target)?;
            if fingerprint.is_some_and(|seen| seen != prepared.plan.fingerprint) {
                let path = prepared.record.files.first().map(|file| file.path.clone());
                return Err(WiringError::Outdated(path.unwrap_or_default()));
            }
            match self.carry_out(tool, prepared) {
                Err(WiringError::Outdated(_)) if attempts < ATTEMPTS_MAX => {}
                Err(error) => return Err(error),
                Ok(()) => return Ok(self.status(tool)),
            }
        }
    }

    /// Writes the files of a wiring, or none of them.
    fn carry_out(&self, tool: T, prepared: PreparedWiring) -> Result<(), WiringError> {
        let PreparedWiring { record, texts, .. } = prepared;
        let finished = self.seal.seal(tool, record.clone().of_finished())?;
        let record = self.seal.seal(tool, record)?;
        let earlier = self.records.load(tool)?;
        let earlier = earlier.map(|earlier| self.seal.seal(tool, earlier)).transpose()?;
        self.records.save(&self.disk, tool, &record)?;
        let mut files = record.files.iter().zip(&texts);
        let written = files.try_for_each(|(file, texts)| self.write_file(file, texts));
        if let Err(error) = written {
            self.take_back(tool, (&record, &texts), earlier.as_ref());
            return Err(error);
        }
        self.records.save(&self.disk, tool, &finished)
    }

    /// Undoes a wiring. What others changed in the files stays.
    pub fn unwire(&self, tool: T, changed_keys: ChangedKeys) -> Result<ToolStatus<T>, WiringError> {
        self.check_vault_for_undo(tool, changed_keys)?;
        let _lock = lock_folder(&self.state_folder, &self.disk)?;
        self.repair_before_undo(tool, changed_keys)?;
        let record = self.records.load(tool)?.ok_or_else(|| not_wired(tool))?;
        let left_sealed = self.undo_record(tool, record, changed_keys)?;
        Ok(ToolStatus { left_sealed, ..self.status(tool) })
    }

    /// What a kill left may need the vault, which an undo that leaves out what is sealed does without.
    fn repair_before_undo(&self, tool: T, changed_keys: ChangedKeys) -> Result<(), WiringError> {
        if changed_keys != ChangedKeys::LeaveSealed {
            return self.repair_tool(tool);
        }
        let record = self.records.load(tool)?;
        if record.is_some_and(|record| matches!(record.phase, Phase::Unwiring(_))) {
            // It is undone anew, so that what is left out is told.
            return Ok(());
        }
        match self.repair_tool(tool) {
            Err(WiringError::Sealed { .. } | WiringError::SealLost(_)) => Ok(()),
            repaired => repaired,
        }
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
        let is_finished =
            |record: &WiringRecord| record.phase == Phase::Wired && !record.is_outdated;
        let unfinished = T::ALL.iter().copied().filter(|tool| {
            !self.records.load(*tool).is_ok_and(|record| record.as_ref().is_none_or(is_finished))
        });
        let repair = |tool| {
            self.check_vault(tool)?;
            let _lock = lock_folder(&self.state_folder, &self.disk)?;
            self.repair_tool(tool)?;
            match self.records.load(tool)? {
                Some(record) if record.is_outdated => self.save(tool, record),
                _ => Ok(()),
            }
        };
        unfinished.filter_map(|tool| repair(tool).err().map(|error| (tool, error))).collect()
    }

    /// Writes a file of a wiring, if that is still to be done, and reads it back.
    fn write_file(&self, file: &WiredFile, texts: &FileTexts) -> Result<(), WiringError> {
        let FileTexts { replaced, written } = texts;
        let now = read_config(&file.path)?;
        if now.as_ref() == Some(written) {
            return Ok(());
        }
        if now != *replaced {
            return Err(WiringError::Outdated(file.path.clone()));
        }
        if let Some(folder) = file.path.parent() {
            self.disk.create_folder(folder)?;
        }
        self.disk.replace_unchanged(&file.path, replaced.as_deref(), written)?;
        if read_config(&file.path)? != *replaced {
            // As it was written, or saved since by the tool, whose text is compared as drift.
            return Ok(());
        }
        Err(ToolFileProblem::new(&file.path, "does not hold what was written to it").into())
    }

    /// Puts back what a failed wiring has replaced. Where that fails too, the record stays and the
    /// next repair goes on from it.
    fn take_back(
        &self,
        tool: T,
        (failed, texts): (&WiringRecord, &[FileTexts]),
        earlier: Option<&WiringRecord>,
    ) {
        let put_back = || {
            for (file, FileTexts { replaced, written }) in failed.files.iter().zip(texts) {
                if read_config(&file.path)?.as_ref() == Some(written) {
                    self.put(file, written, replaced.as_deref())?;
                }
                self.remove_folders(file);
            }
            match earlier {
                Some(earlier) => self.records.save(&self.disk, tool, earlier),
                None => {
                    self.records.remove(&self.disk, tool)?;
                    self.seal.forget(tool, failed);
                    Ok(())
                }
            }
        };
        let outcome: Result<(), WiringError> = put_back();
        drop(outcome);
    }

    /// Replaces or removes a file that holds `before`.
    fn put(&self, file: &WiredFile, before: &str, text: Option<&str>) -> Result<(), WiringError> {
        match text {
            Some(text) => self.disk.replace_unchanged(&file.path, Some(before), text),
            None => self.disk.remove_unchanged(&file.path, before),
        }
    }

    fn save(&self, tool: T, record: WiringRecord) -> Result<(), WiringError> {
        let record = self.seal.seal(tool, record)?;
        self.records.save(&self.disk, tool, &record)
    }

    /// Removes the folders that wiring created, if they are empty.
    fn remove_folders(&self, file: &WiredFile) {
        for folder in file.created_folders.iter().rev() {
            self.disk.remove_empty_folder(folder);
        }
    }

    /// See [`RecordSeal::check_vault`]. What lies in plain can be undone without a vault.
    fn check_vault(&self, tool: T) -> Result<(), WiringError> {
        let Some(record) = self.records.load(tool)? else { return Ok(()) };
        match self.seal.check_vault(tool, &record) {
            Err(WiringError::NotSealed { .. }) if record.is_outdated => Ok(()),
            reached => reached,
        }
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
                Err(WiringError::KeysChanged { .. }) => record.phase = Phase::Wired,
                outcome => return outcome.map(drop),
            }
        } else {
            for file in &mut record.files {
                let taken_out = self.complete_file(tool, file)?;
                file.taken_out = KeptTakenOut::Plain(taken_out);
            }
            record = record.of_finished();
        }
        self.save(tool, record)
    }

    /// Writes a file of a killed wiring, if that is still to be done.
    fn complete_file(&self, tool: T, file: &WiredFile) -> Result<TakenOut, WiringError> {
        let taken_out = self.seal.open_or_refuse(tool, file)?;
        let now = read_config(&file.path)?;
        let redone = match &taken_out.redo {
            Some(redo) if file.is_replaced(now.as_deref()) => {
                redo.apply(now.as_deref().unwrap_or_default())
            }
            _ => None,
        };
        let Some(written) = redone.filter(|text| file.is_written(text)) else {
            // Written already, or someone changed the file since, which then shows as drift.
            return Ok(taken_out);
        };
        match self.write_file(file, &FileTexts { replaced: now, written }) {
            Err(WiringError::Outdated(_)) | Ok(()) => Ok(taken_out),
            Err(error) => Err(error),
        }
    }
}

fn not_wired<T: WiredTool>(tool: T) -> WiringError {
    WiringError::NotWired { tool: tool.full_name(), changed: T::CHANGED }
}
