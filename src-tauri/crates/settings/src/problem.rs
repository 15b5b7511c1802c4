//! Problems of a settings file, described so that a person can repair them without our source.

use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The file is used; this part is ignored or doubtful.
    Warning,
    /// The file is not used until this is repaired.
    Error,
}

/// One problem. Its texts never contain a value that looks like a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProblem {
    pub severity: Severity,
    /// The field, such as `backends.up.base_url`; empty for the whole file.
    pub path: String,
    /// Line in the file from 1, if known.
    pub line: Option<usize>,
    /// Column in that line from 1, in characters, if known.
    pub column: Option<usize>,
    /// The problem in one sentence.
    pub what: String,
    /// The remedy in one sentence.
    pub hint: String,
    /// Description of the certain repair, if there is one; [`crate::SettingsStore::proposed_fix`]
    /// has it as a diff.
    pub fix: Option<String>,
}

/// `line 4, backends.up.base_url: the problem; the remedy`
impl fmt::Display for FileProblem {
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

/// All certain repairs together, for review before they are applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposedFix {
    /// Unified diff from the file to its repaired text, with secrets masked.
    pub diff: String,
    /// Description of each repair.
    pub steps: Vec<String>,
    /// Errors that remain and need a person.
    pub errors_left: usize,
}
