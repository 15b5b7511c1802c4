//! Keeps secrets of a tool's file out of what is shown: a user's file may hold keys of providers and
//! of other gateways.

use domain::redact;
use serde_json::Value;

/// A value whose name has one of these in it is not shown.
const SECRET_NAMES: [&str; 8] =
    ["apikey", "api_key", "api-key", "token", "secret", "password", "authorization", "header"];

/// Shorter values and parts of them are shown, in characters: masking `true` would mask the word
/// everywhere.
const SECRET_CHARS_MIN: usize = 8;

/// Longest value that is shown, in characters.
const SHOWN_CHARS_MAX: usize = 120;

const MASK: &str = "…";

/// The values in `root` that are not shown.
pub(crate) fn find_secrets(root: &Value) -> Vec<String> {
    let mut secrets = Vec::new();
    collect(root, false, &mut secrets);
    secrets
}

fn collect(value: &Value, secret: bool, secrets: &mut Vec<String>) {
    match value {
        Value::String(text) if secret => push_parts(text, secrets),
        Value::String(text) => text.lines().for_each(|line| collect_assigned(line, secrets)),
        Value::Number(number) if secret => push_parts(&number.to_string(), secrets),
        Value::Array(items) => items.iter().for_each(|item| collect(item, secret, secrets)),
        Value::Object(fields) => {
            for (name, value) in fields {
                collect(value, secret || is_secret_name(name), secrets);
            }
        }
        _ => {}
    }
}

/// The value in `NAME=value`, as Aider's `set-env` has it.
fn collect_assigned(line: &str, secrets: &mut Vec<String>) {
    let Some((name, value)) = line.split_once('=') else { return };
    if is_secret_name(name.split_whitespace().next_back().unwrap_or_default()) {
        push_parts(value.trim().trim_matches(['"', '\'']), secrets);
    }
}

/// The whole, and its lines and words: a file may break a value anywhere.
fn push_parts(text: &str, secrets: &mut Vec<String>) {
    let parts = std::iter::once(text).chain(text.lines().map(str::trim));
    let parts = parts.chain(text.split_whitespace());
    let parts = parts.filter(|part| part.chars().count() >= SECRET_CHARS_MIN);
    secrets.extend(parts.map(str::to_owned));
}

fn is_secret_name(name: &str) -> bool {
    let name = name.to_lowercase();
    // A command that prints a key, not a key.
    name != "apikeyhelper" && SECRET_NAMES.iter().any(|part| name.contains(part))
}

/// Masks `secrets`, and what looks like a key.
pub(crate) fn mask(text: &str, secrets: &[String]) -> String {
    let mut secrets: Vec<_> = secrets.iter().collect();
    // A secret that is part of another one must not break it up.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    let hide = |text: String, secret: &String| text.replace(secret, MASK);
    redact(&secrets.into_iter().fold(text.to_owned(), hide)).into_owned()
}

/// True if the value of a key, or a part of it, is not shown.
pub(crate) fn holds_secret(key: &str, value: &Value) -> bool {
    let (text, secrets) = secrets_of(key, value);
    mask(&text, &secrets) != text
}

/// A value of a key as a text, and the secrets in it.
fn secrets_of(key: &str, value: &Value) -> (String, Vec<String>) {
    let mut secrets = Vec::new();
    let name = key.rsplit('.').next().unwrap_or_default();
    collect(value, is_secret_name(name), &mut secrets);
    (value.as_str().map_or_else(|| value.to_string(), str::to_owned), secrets)
}

/// A value of a key, in one line.
pub(crate) fn shown_value(key: &str, value: &Value) -> String {
    let (text, secrets) = secrets_of(key, value);
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

    #[test]
    fn assigned_values_numbers_and_each_line_are_masked() {
        let value = json!({
            "set-env": ["AZURE_API_KEY=0123456789abcdef0123456789abcdef", "REGION=west-europe"],
            "env-text": "export MY_TOKEN='CANARY words'\nLEVEL=verbose-mode\n",
            "password": 1_234_567_890,
            "map-tokens": 2048,
            "secret": "CANARY-first\nCANARY-second  CANARY-third\n",
        });
        // As a file writes them, on lines of their own.
        let text = "- AZURE_API_KEY=0123456789abcdef0123456789abcdef\n- REGION=west-europe\n\
                    export MY_TOKEN='CANARY words'\nLEVEL=verbose-mode\npassword: 1234567890\n\
                    map-tokens: 2048\n  CANARY-first\n  CANARY-second\n  CANARY-third\n";
        assert_eq!(
            mask(text, &find_secrets(&value)),
            "- AZURE_API_KEY=…\n- REGION=west-europe\nexport MY_TOKEN='…'\nLEVEL=verbose-mode\n\
             password: …\nmap-tokens: 2048\n  …\n  …\n  …\n"
        );
        assert_eq!(shown_value("set-env", &value["set-env"][0]), "AZURE_API_KEY=…");
    }

    #[test]
    fn a_secret_that_begins_another_one_leaves_nothing_of_it() {
        let secrets = ["CANARY-one".to_owned(), "CANARY-one-and-more".to_owned()];
        assert_eq!(mask("a: CANARY-one-and-more", &secrets), "a: …");
    }
}
