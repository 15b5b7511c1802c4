//! Reads JSON as slices of the original text.
//!
//! Values keep their exact bytes (large numbers, key order, escapes), and nothing recurses: a body
//! of one million `[` costs one pass. `serde_json` checks the syntax; its raw values are skipped
//! with an explicit stack rather than by recursion.

pub(crate) mod json_builder;
pub(crate) mod json_node;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use memchr::memchr2;
use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Maximum nesting depth of a request body, in brackets (the limit of `serde_json` itself).
pub(crate) const JSON_DEPTH_MAX: usize = 128;

/// Maximum number of members read from one object. A Chat Completions request has about 40 fields.
pub(crate) const JSON_MEMBERS_MAX: usize = 1_024;

/// Why a text could not be read as an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonFault {
    /// Not JSON from this line and column on (both count from one).
    Syntax { line: usize, column: usize },
    /// JSON, but not an object.
    NotAnObject,
    /// More than [`JSON_MEMBERS_MAX`] members.
    TooManyMembers,
}

/// The members of one JSON object in order, values as slices of the text.
#[derive(Debug)]
pub(crate) struct Members<'a> {
    entries: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Members<'a> {
    /// Parses `text`, which must be one object, surrounded by nothing but white space.
    pub(crate) fn parse(text: &'a str) -> Result<Self, JsonFault> {
        let entries = serde_json::from_str::<ObjectEntries<'a>>(text).map_err(|error| {
            if error.is_data() {
                return JsonFault::NotAnObject;
            }
            JsonFault::Syntax { line: error.line(), column: error.column() }
        })?;
        match entries {
            ObjectEntries::Read(entries) => Ok(Self { entries }),
            ObjectEntries::TooMany => Err(JsonFault::TooManyMembers),
        }
    }

    /// The value of `key`; the last one if the key is repeated, as in most parsers. `null` counts
    /// as absent.
    pub(crate) fn get(&self, key: &str) -> Option<&'a RawValue> {
        self.entries
            .iter()
            .rev()
            .find_map(|(name, value)| (name == key).then_some(*value))
            .filter(|value| value.get() != "null")
    }

    /// The value of `key`, including `null`.
    pub(crate) fn get_or_null(&self, key: &str) -> Option<&'a RawValue> {
        self.entries.iter().rev().find_map(|(name, value)| (name == key).then_some(*value))
    }

    /// The value of `key`, if it is a string.
    pub(crate) fn string(&self, key: &str) -> Option<String> {
        decode_string(self.get(key)?)
    }

    /// The members of the object at `key`; empty if there is no such object.
    pub(crate) fn object(&self, key: &str) -> Self {
        self.get(key)
            .and_then(|value| Self::parse(value.get()).ok())
            .unwrap_or(Self { entries: Vec::new() })
    }

    /// The last value in the text.
    pub(crate) fn last(&self) -> Option<&'a RawValue> {
        self.entries.last().map(|(_, value)| *value)
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.entries.iter().map(|(key, value)| (key.as_ref(), *value))
    }

    /// A key that occurs more than once, if any.
    pub(crate) fn duplicate_key(&self) -> Option<&str> {
        let mut names: Vec<&str> = self.entries.iter().map(|(name, _)| name.as_ref()).collect();
        names.sort_unstable();
        names.windows(2).find_map(|pair| match pair {
            [one, next] if one == next => Some(*one),
            _ => None,
        })
    }
}

/// The values of selected keys of one object.
pub(crate) type PickedValues<'a, const N: usize> = [Option<&'a RawValue>; N];

/// Returns the values of `keys` in the object `text`, each as [`Members::get`] does; `None` where
/// [`Members::parse`] would fail. Allocates nothing for other members, so it suits large numbers of
/// texts.
pub(crate) fn pick<'a, const N: usize>(
    text: &'a str,
    keys: [&str; N],
) -> Option<PickedValues<'a, N>>
where
    PickedValues<'a, N>: Default,
{
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let picked = PickVisitor(&keys).deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    Some(picked)
}

/// Applies [`pick`] to the items of the array `value`, up to `items_max` plus one; `None` if
/// `value` is not an array or an item is not an object.
pub(crate) fn pick_each<'a, const N: usize>(
    value: &'a RawValue,
    keys: [&str; N],
    items_max: usize,
) -> Option<Vec<PickedValues<'a, N>>>
where
    PickedValues<'a, N>: Default,
{
    let mut deserializer = serde_json::Deserializer::from_str(value.get());
    deserializer.deserialize_seq(PickEachVisitor { keys: &keys, items_max }).ok()
}

