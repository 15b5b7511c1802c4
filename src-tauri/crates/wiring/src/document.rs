//! A tool's file as a text whose keys can be changed while everything else stays: comments, order,
//! indentation, unknown keys.

mod json;
mod toml;
mod yaml;

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::ToolFileProblem;
use crate::key::{KeyPath, ValueEdit};

pub(crate) use json::OPTIONS as JSON_OPTIONS;
pub(crate) use yaml::read_value as yaml_value;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Format {
    /// With comments and trailing commas, which some tools allow.
    Json,
    Toml,
    Yaml,
}

/// Why a text cannot be edited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyntaxProblem {
    /// Line and column from 1, in characters, if known.
    pub(crate) position: Option<(usize, usize)>,
    pub(crate) what: String,
}

impl SyntaxProblem {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { position: None, what: what.into() }
    }

    pub(crate) fn in_file(self, path: &Path) -> ToolFileProblem {
        ToolFileProblem {
            line: self.position.map(|(line, _)| line),
            column: self.position.map(|(_, column)| column),
            ..ToolFileProblem::new(path, self.what)
        }
    }
}

const BYTE_ORDER_MARK: char = '\u{feff}';

pub(crate) struct Document {
    tree: Tree,
    has_byte_order_mark: bool,
    /// Every line ends with a carriage return and a line feed.
    has_crlf: bool,
}

enum Tree {
    Json(json::JsonTree),
    Toml(toml::TomlTree),
    Yaml(yaml::YamlTree),
}

impl Document {
    pub(crate) fn parse(format: Format, text: &str) -> Result<Self, SyntaxProblem> {
        let body = text.strip_prefix(BYTE_ORDER_MARK);
        let (has_byte_order_mark, body) = (body.is_some(), body.unwrap_or(text));
        let lines = body.matches('\n').count();
        let has_crlf = lines > 0 && body.matches("\r\n").count() == lines;
        let tree = match format {
            Format::Json => Tree::Json(json::JsonTree::parse(body)?),
            Format::Toml => Tree::Toml(toml::TomlTree::parse(body)?),
            Format::Yaml => Tree::Yaml(yaml::YamlTree::parse(body)?),
        };
        Ok(Self { tree, has_byte_order_mark, has_crlf })
    }

    pub(crate) fn value(&self) -> Value {
        match &self.tree {
            Tree::Json(tree) => tree.value(),
            Tree::Toml(tree) => tree.value(),
            Tree::Yaml(tree) => tree.value(),
        }
    }

    pub(crate) fn get(&self, path: &KeyPath) -> Option<Value> {
        path.find(&self.value()).cloned()
    }

    /// Sets or removes a key. Missing objects around a key that is set are created.
    pub(crate) fn edit(&mut self, edit: &ValueEdit) -> Result<(), SyntaxProblem> {
        let (parents, name) = edit.path.split();
        match (&mut self.tree, &edit.value) {
            (Tree::Json(tree), Some(value)) => tree.set(parents, name, value),
            (Tree::Json(tree), None) => tree.remove(parents, name),
            (Tree::Toml(tree), Some(value)) => tree.set(parents, name, value),
            (Tree::Toml(tree), None) => tree.remove(parents, name),
            (Tree::Yaml(tree), Some(value)) => tree.set(parents, name, value),
            (Tree::Yaml(tree), None) => tree.remove(parents, name),
        }
    }

    pub(crate) fn text(&self) -> String {
        let body = match &self.tree {
            Tree::Json(tree) => tree.text(),
            Tree::Toml(tree) => tree.text(),
            Tree::Yaml(tree) => tree.text(),
        };
        let body = match self.has_crlf {
            true => body.replace("\r\n", "\n").replace('\n', "\r\n"),
            false => body,
        };
        match self.has_byte_order_mark {
            true => format!("{BYTE_ORDER_MARK}{body}"),
            false => body,
        }
    }
}

/// Applies the edits to a text, and checks on plain values that they and nothing else happened.
pub(crate) fn edit_text(
    format: Format,
    text: &str,
    edits: &[ValueEdit],
) -> Result<String, SyntaxProblem> {
    let mut document = Document::parse(format, text)?;
    if document.text() != text {
        return Err(SyntaxProblem::new("cannot be written again as it is; change it by hand"));
    }
    let mut expected = document.value();
    for edit in edits {
        document.edit(edit)?;
        edit.apply_to(&mut expected);
    }
    let edited = document.text();
    let read_back = Document::parse(format, &edited)?.value();
    match read_back == expected {
        true => Ok(edited),
        false => Err(SyntaxProblem::new("has a form that cannot be edited; change it by hand")),
    }
}

/// Line and column of a byte of `text`, from 1, in characters.
fn position_of(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANARY: &str = "sk-CANARY-0123456789abcdef";

    /// Broken texts; `@` stands for a key in the broken line.
    const BROKEN: [(Format, &[&str]); 3] = [
        (
            Format::Json,
            &[
                "{\"key\": @}",
                "{\"key\": \"@}",
                "{\"key\": \"@\" \"a\": 1}",
                "{\"key\" \"@\"}",
                "{@: 1}",
                "{'@': 1}",
                "{\"key\": '@'}",
                "{\"key\": \"\\u@\"}",
                "{\"key\": \"\\@\"}",
                "{\"@\": 1, \"@\": 2}",
                "{\"a\": {\"@\": 1, \"@\": 2}}",
                "{\"key\": [\"@\"",
                "[\"@\"]",
                "\"@\"",
                "{} @",
                "{\"key\": 12@}",
                "/* @",
            ],
        ),
        (
            Format::Toml,
            &[
                "key = @\n",
                "key = \"@\n",
                "key = '@\n",
                "key = \"\"\"@\n",
                "key = \"\\u@\"\n",
                "key = \"\\@\"\n",
                "@\n",
                "@ = 1\n@ = 2\n",
                "[@]\na = 1\n[@]\n",
                "@ = 1\n@.a = 2\n",
                "[a\nkey = \"@\"\n",
                "key = \"@\" \"@\"\n",
                "key = 2026-11-@\n",
                "key = 12@\n",
                "key = [\"@\"\n",
                "key = {a = \"@\"\n",
            ],
        ),
        (
            Format::Yaml,
            &[
                "key: \"@\n",
                "key: \"\\@\"\n",
                "@: 1\n@: 2\n",
                "a: 1\n  b: @\n c: @\n",
                "\tkey: @\n",
                "key: *@\n",
                "key: [\"@\"\n",
                "key: {a: @\n",
                "- @\n",
                "@\n",
                "a: 1\n---\nkey: @\n",
            ],
        ),
    ];

    #[test]
    fn no_problem_of_a_broken_text_quotes_a_key() {
        for (format, texts) in BROKEN {
            for text in texts {
                let text = text.replace('@', CANARY);
                let problem = match Document::parse(format, &text) {
                    Ok(_) => panic!("{text} is refused"),
                    Err(problem) => problem,
                };
                let told = problem.clone().in_file(Path::new("a")).to_string();
                for told in [told, format!("{problem:?}")] {
                    assert!(!told.contains("CANARY"), "{text}: {told}");
                }
            }
        }
    }
}
