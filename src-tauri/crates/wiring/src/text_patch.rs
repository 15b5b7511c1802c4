//! The difference of two texts, which leads from one to the other byte for byte.
//!
//! It holds what the other text has and the first has not, and nothing of what both have: a record of
//! a wiring must not keep the rest of a user's file, which may hold keys.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use similar::{DiffTag, TextDiff};

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
                parts.push(TextPart::between(at, old, new));
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
    /// `old` stands at `at`. What both begin and end with is left out.
    fn between(at: usize, old: &str, new: &str) -> Self {
        let common = |pairs: &mut dyn Iterator<Item = (char, char)>| -> usize {
            pairs.take_while(|(one, other)| one == other).map(|(same, _)| same.len_utf8()).sum()
        };
        let start = common(&mut old.chars().zip(new.chars()));
        let rest = |text: &str| text.get(start..).unwrap_or_default().to_owned();
        let (old_rest, new_rest) = (rest(old), rest(new));
        let end = common(&mut old_rest.chars().rev().zip(new_rest.chars().rev()));
        let text = new_rest.get(..new_rest.len() - end).unwrap_or_default().to_owned();
        Self { range: at + start..at + old.len() - end, text }
    }
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
        assert_eq!(patch.texts().collect::<Vec<_>>(), ["c\":2,\""]);
        assert_eq!(patch.apply(&line), Some(wired));
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
