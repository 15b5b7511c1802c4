//! Formatting of reasons and notifications: length limits, single lines, durations.

use std::time::Duration;

/// Collapses whitespace and control characters into single spaces and cuts to `chars_max`
/// characters. A cut text ends with `…`.
pub(crate) fn one_line(text: &str, chars_max: usize) -> String {
    let flat = text.split(|c: char| c.is_whitespace() || c.is_control());
    let flat = flat.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if flat.chars().count() <= chars_max {
        return flat;
    }
    let kept: String = flat.chars().take(chars_max.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// Like [`one_line`], but cuts between two words if there are several.
pub(crate) fn cut_between_words(text: &str, chars_max: usize) -> String {
    let cut = one_line(text, chars_max);
    match (cut.strip_suffix('…'), cut.rfind(' ')) {
        (Some(kept), Some(space)) if !text.ends_with('…') => {
            let whole = kept.get(..space).unwrap_or(kept);
            format!("{}…", whole.trim_end_matches([' ', ',', ';', ':', '.']))
        }
        _ => cut,
    }
}

/// Formats a duration in its largest fitting unit: `45 s`, `3 min`, `5 h`, `2 d`.
pub(crate) fn format_duration(length: Duration) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    match length.as_secs() {
        secs if secs < MINUTE => format!("{secs} s"),
        secs if secs < HOUR => format!("{} min", secs / MINUTE),
        secs if secs < DAY => format!("{} h", secs / HOUR),
        secs => format!("{} d", secs / DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_at_its_limit_is_whole_and_past_it_is_cut_with_a_mark() {
        assert_eq!(one_line("äbcd", 4), "äbcd");
        assert_eq!(one_line("äbcde", 4), "äbc…");
        assert_eq!(one_line(" a\r\n\tb\u{7} c ", 9), "a b c");
    }

    #[test]
    fn a_cut_between_words_leaves_no_part_of_a_word() {
        assert_eq!(cut_between_words("one two three", 13), "one two three");
        assert_eq!(cut_between_words("one two three", 12), "one two…");
        assert_eq!(cut_between_words("one, two three", 8), "one…");
        assert_eq!(cut_between_words("endless", 4), "end…");
    }

    #[test]
    fn lengths_of_time_change_unit_at_its_limit() {
        for (secs, text) in
            [(59, "59 s"), (60, "1 min"), (3_599, "59 min"), (3_600, "1 h"), (86_400, "1 d")]
        {
            assert_eq!(format_duration(Duration::from_secs(secs)), text);
        }
    }
}
