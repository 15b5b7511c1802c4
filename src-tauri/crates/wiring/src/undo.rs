//! The three-way undo of one file: as it was before wiring, as wiring wrote it, as it is now.
//!
//! Of the first two no whole text is kept: what wiring took out leads from the second to the first, and
//! a hash tells whether the file is as wiring wrote it.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::document::{Document, Format, SyntaxProblem, edit_text};
use crate::harmless::is_harmless;
use crate::key::{KeyChange, KeyPath, ValueEdit};
use crate::mask::shown_value;
use crate::text_patch::TextPatch;

domain::words! {
    /// What an undo does with wired keys that someone else changed, and with what it cannot put back.
    #[derive(Default)]
    ChangedKeys {
        /// Change nothing and say which they are.
        #[default]
        Refuse = "refuse",
        /// Leave them as they are and undo the others.
        Keep = "keep",
        /// Put back what was there before the wiring.
        Restore = "restore",
        /// As keep, and leave out what only a vault that cannot be opened could put back.
        LeaveSealed = "leave-sealed",
    }
}

impl ChangedKeys {
    const fn leaves_changed(self) -> bool {
        matches!(self, Self::Keep | Self::LeaveSealed)
    }
}

/// What an undo does not put back: what wiring took out of a file, where nothing opens it. It stays
/// sealed in the record, which is kept aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftSealed {
    pub file: PathBuf,
    /// The keys at which it was.
    pub keys: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WiredFile {
    pub(crate) path: PathBuf,
    pub(crate) format: Format,
    /// False if wiring created the file.
    pub(crate) existed: bool,
    pub(crate) written: TextHash,
    /// Of the text that wiring replaced, which may be that of an earlier wiring; None if there was no
    /// file.
    pub(crate) replaced: Option<TextHash>,
    pub(crate) keys: Vec<WiredKey>,
    /// Objects around the keys that wiring created.
    pub(crate) created_objects: Vec<KeyPath>,
    /// Folders that wiring created for it, outermost first.
    pub(crate) created_folders: Vec<PathBuf>,
    pub(crate) taken_out: KeptTakenOut,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WiredKey {
    pub(crate) path: KeyPath,
    /// None if wiring removed the key.
    pub(crate) written: Option<Value>,
    /// True if it had a value before; None in records of earlier versions.
    #[serde(default)]
    pub(crate) was_set: Option<bool>,
}

impl WiredKey {
    fn is_written(&self, document: &Document) -> bool {
        document.get(&self.path) == self.written
    }
}

/// Tells whether a text is a known one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TextHash(String);

impl TextHash {
    pub(crate) fn of(text: &str) -> Self {
        Self(blake3::hash(text.as_bytes()).to_hex().to_string())
    }
}

/// What wiring took out of a file, for the undo.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TakenOut {
    /// The values of the wired keys, in their order; None for one that was not there.
    pub(crate) values: Vec<Option<Value>>,
    /// Leads from the text that wiring wrote to the one before.
    pub(crate) undo: TextPatch,
    /// Leads from the text that wiring replaced to the one it writes; None once it is written.
    pub(crate) redo: Option<TextPatch>,
    /// True if it may hold a key, and then goes to no file as it is.
    #[serde(skip)]
    pub(crate) may_hold_key: bool,
}

impl fmt::Debug for TakenOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TakenOut(…)")
    }
}

impl TakenOut {
    /// `before` is the text before the wiring, and `replaced` the one that `written` replaces.
    pub(crate) fn new(
        format: Format,
        keys: &[WiredKey],
        before: Option<&str>,
        replaced: Option<&str>,
        written: &str,
    ) -> Result<Self, SyntaxProblem> {
        let document = Document::parse(format, before.unwrap_or_default())?;
        let values: Vec<_> = keys.iter().map(|key| document.get(&key.path)).collect();
        let undo = TextPatch::between(written, before.unwrap_or_default());
        let redo = TextPatch::between(replaced.unwrap_or_default(), written);
        let taken_out = Self { values, undo, redo: Some(redo), may_hold_key: false };
        Ok(taken_out.mark_possible_key(keys))
    }

    /// As it was read from a file, or is new: with [`Self::may_hold_key`] found out.
    pub(crate) fn mark_possible_key(self, keys: &[WiredKey]) -> Self {
        let texts = self.undo.texts().chain(self.redo.iter().flat_map(TextPatch::texts));
        let may_hold_key = !is_harmless(keys, &self.values, texts);
        Self { may_hold_key, ..self }
    }

    /// Without what only an unfinished wiring needs.
    pub(crate) fn of_finished(self) -> Self {
        Self { redo: None, ..self }
    }
}

/// [`TakenOut`] as the record keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum KeptTakenOut {
    Plain(TakenOut),
    /// Opened with the key of the record.
    Sealed(String),
}

/// A file without its wiring.
pub(crate) struct UndoneFile {
    /// None if there is to be no file.
    pub(crate) text: Option<String>,
    /// Keys that someone else changed.
    pub(crate) changes: Vec<KeyChange>,
}

