//! Keeps secrets of a tool's file out of what is shown: a user's file may hold keys of providers and
//! of other gateways.

use domain::redact;
use serde_json::Value;

use crate::tool::is_token_command;

/// A value whose name has one of these in it is not shown.
const SECRET_NAMES: [&str; 11] = [
    "apikey",
    "api_key",
    "api-key",
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "credential",
    "authorization",
    "header",
];

/// The key whose value is a command that prints a key, and may have one in it.
const KEY_COMMAND: &str = "apikeyhelper";

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
        Value::String(text) => {
            text.lines().for_each(|line| collect_assigned(line, secrets));
            collect_options(text.split_whitespace(), secrets);
        }
        Value::Number(number) if secret => push_parts(&number.to_string(), secrets),
        Value::Array(items) => {
            collect_options(items.iter().filter_map(Value::as_str), secrets);
            items.iter().for_each(|item| collect(item, secret, secrets));
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                collect_field(name, value, secret, secrets);
            }
        }
        _ => {}
    }
}

fn collect_field(name: &str, value: &Value, secret: bool, secrets: &mut Vec<String>) {
    match value.as_str().filter(|_| name.eq_ignore_ascii_case(KEY_COMMAND)) {
        Some(command) => collect_command(command, secrets),
        None => collect(value, secret || is_secret_name(name), secrets),
    }
}

/// All of a command but its program, or all of it if that stands not first. Our own is shown.
fn collect_command(command: &str, secrets: &mut Vec<String>) {
    let Some((program, arguments)) = command.trim().split_once(char::is_whitespace) else { return };
    if is_token_command(command) {
        return;
    }
    let is_short = arguments.chars().count() < SECRET_CHARS_MIN;
    let hidden = if is_short || program.contains('=') { command } else { arguments };
    push_parts(hidden, secrets);
}

/// The value after an option such as `--api-key`.
fn collect_options<'a>(words: impl Iterator<Item = &'a str>, secrets: &mut Vec<String>) {
    let mut is_value = false;
    for word in words {
        let word = word.trim_matches(['"', '\'']);
        if is_value {
            push_parts(word, secrets);
        }
        is_value = word.starts_with('-') && !word.contains('=') && is_secret_name(word);
    }
}

/// The value in `NAME=value`, as Aider's `set-env` has it.
fn collect_assigned(line: &str, secrets: &mut Vec<String>) {
    let Some((name, value)) = line.split_once('=') else { return };
    if is_secret_name(name.split_whitespace().next_back().unwrap_or_default()) {
        push_parts(value.trim().trim_matches(['"', '\'']), secrets);
    }
}

/// The whole, and its lines and words: a file may break a value anywhere, and escapes its quotes.
fn push_parts(text: &str, secrets: &mut Vec<String>) {
    let is_between = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '\\');
    let parts = std::iter::once(text).chain(text.lines().map(str::trim));
    let parts = parts.chain(text.split_whitespace()).chain(text.split(is_between));
    let parts = parts.filter(|part| part.chars().count() >= SECRET_CHARS_MIN);
    secrets.extend(parts.map(str::to_owned));
}

fn is_secret_name(name: &str) -> bool {
    let name = name.to_lowercase();
    SECRET_NAMES.iter().any(|part| name.contains(part))
}

/// Masks `secrets`, names and passwords in addresses, and what looks like a key.
pub(crate) fn mask(text: &str, secrets: &[String]) -> String {
    let mut secrets: Vec<_> = secrets.iter().collect();
    // A secret that is part of another one must not break it up.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    let hide = |text: String, secret: &String| text.replace(secret, MASK);
    // First, since a part of a password may be masked elsewhere.
    let text = mask_user_info(text);
    redact(&secrets.into_iter().fold(text, hide)).into_owned()
}

/// Masks `user:password@` in addresses.
fn mask_user_info(text: &str) -> String {
    let (mut masked, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once("://") {
        masked.push_str(before);
        masked.push_str("://");
        let is_end = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>');
        let address = after.split(is_end).next().unwrap_or_default();
        let place = address.split(['/', '?', '#']).next().unwrap_or_default();
        // A password with a slash in it does not end there.
        let is_cut = |(_, port): (&str, &str)| !port.bytes().all(|it| it.is_ascii_digit());
        let is_cut = !place.starts_with('[') && place.rsplit_once(':').is_some_and(is_cut);
        let searched = if is_cut { address } else { place };
        let user_info = searched.rfind('@').unwrap_or_default();
        if user_info > 0 {
            masked.push_str(MASK);
        }
        rest = after.get(user_info..).unwrap_or_default();
    }
    masked + rest
}

/// A value of a key as a text, and the secrets in it.
fn secrets_of(key: &str, value: &Value) -> (String, Vec<String>) {
    let mut secrets = Vec::new();
    collect_field(key.rsplit('.').next().unwrap_or_default(), value, false, &mut secrets);
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
    fn names_and_passwords_in_addresses_are_masked() {
        for (text, masked) in [
            ("a: https://me:CANARY@up.example/v1 b", "a: https://…@up.example/v1 b"),
            ("\"http://CANARY@[::1]:9\"", "\"http://…@[::1]:9\""),
            ("socks5://me:CAN@ARY@h:1,http://me:CANARY@i", "socks5://…@h:1,http://…@i"),
            ("https://me:CAN/ARY@up.example", "https://…@up.example"),
            (
                "https://up.example:80/pkg@1.2 me@up.example",
                "https://up.example:80/pkg@1.2 me@up.example",
            ),
            ("http://[::1]:9/@x", "http://[::1]:9/@x"),
            ("://", "://"),
        ] {
            assert_eq!(mask(text, &[]), masked);
        }
    }

    #[test]
    fn keys_in_commands_are_masked() {
        let shown = |command: &str| shown_value("apiKeyHelper", &json!(command));
        assert_eq!(shown("/usr/bin/print-my-key"), "/usr/bin/print-my-key");
        assert_eq!(shown("/usr/bin/gatehouse token codex"), "/usr/bin/gatehouse token codex");
        assert_eq!(shown("echo odd-CANARY"), "echo …");
        assert_eq!(shown("echo CANARY"), "…", "too short to be hidden everywhere");
        assert_eq!(shown("KEY=CANARY get"), "…");
        let ours = "gatehouse token codex; echo odd-CANARY-value";
        assert!(!shown(ours).contains("CANARY"), "{}", shown(ours));
        // As the file writes it, with its escapes.
        let value = json!({"apiKeyHelper": "sh -c \"echo 'odd-CANARY'\"",
            "args": ["serve", "--api-key", "odd-CANARY-2", "--port", "12345678"],
            "command": "/usr/share/any-file --token 'odd-CANARY-3' --secret=odd-CANARY-4"});
        let text = mask(&value.to_string(), &find_secrets(&value));
        assert!(!text.contains("CANARY"), "{text}");
        assert!(text.contains("12345678") && text.contains("/usr/share/any-file"), "{text}");
    }

    #[test]
    fn a_secret_that_begins_another_one_leaves_nothing_of_it() {
        let secrets = ["CANARY-one".to_owned(), "CANARY-one-and-more".to_owned()];
        assert_eq!(mask("a: CANARY-one-and-more", &secrets), "a: …");
    }
}
