//! Strict parsing of request bodies: unknown fields, missing required fields and wrong types are
//! errors.

use serde_json::{Map, Value};

/// A value, or the reason to refuse the request.
pub(crate) type ParseResult<T> = Result<T, String>;

/// An object whose fields were checked against a list.
#[derive(Debug)]
pub(crate) struct StrictObject<'a> {
    place: String,
    members: &'a Map<String, Value>,
}

impl<'a> StrictObject<'a> {
    /// Checks that `value` is an object with only the fields in `words`, separated by spaces. A `!`
    /// after a name marks a required field.
    pub(crate) fn new(place: &str, value: &'a Value, words: &str) -> ParseResult<Self> {
        let members = value.as_object().ok_or_else(|| format!("{place}: an object is needed"))?;
        let known = |name: &str| words.split(' ').any(|word| word.trim_end_matches('!') == name);
        if let Some(foreign) = members.keys().find(|name| !known(name)) {
            return Err(format!("{place}.{foreign}: unknown field"));
        }
        let required = words.split(' ').filter_map(|word| word.strip_suffix('!'));
        for name in required {
            if !members.contains_key(name) {
                return Err(format!("{place}.{name}: field required"));
            }
        }
        Ok(Self { place: place.to_owned(), members })
    }

    /// A field that is present and not null.
    pub(crate) fn get(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&self, name: &str) -> ParseResult<&'a str> {
        let text = self.get(name).and_then(Value::as_str);
        text.ok_or_else(|| format!("{}.{name}: a string is needed", self.place))
    }

    pub(crate) fn list(&self, name: &str) -> ParseResult<&'a [Value]> {
        match self.get(name) {
            None => Ok(&[]),
            Some(Value::Array(items)) => Ok(items),
            Some(_) => Err(format!("{}.{name}: a list is needed", self.place)),
        }
    }

    pub(crate) fn flag(&self, name: &str) -> ParseResult<bool> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(format!("{}.{name}: a boolean is needed", self.place)),
        }
    }

    pub(crate) fn count(&self, name: &str) -> ParseResult<Option<u64>> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => match value.as_u64() {
                Some(count) if count > 0 => Ok(Some(count)),
                _ => Err(format!("{}.{name}: a positive number is needed", self.place)),
            },
        }
    }

    /// The value of a field that must be one of `words`, if it is present.
    pub(crate) fn one_of(&self, name: &str, words: &[&str]) -> ParseResult<Option<&'a str>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match value.as_str().filter(|word| words.contains(word)) {
            Some(word) => Ok(Some(word)),
            None => Err(format!("{}.{name}: {value} is none of {words:?}", self.place)),
        }
    }

    /// The path of a field, for nested checks.
    pub(crate) fn path_of(&self, name: &str) -> String {
        format!("{}.{name}", self.place)
    }
}

/// Checks a function name against the limits that all providers share.
pub(crate) fn check_tool_name(place: &str, name: &str) -> ParseResult<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if (1..=64).contains(&name.len()) && name.chars().all(plain) {
        return Ok(());
    }
    Err(format!("{place}: {name:?} is no name of a function"))
}

/// Checks a call id against the limits of OpenAI and Anthropic.
pub(crate) fn check_call_id(place: &str, id: &str) -> ParseResult<()> {
    check_tool_name(place, id).map_err(|_name| format!("{place}: {id:?} is no id of a call"))
}

/// Checks what OpenAI's `strict` requires of a schema: all properties required, no additional ones.
pub(crate) fn check_strict_schema(place: &str, schema: &Value) -> ParseResult<()> {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return Ok(());
    };
    if schema.get("additionalProperties") != Some(&Value::Bool(false)) {
        return Err(format!("{place}: additionalProperties must be false when strict"));
    }
    let required = schema.get("required").and_then(Value::as_array);
    for (name, property) in properties {
        if !required.is_some_and(|names| names.iter().any(|known| known == name)) {
            return Err(format!("{place}: {name} must be required when strict"));
        }
        check_strict_schema(place, property)?;
    }
    Ok(())
}

/// Refuses what Gemini's `parameters` and `responseSchema` refuse: keywords outside its OpenAPI
/// subset.
pub(crate) fn check_open_api_schema(place: &str, schema: &Value) -> ParseResult<()> {
    const FOREIGN: [&str; 6] =
        ["additionalProperties", "$ref", "$defs", "$schema", "const", "definitions"];
    match schema {
        Value::Object(members) => members.iter().try_for_each(|(name, member)| {
            if FOREIGN.contains(&name.as_str()) {
                return Err(format!("{place}: unknown name {name:?}"));
            }
            check_open_api_schema(place, member)
        }),
        Value::Array(items) => items.iter().try_for_each(|item| check_open_api_schema(place, item)),
        _ => Ok(()),
    }
}