/// The text of `value`, if it is a string.
pub(crate) fn decode_string(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

/// The items of a JSON array; `None` if `value` is not an array.
pub(crate) fn array_items(value: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(value.get()).ok()
}

/// True if brackets nest deeper than `limit`. Checks brackets only; syntax is checked elsewhere.
pub(crate) fn is_deeper_than(text: &str, limit: usize) -> bool {
    let (mut depth, mut rest) = (0_usize, text.as_bytes());
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'"' => rest = skip_string(after),
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > limit {
            return true;
        }
    }
    false
}

/// The values in `text` that are neither strings nor brackets, in order.
pub(crate) fn scalars(text: &str) -> impl Iterator<Item = &str> {
    let is_between =
        |c: char| c.is_ascii_whitespace() || matches!(c, ',' | ':' | '[' | ']' | '{' | '}');
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            rest = rest.trim_start_matches(is_between);
            if let Some(inside) = rest.strip_prefix('"') {
                let after = skip_string(inside.as_bytes()).len();
                rest = inside.get(inside.len() - after..)?;
                continue;
            }
            let end = rest.find(|c| c == '"' || is_between(c)).unwrap_or(rest.len());
            let (scalar, after) = rest.split_at(end);
            rest = after;
            return (!scalar.is_empty()).then_some(scalar);
        }
    })
}

/// The strings in `text` that are values, in order and as they are written.
pub(crate) fn string_values(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let (_, inside) = rest.split_once('"')?;
            let after = skip_string(inside.as_bytes()).len();
            let string = inside.get(..inside.len() - after)?;
            rest = inside.get(inside.len() - after..)?;
            let is_name = rest.trim_start().starts_with(':');
            if !is_name {
                return Some(string.strip_suffix('"').unwrap_or(string));
            }
        }
    })
}

/// Returns what follows the string whose content starts at `inside`, or nothing if it has no end.
/// Prompts consist mostly of strings, so this skips through them instead of testing each byte.
fn skip_string(mut inside: &[u8]) -> &[u8] {
    while let Some(at) = memchr2(b'"', b'\\', inside) {
        let after = inside.get(at..).unwrap_or_default();
        match after.split_first() {
            Some((b'"', behind)) => return behind,
            // A backslash escapes the next character.
            _ => inside = after.get(2..).unwrap_or_default(),
        }
    }
    &[]
}

/// The range of `part`, a slice of `whole`, in `whole`.
pub(crate) fn range_in(whole: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr().addr().saturating_sub(whole.as_ptr().addr());
    start..start.saturating_add(part.len())
}

/// Returns `body` with some ranges replaced. The ranges must be sorted and must not overlap.
pub(crate) fn replace_ranges(body: &Bytes, edits: &[(&Range<usize>, &str)]) -> Bytes {
    let added: usize = edits.iter().map(|(_, text)| text.len()).sum();
    let mut out = BytesMut::with_capacity(body.len() + added);
    let mut copied = 0;
    for (at, text) in edits {
        out.extend_from_slice(body.get(copied..at.start).unwrap_or_default());
        out.extend_from_slice(text.as_bytes());
        copied = at.end;
    }
    out.extend_from_slice(body.get(copied..).unwrap_or_default());
    out.freeze()
}

/// Encodes `text` as a JSON string.
pub(crate) fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

struct PickVisitor<'k, const N: usize>(&'k [&'k str; N]);

impl<'de, const N: usize> DeserializeSeed<'de> for PickVisitor<'_, N>
where
    PickedValues<'de, N>: Default,
{
    type Value = PickedValues<'de, N>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for PickVisitor<'_, N>
where
    PickedValues<'de, N>: Default,
{
    type Value = PickedValues<'de, N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut picked = PickedValues::default();
        for _ in 0..JSON_MEMBERS_MAX {
            let Some(place) = map.next_key_seed(KeyIndex(self.0))? else { return Ok(picked) };
            match place.and_then(|place| picked.get_mut(place)) {
                Some(value) => {
                    let found: &RawValue = map.next_value()?;
                    *value = Some(found).filter(|found| found.get() != "null");
                }
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        match map.next_key::<IgnoredAny>()? {
            None => Ok(picked),
            Some(_) => Err(de::Error::custom("too many members")),
        }
    }
}

/// Deserializes a key as its index among the selected keys.
struct KeyIndex<'k>(&'k [&'k str]);

impl<'de> DeserializeSeed<'de> for KeyIndex<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyIndex<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|wanted| *wanted == key))
    }
}

struct PickEachVisitor<'k, const N: usize> {
    keys: &'k [&'k str; N],
    items_max: usize,
}

impl<'de, const N: usize> Visitor<'de> for PickEachVisitor<'_, N>
where
    PickedValues<'de, N>: Default,
{
    type Value = Vec<PickedValues<'de, N>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while all.len() <= self.items_max {
            let Some(picked) = seq.next_element_seed(PickVisitor(self.keys))? else {
                return Ok(all);
            };
            all.push(picked);
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(all)
    }
}

enum ObjectEntries<'a> {
    Read(Vec<(Cow<'a, str>, &'a RawValue)>),
    TooMany,
}

