//! Collects problems during a read, so that one pass reports all of them.

use std::ops::Range;

use domain::IdError;
use toml_edit::{Key, Value};

use crate::{FileProblem, Severity};

/// Similarity (Jaro-Winkler, 0 to 1) from which one word is proposed for another.
const SIMILARITY_MIN: f64 = 0.85;
/// Longest value quoted in a message, in characters.
const SHOWN_CHARS_MAX: usize = 60;

/// Names from the top of the file down to a field.
pub(crate) type SettingsPath = Vec<String>;

/// A change to the file that certainly matches its writer's intent.
#[derive(Debug, Clone)]
pub(crate) struct Repair {
    pub(crate) path: SettingsPath,
    pub(crate) action: RepairAction,
}

#[derive(Debug, Clone)]
pub(crate) enum RepairAction {
    Set(Value),
    Rename(String),
    /// In a list: replaces a plain entry, or sets this field of a table.
    SetAt {
        place: usize,
        field: String,
        value: Value,
    },
}

/// A problem before it is added to the report.
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    pub(crate) path: SettingsPath,
    pub(crate) span: Option<Range<usize>>,
    pub(crate) what: String,
    pub(crate) hint: String,
    pub(crate) action: Option<RepairAction>,
}

/// Problems and repairs of one text.
pub(crate) struct Findings<'text> {
    text: &'text str,
    pub(crate) problems: Vec<FileProblem>,
    pub(crate) repairs: Vec<Repair>,
    /// Ranges of secrets in the text.
    pub(crate) hidden: Vec<Range<usize>>,
}

impl<'text> Findings<'text> {
    pub(crate) const fn new(text: &'text str) -> Self {
        Self { text, problems: Vec::new(), repairs: Vec::new(), hidden: Vec::new() }
    }

    pub(crate) fn add(&mut self, finding: Finding) {
        let Finding { severity, path, span, what, hint, action } = finding;
        let line = span.map(|span| position(self.text, span.start).0);
        let fix = action.as_ref().map(|action| describe_repair(&path, action));
        self.problems.push(FileProblem {
            severity,
            path: display_path(&path),
            line,
            column: None,
            what,
            hint,
            fix,
        });
        self.repairs.extend(action.map(|action| Repair { path, action }));
    }

    pub(crate) fn error(
        &mut self,
        path: &[String],
        span: Option<Range<usize>>,
        what: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.add(Finding {
            severity: Severity::Error,
            path: path.to_vec(),
            span,
            what: what.into(),
            hint: hint.into(),
            action: None,
        });
    }

    pub(crate) fn warning(
        &mut self,
        path: &[String],
        span: Option<Range<usize>>,
        what: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.error(path, span, what, hint);
        if let Some(problem) = self.problems.last_mut() {
            problem.severity = Severity::Warning;
        }
    }
}

/// Line and column of a byte offset, both from 1, the column in characters.
pub(crate) fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
    (before.matches('\n').count() + 1, column)
}

/// The path as written in the file, with secrets masked: a key may be on the wrong side of the
/// equals sign.
pub(crate) fn display_path(path: &[String]) -> String {
    let segments: Vec<String> = path
        .iter()
        .map(|name| Key::new(domain::redact(name).into_owned()).display_repr().into_owned())
        .collect();
    segments.join(".")
}

/// A value for a message: shortened, and hidden if it looks like a secret.
pub(crate) fn quote_value(text: &str) -> String {
    if looks_secret(text) || text.contains('@') {
        return "a hidden value".to_owned();
    }
    let mut short: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}

/// True if a part of `text` looks like a key.
pub(crate) fn looks_secret(text: &str) -> bool {
    matches!(domain::redact(text), std::borrow::Cow::Owned(_))
}

/// The known word that was probably meant.
pub(crate) fn closest_word<'a>(
    word: &str,
    known: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    known
        .map(|candidate| (strsim::jaro_winkler(&word, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= SIMILARITY_MIN)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// The text of [`IdError`], which repeats at most one character.
pub(crate) fn id_error_hint(error: &IdError) -> String {
    match error {
        IdError::Malformed(_) => "choose another name".to_owned(),
        _ => error.to_string(),
    }
}

fn describe_repair(path: &[String], action: &RepairAction) -> String {
    let path = display_path(path);
    match action {
        RepairAction::Set(value) => {
            format!("set {path} to {}", domain::redact(value.to_string().trim()))
        }
        RepairAction::Rename(name) => format!("rename {path} to {name}"),
        RepairAction::SetAt { place, field, value } => {
            let place = place + 1;
            let value = value.to_string();
            let value = domain::redact(value.trim());
            match field.as_str() {
                "" => format!("set entry {place} of {path} to {value}"),
                field => format!("set {field} in entry {place} of {path} to {value}"),
            }
        }
    }
}
