//! Finds a key in an error message even if it was cut, split, reversed, re-cased or encoded.
//!
//! Percent and backslash escapes are decoded and both texts reduced to lower-case letters and
//! digits. A common run of [`SHARED_CHARS_MIN`] is then no coincidence. This changes texts that
//! people read and is too slow for every answer, so it serves errors only.

use std::borrow::Cow;
use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::REMOVED;

/// Letters and digits in a row that count as a part of the key. Vendors' own prefixes
/// (`sk-ant-api03-`, `github_pat_11`) are shorter.
pub(super) const SHARED_CHARS_MIN: usize = 12;

/// A letter or digit in lower case, and its byte range in the text.
struct KeyLetter {
    letter: u8,
    start: usize,
    end: usize,
}

/// `text` without any run of [`SHARED_CHARS_MIN`] letters and digits that `key` contains: forwards,
/// backwards, in hexadecimal or in base64. A key with fewer letters and digits is left to the exact
/// comparison.
pub(super) fn without_altered<'a>(text: &'a str, key: &str) -> Cow<'a, str> {
    let letters = letters(text);
    let spellings = spellings(key);
    let runs: HashSet<&[u8]> =
        spellings.iter().flat_map(|spelling| spelling.windows(SHARED_CHARS_MIN)).collect();
    let reduced: Vec<u8> = letters.iter().map(|letter| letter.letter).collect();
    let mut out = String::new();
    let (mut copied, mut covered_until) = (0, 0);
    for (index, window) in reduced.windows(SHARED_CHARS_MIN).enumerate() {
        if !runs.contains(window) {
            continue;
        }
        let (Some(first), Some(last)) =
            (letters.get(index), letters.get(index + SHARED_CHARS_MIN - 1))
        else {
            break;
        };
        if copied == 0 || index > covered_until {
            out.push_str(text.get(copied..first.start).unwrap_or_default());
            out.push_str(REMOVED);
        }
        (copied, covered_until) = (last.end, index + SHARED_CHARS_MIN);
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

/// The reduced forms that a run of the key may have.
fn spellings(key: &str) -> Vec<Vec<u8>> {
    let reduced = |text: &str| -> Vec<u8> {
        let kept = text.bytes().filter(u8::is_ascii_alphanumeric);
        kept.map(|byte| byte.to_ascii_lowercase()).collect()
    };
    let forwards = reduced(key);
    let backwards = forwards.iter().rev().copied().collect();
    let hexadecimal = key.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    // Base64 depends on the number of bytes before the key. The characters at both ends hold bits
    // of the bytes around it.
    let base64 = (0..3).map(|shift| {
        let text = STANDARD_NO_PAD.encode([vec![0; shift], key.as_bytes().to_vec()].concat());
        let until = text.len().saturating_sub(1);
        let from = if shift == 0 { 0 } else { shift + 1 };
        reduced(text.get(from..until).unwrap_or_default())
    });
    [forwards, backwards, hexadecimal.into_bytes()].into_iter().chain(base64).collect()
}

fn letters(text: &str) -> Vec<KeyLetter> {
    let mut letters = Vec::with_capacity(text.len());
    let mut start = 0;
    while let Some(rest) = text.as_bytes().get(start..)
        && !rest.is_empty()
    {
        let (byte, length) = decoded(rest);
        let end = start + length;
        if let Some(byte) = byte.filter(u8::is_ascii_alphanumeric) {
            letters.push(KeyLetter { letter: byte.to_ascii_lowercase(), start, end });
        }
        start = end;
    }
    letters
}

/// The first byte of `rest`, escapes decoded, and its length in the text. `None` for an escape that
/// is no letter.
fn decoded(rest: &[u8]) -> (Option<u8>, usize) {
    let hex = |high: u8, low: u8| {
        let digit = |byte: u8| char::from(byte).to_digit(16);
        u8::try_from(digit(high)? * 16 + digit(low)?).ok()
    };
    match *rest {
        [b'%', high, low, ..] if hex(high, low).is_some() => (hex(high, low), 3),
        [b'\\', b'u', b'0', b'0', high, low, ..] if hex(high, low).is_some() => (hex(high, low), 6),
        [b'\\', b'n' | b'r' | b't', ..] => (None, 2),
        [byte, ..] => (Some(byte), 1),
        [] => (None, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "sk-proj-7f3a9c51E2b84d06_QwErTy/zxcv+19";

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(without_altered(text, KEY), expected, "{text}");
    }

    #[test]
    fn each_alteration_is_found() {
        check("bad 7f3a9c51E2b84d06_QwErTy/zxcv+19!", "bad [key removed]!");
        check("bad sk-proj-7f3a9c51E2b8… ", "bad [key removed]… ");
        check("bad SK-PROJ-7F3A9C51E2B84D06_QWERTY/ZXCV+19.", "bad [key removed].");
        check("s k - p r o j - 7 f 3 a 9 c 5 1 E 2", "[key removed]");
        check("it is sk-proj-7f3a\n9c51E2b8\n4d06_QwE, sir", "it is [key removed], sir");
        check(r"it is sk-proj-7f3a\n9c51E2b8\t4d06, sir", "it is [key removed], sir");
        let backwards: String = KEY.chars().rev().collect();
        check(&format!("<{backwards}>"), "<[key removed]>");
        let percent: String = KEY.bytes().map(|byte| format!("%{byte:02X}")).collect();
        check(&format!("?key={percent}&x"), "?key=[key removed]&x");
        let unicode: String = KEY.bytes().map(|byte| format!("\\u00{byte:02x}")).collect();
        check(&format!("\"{unicode}\""), "\"[key removed]\"");
        let hexadecimal: String = KEY.bytes().map(|byte| format!("{byte:02X}")).collect();
        check(&format!("is {hexadecimal}."), "is [key removed].");
    }

    #[test]
    fn base64_is_found_at_any_offset() {
        for before in ["", "u:", "Bearer ", "x"] {
            let text = STANDARD_NO_PAD.encode(format!("{before}{KEY}"));
            let out = without_altered(&text, KEY).into_owned();
            let left = out.replace(REMOVED, "");
            assert!(out != left && left.len() <= before.len() * 4 / 3 + 4, "{before}: {out}");
        }
    }

    #[test]
    fn two_runs_are_two_and_what_lies_between_stays() {
        check(
            "first sk-proj-7f3a9c5 then 4d06_QwErTy/zx ok",
            "first [key removed] then [key removed] ok",
        );
    }

    #[test]
    fn one_letter_less_than_a_run_and_prose_are_left_alone() {
        // skproj7f3a9 are eleven.
        check("sk-proj-7f3a9", "sk-proj-7f3a9");
        check("sk-proj-7f3a9c", "[key removed]");
        let prose = "The project's key was rejected: 100 % sure.";
        check(prose, prose);
        check("ü…\u{1F511} %zz \\u00zz \\", "ü…\u{1F511} %zz \\u00zz \\");
        assert!(matches!(without_altered("nothing", KEY), Cow::Borrowed(_)));
        assert_eq!(without_altered("ollama is not a key", "ollama"), "ollama is not a key");
    }
}
