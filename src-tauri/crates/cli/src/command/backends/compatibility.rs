//! Options for backends that differ from their protocol (`--lacks`, `--offers`, `--crossing`), and
//! their text in lists.

use control::view::{BackendView, ExtraDialect, TranslationMode, UnsupportedFeature};
use domain::Word;

use crate::word::{WordOr, word, word_or_none};

const NONE: &str = "Nothing; overrides a preset or the settings";

/// How it differs, as typed.
#[derive(Debug, clap::Args)]
pub(super) struct CompatibilityArguments {
    /// What an OpenAI-compatible server lacks, separated by commas
    #[arg(long, value_name = "WORD", value_delimiter = ',',
        value_parser = word_or_none::<UnsupportedFeature>(NONE))]
    lacks: Option<Vec<WordOr<UnsupportedFeature>>>,
    /// What an OpenAI-compatible server supports besides Chat Completions, separated by commas
    #[arg(long, value_name = "WORD", value_delimiter = ',',
        value_parser = word_or_none::<ExtraDialect>(NONE))]
    offers: Option<Vec<WordOr<ExtraDialect>>>,
    /// What to do with fields that its protocol does not support
    #[arg(long, value_parser = word::<TranslationMode>())]
    crossing: Option<TranslationMode>,
}

/// The same options as the core takes them.
pub(super) struct Compatibility {
    pub(super) lacks: Vec<UnsupportedFeature>,
    pub(super) offers: Vec<ExtraDialect>,
    pub(super) crossing: TranslationMode,
}

impl CompatibilityArguments {
    /// Takes the typed values, and `known` for those not typed.
    pub(super) fn merge_with(self, known: Compatibility) -> Compatibility {
        let lacks = self.lacks.map(|all| all.into_iter().flatten().collect());
        let offers = self.offers.map(|all| all.into_iter().flatten().collect());
        Compatibility {
            lacks: lacks.unwrap_or(known.lacks),
            offers: offers.unwrap_or(known.offers),
            crossing: self.crossing.unwrap_or(known.crossing),
        }
    }
}

/// The differences in one line; `None` without any.
pub(super) fn describe_compatibility(backend: &BackendView) -> Option<String> {
    let mut parts = Vec::new();
    if !backend.lacks.is_empty() {
        parts.push(format!("lacks {}", join_words(&backend.lacks)));
    }
    if !backend.offers.is_empty() {
        parts.push(format!("offers {}", join_words(&backend.offers)));
    }
    if backend.crossing != TranslationMode::Strict {
        parts.push(format!("crossing {}", backend.crossing));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn join_words<T: Word>(words: &[T]) -> String {
    words.iter().map(|value| value.word()).collect::<Vec<_>>().join(", ")
}
