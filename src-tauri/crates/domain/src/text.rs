//! Formats numbers and lists for sentences, the same way in the panel, in notifications and on the
//! command line.

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

#[cfg(test)]
mod tests {
    use super::{capitalize, group_digits, list_names};

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
    fn only_the_first_letter_becomes_a_capital() {
        assert_eq!(capitalize("it is up"), "It is up");
        assert_eq!(capitalize("öffnet"), "Öffnet");
        assert_eq!(capitalize(""), "");
    }
}
