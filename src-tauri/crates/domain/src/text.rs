//! Formats numbers and lists for sentences, the same way in the panel, in notifications and on the
//! command line.

use std::time::Duration;

/// Seconds in each unit of a length of time, the largest first.
const SPAN_UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];

/// Formats a number in groups of three digits: `1,234,567`.
#[must_use]
pub fn group_digits(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of things: `1 request`, `10,000 requests`.
#[must_use]
pub fn count_noun(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", group_digits(number))
}

/// A length of time in its largest whole unit: `42 s`, `12 min`, `3 h`, `4 d`.
#[must_use]
pub fn format_length(length: Duration) -> String {
    let secs = length.as_secs();
    let (size, unit) = SPAN_UNITS.iter().find(|(size, _)| secs >= *size).unwrap_or(&(1, "s"));
    format!("{} {unit}", secs / size)
}

/// A length of time in its two largest units: `45 s`, `5 min`, `5 min 30 s`, `2 h 10 min`, `3 d 4 h`.
#[must_use]
pub fn format_span(span: Duration) -> String {
    let secs = span.as_secs();
    let place =
        SPAN_UNITS.iter().position(|(size, _)| secs >= *size).unwrap_or(SPAN_UNITS.len() - 1);
    let mut left = secs;
    let mut parts = Vec::new();
    for (size, unit) in SPAN_UNITS.iter().skip(place).take(2) {
        let count = left / size;
        left %= size;
        if count > 0 || *size == 1 && parts.is_empty() {
            parts.push(format!("{count} {unit}"));
        }
    }
    parts.join(" ")
}

/// A short time to a tenth of a second: `4.2 s`.
#[must_use]
pub fn format_seconds(span: Duration) -> String {
    format!("{:.1} s", span.as_secs_f64())
}

/// The text with its first letter as a capital.
#[must_use]
pub fn capitalize(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Lists the first `named_max` names and the number of the others: `a`, `a and b`, `a, b and 3
/// more`. Empty if there are no names.
pub fn list_names<N: Into<String>>(
    names: impl ExactSizeIterator<Item = N>,
    named_max: usize,
) -> String {
    let left = names.len().saturating_sub(named_max);
    let mut listed: Vec<String> = names.take(named_max).map(Into::into).collect();
    if left > 0 {
        listed.push(format!("{left} more"));
    }
    match listed.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
        None => String::new(),
    }
}

/// Collapses whitespace and control characters into single spaces and cuts to `chars_max`
/// characters. A cut text ends with `…`.
#[must_use]
pub fn one_line(text: &str, chars_max: usize) -> String {
    let flat = text.split(|c: char| c.is_whitespace() || c.is_control());
    let flat = flat.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if flat.chars().count() <= chars_max {
        return flat;
    }
    let kept: String = flat.chars().take(chars_max.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// Like [`one_line`], but cuts between two words if there are several.
#[must_use]
pub fn cut_between_words(text: &str, chars_max: usize) -> String {
    let cut = one_line(text, chars_max);
    match (cut.strip_suffix('…'), cut.rfind(' ')) {
        (Some(kept), Some(space)) if !text.ends_with('…') => {
            let whole = kept.get(..space).unwrap_or(kept);
            format!("{}…", whole.trim_end_matches([' ', ',', ';', ':', '.']))
        }
        _ => cut,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(group_digits(number), text);
        }
    }

    #[test]
    fn a_list_names_some_and_counts_the_rest() {
        let check = |names: &[&str], text: &str| {
            assert_eq!(list_names(names.iter().copied(), 2), text);
        };
        check(&[], "");
        check(&["a"], "a");
        check(&["a", "b"], "a and b");
        check(&["a", "b", "c"], "a, b and 1 more");
        check(&["a", "b", "c", "d", "e"], "a, b and 3 more");
    }

    #[test]
    fn a_length_changes_its_unit_at_the_limit() {
        for (secs, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_599, "59 min"),
            (3_600, "1 h"),
            (86_400, "1 d"),
        ] {
            assert_eq!(format_length(Duration::from_secs(secs)), text);
        }
    }

    #[test]
    fn a_span_has_its_two_largest_units() {
        let spans = [
            (0, "0 s"),
            (45, "45 s"),
            (300, "5 min"),
            (330, "5 min 30 s"),
            (7_800, "2 h 10 min"),
            (7_230, "2 h"),
            (273_600, "3 d 4 h"),
        ];
        for (secs, text) in spans {
            assert_eq!(format_span(Duration::from_secs(secs)), text);
        }
    }

    #[test]
    fn only_the_first_letter_becomes_a_capital() {
        assert_eq!(capitalize("it is up"), "It is up");
        assert_eq!(capitalize("öffnet"), "Öffnet");
        assert_eq!(capitalize(""), "");
    }

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
}
