//! What is wrong with a file, said so that a person can repair it without reading our source.

use std::fmt;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The file is used; this part of it is ignored or doubtful.
    Warning,
    /// The file is not used until this is repaired.
    Error,
}

/// One thing that is wrong. No text in it repeats a value that looks like a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Whether the file can be used all the same.
    pub severity: Severity,
    /// The field, `backends.up.base_url`; empty when the file as a whole is meant.
    pub path: String,
    /// Line in the file from 1, where known.
    pub line: Option<usize>,
    /// Column in that line from 1, in characters, where known.
    pub column: Option<usize>,
    /// What is wrong, one sentence.
    pub what: String,
    /// What to do about it, one sentence.
    pub hint: String,
    /// The certain repair in words, if there is one; [`crate::SettingsStore::proposed_fix`] has it
    /// as a diff.
    pub fix: Option<String>,
}

/// `line 4, backends.up.base_url: what is wrong; what to do`
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (Some(line), Some(column)) => write!(f, "line {line}, column {column}: ")?,
            (Some(line), None) => write!(f, "line {line}: ")?,
            _ => {}
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{}; {}", self.what, self.hint)
    }
}

/// Every certain repair together, for a person to look at before it is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposedFix {
    /// Unified diff from the file to its repaired text, secrets hidden.
    pub diff: String,
    /// Each repair in words.
    pub steps: Vec<String>,
    /// Errors that remain after it and need a person.
    pub errors_left: usize,
}
