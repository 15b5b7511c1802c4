//! Conversions to and from text columns: bounded, without control characters, enums as words.
//!
//! Model names and upstream messages are external. A column must not grow without limit, and a NUL
//! or escape sequence must not reach a terminal that prints the row.

use std::borrow::Cow;

use domain::Word;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

/// Longest model name, route, project or word saved, in characters.
pub const NAME_CHARS_MAX: usize = 256;

/// Longest explanation or error message saved, in characters.
pub const SENTENCE_CHARS_MAX: usize = 512;

/// Largest usage object saved, in bytes; the largest seen has some 600.
pub const USAGE_RAW_BYTES_MAX: usize = 4_096;

/// Largest routing decision saved, in bytes of JSON; one with ten candidates has some 1,500.
pub(crate) const DECISION_BYTES_MAX: usize = 4_096;

/// The first `chars_max` characters of `text`, with control characters replaced by U+FFFD.
pub(crate) fn bound_text(text: &str, chars_max: usize) -> Cow<'_, str> {
    if text.len() <= chars_max && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let visible = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().take(chars_max).map(visible).collect()
}

/// [`bound_text`] to [`NAME_CHARS_MAX`].
pub(crate) fn bound_name(text: &str) -> Cow<'_, str> {
    bound_text(text, NAME_CHARS_MAX)
}

/// [`bound_text`] to [`SENTENCE_CHARS_MAX`], for a nullable column.
pub(crate) fn bound_sentence(text: Option<&str>) -> Option<Cow<'_, str>> {
    text.map(|text| bound_text(text, SENTENCE_CHARS_MAX))
}

/// JSON text of at most `bytes_max` bytes; `None` if it is longer, since cut JSON is invalid.
/// Control characters become spaces, which is equivalent between JSON tokens.
pub(crate) fn bound_json(text: Option<&str>, bytes_max: usize) -> Option<Cow<'_, str>> {
    text.filter(|text| text.len() <= bytes_max).map(|text| match text.contains(char::is_control) {
        true => Cow::Owned(text.replace(char::is_control, " ")),
        false => Cow::Borrowed(text),
    })
}

/// Database conversion of an enum by its word.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WordColumn<T>(pub(crate) T);

impl<T: Word> ToSql for WordColumn<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0.word()))
    }
}

impl<T: Word> FromSql for WordColumn<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map(Self).map_err(|_| FromSqlError::InvalidType)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_at_its_limit_by_character_and_loses_control_characters() {
        assert_eq!(bound_name(&"ä".repeat(NAME_CHARS_MAX + 1)), "ä".repeat(NAME_CHARS_MAX));
        assert_eq!(bound_name(&"ä".repeat(NAME_CHARS_MAX)).chars().count(), NAME_CHARS_MAX);
        assert_eq!(bound_name(&"x".repeat(NAME_CHARS_MAX + 1)), "x".repeat(NAME_CHARS_MAX));
        assert_eq!(bound_name("a\0b\u{1b}[31m"), "a\u{fffd}b\u{fffd}[31m");
        assert_eq!(
            bound_sentence(Some(&"x".repeat(SENTENCE_CHARS_MAX + 9))).map(|text| text.len()),
            Some(SENTENCE_CHARS_MAX)
        );
    }

    #[test]
    fn json_is_kept_whole_up_to_its_limit_and_loses_control_characters() {
        fn json(text: Option<&str>) -> Option<Cow<'_, str>> {
            bound_json(text, USAGE_RAW_BYTES_MAX)
        }
        let kept = |bytes: usize| json(Some(&"1".repeat(bytes))).map(|text| text.len());
        assert_eq!(kept(USAGE_RAW_BYTES_MAX), Some(USAGE_RAW_BYTES_MAX));
        assert_eq!(kept(USAGE_RAW_BYTES_MAX + 1), None);
        let object = "{\r\n\t\"prompt_tokens\": 1,\0\u{1b}[2J}";
        let shown = "{   \"prompt_tokens\": 1,  [2J}";
        assert_eq!(json(Some(object)).as_deref(), Some(shown));
        assert_eq!(json(None), None);
    }
}
