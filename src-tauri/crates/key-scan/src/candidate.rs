//! Reads a line of a shell profile, `.env`, JSON, YAML or TOML file for values that are keys.
//!
//! All of these write a name, a separator and a value on one line, so one reader serves them. It
//! does not parse the format: a file that its own parser would refuse may hold a key all the same.

use crate::provider::{KeyProvider, find_provider, has_key_prefix, is_login, provider_of_variable};

/// Shorter values are no key, in bytes: no key in use is shorter.
const KEY_BYTES_MIN: usize = 16;

/// Fewer different characters are a placeholder such as `xxxxxxxxxxxxxxxx`.
const DIFFERENT_CHARS_MIN: usize = 8;

/// Fewer digits are a name such as `hf_hub_download` or `npm_config_cache_v2`. Of keys made of 30
/// random letters and digits, one in thirty has fewer.
const DIGITS_MIN: usize = 2;

/// Parts of values that stand for a key and are none, in lower case.
const PLACEHOLDERS: [&str; 11] = [
    "your",
    "xxxx",
    "example",
    "changeme",
    "change-me",
    "placeholder",
    "dummy",
    "replace",
    "insert",
    "1234567890abcdef",
    "...",
];

/// Starts of values that say where the key is instead of being it: variables, commands, the
/// references of `op`, `pass`, OpenCode and Continue.
const REFERENCES: [&str; 7] = ["$", "{", "<", "op://", "file:", "env:", "http"];

/// A value on a line that is a key.
pub(crate) struct KeyCandidate<'a> {
    /// The name it is assigned to, if there is one.
    pub(crate) name: Option<&'a str>,
    pub(crate) value: &'a str,
    pub(crate) provider: Option<KeyProvider>,
}

/// The keys on a line, from left to right.
pub(crate) fn find_candidates(line: &str) -> Vec<KeyCandidate<'_>> {
    let mut found = Vec::new();
    let mut rest = 0;
    while let Some((start, end)) = next_value(line, rest) {
        rest = end;
        let value = line.get(start..end).unwrap_or_default();
        let name = name_before(line.get(..start).unwrap_or_default());
        found.extend(candidate(name, value));
    }
    found
}

/// The key that a name is assigned, if the value is one.
pub(crate) fn candidate<'a>(name: Option<&'a str>, value: &'a str) -> Option<KeyCandidate<'a>> {
    let of_variable = name.and_then(provider_of_variable);
    let by_prefix = has_key_prefix(value);
    if value.len() < KEY_BYTES_MIN || (of_variable.is_none() && !by_prefix) {
        return None;
    }
    let is_renewed = is_login(value) && of_variable.is_none_or(|_| !value.starts_with("eyJ"));
    if is_renewed || is_placeholder(value) {
        return None;
    }
    let provider = find_provider(value).or(of_variable);
    Some(KeyCandidate { name, value, provider })
}

fn is_placeholder(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let mut characters: Vec<u8> = lower.bytes().collect();
    characters.sort_unstable();
    characters.dedup();
    characters.len() < DIFFERENT_CHARS_MIN
        || lower.bytes().filter(u8::is_ascii_digit).count() < DIGITS_MIN
        || REFERENCES.iter().any(|start| lower.starts_with(start))
        || PLACEHOLDERS.iter().any(|part| lower.contains(part))
}

/// The next run of characters that a key can have, from `from` on.
fn next_value(line: &str, from: usize) -> Option<(usize, usize)> {
    let rest = line.get(from..)?;
    let start = from + rest.find(is_value_char)?;
    let value = line.get(start..)?;
    let end = value.find(|c| !is_value_char(c)).unwrap_or(value.len());
    // `NAME=value` without a space is one run; the value begins after the last separator.
    let run = value.get(..end)?;
    let split = run.char_indices().rfind(|(at, c)| *c == '=' && at + 1 < run.len());
    let begin = split.filter(|(at, _)| is_name(run.get(..*at))).map_or(0, |(at, _)| at + 1);
    Some((start + begin, start + end))
}

const fn is_value_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | '+' | '/' | '=')
}

const fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

fn is_name(text: Option<&str>) -> bool {
    text.is_some_and(|text| !text.is_empty() && text.chars().all(is_name_char))
}

/// The name that the value after `before` is assigned to: `NAME=`, `"name": "`, or `set -gx NAME `
/// as Fish writes it.
fn name_before(before: &str) -> Option<&str> {
    let space = |c: char| c.is_whitespace() || matches!(c, '"' | '\'');
    let unquoted = before.trim_end_matches(space);
    let assigned = unquoted.strip_suffix(['=', ':']).map(|named| named.trim_end_matches(space));
    let named = match assigned {
        Some(named) => named,
        None if is_fish_assignment(unquoted) => unquoted,
        None => return None,
    };
    let start = named.rfind(|c| !is_name_char(c)).map_or(0, |at| at + 1);
    named.get(start..).filter(|name| !name.is_empty())
}

