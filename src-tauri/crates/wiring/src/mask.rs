//! Keeps secrets of a tool's file out of what is shown: a user's file may hold keys of providers and
//! of other gateways.

use domain::redact;
use serde_json::Value;

/// A value whose name has one of these in it is not shown.
const SECRET_NAMES: [&str; 8] =
    ["apikey", "api_key", "api-key", "token", "secret", "password", "authorization", "header"];

/// Shorter values are shown, in characters: masking `true` would mask the word everywhere.
const SECRET_CHARS_MIN: usize = 8;

/// Longest value that is shown, in characters.
const SHOWN_CHARS_MAX: usize = 120;

const MASK: &str = "…";

/// The values in `root` that are not shown.
pub(crate) fn find_secrets(root: &Value) -> Vec<String> {
    let mut secrets = Vec::new();
    collect(root, false, &mut secrets);
    // A secret that is part of another one must not break it up.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets
}

fn collect(value: &Value, secret: bool, secrets: &mut Vec<String>) {
    match value {
        Value::String(text) if secret && text.chars().count() >= SECRET_CHARS_MIN => {
            secrets.push(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, secret, secrets)),
        Value::Object(fields) => {
            for (name, value) in fields {
                collect(value, secret || is_secret_name(name), secrets);
            }
        }
        _ => {}
    }
}

fn is_secret_name(name: &str) -> bool {
    let name = name.to_lowercase();
    // A command that prints a key, not a key.
    name != "apikeyhelper" && SECRET_NAMES.iter().any(|part| name.contains(part))
}

/// Masks `secrets`, and what looks like a key.
pub(crate) fn mask(text: &str, secrets: &[String]) -> String {
    let hide = |text: String, secret: &String| text.replace(secret, MASK);
    redact(&secrets.iter().fold(text.to_owned(), hide)).into_owned()
}

/// A value of a key, in one line.
pub(crate) fn shown_value(key: &str, value: &Value) -> String {
    let mut secrets = Vec::new();
    let name = key.rsplit('.').next().unwrap_or_default();
    collect(value, is_secret_name(name), &mut secrets);
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let masked = mask(&text, &secrets);
    match masked.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}{MASK}", masked.get(..end).unwrap_or_default()),
        None => masked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_of_secret_names_and_keys_are_masked_and_others_are_not() {
        let value = json!({
            "apiKeyHelper": "/usr/bin/gatehouse token claude-code",
            "env": {"ANTHROPIC_AUTH_TOKEN": "odd-CANARY-value", "ANTHROPIC_BASE_URL": "https://a.example"},
            "http_headers": {"X-Any": "CANARY-header"},
        });
        let text = mask(&value.to_string(), &find_secrets(&value));
        assert!(!text.contains("CANARY"), "{text}");
        assert!(text.contains("/usr/bin/gatehouse token claude-code"), "{text}");
        assert!(text.contains("https://a.example"), "{text}");
        assert_eq!(shown_value("env.ANTHROPIC_API_KEY", &json!("odd-CANARY-value")), "…");
        assert_eq!(shown_value("env.OTHER", &json!("sk-CANARY-0123456789")), "sk-…");
        assert_eq!(shown_value("model_provider", &json!("openrouter")), "openrouter");
    }
}
