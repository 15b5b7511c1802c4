//! Thinks a wiring through: what each file would hold, and what would be written down of it.

use std::path::Path;

use serde_json::Value;

use super::Wiring;
use crate::conflict::find_conflicts;
use crate::document::{Document, Format, SyntaxProblem, edit_text};
use crate::error::{ToolFileProblem, WiringError};
use crate::files::{missing_folders, read_config};
use crate::installation::Installation;
use crate::key::ValueEdit;
use crate::plan::{FileChange, WiringPlan};
use crate::record::WiringRecord;
use crate::tool::{ToolFile, WiredTool};
use crate::undo::{
    ChangedKeys, KeptTakenOut, TakenOut, TextHash, WiredFile, WiredKey, created_objects,
};

/// A wiring that was thought through and not carried out.
pub(super) struct PreparedWiring {
    pub(super) record: WiringRecord,
    pub(super) texts: Vec<FileTexts>,
    pub(super) plan: WiringPlan,
}

/// The texts of a file whose wiring is prepared.
pub(super) struct FileTexts {
    pub(super) replaced: Option<String>,
    pub(super) written: String,
}

impl<T: WiredTool> Wiring<T> {
    pub(super) fn prepare(
        &self,
        tool: T,
        target: &T::Target,
    ) -> Result<PreparedWiring, WiringError> {
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
        let (mut files, mut texts, mut edits) = (Vec::new(), Vec::new(), Vec::new());
        for file in &planned {
            let wired = wired.iter().find(|wired| wired.path == file.path);
            let of_file = (file.edits)(target);
            let (file, of_text) = self.prepare_file(tool, file, &of_file, wired.copied())?;
            files.push(file);
            texts.push(of_text);
            edits.extend(of_file);
        }
        let (path, own) = match files.first().zip(texts.first()) {
            Some((WiredFile { path, format, .. }, texts)) => {
                (path.as_path(), parse(*format, path, &texts.written)?.value())
            }
            None => (Path::new(""), Value::Null),
        };
        let conflicts = find_conflicts(definition, &self.environment, &edits, (path, &own));
        let changes: Vec<_> = files.iter().zip(&texts).map(wiring_change).collect();
        let plan = WiringPlan::new(&changes, Vec::new(), conflicts);
        let record = WiringRecord::new::<T>(target, files, earlier.as_ref());
        Ok(PreparedWiring { record, texts, plan })
    }

    /// Plans the wiring of one file. One that is wired already is first undone in thought, so that the
    /// undo of the new wiring leads to what was there before both, with what others changed.
    fn prepare_file(
        &self,
        tool: T,
        file: &ToolFile<T::Target>,
        edits: &[ValueEdit],
        wired: Option<&WiredFile>,
    ) -> Result<(WiredFile, FileTexts), WiringError> {
        let in_file = |found: SyntaxProblem| found.in_file(&file.path);
        let now = read_config(&file.path)?;
        let before = match wired {
            Some(wired) => {
                let taken_out = self.seal.open_or_refuse(tool, wired)?;
                let undone = wired.undo(now.as_deref(), Some(&taken_out), ChangedKeys::Keep);
                undone.map_err(in_file)?.text
            }
            None => now.clone(),
        };
        let (format, before) = (file.format, before.as_deref());
        let text = before.unwrap_or_default();
        let value = parse(format, &file.path, text)?.value();
        let written = edit_text(format, text, edits).map_err(in_file)?;
        let keys = edits.iter();
        let keys = keys.map(|edit| WiredKey {
            path: edit.path.clone(),
            written: edit.value.clone(),
            was_set: Some(edit.path.find(&value).is_some()),
        });
        let keys: Vec<_> = keys.collect();
        let created_folders = match wired {
            Some(wired) if !wired.created_folders.is_empty() => wired.created_folders.clone(),
            _ => missing_folders(&file.path),
        };
        let taken_out = TakenOut::new(format, &keys, before, now.as_deref(), &written);
        let prepared = WiredFile {
            path: file.path.clone(),
            format,
            existed: before.is_some(),
            written: TextHash::of(&written),
            replaced: now.as_deref().map(TextHash::of),
            created_objects: created_objects(keys.iter().map(|key| &key.path), &value),
            keys,
            created_folders,
            taken_out: KeptTakenOut::Plain(taken_out.map_err(in_file)?),
        };
        Ok((prepared, FileTexts { replaced: now, written }))
    }
}

fn parse(format: Format, path: &Path, text: &str) -> Result<Document, WiringError> {
    Ok(Document::parse(format, text).map_err(|found| found.in_file(path))?)
}

fn wiring_change((file, texts): (&WiredFile, &FileTexts)) -> FileChange {
    FileChange {
        path: file.path.clone(),
        format: file.format,
        from: texts.replaced.clone(),
        to: Some(texts.written.clone()),
    }
}