fn is_fish_assignment(before: &str) -> bool {
    let mut words = before.split_whitespace();
    words.next() == Some("set") && words.next_back().is_some_and(|last| !last.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPENAI: &str = "sk-proj-0a1b2c3d4e5f6g7h8i9j";

    fn found(line: &str) -> Vec<(Option<&str>, &str, Option<&str>)> {
        let candidates = find_candidates(line).into_iter();
        candidates
            .map(|c| (c.name, c.value, c.provider.map(|provider| provider.credential)))
            .collect()
    }

    #[test]
    fn every_way_to_write_an_assignment_is_read() {
        for line in [
            "OPENAI_API_KEY=sk-proj-0a1b2c3d4e5f6g7h8i9j",
            "  export OPENAI_API_KEY='sk-proj-0a1b2c3d4e5f6g7h8i9j' # mine",
            "OPENAI_API_KEY = \"sk-proj-0a1b2c3d4e5f6g7h8i9j\"",
            r#"{"OPENAI_API_KEY":"sk-proj-0a1b2c3d4e5f6g7h8i9j","tokens":null}"#,
            "OPENAI_API_KEY: sk-proj-0a1b2c3d4e5f6g7h8i9j",
            "set -gx OPENAI_API_KEY sk-proj-0a1b2c3d4e5f6g7h8i9j",
            "# OPENAI_API_KEY=sk-proj-0a1b2c3d4e5f6g7h8i9j",
        ] {
            assert_eq!(found(line), [(Some("OPENAI_API_KEY"), OPENAI, Some("openai"))], "{line}");
        }
    }

    #[test]
    fn several_keys_on_a_line_are_each_found() {
        let line =
            r#"{"a":{"apiKey":"gsk_0a1b2c3d4e5f6g7h"},"b":{"apiKey":"xai-0a1b2c3d4e5f6g7h"}}"#;
        let providers: Vec<_> = found(line).into_iter().map(|(_, _, provider)| provider).collect();
        assert_eq!(providers, [Some("groq"), Some("xai")]);
    }

    #[test]
    fn a_variable_tells_whose_key_it_is_where_the_prefix_does_not() {
        let line = "DEEPSEEK_API_KEY=sk-0a1b2c3d4e5f6g7h8i9j0a1b";
        assert_eq!(found(line)[0].2, Some("deepseek"));
        assert_eq!(found("api-key: sk-0a1b2c3d4e5f6g7h8i9j0a1b")[0].2, None);
        let line = "MISTRAL_API_KEY=0a1b2c3d4e5f6g7h8i9j0a1b2c3d4e5f";
        assert_eq!(found(line)[0].2, Some("mistral"));
        let line = "- openai=sk-proj-0a1b2c3d4e5f6g7h8i9j";
        assert_eq!(found(line), [(Some("openai"), OPENAI, Some("openai"))]);
        // The prefix is surer than a variable that was misused for another provider.
        let line = "OPENAI_API_KEY=sk-or-v1-0a1b2c3d4e5f6g7h8i9j";
        assert_eq!(found(line)[0].2, Some("openrouter"));
    }

    #[test]
    fn what_is_no_key_is_not_reported() {
        for line in [
            "OPENAI_API_KEY=",
            "OPENAI_API_KEY=ollama",
            "OPENAI_API_KEY=$(pass show openai/key0123456789)",
            "OPENAI_API_KEY=\"${OTHER_KEY_0123456789}\"",
            "OPENAI_API_KEY=op://vault/openai/0123456789",
            "OPENAI_API_KEY=sk-your-key-here-0123456789",
            "OPENAI_API_KEY=sk-xxxxxxxxxxxxxxxxxxxx0123",
            "OPENAI_API_KEY=sk-00000000000000000000",
            "apiKey: {env:OPENAI_API_KEY_0123456789}",
            "ANTHROPIC_BASE_URL=http://127.0.0.1:4283/0123456789",
            "token = ghk_0a1b2c3d4e5f6g7h8i9j0a1b",
            "\"access_token\":\"eyJhbGciOiJSUzI1NiIsImtpZCI6IjE5MzQ0ZTY1In0\"",
            "CLAUDE_CODE_OAUTH_TOKEN=sk-ant-oat01-0a1b2c3d4e5f6g7h",
            "alias task-sk-manager-1='ls'",
            "from huggingface_hub import hf_hub_download_v2",
        ] {
            assert_eq!(found(line), [], "{line}");
        }
    }

    #[test]
    fn a_variable_whose_keys_are_json_web_tokens_is_read() {
        let line = "MINIMAX_API_KEY=eyJhbGciOiJSUzI1NiIsImtpZCI6IjE5MzQ0ZTY1In0";
        assert_eq!(found(line)[0].2, Some("minimax"));
    }

    proptest::proptest! {
        #[test]
        fn no_line_makes_the_reader_fail(line in ".{0,200}") {
            for candidate in find_candidates(&line) {
                proptest::prop_assert!(line.contains(candidate.value));
            }
        }
    }
}
