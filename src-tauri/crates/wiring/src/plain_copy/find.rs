//! Finds the values in a file that are keys of the vault, by the parser of the file's format.
//!
//! A value counts only if it is the key and nothing else, written without escapes: then the key's bytes
//! can go and the rest stays.

use std::ops::Range;
use std::path::Path;

use domain::Secret;
use jsonc_parser::ast;
use serde_json::Value;
use toml_edit::{Item, TableLike};

use super::StoredKey;
use super::env_file::assignments;
use crate::document::{Document, Format, JSON_OPTIONS, SyntaxProblem};

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CopyFormat {
    Env,
    Document(Format),
}

/// A key in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FoundCopy {
    /// The key's bytes, without quotes.
    pub(super) bytes: Range<usize>,
    /// Index in the list of keys.
    pub(super) key: usize,
}

impl CopyFormat {
    /// None for a file that is not changed.
    pub(super) fn of_path(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_lowercase();
        if name == ".env" || name.starts_with(".env.") || name.ends_with(".env") {
            return Some(Self::Env);
        }
        match name.rsplit_once('.')?.1 {
            "json" | "jsonc" => Some(Self::Document(Format::Json)),
            "toml" => Some(Self::Document(Format::Toml)),
            _ => None,
        }
    }

    /// Every value of the text that is one of `keys`, in order.
    pub(super) fn find(
        self,
        text: &str,
        keys: &[StoredKey],
    ) -> Result<Vec<FoundCopy>, SyntaxProblem> {
        let mut strings = Vec::new();
        match self {
            Self::Env => strings.extend(assignments(text).into_iter().map(|found| found.value)),
            Self::Document(format) => {
                // Refuses what is ambiguous, such as a name that is there twice.
                Document::parse(format, text)?;
                let body = text.strip_prefix('\u{feff}').unwrap_or(text);
                let offset = text.len() - body.len();
                match format {
                    Format::Json => json_strings(body, &mut strings)?,
                    Format::Toml => toml_strings(body, &mut strings)?,
                    // `of_path` leaves it to the user.
                    Format::Yaml => {}
                }
                strings.iter_mut().for_each(|it| *it = it.start + offset..it.end + offset);
            }
        }
        let key_at = |bytes: Range<usize>| {
            let key = key_of(text.get(bytes.clone())?, keys)?;
            Some(FoundCopy { bytes, key })
        };
        let mut found: Vec<_> = strings.into_iter().filter_map(key_at).collect();
        found.sort_by_key(|copy| copy.bytes.start);
        Ok(found)
    }

    /// All values of a text, to compare two texts by.
    pub(super) fn values(self, text: &str) -> Result<Value, SyntaxProblem> {
        match self {
            Self::Document(format) => Ok(Document::parse(format, text)?.value()),
            Self::Env => {
                let pair = |found: super::env_file::Assignment<'_>| {
                    let value = text.get(found.value).unwrap_or_default();
                    Value::from(vec![found.name, value])
                };
                Ok(assignments(text).into_iter().map(pair).collect())
            }
        }
    }
}

/// The key that `value` is, as an index.
pub(super) fn key_of(value: &str, keys: &[StoredKey]) -> Option<usize> {
    if value.contains(char::is_whitespace) {
        return None;
    }
    let secret = Secret::parse(value.to_owned()).ok()?;
    keys.iter().position(|key| key.secret == secret)
}

/// The insides of all strings that are values.
fn json_strings(text: &str, found: &mut Vec<Range<usize>>) -> Result<(), SyntaxProblem> {
    let parsed = jsonc_parser::parse_to_ast(text, &Default::default(), &JSON_OPTIONS);
    let parsed = parsed.map_err(|error| SyntaxProblem::new(error.kind().to_string()))?;
    let mut open: Vec<ast::Value<'_>> = parsed.value.into_iter().collect();
    while let Some(value) = open.pop() {
        match value {
            ast::Value::StringLit(string) => {
                found.push(string.range.start + 1..string.range.end - 1);
            }
            ast::Value::Object(object) => {
                open.extend(object.properties.into_iter().map(|property| property.value));
            }
            ast::Value::Array(array) => open.extend(array.elements),
            _ => {}
        }
    }
    Ok(())
}

fn toml_strings(text: &str, found: &mut Vec<Range<usize>>) -> Result<(), SyntaxProblem> {
    let parsed = toml_edit::Document::parse(text);
    let parsed = parsed.map_err(|error| SyntaxProblem::new(error.message().to_owned()))?;
    table_strings(parsed.as_table(), found);
    // In quotes of one character or of three.
    for string in found {
        let quotes = if is_long_string(text.get(string.clone())) { 3 } else { 1 };
        *string = string.start + quotes..string.end - quotes;
    }
    Ok(())
}

fn is_long_string(raw: Option<&str>) -> bool {
    raw.is_some_and(|raw| raw.len() >= 6 && (raw.starts_with("\"\"\"") || raw.starts_with("'''")))
}

fn table_strings(table: &dyn TableLike, found: &mut Vec<Range<usize>>) {
    for (_, item) in table.iter() {
        match item {
            Item::Value(value) => value_strings(value, found),
            Item::Table(table) => table_strings(table, found),
            Item::ArrayOfTables(tables) => tables.iter().for_each(|it| table_strings(it, found)),
            Item::None => {}
        }
    }
}

fn value_strings(value: &toml_edit::Value, found: &mut Vec<Range<usize>>) {
    match value {
        toml_edit::Value::String(text) => found.extend(text.span()),
        toml_edit::Value::Array(items) => items.iter().for_each(|item| value_strings(item, found)),
        toml_edit::Value::InlineTable(table) => table_strings(table, found),
        _ => {}
    }
}
