//! Reads the assignments of a `.env` file, as far as all of its readers agree on them.
//!
//! The readers of `.env` files differ in what they allow; a value counts here only if it is whole on
//! its line: bare up to white space, or in quotes that close before anything else but a comment. What
//! is inside a quoted value of several lines is no assignment. An assignment in a comment is read too:
//! a key that is commented out lies in plain text as much as any.

use std::ops::Range;

/// A name and the bytes of its value, without quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Assignment<'a> {
    pub(super) name: &'a str,
    pub(super) value: Range<usize>,
}

const QUOTES: [char; 3] = ['"', '\'', '`'];

/// The assignments of `text`, in order.
pub(super) fn assignments(text: &str) -> Vec<Assignment<'_>> {
    let mut found = Vec::new();
    let mut open_quote: Option<char> = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let body = line.trim_end_matches(['\n', '\r']);
        match open_quote {
            Some(quote) => open_quote = end_of_quoted(body, quote).is_none().then_some(quote),
            None => match read_line(body) {
                Line::Assignment(Assignment { name, value }) => {
                    let value = start + value.start..start + value.end;
                    found.push(Assignment { name, value });
                }
                Line::Opens(quote) => open_quote = Some(quote),
                Line::Other => {}
            },
        }
        start += line.len();
    }
    found
}

enum Line<'a> {
    Assignment(Assignment<'a>),
    /// A quoted value that goes on in the next line.
    Opens(char),
    Other,
}

fn read_line(line: &str) -> Line<'_> {
    let unindented = line.trim_start_matches('\u{feff}').trim_start();
    let assigned = unindented.trim_start_matches('#').trim_start();
    let is_comment = unindented.starts_with('#');
    let assigned = match assigned.strip_prefix("export") {
        Some(rest) if rest.starts_with([' ', '\t']) => rest.trim_start(),
        _ => assigned,
    };
    let Some((name, value)) = assigned.split_once('=') else { return Line::Other };
    let (name, value) = (name.trim_end(), value.trim_start_matches([' ', '\t']));
    if !is_name(name) {
        return Line::Other;
    }
    let at = line.len() - value.len();
    match value.chars().next().filter(|first| QUOTES.contains(first)) {
        Some(quote) => match end_of_quoted(value.get(1..).unwrap_or_default(), quote) {
            Some(length) if ends_there(value.get(length + 2..)) => {
                Line::Assignment(Assignment { name, value: at + 1..at + 1 + length })
            }
            None if !is_comment => Line::Opens(quote),
            _ => Line::Other,
        },
        None => {
            let length = value.find([' ', '\t']).unwrap_or(value.len());
            match ends_there(value.get(length..)) {
                true => Line::Assignment(Assignment { name, value: at..at + length }),
                false => Line::Other,
            }
        }
    }
}

/// Bytes before the closing quote. A backslash in double quotes hides the next character.
fn end_of_quoted(text: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let is_end = c == quote && !is_escaped;
        is_escaped = quote == '"' && c == '\\' && !is_escaped;
        is_end.then_some(at)
    })
}

/// True if only a comment follows the value.
fn ends_there(rest: Option<&str>) -> bool {
    let rest = rest.unwrap_or_default();
    let trimmed = rest.trim_start();
    trimmed.is_empty() || (trimmed.starts_with('#') && trimmed.len() < rest.len())
}

fn is_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        let found = assignments(text);
        let value =
            |found: &Assignment<'_>| text.get(found.value.clone()).unwrap_or("?").to_owned();
        let found: Vec<_> = found.iter().map(|found| (found.name, value(found))).collect();
        let expected: Vec<_> =
            expected.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_value_is_read_if_it_is_whole_on_its_line() {
        check(
            "A=1\nB='2' # two\r\nexport C=\"3\"\r\n  D = `4`\nE=",
            &[("A", "1"), ("B", "2"), ("C", "3"), ("D", "4"), ("E", "")],
        );
        check(
            "# A=1\n#export B='2'\n# it's no assignment\nC=3",
            &[("A", "1"), ("B", "2"), ("C", "3")],
        );
        check(
            "A=1 2\nB='1'2\nC=1#2\nD=\"1\\\"2\"\nE='x'#y\n=3\n1A=2",
            &[("C", "1#2"), ("D", "1\\\"2")],
        );
    }

    #[test]
    fn lines_inside_a_quoted_value_are_no_assignments() {
        check("A=\"\nB=1\nC=2\"\nD=3\nE='\nF=4", &[("D", "3")]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_fail(text in "[ -~\\n\\r\\tä]{0,200}") {
            for found in assignments(&text) {
                proptest::prop_assert!(text.get(found.value).is_some());
            }
        }
    }
}
