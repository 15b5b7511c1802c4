//! Keeps secrets of a tool's file out of what is shown: a user's file may hold keys of providers and
//! of other gateways.

use std::ops::Range;

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

const QUOTES: [char; 3] = ['"', '\'', '`'];

/// The option of curl whose value is a header.
const HEADER_OPTION: &str = "-H";

/// The values in `root` that are not shown.
pub(crate) fn find_secrets(root: &Value) -> Vec<String> {
    let mut secrets = Vec::new();
    collect(root, false, &mut secrets);
    secrets
}

fn collect(value: &Value, secret: bool, secrets: &mut Vec<String>) {
    match value {
        Value::String(text) if secret => push_parts(text, secrets),
        Value::String(text) => collect_text(text, secrets),
        Value::Number(number) if secret => push_parts(&number.to_string(), secrets),
        Value::Array(items) => {
            collect_arguments(items.iter().filter_map(Value::as_str), secrets);
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

/// All of a command but its program, or the whole command if it does not begin with the program. Our own
/// is shown.
fn collect_command(command: &str, secrets: &mut Vec<String>) {
    if is_token_command(command) {
        return;
    }
    let (program, arguments) =
        command.trim().split_once(char::is_whitespace).unwrap_or((command, ""));
    if program.contains('=') {
        push_parts(command, secrets);
    } else if !arguments.is_empty() {
        let is_short = arguments.chars().count() < SECRET_CHARS_MIN;
        push_parts(if is_short { command } else { arguments }, secrets);
    }
}

/// The argument after an option such as `--api-key`.
fn collect_arguments<'a>(arguments: impl Iterator<Item = &'a str>, secrets: &mut Vec<String>) {
    let mut is_value = false;
    for argument in arguments {
        if is_value {
            push_parts(argument, secrets);
        }
        is_value = is_secret_option(argument);
    }
}

/// The values in `NAME=value`, as Aider's `set-env` has it, and after an option such as `--api-key`, on
/// each line and anywhere in a command.
fn collect_text(text: &str, secrets: &mut Vec<String>) {
    for (name, value) in text.lines().filter_map(|line| line.split_once('=')) {
        if is_secret_name(name.split_whitespace().next_back().unwrap_or_default()) {
            push_parts(value.trim().trim_matches(QUOTES), secrets);
        }
    }
    let (mut rest, mut is_value) = (text.trim_start(), false);
    while !rest.is_empty() {
        let word = rest.split(char::is_whitespace).next().unwrap_or_default();
        if is_value {
            push_parts(first_value(rest), secrets);
        }
        let assigned = word.split_once('=').filter(|(name, _)| is_secret_name(name));
        if let Some((_, value)) =
            assigned.and_then(|(name, _)| rest.split_at_checked(name.len() + 1))
        {
            push_parts(first_value(value), secrets);
        }
        is_value = is_secret_option(word);
        rest = rest.get(word.len()..).unwrap_or_default().trim_start();
    }
}

fn is_secret_option(word: &str) -> bool {
    let word = word.trim_matches(|c| c == '\\' || QUOTES.contains(&c));
    let is_header = word == HEADER_OPTION;
    is_header || word.starts_with('-') && !word.contains('=') && is_secret_name(word)
}

/// The value that `text` begins with: to the first space that is neither in quotes nor escaped. One
/// whose first quote is not closed goes on to the end.
fn first_value(text: &str) -> &str {
    let (mut quote, mut is_escaped) = (None, false);
    for (index, c) in text.char_indices() {
        let found = (c, is_escaped);
        match quote {
            Some(open) if open == found => quote = None,
            None if QUOTES.contains(&c) => quote = Some(found),
            None if c.is_whitespace() && !is_escaped => {
                return text.get(..index).unwrap_or_default();
            }
            _ => {}
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    let is_quoted = text.trim_start_matches('\\').starts_with(QUOTES);
    match quote {
        Some(_) if !is_quoted => text.split_whitespace().next().unwrap_or_default(),
        _ => text,
    }
}

/// The whole, and its lines and words: a file may break a value anywhere, and escapes its quotes.
fn push_parts(text: &str, secrets: &mut Vec<String>) {
    let is_between = |c: char| c.is_whitespace() || c == '\\' || QUOTES.contains(&c);
    let parts = std::iter::once(text).chain(text.lines().map(str::trim));
    let parts = parts.chain(text.split_whitespace()).chain(text.split(is_between));
    let parts = parts.map(|part| part.trim_matches(QUOTES));
    let parts = parts.filter(|part| part.chars().count() >= SECRET_CHARS_MIN);
    secrets.extend(parts.map(str::to_owned));
}

fn is_secret_name(name: &str) -> bool {
    let name = name.to_lowercase();
    SECRET_NAMES.iter().any(|part| name.contains(part))
}

/// Masks `secrets`, names and passwords in addresses, and what looks like a key.
pub(crate) fn mask(text: &str, secrets: &[String]) -> String {
    // All are looked for in the text as it is: one that is masked first would break up another that it
    // is part of, or that overlaps it.
    let mut hidden = find_user_info(text);
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        hidden.extend(text.match_indices(secret).map(|(start, _)| start..start + secret.len()));
    }
    hidden.sort_by_key(|range| range.start);
    let (mut masked, mut end) = (String::with_capacity(text.len()), 0);
    for range in hidden {
        if range.start > end || masked.is_empty() {
            masked.push_str(text.get(end..range.start).unwrap_or_default());
            masked.push_str(MASK);
        }
        end = end.max(range.end);
    }
    masked.push_str(text.get(end..).unwrap_or_default());
    redact(&masked).into_owned()
}

/// Where the `user:password` of each address stands.
fn find_user_info(text: &str) -> Vec<Range<usize>> {
    const SCHEME_END: &str = "://";
    let (mut found, mut start) = (Vec::new(), 0);
    while let Some((before, after)) = text.get(start..).and_then(|it| it.split_once(SCHEME_END)) {
        start += before.len() + SCHEME_END.len();
        let is_end = |c: char| c.is_whitespace() || matches!(c, '<' | '>') || QUOTES.contains(&c);
        let address = after.split(is_end).next().unwrap_or_default();
        let place = address.split(['/', '?', '#']).next().unwrap_or_default();
        // A password with a slash in it does not end there.
        let is_cut = |(_, port): (&str, &str)| !port.bytes().all(|it| it.is_ascii_digit());
        let is_cut = !place.starts_with('[') && place.rsplit_once(':').is_some_and(is_cut);
        let searched = if is_cut { address } else { place };
        let user_info = searched.rfind('@').unwrap_or_default();
        if user_info > 0 {
            found.push(start..start + user_info);
        }
        start += user_info;
    }
    found
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
        assert_eq!(shown("API_KEY=odd-CANARY;get"), "…");
        assert_eq!(shown(" API_KEY=odd-CANARY;get "), "…");
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
    fn a_key_is_masked_wherever_it_stands_in_a_command() {
        for (command, masked) in [
            ("env REGION=x API_KEY=odd-CANARY serve", "env REGION=x API_KEY=… serve"),
            ("srv --port=1 --secret=odd-CANARY", "srv --port=1 --secret=…"),
            ("srv --header 'X-Key: odd-CANARY-5' --port 1", "srv --header '…' --port 1"),
            ("srv -H \"X-Key: odd CANARY\" --port 1", "srv -H \"…\" --port 1"),
            ("srv --header X-Key:'odd-key CANARY'", "srv --header …'"),
            ("srv --token odd-key\\ CANARY --port 1", "srv --token … --port 1"),
            ("srv --token \"odd\\\"key CANARY\" --port 1", "srv --token \"…\" --port 1"),
            ("srv --token 'not closed CANARY", "srv --token '…"),
            ("sh -c 'a=b MY_TOKEN=\"odd CANARY\" get'", "sh -c 'a=b MY_TOKEN=\"…\" get'"),
            ("sh -c \"get --token odd-CANARY\"", "sh -c \"get --token …\""),
        ] {
            assert_eq!(shown_value("command", &json!(command)), masked, "{command}");
        }
    }

    #[test]
    fn an_address_that_is_a_secret_is_masked_with_its_path() {
        let address = "https://me:a@h/CANARY-path";
        assert_eq!(shown_value("env.X_SECRET", &json!(address)), "…");
        // As vault keys are masked, of which one may be any part of an address.
        for secret in [address, "a@h/CANARY-path", "h/CANARY-path", "me:a@h/CANARY"] {
            let shown = mask(&format!("a: {address} b"), &[secret.to_owned()]);
            assert!(!shown.contains("CANARY") && !shown.contains("me"), "{secret}: {shown}");
            assert!(shown.starts_with("a: ") && shown.ends_with(" b"), "{secret}: {shown}");
        }
    }

    #[test]
    fn secrets_that_overlap_leave_nothing_of_either() {
        let secrets = ["CANARY-one".to_owned(), "one-CANARY".to_owned()];
        assert_eq!(mask("CANARY-one-CANARY, CANARY-one", &secrets), "…, …");
        assert_eq!(mask("no secret", &secrets), "no secret");
    }

    #[test]
    fn a_secret_that_begins_another_one_leaves_nothing_of_it() {
        let secrets = ["CANARY-one".to_owned(), "CANARY-one-and-more".to_owned()];
        assert_eq!(mask("a: CANARY-one-and-more", &secrets), "a: …");
    }
}
