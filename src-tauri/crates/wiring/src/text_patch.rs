//! The difference of two texts, which leads from one to the other byte for byte.
//!
//! It holds what the other text has and the first has not, and nothing of what both have: a record of
//! a wiring must not keep the rest of a user's file, which may hold keys.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use similar::{Algorithm, DiffTag, TextDiff, capture_diff_slices};

/// Most tokens of two texts that are compared one by one; the time goes with their square.
const TOKENS_MAX: usize = 2_048;

/// Parts of a text to replace, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct TextPatch(Vec<TextPart>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct TextPart {
    /// In the text that the patch applies to, in bytes.
    range: Range<usize>,
    text: String,
}

impl TextPatch {
    pub(crate) fn between(from: &str, to: &str) -> Self {
        let diff = TextDiff::from_lines(from, to);
        let (mut parts, mut at, mut at_to) = (Vec::new(), 0, 0);
        for change in diff.ops() {
            let bytes = |lines: Range<usize>, lookup: &dyn Fn(usize) -> usize| -> usize {
                lines.map(lookup).sum()
            };
            let length = bytes(change.old_range(), &|line| diff.old_lookup()[line].len());
            let length_to = bytes(change.new_range(), &|line| diff.new_lookup()[line].len());
            let old = from.get(at..at + length).unwrap_or_default();
            let new = to.get(at_to..at_to + length_to).unwrap_or_default();
            if change.tag() != DiffTag::Equal {
                parts.extend(TextPart::between(at, old, new));
            }
            at += length;
            at_to += length_to;
        }
        Self(parts)
    }

    /// None if the patch was not made for this text.
    pub(crate) fn apply(&self, from: &str) -> Option<String> {
        let (mut text, mut at) = (String::with_capacity(from.len()), 0);
        for part in &self.0 {
            text.push_str(from.get(at..part.range.start)?);
            text.push_str(&part.text);
            at = part.range.end;
        }
        text.push_str(from.get(at..)?);
        Some(text)
    }

    /// The texts that it puts in.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|part| part.text.as_str())
    }
}

impl TextPart {
    /// What leads from `old`, which stands at `at`, to `new`. Words and signs that both have are left out,
    /// between those as at the ends.
    fn between(at: usize, old: &str, new: &str) -> Vec<Self> {
        let [old, new] = [old, new].map(|text| split_tokens(text).collect::<Vec<_>>());
        let same = |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| {
            pairs.take_while(|(one, other)| one == other).count()
        };
        let start = same(&mut old.iter().zip(&new));
        let rest = |tokens: &[&str]| tokens.len() - start;
        let ends = old.iter().rev().zip(new.iter().rev()).take(rest(&old).min(rest(&new)));
        let end = same(&mut ends.into_iter());
        let [old_rest, new_rest] =
            [&old, &new].map(|tokens| tokens.get(start..tokens.len() - end).unwrap_or_default());
        let at = at + bytes(&old, 0..start);
        if old_rest.len().max(new_rest.len()) > TOKENS_MAX {
            let range = at..at + bytes(old_rest, 0..old_rest.len());
            return vec![Self { range, text: new_rest.concat() }];
        }
        let changes = capture_diff_slices(Algorithm::Myers, old_rest, new_rest);
        let changes = changes.iter().filter(|change| change.tag() != DiffTag::Equal);
        let part = |change: &similar::DiffOp| {
            let (removed, put_in) = (change.old_range(), change.new_range());
            let begin = at + bytes(old_rest, 0..removed.start);
            let range = begin..begin + bytes(old_rest, removed);
            Self { range, text: new_rest.get(put_in).unwrap_or_default().concat() }
        };
        changes.map(part).collect()
    }
}

/// The length of some of the tokens.
fn bytes(tokens: &[&str], range: Range<usize>) -> usize {
    tokens.get(range).unwrap_or_default().iter().map(|token| token.len()).sum()
}

/// The words of a text, and what is between them sign by sign.
pub(crate) fn split_tokens(text: &str) -> impl Iterator<Item = &str> {
    let is_of_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-') || !c.is_ascii();
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = match is_of_word(first) {
            true => rest.find(|c| !is_of_word(c)).unwrap_or(rest.len()),
            false => first.len_utf8(),
        };
        let (token, after) = rest.split_at(end);
        rest = after;
        Some(token)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_holds_what_was_taken_out_and_nothing_of_the_rest() {
        let before = "{\n  \"keep\": \"CANARY\",\n  \"gone\": \"old\"\n}\n";
        let after = "{\n  \"keep\": \"CANARY\",\n  \"new\": 1\n}\n";
        let patch = TextPatch::between(after, before);
        assert_eq!(patch.apply(after).as_deref(), Some(before));
        let held: String = patch.texts().collect();
        assert!(held.contains("old") && !held.contains("CANARY"), "{held}");
        assert_eq!(patch.apply("{}"), None, "it was not made for this text");
    }

    #[test]
    fn one_long_line_is_not_kept_whole() {
        let line = format!("{{\"a\":\"{}\",\"b\":1}}", "x".repeat(1 << 20));
        let wired = line.replace(",\"b\"", ",\"c\":2,\"b\"");
        let patch = TextPatch::between(&line, &wired);
        assert_eq!(patch.texts().collect::<String>().len(), "\"c\":2,".len());
        assert_eq!(patch.apply(&line), Some(wired));
    }

    #[test]
    fn what_stands_between_two_changes_of_a_line_is_not_kept() {
        let before = "{\"a\":{\"x\":1},\"secret\":\"CANARY-1\",\"z\":[2]}";
        let after = before.replace("1}", "1,\"b\":2}").replace("]}", "],\"c\":3}");
        for (from, to) in [(before, after.as_str()), (&after, before)] {
            let patch = TextPatch::between(from, to);
            assert!(!patch.texts().any(|text| text.contains("CANARY")), "{patch:?}");
            assert_eq!(patch.apply(from).as_deref(), Some(to));
        }
        // Longer ones are kept whole, and lead there all the same.
        let words = |word: &str| format!("{word} ").repeat(TOKENS_MAX);
        let patch = TextPatch::between(&words("a"), &words("b"));
        assert_eq!(patch.apply(&words("a")), Some(words("b")));
    }

    proptest! {
        #[test]
        fn it_leads_from_one_text_to_the_other(
            from in "[a-cé\\n\\r]{0,40}", to in "[a-cé\\n\\r]{0,40}"
        ) {
            prop_assert_eq!(TextPatch::between(&from, &to).apply(&from), Some(to));
        }
    }
}
