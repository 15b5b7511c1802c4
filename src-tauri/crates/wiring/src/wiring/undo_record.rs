//! Carries out the undo of a record, or thinks it through.

use super::{ATTEMPTS_MAX, Wiring};
use crate::error::WiringError;
use crate::files::read_config;
use crate::key::KeyChange;
use crate::plan::FileChange;
use crate::record::{Phase, WiringRecord};
use crate::tool::WiredTool;
use crate::undo::{ChangedKeys, LeftSealed, WiredFile};

/// What an undo changes.
#[derive(Default)]
pub(super) struct UndoChanges {
    /// In the order of the record's files.
    pub(super) files: Vec<FileChange>,
    /// The keys that someone else changed.
    pub(super) keys: Vec<KeyChange>,
    pub(super) left_sealed: Vec<LeftSealed>,
}

impl<T: WiredTool> Wiring<T> {
    pub(super) fn undo_record(
        &self,
        tool: T,
        mut record: WiringRecord,
        changed_keys: ChangedKeys,
    ) -> Result<Vec<LeftSealed>, WiringError> {
        let UndoChanges { keys, left_sealed, .. } =
            self.undo_changes(tool, &record, changed_keys)?;
        if changed_keys == ChangedKeys::Refuse && !keys.is_empty() {
            return Err(WiringError::KeysChanged {
                tool: tool.full_name(),
                changed: T::CHANGED,
                changes: keys,
            });
        }
        let is_closed = self.seal.is_closed(tool, &record);
        record.phase = Phase::Unwiring(changed_keys);
        let record = match self.seal.seal(tool, record.clone()) {
            // The record of an earlier version stays as it is until it is removed.
            Err(WiringError::NotSealed { .. }) if record.is_outdated => record,
            sealed => {
                let sealed = sealed?;
                self.records.save(&self.disk, tool, &sealed)?;
                sealed
            }
        };
        let mut attempts = 1;
        while let Err(error) = self.undo_files(tool, &record, changed_keys) {
            if attempts >= ATTEMPTS_MAX || !matches!(error, WiringError::Outdated(_)) {
                return Err(error);
            }
            attempts += 1;
        }
        if is_closed {
            // The vault may be unlocked or the one of then come back, and its key opens the record.
            self.records.set_aside(tool)?;
            return Ok(left_sealed);
        }
        self.records.remove(&self.disk, tool)?;
        self.seal.forget(tool, &record);
        Ok(left_sealed)
    }

    fn undo_files(
        &self,
        tool: T,
        record: &WiringRecord,
        changed_keys: ChangedKeys,
    ) -> Result<(), WiringError> {
        let UndoChanges { files, .. } = self.undo_changes(tool, record, changed_keys)?;
        for (file, FileChange { from, to, .. }) in record.files.iter().zip(&files) {
            if let Some(from) = from.as_deref().filter(|_| from != to) {
                self.put(file, from, to.as_deref())?;
            }
            self.remove_folders(file);
        }
        Ok(())
    }

    pub(super) fn undo_changes(
        &self,
        tool: T,
        record: &WiringRecord,
        changed_keys: ChangedKeys,
    ) -> Result<UndoChanges, WiringError> {
        let mut changes = UndoChanges::default();
        for file in &record.files {
            let from = read_config(&file.path)?;
            let is_needed = file.needs_taken_out(from.as_deref(), changed_keys);
            let taken_out = match changed_keys {
                _ if !is_needed => self.seal.open(tool, file).ok().flatten(),
                ChangedKeys::LeaveSealed => self.seal.open(tool, file).ok().flatten(),
                ChangedKeys::Keep => self.seal.open(tool, file)?,
                _ => Some(self.seal.open_or_refuse(tool, file)?),
            };
            let undone = file.undo(from.as_deref(), taken_out.as_ref(), changed_keys);
            let undone = undone.map_err(|found| found.in_file(&file.path))?;
            changes.keys.extend(undone.changes);
            if is_needed && taken_out.is_none() {
                changes.left_sealed.extend(file.left_sealed(from.as_deref()));
            }
            let (path, format) = (file.path.clone(), file.format);
            changes.files.push(FileChange { path, format, from, to: undone.text });
        }
        Ok(changes)
    }

    /// As [`Self::check_vault`], for an undo that may do without what is sealed.
    pub(super) fn check_vault_for_undo(
        &self,
        tool: T,
        changed_keys: ChangedKeys,
    ) -> Result<(), WiringError> {
        let reached = self.check_vault(tool);
        let Some(record) = self.records.load(tool)? else { return reached };
        let is_needed = |file: &WiredFile| {
            let now = read_config(&file.path);
            now.map_or(true, |now| file.needs_taken_out(now.as_deref(), changed_keys))
        };
        let does_without = changed_keys == ChangedKeys::LeaveSealed;
        if !does_without && record.files.iter().any(is_needed) { reached } else { Ok(()) }
    }
}
