//! Makes the smallest value that a JSON schema allows, for tool arguments and structured output.
//!
//! It covers what tools and structured output use: types, `enum`, `const`, required properties,
//! arrays, bounds of numbers and lengths, common formats, `anyOf`, `oneOf`, `allOf` and local
//! `$ref`. It does not solve `pattern`, `not` and conditions.

use serde_json::{Map, Value, json};

use crate::neutral::JsonText;

/// Most values made from one schema. A schema may refer to itself, or double at each level.
const NODES_MAX: usize = 2_000;

/// Deepest nesting of a value.
const DEPTH_MAX: usize = 32;

/// Most items or characters that a minimum can force.
const FORCED_LENGTH_MAX: u64 = 1_000;

/// Makes a value that `schema` allows. Free strings become `word`.
pub(super) fn make_instance(schema: &JsonText, word: &str) -> Value {
    // A number beyond the range of floats makes a schema unreadable; `null` allows anything.
    let schema = serde_json::from_str(schema.get()).unwrap_or_default();
    instance_of(&schema, word)
}

fn instance_of(schema: &Value, word: &str) -> Value {
    InstanceBuilder { root: schema, word, nodes: 0 }.make(schema, 0)
}

struct InstanceBuilder<'a> {
    root: &'a Value,
    word: &'a str,
    nodes: usize,
}

impl InstanceBuilder<'_> {
    fn make(&mut self, schema: &Value, depth: usize) -> Value {
        self.nodes += 1;
        if self.nodes > NODES_MAX || depth > DEPTH_MAX {
            return Value::Null;
        }
        if let Some(target) = self.resolve_ref(schema) {
            return self.make(&target, depth + 1);
        }
        if let Some(fixed) = schema.get("const").or_else(|| schema.get("enum")?.get(0)) {
            return fixed.clone();
        }
        for choice in ["anyOf", "oneOf"] {
            if let Some(options) = schema.get(choice).and_then(Value::as_array) {
                let useful = options.iter().find(|option| schema_type(option) != "null");
                return useful.or(options.first()).map_or(Value::Null, |s| self.make(s, depth + 1));
            }
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            return self.all_of(schema, parts, depth);
        }
        match schema_type(schema) {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, depth),
            "integer" => nearest_integer(schema),
            "number" => json!(nearest_number(schema, 0.5)),
            "boolean" => Value::Bool(true),
            "null" => Value::Null,
            _ => self.string(schema),
        }
    }

    fn resolve_ref(&self, schema: &Value) -> Option<Value> {
        let path = schema.get("$ref")?.as_str()?.strip_prefix('#')?;
        self.root.pointer(path).cloned()
    }

    fn all_of(&mut self, schema: &Value, parts: &[Value], depth: usize) -> Value {
        let mut whole = Map::new();
        let mut own = schema.clone();
        if let Some(members) = own.as_object_mut() {
            members.remove("allOf");
        }
        let own = own.get("properties").is_some().then_some(own);
        for part in parts.iter().chain(own.as_ref()) {
            match self.make(part, depth + 1) {
                Value::Object(members) => whole.extend(members),
                other => return other,
            }
        }
        Value::Object(whole)
    }

    /// Makes the required members, or all if none is required, so that a tool has something to work
    /// with.
    fn object(&mut self, schema: &Value, depth: usize) -> Value {
        let none = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
        let required: Vec<&str> = match schema.get("required").and_then(Value::as_array) {
            Some(names) if !names.is_empty() => names.iter().filter_map(Value::as_str).collect(),
            _ => properties.keys().map(String::as_str).collect(),
        };
        let free = json!({"type": "string"});
        let mut members = Map::new();
        for name in required.into_iter().take(NODES_MAX) {
            let value = self.make(properties.get(name).unwrap_or(&free), depth + 1);
            members.insert(name.to_owned(), value);
        }
        Value::Object(members)
    }

    fn array(&mut self, schema: &Value, depth: usize) -> Value {
        let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0);
        let free = json!({"type": "string"});
        let item = schema.get("items").unwrap_or(&free);
        let count = least.min(FORCED_LENGTH_MAX);
        Value::Array((0..count).map(|_| self.make(item, depth + 1)).collect())
    }

    fn string(&self, schema: &Value) -> Value {
        let sample = match schema.get("format").and_then(Value::as_str) {
            Some("date") => "2026-01-31",
            Some("time") => "12:00:00Z",
            Some("date-time") => "2026-01-31T12:00:00Z",
            Some("email") => "someone@example.com",
            Some("uri" | "url") => "https://example.com/",
            Some("hostname") => "example.com",
            Some("ipv4") => "192.0.2.1",
            Some("uuid") => "123e4567-e89b-12d3-a456-426614174000",
            _ => self.word,
        };
        let bound = |key: &str| schema.get(key).and_then(Value::as_u64);
        let least = bound("minLength").unwrap_or(0).min(FORCED_LENGTH_MAX);
        let most = bound("maxLength").and_then(|most| usize::try_from(most).ok());
        let mut text: String = sample.chars().take(most.unwrap_or(usize::MAX)).collect();
        let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
        text.extend((length..least).map(|_| 'x'));
        Value::String(text)
    }
}

