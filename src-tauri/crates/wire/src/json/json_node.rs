//! Reads a client's JSON and keeps the path of each value, so that every error names the field.
//!
//! Strict where it matters to the client (wrong types, duplicate keys and lone surrogates give a
//! 400 that names the field); members that are never read are ignored.

use serde_json::value::RawValue;

use crate::RequestError;
use crate::dialect::field_filter::FieldKind;
use crate::json::{JsonFault, Members, array_items};
use crate::neutral::{ExtraField, JsonText};

/// Maximum number of items read from one array of a request. The longest conversations seen have a
/// few thousand turns.
pub(crate) const JSON_ITEMS_MAX: usize = 100_000;

/// One value of a request, with its path.
#[derive(Debug, Clone)]
pub(crate) struct JsonNode<'a> {
    raw: &'a RawValue,
    path: String,
}

/// The members of one object of a request, with its path.
#[derive(Debug)]
pub(crate) struct JsonObject<'a> {
    members: Members<'a>,
    path: String,
}

impl<'a> JsonObject<'a> {
    pub(crate) fn root(text: &'a str) -> Result<Self, RequestError> {
        Self::read(text, String::new())
    }

    fn read(text: &'a str, path: String) -> Result<Self, RequestError> {
        let members = Members::parse(text).map_err(|fault| match fault {
            JsonFault::Syntax { line, column } => RequestError::NotJson { line, column },
            JsonFault::NotAnObject if path.is_empty() => RequestError::NotAnObject,
            JsonFault::NotAnObject => {
                RequestError::WrongType { param: path.clone(), expected: "an object" }
            }
            JsonFault::TooManyMembers => RequestError::TooComplex,
        })?;
        if let Some(key) = members.duplicate_key() {
            return Err(RequestError::DuplicateKey(join_path(&path, key)));
        }
        Ok(Self { members, path })
    }

    /// The object's path; empty for the request itself.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The path of its member `key`.
    pub(crate) fn path_to(&self, key: &str) -> String {
        join_path(&self.path, key)
    }

    /// The member `key`; `null` counts as absent.
    pub(crate) fn get(&self, key: &str) -> Option<JsonNode<'a>> {
        let raw = self.members.get(key)?;
        Some(JsonNode { raw, path: join_path(&self.path, key) })
    }

    /// The first of these members that is present: Gemini requests come in camelCase and
    /// snake_case.
    pub(crate) fn first_of(&self, keys: &[&str]) -> Option<JsonNode<'a>> {
        keys.iter().find_map(|key| self.get(key))
    }

    /// The member `key`, or an error that names it.
    pub(crate) fn required(&self, key: &str) -> Result<JsonNode<'a>, RequestError> {
        self.get(key).ok_or_else(|| RequestError::Missing(join_path(&self.path, key)))
    }

    /// The text at `key`, if present.
    pub(crate) fn text(&self, key: &str) -> Result<Option<String>, RequestError> {
        self.get(key).map(|node| node.text()).transpose()
    }

    /// The text at `key`, or an error that names it.
    pub(crate) fn required_text(&self, key: &str) -> Result<String, RequestError> {
        self.required(key)?.text()
    }

    /// All members that are not `null`, in order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, JsonNode<'a>)> {
        self.members
            .entries()
            .filter(|(_, raw)| raw.get() != "null")
            .map(|(key, raw)| (key, JsonNode { raw, path: join_path(&self.path, key) }))
    }
}

