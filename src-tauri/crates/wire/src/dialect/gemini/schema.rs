//! Converts Gemini's schemas (`parameters`, `responseSchema`: a subset of OpenAPI 3.0) to JSON
//! Schema.
//!
//! The conversion copies text, so that numbers, names and order stay unchanged.

use crate::json::{Members, array_items, quote};
use crate::neutral::JsonText;

use super::fields::to_camel_case;

/// Keywords whose numbers may come as strings (proto3 JSON).
const COUNT_KEYWORDS: [&str; 6] =
    ["minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"];

/// Converts `schema`; JSON Schema stays unchanged.
pub(super) fn to_json_schema(schema: &JsonText) -> JsonText {
    let mut out = String::with_capacity(schema.get().len());
    write_schema(schema.get(), &mut out);
    JsonText::parse(&out).unwrap_or_else(|| schema.clone())
}

/// The nesting limit of a request (`JSON_DEPTH_MAX`) bounds the recursion.
fn write_schema(text: &str, out: &mut String) {
    let Ok(members) = Members::parse(text) else {
        out.push_str(text);
        return;
    };
    let is_nullable = members.get("nullable").is_some_and(|flag| flag.get() == "true");
    let mut is_first = true;
    out.push('{');
    for (key, value) in members.entries() {
        let key = to_camel_case(key);
        let value = value.get();
        let is_empty = value == "null" && !matches!(key.as_str(), "default" | "const" | "example");
        if matches!(key.as_str(), "nullable" | "propertyOrdering") || is_empty {
            continue;
        }
        let before = out.len();
        if !std::mem::take(&mut is_first) {
            out.push(',');
        }
        let name = if key == "example" { "examples" } else { key.as_str() };
        out.push_str(&quote(name));
        out.push(':');
        if !write_keyword(&key, value, is_nullable, out) {
            out.truncate(before);
            is_first = out.ends_with('{');
        }
    }
    out.push('}');
}

/// Writes the value of one keyword; `false` if there is nothing to write.
fn write_keyword(key: &str, value: &str, is_nullable: bool, out: &mut String) -> bool {
    match key {
        "type" => return write_type(value, is_nullable, out),
        "format" if value == "\"enum\"" => return false,
        "properties" | "$defs" | "defs" | "definitions" => write_map(value, out),
        "items" | "additionalProperties" | "not" => write_schema(value, out),
        "anyOf" | "oneOf" | "allOf" | "prefixItems" => {
            let null =
                if key == "allOf" || key == "prefixItems" { None } else { Some(is_nullable) };
            write_list(value, null.unwrap_or(false).then_some("{\"type\":\"null\"}"), out);
        }
        "enum" if is_nullable => {
            let inner = value.trim().trim_end_matches(']').trim_end();
            out.push_str(inner);
            out.push_str(if inner == "[" { "null]" } else { ",null]" });
        }
        "example" => {
            out.push('[');
            out.push_str(value);
            out.push(']');
        }
        key if COUNT_KEYWORDS.contains(&key) => out.push_str(value.trim_matches('"')),
        _ => out.push_str(value),
    }
    true
}

fn write_type(value: &str, is_nullable: bool, out: &mut String) -> bool {
    let word = value.to_ascii_lowercase();
    if word == "\"type_unspecified\"" {
        return false;
    }
    match (value.starts_with('"'), is_nullable) {
        (true, true) => out.push_str(&format!("[{word},\"null\"]")),
        (true, false) => out.push_str(&word),
        (false, _) => out.push_str(value),
    }
    true
}

/// Property names are the client's and stay unchanged; their schemas are converted.
fn write_map(value: &str, out: &mut String) {
    let Ok(members) = Members::parse(value) else {
        out.push_str(value);
        return;
    };
    out.push('{');
    for (place, (name, schema)) in members.entries().enumerate() {
        if place > 0 {
            out.push(',');
        }
        out.push_str(&quote(name));
        out.push(':');
        write_schema(schema.get(), out);
    }
    out.push('}');
}

fn write_list(value: &str, last: Option<&str>, out: &mut String) {
    let list = serde_json::from_str(value).ok().and_then(array_items);
    let Some(list) = list else {
        out.push_str(value);
        return;
    };
    out.push('[');
    for (place, schema) in list.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        write_schema(schema.get(), out);
    }
    if let Some(last) = last {
        out.push_str(if list.is_empty() { "" } else { "," });
        out.push_str(last);
    }
    out.push(']');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schema: &str, expected: &str) {
        let converted = to_json_schema(&JsonText::parse(schema).expect("JSON"));
        assert_eq!(converted.get(), expected);
    }

    #[test]
    fn class_18_openapi_words_become_json_schema() {
        check(
            r#"{"type":"OBJECT","properties":{"max_items":{"type":"INTEGER","format":"int64","maximum":9007199254740993},
               "who":{"type":"STRING","nullable":true,"enum":["a","b"],"format":"enum"}},
               "required":["max_items"],"propertyOrdering":["who","max_items"]}"#,
            concat!(
                r#"{"type":"object","properties":{"max_items":{"type":"integer","format":"int64","maximum":9007199254740993},"#,
                r#""who":{"type":["string","null"],"enum":["a","b",null]}},"required":["max_items"]}"#
            ),
        );
        check(
            r#"{"type":"ARRAY","min_items":"1","items":{"any_of":[{"type":"STRING"},{"type":"NUMBER"}],"nullable":true}}"#,
            r#"{"type":"array","minItems":1,"items":{"anyOf":[{"type":"string"},{"type":"number"},{"type":"null"}]}}"#,
        );
        check(r#"{"type":"TYPE_UNSPECIFIED","title":"t"}"#, r#"{"title":"t"}"#);
        check(r#"{"type":"STRING","example":"x"}"#, r#"{"type":"string","examples":["x"]}"#);
    }

    #[test]
    fn json_schema_stays_as_it_is() {
        let schema = r##"{"$ref":"#/$defs/a","$defs":{"a":{"type":["string","null"],"additionalProperties":false}}}"##;
        check(schema, schema);
        check("true", "true");
        check("{}", "{}");
    }
}
