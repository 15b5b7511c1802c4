//! Model names with `*` as a wildcard. Not a glob library, because those give `?`, `[` and `{` a
//! meaning too, and model names may contain them.

/// A name with at least one `*`, split at each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ModelPattern {
    head: String,
    infixes: Vec<String>,
    tail: String,
}

impl ModelPattern {
    /// `None` if `text` contains no `*` and so is a plain name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (head, rest) = text.split_once('*')?;
        let (middles, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
        let middles = middles.split('*').filter(|piece| !piece.is_empty());
        let middles = middles.map(str::to_owned).collect();
        Some(Self { head: head.to_owned(), infixes: middles, tail: tail.to_owned() })
    }

    /// Bytes other than `*`: the more, the more specific the pattern.
    pub(crate) fn literal_bytes(&self) -> usize {
        let middles: usize = self.infixes.iter().map(String::len).sum();
        self.head.len() + middles + self.tail.len()
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        let Some(rest) = name.strip_prefix(self.head.as_str()) else { return false };
        let Some(mut rest) = rest.strip_suffix(self.tail.as_str()) else { return false };
        for middle in &self.infixes {
            let Some((_, behind)) = rest.split_once(middle.as_str()) else { return false };
            rest = behind;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text_and_nothing_else_does() {
        let matches = |pattern: &str, name: &str| {
            ModelPattern::parse(pattern).expect("a pattern").matches(name)
        };
        for (pattern, name, expected) in [
            ("*", "", true),
            ("*", "gpt-4o", true),
            ("claude-*", "claude-", true),
            ("claude-*", "claude-opus-4-5", true),
            ("claude-*", "a-claude-x", false),
            ("*-mini", "gpt-4o-mini", true),
            ("*-mini", "gpt-4o-mini-x", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*b*c*d", "a-c-b-d", false),
            ("a*b*c*d", "a-b-c-d", true),
            ("a**d", "ad", true),
            ("*/llama*[q4]?", "x/llama3[q4]?", true),
            ("*/llama*[q4]?", "x/llama3q4", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} on {name}");
        }
        assert_eq!(ModelPattern::parse("gpt-4o"), None);
    }

    #[test]
    fn the_length_counts_what_is_written_out() {
        let length = |pattern: &str| ModelPattern::parse(pattern).map(|read| read.literal_bytes());
        assert_eq!((length("*"), length("a*bc*"), length("gpt-*")), (Some(0), Some(3), Some(4)));
    }
}