impl<'a> JsonNode<'a> {
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The JSON text as written.
    pub(crate) fn raw(&self) -> &'a str {
        self.raw.get()
    }

    /// The value as owned JSON text.
    pub(crate) fn json(&self) -> JsonText {
        JsonText::from_raw(self.raw)
    }

    /// The value as a field that the neutral form cannot express.
    pub(crate) fn extra(&self, field: FieldKind) -> ExtraField {
        ExtraField { field, path: self.path.clone(), value: self.json() }
    }

    pub(crate) fn is_text(&self) -> bool {
        self.raw().starts_with('"')
    }

    pub(crate) fn is_array(&self) -> bool {
        self.raw().starts_with('[')
    }

    pub(crate) fn is_object(&self) -> bool {
        self.raw().starts_with('{')
    }

    /// The members, if the value is an object.
    pub(crate) fn object(&self) -> Result<JsonObject<'a>, RequestError> {
        if !self.is_object() {
            return Err(self.wrong_type("an object"));
        }
        JsonObject::read(self.raw.get(), self.path.clone())
    }

    /// The items, if the value is an array.
    pub(crate) fn array(&self) -> Result<Vec<JsonNode<'a>>, RequestError> {
        let list = array_items(self.raw).ok_or_else(|| self.wrong_type("an array"))?;
        if list.len() > JSON_ITEMS_MAX {
            return Err(RequestError::TooComplex);
        }
        let at = |(place, raw)| JsonNode { raw, path: format!("{}[{place}]", self.path) };
        Ok(list.into_iter().enumerate().map(at).collect())
    }

    /// The text, if the value is a string without lone surrogates.
    pub(crate) fn text(&self) -> Result<String, RequestError> {
        if !self.is_text() {
            return Err(self.wrong_type("a string"));
        }
        serde_json::from_str(self.raw()).map_err(|_| {
            self.bad_value(
                "it has half of a surrogate pair (\\ud800 to \\udfff); send whole characters",
            )
        })
    }

    pub(crate) fn flag(&self) -> Result<bool, RequestError> {
        match self.raw() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(self.wrong_type("a boolean")),
        }
    }

    /// A whole number, 0 or more.
    pub(crate) fn whole_number(&self) -> Result<u64, RequestError> {
        self.raw().parse().map_err(|_| self.wrong_type("a whole number, 0 or more"))
    }

    /// A number, with all digits as written.
    pub(crate) fn number(&self) -> Result<JsonText, RequestError> {
        let first = self.raw().bytes().next().unwrap_or_default();
        if first == b'-' || first.is_ascii_digit() {
            return Ok(self.json());
        }
        Err(self.wrong_type("a number"))
    }

    /// An error for a value of another type.
    pub(crate) fn wrong_type(&self, expected: &'static str) -> RequestError {
        RequestError::WrongType { param: self.path.clone(), expected }
    }

    /// An error for an invalid value.
    pub(crate) fn bad_value(&self, why: &'static str) -> RequestError {
        RequestError::BadValue { param: self.path.clone(), why }
    }
}

fn join_path(path: &str, key: &str) -> String {
    let key = crate::error::sanitize(key, crate::error::ERROR_FIELD_CHARS_MAX);
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

/// Decodes a backend's string and replaces lone surrogates with U+FFFD, so that a provider's text
/// is delivered as far as possible. `None` if `raw` is not a string.
pub(crate) fn decode_string_lossy(raw: &RawValue) -> Option<String> {
    let text = raw.get();
    if !text.starts_with('"') {
        return None;
    }
    // Fast path: almost every text is valid.
    serde_json::from_str(text)
        .ok()
        .or_else(|| serde_json::from_str(&replace_lone_surrogates(text)).ok())
}

/// Returns `text` with each `\u` escape of a lone surrogate replaced.
fn replace_lone_surrogates(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let unit = parse_surrogate(from);
        let taken = match unit {
            Some(0xd800..=0xdbff) => match parse_surrogate(from.get(6..).unwrap_or_default()) {
                Some(0xdc00..=0xdfff) => {
                    out.push_str(from.get(..12).unwrap_or_default());
                    12
                }
                _ => {
                    out.push('\u{fffd}');
                    6
                }
            },
            Some(_) => {
                out.push('\u{fffd}');
                6
            }
            None => {
                let length = 1 + from.chars().nth(1).map_or(0, char::len_utf8);
                out.push_str(from.get(..length).unwrap_or_default());
                length
            }
        };
        rest = from.get(taken..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// The surrogate in the escape at the start of `text`.
fn parse_surrogate(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok().filter(|unit| (0xd800..=0xdfff).contains(unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_names_its_place() {
        let text = r#"{"a":{"b":[1,{"c":"x"},{"c":3}]},"s":"\ud800","n":null}"#;
        let root = JsonObject::root(text).expect("an object");
        assert!(root.get("n").is_none());
        let list = root.required("a").and_then(|a| a.object()).expect("a");
        let list = list.required("b").and_then(|b| b.array()).expect("b");
        let refused = |error: RequestError| error.param().map(str::to_owned);
        assert_eq!(refused(list[0].object().expect_err("no object")), Some("a.b[0]".to_owned()));
        let c = list[2].object().expect("an object");
        assert_eq!(refused(c.required_text("c").expect_err("3")), Some("a.b[2].c".to_owned()));
        assert_eq!(refused(c.required("d").expect_err("none")), Some("a.b[2].d".to_owned()));
        assert_eq!(refused(root.required_text("s").expect_err("half")), Some("s".to_owned()));
        let twice = JsonObject::root(r#"{"a":{"x":1,"x":2}}"#).expect("an object");
        let twice = twice.required("a").expect("a").object().expect_err("twice");
        assert_eq!(refused(twice), Some("a.x".to_owned()));
    }

    #[test]
    fn half_surrogates_of_a_backend_are_replaced() {
        let read = |text: &str| decode_string_lossy(serde_json::from_str(text).expect("JSON"));
        assert_eq!(read(r#""a\ud83d\ude00b""#).as_deref(), Some("a😀b"));
        assert_eq!(read(r#""\ud800x\\ud800\n""#).as_deref(), Some("\u{fffd}x\\ud800\n"));
        assert_eq!(read(r#""\udc00\ud800""#).as_deref(), Some("\u{fffd}\u{fffd}"));
        assert_eq!(read("3"), None);
    }
}