/// The type in the schema, or the one its other members imply.
fn schema_type(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => {
            let mut names = kinds.iter().filter_map(Value::as_str);
            names.find(|kind| *kind != "null").unwrap_or("null")
        }
        _ if schema.get("properties").is_some() => "object",
        _ if schema.get("items").is_some() => "array",
        _ => "string",
    }
}

/// The number nearest to one within the bounds. `gap` is the distance kept from an exclusive bound.
fn nearest_number(schema: &Value, gap: f64) -> f64 {
    let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
    let low = bound("minimum").or_else(|| Some(bound("exclusiveMinimum")? + gap));
    let high = bound("maximum").or_else(|| Some(bound("exclusiveMaximum")? - gap));
    let near = 1.0_f64.min(high.unwrap_or(f64::MAX)).max(low.unwrap_or(f64::MIN));
    match bound("multipleOf") {
        Some(step) if step > 0.0 => (near / step).ceil() * step,
        _ => near,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a float beyond the range of integers becomes the nearest integer"
)]
fn nearest_integer(schema: &Value) -> Value {
    Value::from(nearest_number(schema, 1.0).ceil() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schema: &Value, expected: &Value) {
        assert_eq!(instance_of(schema, "Paris"), *expected, "{schema}");
    }

    #[test]
    fn values_obey_their_schema() {
        check(&json!({"type": "string"}), &json!("Paris"));
        check(&json!({"type": "string", "maxLength": 2}), &json!("Pa"));
        check(&json!({"type": "string", "minLength": 7}), &json!("Parisxx"));
        check(&json!({"type": "string", "format": "date"}), &json!("2026-01-31"));
        check(&json!({"enum": ["c", "f"]}), &json!("c"));
        check(&json!({"const": 7}), &json!(7));
        check(&json!({"type": ["null", "integer"]}), &json!(1));
        check(&json!({"type": "integer", "minimum": 5, "multipleOf": 4}), &json!(8));
        check(&json!({"type": "integer", "exclusiveMinimum": 5}), &json!(6));
        check(&json!({"type": "number", "maximum": -2.5}), &json!(-2.5));
        check(&json!({"type": "array", "items": {"type": "boolean"}}), &json!([]));
        check(
            &json!({"type": "array", "items": {"type": "boolean"}, "minItems": 2}),
            &json!([true, true]),
        );
        check(&json!({"anyOf": [{"type": "null"}, {"type": "string"}]}), &json!("Paris"));
        check(&json!({}), &json!("Paris"));
    }

    #[test]
    fn objects_have_their_required_members_and_references_are_followed() {
        check(
            &json!({"type": "object", "required": ["a"],
                   "properties": {"a": {"$ref": "#/$defs/n"}, "b": {"type": "string"}},
                   "$defs": {"n": {"type": "integer"}}}),
            &json!({"a": 1}),
        );
        check(&json!({"properties": {"a": {"type": "null"}}}), &json!({"a": null}));
        check(
            &json!({"allOf": [{"properties": {"a": {"const": 1}}}, {"properties": {"b": {"const": 2}}}]}),
            &json!({"a": 1, "b": 2}),
        );
    }

    #[test]
    fn a_schema_that_names_itself_or_doubles_ends() {
        let endless = json!({"properties": {"next": {"$ref": "#"}, "also": {"$ref": "#"}}});
        assert!(instance_of(&endless, "x").to_string().len() < 100 * NODES_MAX);
        let circle = json!({"$ref": "#"});
        assert_eq!(instance_of(&circle, "x"), Value::Null);
        let items = json!({"type": "array", "minItems": 1u64 << 60});
        let made = instance_of(&items, "x").as_array().map(Vec::len);
        assert_eq!(made, Some(1_000));
    }
}
