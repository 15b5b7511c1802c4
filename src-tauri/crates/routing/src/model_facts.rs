//! Known limits and capabilities of models: input and output tokens, tools, images, JSON schemas.
//!
//! A fact can exclude a candidate, so it must be certain. A model that is not listed, a value that
//! is unknown, or an id that moves between models (`…-latest`) never excludes. The figures are from
//! the vendors' pages named above each table, as of 2026-11-21, mostly as collected by the LiteLLM
//! project; not each page was opened. Open-weight models have the largest window that their makers
//! are quoted with; a server may allow less.

mod families;

use families::MODEL_FAMILIES;

/// Separate the words of a model name.
const SEPARATORS: [char; 4] = ['-', ':', '@', '_'];
/// Words after the name of an open-weight model that change neither its window nor its
/// capabilities.
const TUNING_WORDS: [&str; 14] = [
    "instruct",
    "it",
    "chat",
    "text",
    "instant",
    "versatile",
    "turbo",
    "latest",
    "base",
    "awq",
    "gptq",
    "k",
    "m",
    "s",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelFacts {
    /// Maximum tokens of a request.
    pub input_tokens_max: Option<u64>,
    /// Maximum tokens of an answer, including reasoning.
    pub output_tokens_max: Option<u64>,
    pub tools: Support,
    pub images: Support,
    /// Answers that follow a JSON schema.
    pub json_schema: Support,
    /// The vendor's page with these figures.
    pub source: &'static str,
}

/// Support for a capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    Yes,
    No,
    /// Not documented, or different between servers.
    Unknown,
}

/// One model family: the prefix of its names and the suffixes it covers.
struct ModelFamily {
    name: &'static str,
    suffixes: NameSuffixes,
    facts: ModelFacts,
}

/// The suffixes allowed after the name of a family.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NameSuffixes {
    /// Only dates, version numbers and words such as `preview`. For a vendor's own ids, where any
    /// other word means another model.
    Dated,
    /// Also sizes, quantisations and common fine-tunings of open weights. Any other word may mean a
    /// longer window or image input.
    Sized,
}

/// Looks up a model by name. Accepts a maker's prefix (`openai/gpt-4.1`), a date or tag as suffix
/// (`gpt-4.1-2025-04-14`, `qwen3:8b`), and the dots that other gateways write in Claude's versions.
/// `None` for a model that is not listed.
#[must_use]
pub fn find_model_facts(model: &str) -> Option<&'static ModelFacts> {
    let bare = model.rsplit('/').next().unwrap_or(model);
    // Bedrock writes `us.anthropic.claude-…`.
    let bare = bare.rsplit("anthropic.").next().unwrap_or(bare);
    let fitting = MODEL_FAMILIES.iter().filter(|row| row.covers(bare));
    fitting.max_by_key(|row| row.name.len()).map(|row| &row.facts)
}

impl ModelFamily {
    fn covers(&self, model: &str) -> bool {
        let Some(rest) = strip_family_name(model, self.name) else { return false };
        if !rest.is_empty() && !rest.starts_with(SEPARATORS) {
            return false;
        }
        let is_known = |word: &str| {
            is_release(word) || (self.suffixes == NameSuffixes::Sized && is_size_or_tuning(word))
        };
        rest.split(SEPARATORS).all(is_known)
    }
}

/// The rest of `model` after `name`, ignoring case and accepting `.` for `-` in Claude's versions.
fn strip_family_name<'a>(model: &'a str, name: &str) -> Option<&'a str> {
    let (head, rest) = model.split_at_checked(name.len())?;
    let is_same = |(a, b): (u8, u8)| {
        a.eq_ignore_ascii_case(&b) || (a == b'.' && b == b'-' && name.starts_with("claude"))
    };
    head.bytes().zip(name.bytes()).all(is_same).then_some(rest)
}

/// True for a word that distinguishes releases of the same model.
fn is_release(word: &str) -> bool {
    let digits = word.strip_prefix('v').unwrap_or(word);
    digits.bytes().all(|byte| byte.is_ascii_digit())
        || matches!(word, "preview" | "exp" | "beta" | "free" | "thinking")
}

/// True for a word such as `8b`, `a22b`, `16e`, `q4`, `fp16` or `instruct`.
fn is_size_or_tuning(word: &str) -> bool {
    let is_number = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    };
    let word = word.to_ascii_lowercase();
    let size = word.strip_suffix(['b', 'e']);
    let size = size.map(|size| size.strip_prefix('a').unwrap_or(size));
    let quantised = ["iq", "q", "fp", "bf", "int"].iter().find_map(|kind| word.strip_prefix(kind));
    TUNING_WORDS.contains(&word.as_str())
        || size.is_some_and(is_number)
        || quantised.is_some_and(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_found_under_the_names_that_are_in_use_and_under_no_other() {
        let input = |model: &str| find_model_facts(model).and_then(|facts| facts.input_tokens_max);
        for (model, expected) in [
            ("gpt-4.1", Some(1_047_576)),
            ("openai/gpt-4.1-2025-04-14", Some(1_047_576)),
            ("gpt-4", Some(8_192)),
            ("gpt-4-0613", Some(8_192)),
            ("gpt-4-turbo", Some(128_000)),
            ("gpt-4-something", None),
            ("gpt-4.5", None),
            ("gpt-5-latest", None),
            ("claude-haiku-4-5-20251001", Some(200_000)),
            ("anthropic/claude-haiku-4.5", Some(200_000)),
            ("us.anthropic.claude-haiku-4-5-20251001-v1:0", Some(200_000)),
            ("claude-haiku-4-55", None),
            ("models/gemini-2.5-pro", Some(1_048_576)),
            ("gemini-2.5-pro-preview-06-05", Some(1_048_576)),
            ("gemini-2.5-pro-preview-tts", None),
            ("llama3:8b", Some(8_192)),
            ("llama3.1", Some(131_072)),
            ("meta-llama/Llama-3.3-70B-Instruct", Some(131_072)),
            ("llama-3.1-8b-instant", Some(131_072)),
            ("qwen3:30b-a3b-instruct-2507-q4_K_M", Some(262_144)),
            ("llama-3-8b-gradient-1048k", None),
            ("llama-3.1-nemotron-nano-vl-8b-v1", None),
            ("llama3.9", None),
            ("my-llama3", None),
            ("ft:gpt-4o-2024-08-06:me", None),
            ("", None),
        ] {
            assert_eq!(input(model), expected, "{model}");
        }
    }

    #[test]
    fn the_longest_name_wins_and_no_row_stands_twice() {
        let images = |model: &str| find_model_facts(model).map(|facts| facts.images);
        assert_eq!(images("llama3.2:3b"), Some(Support::No));
        assert_eq!(images("llama3.2-vision:11b"), Some(Support::Yes));
        assert_eq!(images("qwen3:8b"), Some(Support::No));
        assert_eq!(images("qwen3-vl:8b"), Some(Support::Yes));
        let mut names: Vec<_> = MODEL_FAMILIES.iter().map(|row| row.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn every_row_has_a_page_and_believable_figures() {
        for ModelFamily { name, facts, .. } in MODEL_FAMILIES {
            assert!(facts.source.starts_with("https://"), "{name}");
            let most = facts.input_tokens_max.unwrap_or(4_096);
            assert!((2_048..=10_000_000).contains(&most), "{name}: {most}");
            assert!(name.is_ascii() && *name == name.to_ascii_lowercase(), "{name}");
        }
    }
}
