//! Which program a client says it is, in its `User-Agent` header.

use serde::{Deserialize, Serialize};

use crate::redact;

/// Longest header that is read, in bytes; a longer one is no program's name.
const USER_AGENT_BYTES_MAX: usize = 512;
/// Longest name that is kept, in characters.
const NAME_CHARS_MAX: usize = 40;
/// Longest version that is kept, in characters.
const VERSION_CHARS_MAX: usize = 32;
/// The name that every browser sends, which says nothing.
const ANY_BROWSER: &str = "Mozilla";

/// A program and its version, as it calls itself. Both are short and plain, and hold nothing that looks like
/// a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientProgram {
    pub name: String,
    /// `None` if it states none.
    pub version: Option<String>,
}

impl ClientProgram {
    /// Reads the first product of a header: `claude-cli/2.1.3 (external, cli)`, `OpenAI/Python 1.40.0`,
    /// `GeminiCLI/0.1.5/gemini-2.5-pro (linux)`. `None` if it names none.
    #[must_use]
    pub fn from_user_agent(header: &str) -> Option<Self> {
        if header.len() > USER_AGENT_BYTES_MAX || redact(header) != header {
            return None;
        }
        let mut words = header.split_ascii_whitespace();
        let parts: Vec<&str> = words.next()?.split('/').collect();
        let stated = parts.iter().skip(1).position(|part| is_version(part)).map(|place| place + 1);
        let (named, version) = match stated {
            Some(place) => (parts.get(..place)?, parts.get(place).copied()),
            None => (parts.as_slice(), words.next().filter(|word| is_version(word))),
        };
        let name = named.join("/");
        let is_name = !name.is_empty()
            && name.len() <= NAME_CHARS_MAX
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.@/".contains(c));
        let version = version.map(str::to_owned);
        (is_name && name != ANY_BROWSER).then_some(Self { name, version })
    }
}

/// `2.1.3`, `v0.40.0-alpha.1+5`; begins with a digit, but for a `v`.
fn is_version(text: &str) -> bool {
    let digits = text.strip_prefix('v').unwrap_or(text);
    text.len() <= VERSION_CHARS_MAX
        && digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_alphanumeric() || ".-+_".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str) -> Option<(String, Option<String>)> {
        ClientProgram::from_user_agent(header).map(|read| (read.name, read.version))
    }

    #[test]
    fn a_program_and_its_version_are_read_as_tools_send_them() {
        for (header, name, version) in [
            ("claude-cli/2.1.3 (external, cli)", "claude-cli", Some("2.1.3")),
            ("codex_cli_rs/0.40.0 (Ubuntu 24.4.0; x86_64) xterm", "codex_cli_rs", Some("0.40.0")),
            ("GeminiCLI/0.1.5/gemini-2.5-pro (linux; x64)", "GeminiCLI", Some("0.1.5")),
            ("OpenAI/Python 1.40.0", "OpenAI/Python", Some("1.40.0")),
            (
                "ai-sdk/openai-compatible/1.0.2 runtime/node",
                "ai-sdk/openai-compatible",
                Some("1.0.2"),
            ),
            ("aider/v0.86.0-dev+g1", "aider", Some("v0.86.0-dev+g1")),
            ("curl/8.5.0", "curl", Some("8.5.0")),
            ("node", "node", None),
            ("Zed linux", "Zed", None),
        ] {
            let expected = Some((name.to_owned(), version.map(str::to_owned)));
            assert_eq!(read(header), expected, "{header}");
        }
    }

    #[test]
    fn what_says_nothing_or_too_much_is_unknown() {
        let long_name = format!("{}/1.0", "a".repeat(NAME_CHARS_MAX + 1));
        let long = format!("tool/1.0 ({})", "x".repeat(USER_AGENT_BYTES_MAX));
        for header in [
            "",
            " ",
            "/1.0",
            "1.0",
            "Mozilla/5.0 (X11; Linux x86_64)",
            "tool\u{1b}[2J/1.0",
            "tööl/1.0",
            "tool<script>/1.0",
            "ghk_abcdefghijklmnopqrstuvwxyz/1.0",
            "tool/1.0 sk-abcdefghijklmnopqrstuvwxyz",
            &long_name,
            &long,
        ] {
            assert_eq!(read(header), None, "{header:?}");
        }
    }

    #[test]
    fn names_and_versions_are_kept_up_to_their_limits() {
        let name = "a".repeat(NAME_CHARS_MAX);
        let version = "1".repeat(VERSION_CHARS_MAX);
        assert_eq!(read(&format!("{name}/{version}")), Some((name.clone(), Some(version.clone()))));
        // A longer one is no version, and so a part of the name, which is too long with it.
        assert_eq!(read(&format!("{name}/{version}1")), None);
        assert_eq!(read(&format!("tool {version}1")), Some(("tool".to_owned(), None)));
    }
}
