//! Masks text that looks like a key: the last defence behind types that cannot print one.
//!
//! Text from outside (an upstream's error message, a panic) may contain a key that no type
//! protects. Words with a known key prefix, and words after `Bearer`, are replaced by their prefix
//! and a mark.

use std::borrow::Cow;

use crate::presets;

/// Shorter words are not masked, in bytes: no key in use is shorter than 16.
const KEY_BYTES_MIN: usize = 16;

/// Prefixes beside those of the presets, from vendors' pages and the public rules of secret
/// scanners.
const OTHER_KEY_PREFIXES: [&str; 19] = [
    "sk-",
    "sk_",
    "rk_",
    "pk-",
    "tgp_",
    "r8_",
    "AIza",
    "AKIA",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "eyJ",
    "AGE-SECRET-KEY-",
    // Tokens of ours, for clients and for the control listener.
    "ghk_",
    "ghc_",
];

/// Replaces the part of a masked word after its prefix.
const MASK: &str = "…";

/// What stands for the path of a file.
const HIDDEN_PATH: &str = "(a path)";

/// Text as it may leave the panel, in notifications, mail, webhooks and exports: without what looks
/// like a key, and without paths of files, which tell the user's name and projects.
#[must_use]
pub fn redact_outbound(text: &str) -> String {
    hide_paths(&redact(text))
}

/// Returns `text` with every word that looks like a key cut to its prefix.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut masked = String::new();
    let mut copied = 0;
    let mut after_bearer = false;
    for (start, word) in split_words(text) {
        let prefix = if after_bearer && word.len() >= 8 { Some("") } else { find_key_prefix(word) };
        if let Some(prefix) = prefix {
            masked.push_str(text.get(copied..start).unwrap_or_default());
            masked.push_str(prefix);
            masked.push_str(MASK);
            copied = start + word.len();
        }
        after_bearer = word.eq_ignore_ascii_case("bearer");
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    masked.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(masked)
}

fn find_key_prefix(word: &str) -> Option<&'static str> {
    if word.len() < KEY_BYTES_MIN {
        return None;
    }
    let of_presets = presets().filter_map(|preset| preset.key_prefix);
    let all = OTHER_KEY_PREFIXES.iter().copied().chain(of_presets);
    all.filter(|prefix| word.starts_with(prefix)).min_by_key(|prefix| prefix.len())
}

fn split_words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let part_of_key =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | '+');
    let mut rest = 0;
    std::iter::from_fn(move || {
        let tail = text.get(rest..)?;
        let start = rest + tail.find(part_of_key)?;
        let word = text.get(start..)?;
        let end = word.find(|c| !part_of_key(c)).unwrap_or(word.len());
        rest = start + end;
        Some((start, word.get(..end)?))
    })
}

/// Replaces words that are paths of files: `/home/x`, `~/x`, `C:\x`.
fn hide_paths(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let bare = word.trim_start_matches(['"', '\'', '`', '(', '<']);
        let mut letters = bare.chars();
        let is_path = match (letters.next(), letters.next(), letters.next()) {
            (Some('/'), Some(next), _) => next.is_alphanumeric() || next == '.',
            (Some('~'), Some('/' | '\\'), _) => true,
            (Some(drive), Some(':'), Some('/' | '\\')) => drive.is_ascii_alphabetic(),
            (Some('\\'), Some('\\'), _) => true,
            _ => bare.contains("file://"),
        };
        if is_path { HIDDEN_PATH } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_cut_to_their_prefix_and_prose_is_left_alone() {
        let check = |text: &str, masked: &str| assert_eq!(redact(text), masked, "{text}");
        check(
            "Incorrect API key provided: sk-CANARY-0123456789.",
            "Incorrect API key provided: sk-…",
        );
        check("AQ.Ab8RN6CANARY0123456789", "AQ.…");
        check("{\"k\":\"AIzaSyCANARY0123456789\"}", "{\"k\":\"AIza…\"}");
        check("authorization: Bearer abcdefgh12345678 next", "authorization: Bearer … next");
        check("ü sk-a gsk_0123456789abcdef ü", "ü sk-a gsk_… ü");
        check(
            "the task-force asks for a skill-based answer",
            "the task-force asks for a skill-based answer",
        );
        assert!(matches!(redact("nothing here"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_path_of_any_system_is_hidden_and_other_words_stay() {
        for path in ["/home/jo/x.sqlite", "~/x", r"C:\Users\jo", r"\\host\share", "(/tmp/a)"] {
            assert_eq!(hide_paths(&format!("see {path} now")), "see (a path) now", "{path}");
        }
        for text in ["in/out of 3 / 4 routes", "gatehouse keys add", "80 %: spent", "a:b c:3"] {
            assert_eq!(hide_paths(text), text);
        }
    }
}
