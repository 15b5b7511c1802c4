//! Keys inside a tool's file, and changes of them.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A key with the objects or tables around it, outermost first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyPath(Vec<String>);

impl KeyPath {
    pub(crate) fn new(names: &[&str]) -> Self {
        Self(names.iter().map(|name| (*name).to_owned()).collect())
    }

    /// The objects around the key, outermost first, and its own name.
    pub(crate) fn split(&self) -> (&[String], &str) {
        self.0.split_last().map_or((&[], ""), |(name, parents)| (parents, name))
    }

    /// The object around this key; none at the top level.
    pub(crate) fn parent(&self) -> Option<Self> {
        let (parents, _) = self.split();
        (!parents.is_empty()).then(|| Self(parents.to_vec()))
    }

    pub(crate) fn find<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(value, |inner, name| inner.get(name))
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

/// A value to set, or a key to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ValueEdit {
    pub(crate) path: KeyPath,
    /// None removes the key.
    pub(crate) value: Option<Value>,
}

impl ValueEdit {
    pub(crate) fn set(path: &[&str], value: Value) -> Self {
        Self { path: KeyPath::new(path), value: Some(value) }
    }

    pub(crate) fn remove(path: &[&str]) -> Self {
        Self { path: KeyPath::new(path), value: None }
    }

    /// Does to plain values what [`crate::document::Document::edit`] does to a text, so that the
    /// one can be checked against the other.
    pub(crate) fn apply_to(&self, root: &mut Value) {
        let (parents, name) = self.path.split();
        let mut inner = root;
        for parent in parents {
            let Some(object) = inner.as_object_mut() else { return };
            if self.value.is_none() && !object.contains_key(parent) {
                return;
            }
            inner = object.entry(parent).or_insert_with(|| Value::Object(Default::default()));
        }
        let Some(object) = inner.as_object_mut() else { return };
        match &self.value {
            Some(value) => drop(object.insert(name.to_owned(), value.clone())),
            None => drop(object.remove(name)),
        }
    }
}

/// A wired key that someone else changed. The values are masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyChange {
    pub file: PathBuf,
    /// With the objects around it, as in `env.ANTHROPIC_BASE_URL`.
    pub key: String,
    /// What wiring had set; None if it had removed the key.
    pub expected: Option<String>,
    /// None if the key is gone.
    pub found: Option<String>,
}
