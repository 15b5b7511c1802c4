//! JSON, with comments kept.

use domain::redact;
use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstInputValue, CstNode, CstObject, CstRootNode};
use jsonc_parser::errors::ParseErrorKind;
use serde_json::Value;

use super::SyntaxProblem;

pub(super) struct JsonTree(CstRootNode);

/// Comments and trailing commas, and no other extension: what else looks wrong is wrong.
pub(crate) const OPTIONS: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_trailing_commas: true,
    allow_loose_object_property_names: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

impl JsonTree {
    /// An empty text is an empty object.
    pub(super) fn parse(text: &str) -> Result<Self, SyntaxProblem> {
        let root = CstRootNode::parse(text, &OPTIONS).map_err(|error| SyntaxProblem {
            position: Some((error.line_display(), error.column_display())),
            what: syntax_rule(error.kind()).to_owned(),
        })?;
        match root.value() {
            Some(node) if node.as_object().is_none() => {
                Err(SyntaxProblem::new("does not hold a JSON object"))
            }
            Some(node) => check_names(&node).map(|()| Self(root)),
            None => Ok(Self(root)),
        }
    }

    pub(super) fn value(&self) -> Value {
        let empty = || Value::Object(serde_json::Map::new());
        self.0.to_serde_value().unwrap_or_else(empty)
    }

    pub(super) fn text(&self) -> String {
        self.0.to_string()
    }

    pub(super) fn set(
        &mut self,
        parents: &[String],
        name: &str,
        value: &Value,
    ) -> Result<(), SyntaxProblem> {
        let root = self.0.object_value_or_create();
        let mut object = root.ok_or_else(|| SyntaxProblem::new("does not hold a JSON object"))?;
        for parent in parents {
            let inner = object.object_value_or_create(parent);
            object = inner.ok_or_else(|| SyntaxProblem::new(format!("{parent} is no object")))?;
        }
        match object.get(name) {
            Some(property) => property.set_value(input_value(value)),
            None => drop(object.append(name, input_value(value))),
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, parents: &[String], name: &str) -> Result<(), SyntaxProblem> {
        let inside = |object: CstObject, parent: &String| object.object_value(parent);
        let object = self.0.object_value().and_then(|root| parents.iter().try_fold(root, inside));
        if let Some(property) = object.and_then(|object| object.get(name)) {
            property.remove();
        }
        Ok(())
    }
}

/// The rule that a text breaks. The parser's own words may quote the text, where a key may lie.
fn syntax_rule(kind: &ParseErrorKind) -> &'static str {
    match kind {
        ParseErrorKind::ExpectedComma => "is not valid JSON: a comma is missing",
        ParseErrorKind::ExpectedColonAfterObjectKey => "is not valid JSON: a colon is missing",
        ParseErrorKind::ExpectedObjectValue => "is not valid JSON: a value is missing",
        ParseErrorKind::ExpectedStringObjectProperty => "is not valid JSON: a name has no quotes",
        ParseErrorKind::MultipleRootJsonValues => "is not valid JSON: it holds several values",
        ParseErrorKind::String(_) => "is not valid JSON: a quoted text is not valid",
        ParseErrorKind::UnterminatedArray => "is not valid JSON: a list has no end",
        ParseErrorKind::UnterminatedObject => "is not valid JSON: an object has no end",
        ParseErrorKind::UnterminatedCommentBlock => "is not valid JSON: a comment has no end",
        _ => "is not valid JSON",
    }
}

/// Refuses names that are there twice: programs differ in which one they take.
fn check_names(node: &CstNode) -> Result<(), SyntaxProblem> {
    let mut seen = std::collections::BTreeSet::new();
    let properties = node.as_object().map(|object| object.properties()).unwrap_or_default();
    for property in properties {
        let name = property.decoded_name().unwrap_or_default();
        if let Some(inner) = property.value() {
            check_names(&inner)?;
        }
        if !seen.insert(name.clone()) {
            return Err(SyntaxProblem::new(format!("has the key {} twice", redact(&name))));
        }
    }
    Ok(())
}

fn input_value(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(value) => CstInputValue::Bool(*value),
        Value::Number(number) => CstInputValue::Number(number.to_string()),
        Value::String(text) => CstInputValue::String(text.clone()),
        Value::Array(items) => CstInputValue::Array(items.iter().map(input_value).collect()),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), input_value(value)));
            CstInputValue::Object(fields.collect())
        }
    }
}
