//! YAML, with comments kept.

use serde_json::{Map, Value};
use yaml_edit::validator::Validator;
use yaml_edit::{
    AsYaml, Document, Mapping, ScalarType, ScalarValue, Sequence, YamlError, YamlFile, YamlValue,
};

use super::SyntaxProblem;

pub(super) struct YamlTree(YamlFile);

impl YamlTree {
    /// A text without a value is an empty mapping.
    pub(super) fn parse(text: &str) -> Result<Self, SyntaxProblem> {
        let file: YamlFile = text.parse().map_err(syntax_problem)?;
        if file.documents().count() > 1 {
            return Err(SyntaxProblem::new("holds several YAML documents"));
        }
        let Some(document) = file.document() else { return Ok(Self(file)) };
        if let Some(found) = Validator::new().validate(&document).into_iter().next() {
            let place = found.location.and_then(|place| {
                let (line, column) = place.split_once(':')?;
                Some((line.parse().ok()?, column.parse().ok()?))
            });
            let what = format!("is not valid YAML: {}", found.message);
            return Err(SyntaxProblem { position: place, what });
        }
        match document_value(&document)? {
            Value::Object(_) => Ok(Self(file)),
            _ => Err(SyntaxProblem::new("does not hold a YAML mapping")),
        }
    }

    pub(super) fn value(&self) -> Value {
        let found = self.0.document().map(|document| document_value(&document));
        found.and_then(Result::ok).unwrap_or_else(|| Value::Object(Map::new()))
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
        let document = self.0.ensure_document();
        if parents.is_empty() {
            let mut is_set = false;
            set_node(value, &mut |node| is_set = document.set(name, node));
            return if is_set { Ok(()) } else { Err(no_mapping(name)) };
        }
        if let (None, Some(outermost)) = (document.as_mapping(), parents.first())
            && !document.set(outermost.as_str(), Mapping::new())
        {
            return Err(no_mapping(outermost));
        }
        let mut mapping = document.as_mapping();
        for parent in parents {
            let around = mapping.ok_or_else(|| no_mapping(parent))?;
            if !around.contains_key(parent.as_str()) {
                around.set(parent.as_str(), Mapping::new());
            }
            mapping = around.get_mapping(parent.as_str());
        }
        let mapping = mapping.ok_or_else(|| no_mapping(name))?;
        set_node(value, &mut |node| mapping.set(name, node));
        Ok(())
    }

    pub(super) fn remove(&mut self, parents: &[String], name: &str) -> Result<(), SyntaxProblem> {
        let Some(document) = self.0.document() else { return Ok(()) };
        let inside = |mapping: Mapping, parent: &String| mapping.get_mapping(parent.as_str());
        let found = document.as_mapping().and_then(|root| parents.iter().try_fold(root, inside));
        if let Some(mapping) = found {
            drop(mapping.remove(name));
        }
        Ok(())
    }
}

fn syntax_problem(error: YamlError) -> SyntaxProblem {
    match error {
        YamlError::Parse { message, line, column } => SyntaxProblem {
            position: line.zip(column),
            what: format!("is not valid YAML: {message}"),
        },
        other => SyntaxProblem::new(format!("is not valid YAML: {other}")),
    }
}

fn no_mapping(name: &str) -> SyntaxProblem {
    SyntaxProblem::new(format!("{name} is not in a mapping"))
}

/// Passes `value` to `set` as a node of its own.
fn set_node(value: &Value, set: &mut dyn FnMut(&dyn AsYaml)) {
    match value {
        Value::Object(fields) => {
            let mapping = Mapping::new();
            for (name, value) in fields {
                set_node(value, &mut |node| mapping.set(name.as_str(), node));
            }
            set(&mapping);
        }
        Value::Array(items) => {
            let sequence = Sequence::new();
            items.iter().for_each(|item| set_node(item, &mut |node| sequence.push(node)));
            set(&sequence);
        }
        Value::String(text) => set(&text.as_str()),
        Value::Bool(value) => set(value),
        Value::Null => set(&ScalarValue::null()),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => set(&number),
            (None, number) => set(&number.unwrap_or_default()),
        },
    }
}

/// With aliases resolved. An empty document is an empty mapping.
fn document_value(document: &Document) -> Result<Value, SyntaxProblem> {
    let value = YamlValue::from_document(document);
    let value = value.map_err(|error| SyntaxProblem::new(format!("cannot be read: {error}")))?;
    Ok(match json_value(value) {
        Value::Null => Value::Object(Map::new()),
        value => value,
    })
}

fn json_value(value: YamlValue) -> Value {
    let fields = |fields: Vec<(String, YamlValue)>| {
        fields.into_iter().map(|(name, value)| (name, json_value(value))).collect()
    };
    match value {
        YamlValue::Scalar(scalar) => scalar_value(&scalar),
        YamlValue::Sequence(items) => items.into_iter().map(json_value).collect(),
        YamlValue::Mapping(entries) => Value::Object(fields(entries.into_iter().collect())),
        YamlValue::OrderedMapping(entries) | YamlValue::Pairs(entries) => {
            Value::Object(fields(entries))
        }
        YamlValue::Set(names) => names.into_iter().map(Value::from).collect(),
        YamlValue::Tagged(_, inner) => json_value(*inner),
    }
}

/// A number that JSON cannot hold stays a text.
fn scalar_value(scalar: &ScalarValue) -> Value {
    let text = || Value::from(scalar.value());
    match scalar.scalar_type() {
        ScalarType::Null => Value::Null,
        ScalarType::Boolean => scalar.to_bool().map_or_else(text, Value::from),
        ScalarType::Integer => scalar.to_i64().map_or_else(text, Value::from),
        ScalarType::Float => {
            scalar.to_f64().and_then(serde_json::Number::from_f64).map_or_else(text, Value::Number)
        }
        _ => text(),
    }
}
