//! The mock's token rule and its generated texts.

/// Sentence starts, one of which opens each paragraph's advice.
const OPENINGS: [&str; 4] = [
    "A good first step is to",
    "Most people begin here: they",
    "The short answer is to",
    "Start small and",
];

const STEPS: [&str; 6] = [
    "write down what done means before touching anything",
    "change one thing at a time and look at the result",
    "measure first, since the slow part is rarely where one looks",
    "keep the old way working until the new one is proven",
    "ask who will read this in a year and write for them",
    "delete what nobody uses before improving what they do",
];

const ENDINGS: [&str; 4] = [
    "If that does not help, tell me what you see.",
    "That usually settles it.",
    "The rest follows from there.",
    "Come back when it breaks, and bring the exact message.",
];

/// Longest quote of the prompt in an answer, in characters.
const QUOTE_CHARS_MAX: usize = 80;

/// Splits `text` into tokens, each with the white space before it. Joined they are the text.
pub(super) fn split_tokens(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut last) = (0, CharClass::Space);
    for (at, c) in text.char_indices() {
        let class = CharClass::from_char(c);
        if last != CharClass::Space && class != last {
            pieces.extend(text.get(start..at));
            start = at;
        }
        last = class;
    }
    let rest = text.get(start..).unwrap_or_default();
    if !rest.is_empty() {
        pieces.push(rest);
    }
    pieces
}

/// Number of tokens in `text`.
pub(super) fn count_tokens(text: &str) -> u64 {
    let visible = |piece: &&str| !piece.trim().is_empty();
    u64::try_from(split_tokens(text).iter().filter(|piece| visible(piece)).count())
        .unwrap_or(u64::MAX)
}

/// A paragraph that depends on `prompt` alone.
pub(super) fn write_paragraph(prompt: &str) -> String {
    let seed = hash_text(prompt);
    let about = quote_start(prompt);
    let step = pick(&STEPS, seed >> 8);
    let other = pick(&STEPS, (seed >> 8) + 1 + (seed >> 16) % 5);
    format!(
        "You asked about \"{about}\". {opening} {step}. Then {other}. {ending}",
        opening = pick(&OPENINGS, seed),
        ending = pick(&ENDINGS, seed >> 24),
    )
}

/// The start of `text`, on one line.
pub(super) fn quote_start(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(QUOTE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// FNV-1a with 64 bits: small, and the same on every machine.
pub(super) fn hash_text(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn pick<'a>(list: &[&'a str], seed: u64) -> &'a str {
    let count = u64::try_from(list.len()).unwrap_or(1).max(1);
    let place = usize::try_from(seed % count).unwrap_or_default();
    list.get(place).copied().unwrap_or_default()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum CharClass {
    Word,
    Mark,
    Space,
}

impl CharClass {
    fn from_char(c: char) -> Self {
        if c.is_whitespace() {
            Self::Space
        } else if c.is_alphanumeric() {
            Self::Word
        } else {
            Self::Mark
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_runs_and_join_to_the_text() {
        assert_eq!(split_tokens("Hi, you  there!?"), ["Hi", ",", " you", "  there", "!?"]);
        assert_eq!(count_tokens("Hi, you  there!?"), 5);
        assert_eq!((count_tokens(""), count_tokens("  "), count_tokens("a ")), (0, 0, 1));
        for text in ["  a b ", "ä€ 😀x", "\n\n", "a-b"] {
            assert_eq!(split_tokens(text).concat(), text);
        }
    }

    #[test]
    fn a_paragraph_depends_on_its_prompt_and_says_no_step_twice() {
        assert_eq!(write_paragraph("a"), write_paragraph("a"));
        let distinct: std::collections::HashSet<_> =
            (0..50).map(|n| write_paragraph(&n.to_string())).collect();
        assert_eq!(distinct.len(), 50);
        for text in &distinct {
            assert!(STEPS.iter().all(|step| text.matches(step).count() <= 1), "{text}");
        }
        assert!(write_paragraph(&"long ".repeat(100)).len() < 500);
    }
}
