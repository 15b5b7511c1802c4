//! Features of Claude models, by the version in the model name.
//!
//! Since 4.6, thinking is requested as `adaptive` with an effort, not as a token budget
//! (<https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-adaptive-thinking.html>).
//! Since 4.7, `temperature`, `top_p` and `top_k` are refused. Models of other companies in this
//! dialect have no such version and take only the older form.

/// Major and minor version of a Claude model; `None` for other names.
pub(super) fn claude_version(model: &str) -> Option<(u32, u32)> {
    let name = model.to_ascii_lowercase();
    let (_, rest) = name.split_once("claude")?;
    // `claude-sonnet-4-6`, `claude-opus-4.7@…`, `claude-3-7-sonnet-20250219`; a date is not a
    // version.
    let is_word = |c: char| c.is_ascii_alphanumeric();
    let mut words = rest.split(|c: char| !is_word(c)).filter(|word| !word.is_empty());
    let major = words.by_ref().find_map(small_number)?;
    Some((major, words.next().and_then(small_number).unwrap_or(0)))
}

fn small_number(word: &str) -> Option<u32> {
    (word.len() <= 2).then(|| word.parse().ok()).flatten()
}

/// True if the model takes `thinking` of type `adaptive`.
pub(super) fn thinks_adaptively(model: &str) -> bool {
    claude_version(model).is_some_and(|version| version >= (4, 6)) || is_mythos(model)
}

pub(super) fn refuses_sampling(model: &str) -> bool {
    claude_version(model).is_some_and(|version| version >= (4, 7)) || is_mythos(model)
}

/// True if the model refuses thinking that it did not sign. Other companies' models in this dialect
/// send unsigned thinking and need it back.
pub(super) fn checks_signatures(model: &str) -> bool {
    model.to_ascii_lowercase().contains("claude")
}

/// The only newer model without a version in its name.
fn is_mythos(model: &str) -> bool {
    model.contains("claude-mythos")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_names() {
        let cases = [
            ("claude-opus-4-7", Some((4, 7))),
            ("claude-sonnet-4-6@20260101", Some((4, 6))),
            ("anthropic.claude-opus-4-6-v1", Some((4, 6))),
            ("claude-sonnet-4-20250514", Some((4, 0))),
            ("claude-3-7-sonnet-20250219", Some((3, 7))),
            ("claude-haiku-4-5-20251001", Some((4, 5))),
            ("anthropic/claude-opus-4.5", Some((4, 5))),
            ("claude-sonnet-5", Some((5, 0))),
            ("claude-mythos-preview", None),
            ("kimi-k2-0905", None),
            ("claude", None),
        ];
        for (name, expected) in cases {
            assert_eq!(claude_version(name), expected, "{name}");
        }
        assert!(thinks_adaptively("claude-opus-4-6") && !refuses_sampling("claude-opus-4-6"));
        assert!(thinks_adaptively("claude-mythos-preview") && refuses_sampling("claude-opus-4-7"));
        assert!(!thinks_adaptively("claude-opus-4-5") && !thinks_adaptively("glm-5"));
    }
}
