//! YAML, with comments kept.

use serde_json::{Map, Value};
use yaml_edit::anchor_resolution::ResolveError;
use yaml_edit::validator::{Rule, Severity, Validator, Violation};
use yaml_edit::{
    AsYaml, Document, Mapping, ScalarType, ScalarValue, Sequence, YamlError, YamlFile, YamlValue,
};

use super::SyntaxProblem;

pub(super) struct YamlTree(YamlFile);

impl YamlTree {
    /// A text without a value is an empty mapping.
    pub(super) fn parse(text: &str) -> Result<Self, SyntaxProblem> {
        let file: YamlFile = text.parse().map_err(|error| syntax_problem(&error))?;
        if file.documents().count() > 1 {
            return Err(SyntaxProblem::new("holds several YAML documents"));
        }
        let Some(document) = file.document() else { return Ok(Self(file)) };
        // Words that older YAML reads otherwise, such as `yes`, are warnings.
        let is_error = |found: &Violation| found.severity == Severity::Error;
        if let Some(found) = Validator::new().validate(&document).into_iter().find(is_error) {
            return Err(violation_problem(&found));
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
        let Some(root) = self.0.document().and_then(|found| found.as_mapping()) else {
            return Ok(());
        };
        let is_block = !root.is_flow_style();
        let inside = |mapping: Mapping, parent: &String| mapping.get_mapping(parent.as_str());
        if let Some(mapping) = parents.iter().try_fold(root.clone(), inside) {
            drop(mapping.remove(name));
        }
        if is_block && root.is_empty() { self.remove_braces(&root) } else { Ok(()) }
    }

    /// Takes out the `{}` that a mapping without its last key is written as: a key that is added
    /// below it by hand would make the file invalid.
    fn remove_braces(&mut self, root: &Mapping) -> Result<(), SyntaxProblem> {
        let text = self.text();
        let range = root.byte_range();
        let parts = (text.get(..range.start as usize), text.get(range.end as usize..));
        let (Some(before), Some(after)) = parts else { return Ok(()) };
        let after = match before.is_empty() || before.ends_with('\n') {
            true => after.strip_prefix("\r\n").or(after.strip_prefix('\n')).unwrap_or(after),
            false => after,
        };
        let without = format!("{before}{after}");
        self.0 = without.parse().map_err(|error| syntax_problem(&error))?;
        Ok(())
    }
}

/// Without the parser's own words, which quote the file: a line that is not valid may hold a key.
fn syntax_problem(error: &YamlError) -> SyntaxProblem {
    let position = match error {
        YamlError::Parse { line, column, .. } => line.zip(*column),
        _ => None,
    };
    SyntaxProblem { position, what: "is not valid YAML".to_owned() }
}

/// As [`syntax_problem`], with the rule.
fn violation_problem(found: &Violation) -> SyntaxProblem {
    let position = found.location.as_deref().and_then(|place| {
        let (line, column) = place.split_once(':')?;
        Some((line.parse().ok()?, column.parse().ok()?))
    });
    let what = match found.rule {
        Rule::InvalidIndentation => ": the indentation does not fit",
        Rule::InvalidDocumentMarker => ": a document marker is in the wrong place",
        Rule::InvalidTabUsage => ": there is a tab where only spaces may be",
        Rule::MissingSyntax => ": something is missing before it",
        Rule::InvalidEscape => ": an escape in a quoted text is unknown",
        Rule::DuplicateKeys => ": a key is there twice",
        Rule::InvalidAnchor => ": an anchor or alias is wrong",
        Rule::InvalidTag => ": a tag is wrong",
        Rule::InvalidCharacter => ": a character is not allowed",
        _ => "",
    };
    SyntaxProblem { position, what: format!("is not valid YAML{what}") }
}

/// Without what it quotes, as [`syntax_problem`].
fn resolve_problem(error: &ResolveError) -> SyntaxProblem {
    SyntaxProblem::new(match error {
        ResolveError::UndefinedAlias { .. } => "has an alias without its anchor",
        ResolveError::RecursiveAlias { .. } => "has an alias inside its own anchor",
        ResolveError::InvalidMergeOperand { .. } => "merges something that is not a mapping",
        ResolveError::DuplicateKey { .. } => "has a key twice",
        ResolveError::KeyCollision { .. } => "has two keys that read alike",
        _ => "has values that cannot be read",
    })
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

/// The value of a text with one document, which may also be a list.
pub(crate) fn read_value(text: &str) -> Result<Value, SyntaxProblem> {
    let file: YamlFile = text.parse().map_err(|error| syntax_problem(&error))?;
    file.document().map_or(Ok(Value::Null), |document| document_value(&document))
}

/// With aliases resolved. An empty document is an empty mapping.
fn document_value(document: &Document) -> Result<Value, SyntaxProblem> {
    let value = YamlValue::from_document(document);
    let value = value.map_err(|error| resolve_problem(&error))?;
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

/// A number that JSON cannot hold, or would write otherwise, stays a text.
fn scalar_value(scalar: &ScalarValue) -> Value {
    let text = || Value::from(scalar.value());
    let number = |number: serde_json::Number| match number.to_string() == scalar.value() {
        true => Value::Number(number),
        false => text(),
    };
    match scalar.scalar_type() {
        ScalarType::Null => Value::Null,
        ScalarType::Boolean => scalar.to_bool().map_or_else(text, Value::from),
        ScalarType::Integer => scalar.to_i64().map_or_else(text, |found| number(found.into())),
        ScalarType::Float => {
            let found = scalar.to_f64().and_then(serde_json::Number::from_f64);
            found.map_or_else(text, number)
        }
        _ => text(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problem(text: &str) -> SyntaxProblem {
        match YamlTree::parse(text) {
            Ok(_) => panic!("{text} is refused"),
            Err(problem) => problem,
        }
    }

    #[test]
    fn words_of_older_yaml_are_valid() {
        let text = "auto-commits: no\ngit: yes\npretty: on\nstream: off\nmode: 0755\n";
        let tree = YamlTree::parse(text).expect("valid");
        assert_eq!(tree.value()["auto-commits"], "no");
        assert_eq!(tree.text(), text);
    }

    #[test]
    fn a_problem_names_the_place_and_quotes_nothing() {
        for (text, position) in [
            ("openai-api-key sk-CANARY-0123456789\nmodel: a\n", true),
            ("model: a\nopenai-api-key: [sk-CANARY-0123456789\n", true),
            ("model: a\n  openai-api-key: sk-CANARY-0123456789\n", true),
            ("model: a\nmodel: sk-CANARY-0123456789\n", true),
            ("sk-CANARY-0123456789: 1\nsk-CANARY-0123456789: 2\n", true),
            ("{a: b} sk-CANARY-0123456789\n", true),
            ("key: \"sk-CANARY-0123456789\n", true),
            ("key: *sk-CANARY-0123456789\n", true),
            ("1: a\n'1': sk-CANARY-0123456789\n", false),
            ("<<: sk-CANARY-0123456789\n", false),
            ("- sk-CANARY-0123456789\n", false),
        ] {
            let found = problem(text);
            assert!(!format!("{found:?}").contains("CANARY"), "{text}: {found:?}");
            assert_eq!(found.position.is_some(), position, "{text}: {found:?}");
        }
    }

    #[test]
    fn a_mapping_without_its_last_key_leaves_no_braces() {
        for (text, expected) in [
            ("model: a\n", ""),
            ("# first\nmodel: a\n# last\n", "# first\n# last\n"),
            ("# first\n\nmodel: a # mine\n", "# first\n\n"),
            ("---\nmodel: a\n...\n", "---\n...\n"),
            ("model: a", ""),
            ("{model: a}\n", "{}\n"),
        ] {
            let mut tree = YamlTree::parse(text).expect("valid");
            tree.remove(&[], "model").expect("removed");
            assert_eq!(tree.text(), expected, "{text}");
            assert_eq!(tree.value(), json!({}), "{text}");
            tree.set(&[], "model", &json!("b")).expect("set");
            let again = YamlTree::parse(&tree.text()).expect("valid").value();
            assert_eq!(again, json!({"model": "b"}), "{text}");
        }
    }

    #[test]
    fn a_number_is_kept_as_it_is_written() {
        let value = YamlTree::parse("a: 12\nb: 0012\nc: 0x1f\nd: 1.50\n").expect("valid").value();
        assert_eq!(value, json!({"a": 12, "b": "0012", "c": "0x1f", "d": "1.50"}));
    }
}
