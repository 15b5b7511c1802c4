//! What a wiring or its undo would change, shown before anything is written.

use std::path::PathBuf;

use serde_json::Value;
use similar::TextDiff;

use crate::conflict::Conflict;
use crate::document::{Document, Format};
use crate::key::KeyChange;
use crate::mask::{find_secrets, mask};
use crate::undo::LeftSealed;

/// Unchanged lines around each change.
const DIFF_CONTEXT_LINES: usize = 3;

/// What would change. Nothing is written yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WiringPlan {
    /// Files that would change. None is left out for being a link.
    pub files: Vec<FilePlan>,
    /// Wired keys that someone else changed.
    pub changes: Vec<KeyChange>,
    /// What would outrank the wired keys.
    pub conflicts: Vec<Conflict>,
    /// What the undo does not put back.
    pub left_sealed: Vec<LeftSealed>,
    /// Changes with any of the files. Given back, it makes sure that this plan is carried out.
    pub fingerprint: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePlan {
    pub path: PathBuf,
    /// There is no such file yet.
    pub creates: bool,
    /// There will be no such file.
    pub removes: bool,
    /// Unified diff, with secrets masked.
    pub diff: String,
}

/// A file before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileChange {
    pub(crate) path: PathBuf,
    pub(crate) format: Format,
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
}

impl FileChange {
    fn plan(&self) -> FilePlan {
        FilePlan {
            path: self.path.clone(),
            creates: self.from.is_none(),
            removes: self.to.is_none(),
            diff: self.diff(),
        }
    }

    fn diff(&self) -> String {
        let texts = [&self.from, &self.to].map(|text| text.as_deref().unwrap_or_default());
        let value = |text| Document::parse(self.format, text).map_or(Value::Null, |d| d.value());
        let secrets: Vec<_> = texts.iter().flat_map(|text| find_secrets(&value(text))).collect();
        let [from, to] = texts.map(|text| mask(text, &secrets));
        let name = self.path.display().to_string();
        let name_of = |text: &Option<String>| match text {
            Some(_) => name.clone(),
            None => "/dev/null".to_owned(),
        };
        let diff = TextDiff::from_lines(&from, &to);
        let mut unified = diff.unified_diff();
        unified.context_radius(DIFF_CONTEXT_LINES);
        unified.header(&name_of(&self.from), &name_of(&self.to)).to_string()
    }
}

impl WiringPlan {
    pub(crate) fn new(
        changes_of_files: &[FileChange],
        changes: Vec<KeyChange>,
        conflicts: Vec<Conflict>,
    ) -> Self {
        let mut hasher = blake3::Hasher::new();
        for change in changes_of_files {
            hasher.update(format!("{change:?}").as_bytes());
        }
        let files = changes_of_files.iter().filter(|change| change.from != change.to);
        Self {
            files: files.map(FileChange::plan).collect(),
            changes,
            conflicts,
            left_sealed: Vec::new(),
            fingerprint: hasher.finalize().to_hex().to_string(),
        }
    }
}
