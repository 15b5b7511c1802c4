//! The three-way undo of one file: as it was before wiring, as wiring wrote it, as it is now.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::document::{Document, Format, SyntaxProblem, edit_text};
use crate::key::{KeyChange, KeyPath, ValueEdit};
use crate::mask::shown_value;

domain::words! {
    /// What an undo does with wired keys that someone else changed.
    #[derive(Default)]
    ChangedKeys {
        /// Change nothing and say which they are.
        #[default]
        Refuse = "refuse",
        /// Leave them as they are and undo the others.
        Keep = "keep",
        /// Put back what was there before the wiring.
        Restore = "restore",
    }
}

/// What wiring did to one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WiredFile {
    pub(crate) path: PathBuf,
    pub(crate) format: Format,
    /// The text before the wiring; None if there was no file.
    pub(crate) before: Option<String>,
    /// The text that wiring wrote.
    pub(crate) written: String,
    /// The text that wiring replaced, which may be that of an earlier wiring.
    pub(crate) replaced: Option<String>,
    pub(crate) keys: Vec<WiredKey>,
    /// Folders that wiring created for it, outermost first.
    pub(crate) created_folders: Vec<PathBuf>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WiredKey {
    pub(crate) path: KeyPath,
    /// None if there was no such key.
    pub(crate) before: Option<Value>,
    /// None if wiring removed the key.
    pub(crate) written: Option<Value>,
}

/// A file without its wiring.
pub(crate) struct UndoneFile {
    /// None if there is to be no file.
    pub(crate) text: Option<String>,
    /// Keys that someone else changed.
    pub(crate) changes: Vec<KeyChange>,
}

impl WiredFile {
    /// The text without the wiring. What others changed in between stays.
    pub(crate) fn undo(
        &self,
        now: Option<&str>,
        changed_keys: ChangedKeys,
    ) -> Result<UndoneFile, SyntaxProblem> {
        let Some(now) = now else {
            return Ok(UndoneFile { text: None, changes: Vec::new() });
        };
        if now == self.written {
            return Ok(UndoneFile { text: self.before.clone(), changes: Vec::new() });
        }
        let document = Document::parse(self.format, now)?;
        let (mut edits, mut changes) = (Vec::new(), Vec::new());
        for key in &self.keys {
            let found = document.get(&key.path);
            if found == key.before {
                continue;
            }
            let is_ours = found == key.written;
            if !is_ours {
                changes.push(self.describe_change(key, found.as_ref()));
            }
            if is_ours || changed_keys == ChangedKeys::Restore {
                edits.push(ValueEdit { path: key.path.clone(), value: key.before.clone() });
            }
        }
        let text = edit_text(self.format, now, &edits)?;
        let text = self.remove_emptied(text)?;
        let is_gone = self.before.is_none() && matches!(text.trim(), "" | "{}");
        Ok(UndoneFile { text: (!is_gone).then_some(text), changes })
    }

    /// Removes the objects that wiring had created and that are empty again.
    fn remove_emptied(&self, text: String) -> Result<String, SyntaxProblem> {
        let before = match &self.before {
            Some(before) => Document::parse(self.format, before)?.value(),
            None => Value::Null,
        };
        let mut text = text;
        for key in &self.keys {
            let mut parent = key.path.parent();
            while let Some(path) = parent {
                let found = Document::parse(self.format, &text)?.get(&path);
                let is_empty = found
                    .as_ref()
                    .and_then(Value::as_object)
                    .is_some_and(|object| object.is_empty());
                if is_empty && path.find(&before).is_none() {
                    let edit = ValueEdit { path: path.clone(), value: None };
                    text = edit_text(self.format, &text, &[edit])?;
                }
                parent = path.parent();
            }
        }
        Ok(text)
    }

    /// The wired keys that are not as wiring wrote them.
    pub(crate) fn drift(&self, now: Option<&str>) -> Result<Vec<KeyChange>, SyntaxProblem> {
        if now == Some(&self.written) {
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
