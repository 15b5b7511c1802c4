//! What of a user's file may stand in a record in plain text. All else is sealed: no look of a text tells
//! that it is no key. A password may be in an address, a key in a command or in a comment.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::text_patch::split_tokens;
use crate::undo::WiredKey;

/// Longest number that is taken for no key, in characters.
const NUMBER_CHARS_MAX: usize = 6;

/// Texts that switch something on or off.
const SWITCHES: [&str; 8] = ["", "0", "1", "true", "false", "yes", "no", "null"];

const LOCAL_HOSTS: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// Longest port, in digits.
const PORT_DIGITS_MAX: usize = 5;

/// Paths of an address that say nothing but which API is asked there.
const API_PATHS: [&str; 5] = ["", "/", "/v1", "/v1/", "/v1beta"];

/// True if `values`, which stood at `keys`, and `texts`, which stood around them, are nothing of the
/// user's own but switches, short numbers and addresses of this machine. What wiring writes itself is none
/// of the user's.
pub(crate) fn is_harmless<'a>(
    keys: &[WiredKey],
    values: &[Option<Value>],
    mut texts: impl Iterator<Item = &'a str>,
) -> bool {
    let mut known = BTreeSet::new();
    for key in keys {
        let (objects, name) = key.path.split();
        let names = objects.iter().map(String::as_str).chain([name]);
        known.extend(names.flat_map(split_tokens).map(str::to_owned));
        key.written.iter().for_each(|written| collect_tokens(written, &mut known));
    }
    for (key, value) in keys.iter().zip(values) {
        let Some(value) = value.as_ref().filter(|_| *value != key.written) else { continue };
        if !is_harmless_value(value) {
            return false;
        }
        collect_tokens(value, &mut known);
    }
    let is_sign = |token: &str| token.chars().all(|c| c.is_ascii() && !c.is_ascii_alphanumeric());
    texts.all(|text| split_tokens(text).all(|token| is_sign(token) || known.contains(token)))
}

fn is_harmless_value(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => true,
        Value::Number(number) => number.to_string().len() <= NUMBER_CHARS_MAX,
        Value::String(text) => SWITCHES.contains(&text.as_str()) || is_local_address(text),
        Value::Array(_) | Value::Object(_) => false,
    }
}

/// True for an address of this machine with nothing else in it.
fn is_local_address(text: &str) -> bool {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let Some(rest) = rest else { return false };
    let (place, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let is_port = |port: &str| {
        (1..=PORT_DIGITS_MAX).contains(&port.len()) && port.bytes().all(|it| it.is_ascii_digit())
    };
    let is_here = |host: &str| match place.strip_prefix(host) {
        Some("") => true,
        Some(rest) => rest.strip_prefix(':').is_some_and(is_port),
        None => false,
    };
    API_PATHS.contains(&path) && LOCAL_HOSTS.into_iter().any(is_here)
}

fn collect_tokens(value: &Value, tokens: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_tokens(item, tokens)),
        Value::Object(fields) => {
            for (name, value) in fields {
                tokens.extend(split_tokens(name).map(str::to_owned));
                collect_tokens(value, tokens);
            }
        }
        Value::String(text) => tokens.extend(split_tokens(text).map(str::to_owned)),
        other => tokens.extend(split_tokens(&other.to_string()).map(str::to_owned)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::key::KeyPath;

    fn check(before: Value, texts: &[&str]) -> bool {
        let path = KeyPath::new(&["env", "ANTHROPIC_BASE_URL"]);
        let keys =
            [WiredKey { path, written: Some(json!("http://127.0.0.1:4283")), was_set: None }];
        is_harmless(&keys, &[Some(before)], texts.iter().copied())
    }

    #[test]
    fn switches_short_numbers_addresses_of_this_machine_and_our_own_words_are_harmless() {
        for value in [
            json!(null),
            json!(true),
            json!(128_000),
            json!("1"),
            json!("http://127.0.0.1:4283"),
            json!("http://localhost:11434/v1"),
            json!("https://[::1]/"),
        ] {
            assert!(check(value.clone(), &[]), "{value}");
        }
        let text = "\"env\": {\"ANTHROPIC_BASE_URL\": \"http://127.0.0.1:9\"},\n";
        assert!(check(json!("http://127.0.0.1:9"), &[text]));
    }

    #[test]
    fn anything_else_may_be_a_key() {
        for value in [
            json!("opus"),
            json!(1_234_567),
            json!("x y"),
            json!(["x"]),
            json!({"a": 1}),
            json!("http://me:CANARY@127.0.0.1:9"),
            json!("http://127.0.0.1:9/CANARY"),
            json!("http://127.0.0.1:9?key=CANARY"),
            json!("http://127.0.0.1:123456"),
            json!("http://CANARY.localhost"),
            json!("http://127.0.0.1.example"),
            json!("https://api.example"),
        ] {
            assert!(!check(value.clone(), &[]), "{value}");
        }
        for text in ["// CANARY", "4283 CANARY", "12", "schlüssel"] {
            assert!(!check(json!(null), &[text]), "{text}");
        }
    }
}