impl WiredFile {
    /// The text without the wiring. What others changed in between stays, and so does what wiring took
    /// out where nobody knows it any more (`taken_out` is None).
    pub(crate) fn undo(
        &self,
        now: Option<&str>,
        taken_out: Option<&TakenOut>,
        changed_keys: ChangedKeys,
    ) -> Result<UndoneFile, SyntaxProblem> {
        let Some(now) = now else {
            return Ok(UndoneFile { text: None, changes: Vec::new() });
        };
        let is_ours_whole = self.is_written(now);
        if is_ours_whole && !self.existed {
            return Ok(UndoneFile { text: None, changes: Vec::new() });
        }
        if let Some(TakenOut { undo, .. }) = taken_out.filter(|_| is_ours_whole) {
            let damaged = || SyntaxProblem::new("has a damaged record, so its wiring stays");
            let text = undo.apply(now).ok_or_else(damaged)?;
            return Ok(UndoneFile { text: Some(text), changes: Vec::new() });
        }
        let document = Document::parse(self.format, now)?;
        let (mut edits, mut changes) = (Vec::new(), Vec::new());
        for (index, key) in self.keys.iter().enumerate() {
            let before = taken_out.and_then(|it| it.values.get(index)).and_then(Option::as_ref);
            let found = document.get(&key.path);
            if found.as_ref() == before {
                continue;
            }
            let is_ours = found == key.written;
            if !is_ours {
                changes.push(self.describe_change(key, found.as_ref()));
            }
            if is_ours || changed_keys == ChangedKeys::Restore {
                edits.push(ValueEdit { path: key.path.clone(), value: before.cloned() });
            }
        }
        let text = edit_text(self.format, now, &edits)?;
        let text = self.remove_emptied(text)?;
        let is_gone = !self.existed && matches!(text.trim(), "" | "{}");
        Ok(UndoneFile { text: (!is_gone).then_some(text), changes })
    }

    /// False where [`Self::undo`] leads to the same text without what wiring took out: there is no file, or
    /// there was none, or nothing in it is as wiring wrote it and what others changed is kept.
    pub(crate) fn needs_taken_out(&self, now: Option<&str>, changed_keys: ChangedKeys) -> bool {
        let Some(now) = now.filter(|_| self.existed) else { return false };
        if self.is_written(now) || !changed_keys.leaves_changed() {
            return true;
        }
        Document::parse(self.format, now)
            .is_ok_and(|found| self.keys.iter().any(|key| key.is_written(&found)))
    }

    /// What an undo without [`TakenOut`] leaves out; None if there was nothing to put back.
    pub(crate) fn left_sealed(&self, now: Option<&str>) -> Option<LeftSealed> {
        let found = Document::parse(self.format, now.filter(|_| self.existed)?).ok()?;
        // In an object that wiring created there was no value before.
        let is_new = |key: &&WiredKey| {
            std::iter::successors(key.path.parent(), KeyPath::parent)
                .any(|path| self.created_objects.contains(&path))
        };
        let may_have_been_set = |key: &&WiredKey| key.was_set.unwrap_or(true) && !is_new(key);
        let ours = self.keys.iter().filter(|key| key.is_written(&found)).filter(may_have_been_set);
        let keys: Vec<_> = ours.map(|key| key.path.to_string()).collect();
        (!keys.is_empty()).then(|| LeftSealed { file: self.path.clone(), keys })
    }

    /// True if the text is the one that wiring wrote.
    pub(crate) fn is_written(&self, text: &str) -> bool {
        TextHash::of(text) == self.written
    }

    /// True if the text, or that there is none, is what wiring replaces.
    pub(crate) fn is_replaced(&self, text: Option<&str>) -> bool {
        text.map(TextHash::of) == self.replaced
    }

    /// Removes the objects that wiring had created and that are empty again.
    fn remove_emptied(&self, text: String) -> Result<String, SyntaxProblem> {
        let mut text = text;
        for path in &self.created_objects {
            let found = Document::parse(self.format, &text)?.get(path);
            if found.as_ref().and_then(Value::as_object).is_some_and(|object| object.is_empty()) {
                let edit = ValueEdit { path: path.clone(), value: None };
                text = edit_text(self.format, &text, &[edit])?;
            }
        }
        Ok(text)
    }

    /// The wired keys that are not as wiring wrote them.
    pub(crate) fn drift(&self, now: Option<&str>) -> Result<Vec<KeyChange>, SyntaxProblem> {
        if now.is_some_and(|now| self.is_written(now)) {
            return Ok(Vec::new());
        }
        let document = now.map(|now| Document::parse(self.format, now)).transpose()?;
        let found = |key: &WiredKey| document.as_ref().and_then(|found| found.get(&key.path));
        let changes = self.keys.iter().filter_map(|key| {
            let found = found(key);
            (found != key.written).then(|| self.describe_change(key, found.as_ref()))
        });
        Ok(changes.collect())
    }

    fn describe_change(&self, key: &WiredKey, found: Option<&Value>) -> KeyChange {
        let name = key.path.to_string();
        let shown = |value: &Value| shown_value(&name, value);
        KeyChange {
            file: self.path.clone(),
            expected: key.written.as_ref().map(shown),
            found: found.map(shown),
            key: name.clone(),
        }
    }
}

/// The objects around `keys` that are not in `before`, the innermost first.
pub(crate) fn created_objects<'a>(
    keys: impl Iterator<Item = &'a KeyPath>,
    before: &Value,
) -> Vec<KeyPath> {
    let mut created: Vec<KeyPath> = Vec::new();
    for key in keys {
        let above = std::iter::successors(key.parent(), KeyPath::parent);
        for path in above.filter(|path| path.find(before).is_none()) {
            if !created.contains(&path) {
                created.push(path);
            }
        }
    }
    created.sort_by_key(|path| std::cmp::Reverse(path.split().0.len()));
    created
}