#[derive(Deserialize)]
struct MemberKey<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for ObjectEntries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor;

        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = ObjectEntries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(MemberKey(key)) = map.next_key()? {
                    if entries.len() == JSON_MEMBERS_MAX {
                        map.next_value::<IgnoredAny>()?;
                        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                        return Ok(ObjectEntries::TooMany);
                    }
                    entries.push((key, map.next_value()?));
                }
                Ok(ObjectEntries::Read(entries))
            }
        }

        deserializer.deserialize_map(EntriesVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_bytes_and_the_last_of_two_counts() {
        let text = r#" {"a" : 1e400, "b":[ 1 ,2], "a":"\ud800"} "#;
        let members = Members::parse(text).expect("an object");
        assert_eq!(members.get("a").map(RawValue::get), Some(r#""\ud800""#));
        let b = members.get("b").expect("b");
        assert_eq!(b.get(), "[ 1 ,2]");
        assert_eq!(&text[range_in(text, b.get())], "[ 1 ,2]");
        assert_eq!(members.duplicate_key(), Some("a"));
        assert_eq!(members.string("a"), None, "a lone surrogate is no text");
    }

    #[test]
    fn faults_have_names() {
        let fault = |text: &str| Members::parse(text).expect_err("a fault");
        assert_eq!(fault("[1]"), JsonFault::NotAnObject);
        assert_eq!(fault("3"), JsonFault::NotAnObject);
        assert_eq!(fault("{\"a\":NaN}"), JsonFault::Syntax { line: 1, column: 6 });
        assert!(matches!(fault("{\"a\":1"), JsonFault::Syntax { .. }));
        assert!(matches!(fault("{} x"), JsonFault::Syntax { .. }));
        assert!(matches!(fault(""), JsonFault::Syntax { .. }));
        let many = |count: usize| {
            format!(
                "{{{}}}",
                (0..count).map(|n| format!("\"{n}\":0")).collect::<Vec<_>>().join(",")
            )
        };
        assert!(Members::parse(&many(JSON_MEMBERS_MAX)).is_ok());
        assert_eq!(fault(&many(JSON_MEMBERS_MAX + 1)), JsonFault::TooManyMembers);
    }

    #[test]
    fn what_is_picked_is_what_the_members_have() {
        let many = |count: usize| {
            let members: Vec<String> = (0..count).map(|n| format!("\"{n}\":[{n}]")).collect();
            format!("{{{}}}", members.join(","))
        };
        let texts = [
            r#" {"a" : 1e400, "b":[ 1 ,2], "a":"\ud800", "c":null} "#.to_owned(),
            r#"{"b":null,"\u0061":{}}"#.to_owned(),
            "{}".to_owned(),
            "[1]".to_owned(),
            "{} x".to_owned(),
            r#"{"a":NaN}"#.to_owned(),
            r#"{"\ud800":1,"a":1}"#.to_owned(),
            many(JSON_MEMBERS_MAX),
            many(JSON_MEMBERS_MAX + 1),
        ];
        let keys = ["a", "c", "b", "7"];
        let raw = |value: Option<&RawValue>| value.map(|value| value.get().to_owned());
        for text in texts {
            let expected = Members::parse(&text).ok().map(|all| keys.map(|key| raw(all.get(key))));
            assert_eq!(pick(&text, keys).map(|picked| picked.map(raw)), expected, "{text}");
        }
    }

    #[test]
    fn one_item_too_many_is_seen_and_no_more_are_kept() {
        let array: &RawValue = serde_json::from_str(r#"[{"a":1},{},{"a":3},[]]"#).expect("JSON");
        let kept = |items_max| pick_each(array, ["a"], items_max).map(|items| items.len());
        assert_eq!((kept(1), kept(2), kept(3)), (Some(2), Some(3), None));
        let object: &RawValue = serde_json::from_str("{}").expect("JSON");
        assert!(pick_each(object, ["a"], 1).is_none());
    }

    #[test]
    fn depth_counts_brackets_outside_strings() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(!is_deeper_than(&nested(JSON_DEPTH_MAX), JSON_DEPTH_MAX));
        assert!(is_deeper_than(&nested(JSON_DEPTH_MAX + 1), JSON_DEPTH_MAX));
        assert!(!is_deeper_than(r#"["[[[[\"[[[", {}]"#, 2));
        assert!(is_deeper_than(r#"["\\", [[1]], "\\\""]"#, 2));
        assert!(!is_deeper_than(r#"["no end [[[["#, 1) && !is_deeper_than("[\"\\", 1));
        let bomb = "[".repeat(1_000_000);
        assert!(is_deeper_than(&bomb, JSON_DEPTH_MAX));
        assert!(Members::parse(&format!("{{\"a\":{bomb}")).is_err(), "no stack is used up");
    }
}
