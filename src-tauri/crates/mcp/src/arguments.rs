//! Which arguments a tool knows. The operations ignore unknown fields of a request, as a protocol must that
//! grows; an agent that misspells a filter would get an answer to another question and not notice.

use std::collections::BTreeSet;

use control::ApiError;
use serde_json::{Map, Value};

/// Says in a schema that its objects take no further fields. The parts of an `allOf` stay open: each would
/// refuse the fields of the others.
pub(crate) fn close_objects(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            for (name, inner) in fields.iter_mut().filter(|(name, _)| *name != "allOf") {
                match (name.as_str(), inner) {
                    ("properties" | "$defs", Value::Object(named)) => {
                        named.values_mut().for_each(close_objects);
                    }
                    (_, inner) => close_objects(inner),
                }
            }
            if fields.get("type").is_some_and(|kind| kind == "object") {
                fields.entry("additionalProperties").or_insert(Value::Bool(false));
            }
        }
        Value::Array(parts) => parts.iter_mut().for_each(close_objects),
        _ => {}
    }
}

/// Errors on an argument that the schema of a tool does not name, at any depth.
pub(crate) fn check_known(schema: &Map<String, Value>, arguments: &Value) -> Result<(), ApiError> {
    let root = Value::Object(schema.clone());
    let search = Search { definitions: root.get("$defs") };
    let Some(Unknown { path, known }) = search.find_unknown(&[&root], arguments, "") else {
        return Ok(());
    };
    let error = ApiError::invalid(&path, "there is no argument of this name");
    Err(error.with_hint(match known.is_empty() {
        true => "It takes none.".to_owned(),
        false => format!("Known are: {}.", Vec::from_iter(known).join(", ")),
    }))
}

struct Unknown<'a> {
    path: String,
    known: BTreeSet<&'a str>,
}

struct Search<'a> {
    definitions: Option<&'a Value>,
}

impl<'a> Search<'a> {
    /// A value may follow any of `schemas`. That it is of the wrong type is told by the operation.
    fn find_unknown(
        &self,
        schemas: &[&'a Value],
        value: &Value,
        path: &str,
    ) -> Option<Unknown<'a>> {
        let parts: Vec<&Value> = schemas.iter().flat_map(|schema| self.parts(schema)).collect();
        match value {
            Value::Object(fields) => {
                let named = parts.iter().filter_map(|part| part.get("properties")?.as_object());
                let named: Vec<&Map<String, Value>> = named.collect();
                let is_object = |part: &&Value| part.get("type").is_some_and(|it| it == "object");
                let is_open =
                    !parts.iter().any(is_object) || parts.iter().any(|part| is_open_object(part));
                fields.iter().find_map(|(name, inner)| {
                    let of_field: Vec<_> = named.iter().filter_map(|all| all.get(name)).collect();
                    let path = format!("{path}{}{name}", if path.is_empty() { "" } else { "." });
                    match of_field.is_empty() {
                        false => self.find_unknown(&of_field, inner, &path),
                        true if is_open => None,
                        true => {
                            let known = named.iter().flat_map(|all| all.keys());
                            Some(Unknown { path, known: known.map(String::as_str).collect() })
                        }
                    }
                })
            }
            Value::Array(items) => {
                let of_items: Vec<&Value> = parts.iter().filter_map(|it| it.get("items")).collect();
                items.iter().find_map(|item| self.find_unknown(&of_items, item, path))
            }
            _ => None,
        }
    }

    /// The schemas that one stands for: itself, the one it names, or its alternatives.
    fn parts(&self, schema: &'a Value) -> Vec<&'a Value> {
        let named = schema.get("$ref").and_then(Value::as_str);
        let named = named.and_then(|path| path.strip_prefix("#/$defs/"));
        let alternatives = ["allOf", "anyOf", "oneOf"].into_iter();
        let alternatives = alternatives.filter_map(|word| schema.get(word)?.as_array()).flatten();
        let inner = named.and_then(|name| self.definitions?.get(name)).into_iter();
        let inner = inner.chain(alternatives).flat_map(|inner| self.parts(inner));
        [schema].into_iter().chain(inner).collect()
    }
}

/// True for an object whose fields have any names, as those of a map.
fn is_open_object(schema: &Value) -> bool {
    schema.get("additionalProperties").is_some_and(|fields| *fields != Value::Bool(false))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(schema: &Value) -> Map<String, Value> {
        schema.as_object().cloned().expect("an object")
    }

    fn schema() -> Value {
        let mut schema = json!({
            "type": "object",
            "properties": {
                "range": {"type": "string"},
                "filter": {"anyOf": [{"$ref": "#/$defs/Filter"}, {"type": "null"}]},
                "names": {"type": "object", "additionalProperties": {"type": "string"}},
                "parts": {"type": "array", "items": {"oneOf": [
                    {"type": "object", "properties": {"kind": {"const": "a"}}},
                    {"type": "object", "properties": {"kind": {"const": "b"}, "type": {"type": "string"}}},
                ]}},
            },
            "$defs": {"Filter": {"type": "object", "properties": {"model": {"type": "string"}}}},
        });
        close_objects(&mut schema);
        schema
    }

    #[test]
    fn every_object_of_a_schema_is_closed_but_a_map() {
        let schema = schema();
        let closed =
            |path: &str| schema.pointer(path).and_then(|it| it.get("additionalProperties"));
        for path in ["", "/$defs/Filter", "/properties/parts/items/oneOf/0"] {
            assert_eq!(closed(path), Some(&json!(false)), "{path}");
        }
        assert_eq!(closed("/properties/names"), Some(&json!({"type": "string"})));
        assert_eq!(closed("/properties"), None, "the names of fields are no schema");
    }

    #[test]
    fn an_unknown_argument_is_named_with_those_that_are_known() {
        let check = |arguments: Value, expected: Option<(&str, &str)>| {
            let checked = check_known(&object(&schema()), &arguments).err();
            let found =
                checked.map(|error| (error.field.expect("a field"), error.hint.expect("a hint")));
            let expected = expected.map(|(field, hint)| (field.to_owned(), hint.to_owned()));
            assert_eq!(found, expected, "{arguments}");
        };
        check(json!({}), None);
        check(json!({"range": "today", "filter": {"model": "m"}, "names": {"x": "y"}}), None);
        check(json!({"filter": null, "parts": [{"kind": "b", "type": "t"}]}), None);
        // The operation says of which type it is.
        check(json!({"range": {"x": 1}}), None);
        let known = "Known are: filter, names, parts, range.";
        check(json!({"rnge": "today"}), Some(("rnge", known)));
        check(json!({"filter": {"modl": "m"}}), Some(("filter.modl", "Known are: model.")));
        check(json!({"parts": [{"sort": "b"}]}), Some(("parts.sort", "Known are: kind, type.")));
        assert!(check_known(&object(&json!({"type": "object"})), &json!({"x": 1})).is_err());
    }
}
