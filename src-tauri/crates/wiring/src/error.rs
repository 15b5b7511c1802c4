//! Errors of wiring. No text holds a value from a tool's file.

use std::io;
use std::path::{Path, PathBuf};

use crate::key::KeyChange;
use crate::record_keys::RecordKeysError;

/// Why a tool's file is left alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {what}", .path.display(), position(*.line, *.column))]
pub struct ToolFileProblem {
    pub path: PathBuf,
    /// From 1, if known.
    pub line: Option<usize>,
    /// In the line, from 1, in characters, if known.
    pub column: Option<usize>,
    pub what: String,
}

impl ToolFileProblem {
    pub(crate) fn new(path: &Path, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: None, column: None, what: what.into() }
    }
}

fn position(line: Option<usize>, column: Option<usize>) -> String {
    match (line, column) {
        (Some(line), Some(column)) => format!(", line {line}, column {column}"),
        _ => String::new(),
    }
}

#[derive(Debug, thiserror::Error)]
pub enum WiringError {
    /// The file is left as it is.
    #[error(transparent)]
    File(#[from] ToolFileProblem),
    /// With the tool's name.
    #[error("{0} was not found on this machine")]
    NotInstalled(&'static str),
    #[error("{tool} is not {changed}")]
    NotWired {
        tool: &'static str,
        /// What it would be, as in "wired".
        changed: &'static str,
    },
    /// Someone else changed what wiring had set; the caller has to decide.
    #[error("{} changed since {tool} was {changed}", names(.changes))]
    KeysChanged { tool: &'static str, changed: &'static str, changes: Vec<KeyChange> },
    /// A file is not what the plan was made of.
    #[error("{} changed in the meantime; look at the plan again", .0.display())]
    Outdated(PathBuf),
    /// What wiring takes out of the file and what may be a key cannot be kept for the undo.
    #[error(
        "wiring would take a value out of {} that may be a key, and the vault cannot keep it: {source}; or \
         remove the value yourself",
        .path.display()
    )]
    NotSealed {
        path: PathBuf,
        #[source]
        source: RecordKeysError,
    },
    /// What was taken out of the file cannot be read now.
    #[error(
        "what wiring took out of {} is sealed with a key of the vault: {source}",
        .path.display()
    )]
    Sealed {
        path: PathBuf,
        #[source]
        source: RecordKeysError,
    },
    /// What was taken out of the file cannot be read any more.
    #[error(
        "the vault no longer opens what wiring took out of {}; choose the vault that was used then, or \
         keep changed keys, which takes out what wiring has set, leaves the rest as it is and keeps \
         the record aside",
        .0.display()
    )]
    SealLost(PathBuf),
    /// With the id that was asked for.
    #[error("there is no removed copy {0}")]
    NotRemoved(String),
    #[error("{} cannot be read or written", .path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl WiringError {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}

fn names(changes: &[KeyChange]) -> String {
    changes.iter().map(|change| change.key.as_str()).collect::<Vec<_>>().join(", ")
}
