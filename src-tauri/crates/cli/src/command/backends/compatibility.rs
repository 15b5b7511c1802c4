//! Options for backends that differ from their protocol (`--lacks`, `--offers`, `--crossing`), and
//! their text in lists.

use clap::ValueEnum;
use control::view::{
    BackendKindView, BackendView, ExtraDialectView, TranslationModeView, UnsupportedFeatureView,
};
use serde::Serialize;

/// The protocols that can be chosen; the mock is built in.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum BackendKindArgument {
    /// OpenAI itself
    #[value(name = "openai")]
    OpenAi,
    /// Anthropic's Messages API
    Anthropic,
    /// Google's Gemini API
    Gemini,
    /// Any other server with a Chat Completions API
    #[value(name = "openai-compatible")]
    OpenAiCompatible,
    /// Ollama's chat API
    Ollama,
}

/// What a compatible server may lack.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum LackArgument {
    /// Usage at the end of streams; tokens are estimated
    StreamUsage,
    /// The role `developer`; `system` is sent instead
    DeveloperRole,
    /// `max_completion_tokens`; `max_tokens` is sent instead
    MaxCompletionTokens,
    /// `parallel_tool_calls`
    ParallelToolCalls,
    /// `reasoning_effort`
    ReasoningEffort,
    /// Structured output (JSON schema)
    JsonSchema,
    /// Tools
    Tools,
    /// Images in messages
    Images,
    /// Nothing; overrides a preset or the settings
    None,
}

/// What a compatible server may speak beside.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum OfferArgument {
    /// OpenAI's Responses API
    Responses,
    /// Anthropic's Messages API
    Messages,
    /// Nothing; overrides a preset or the settings
    None,
}

/// What becomes of fields that a protocol has no word for.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum CrossingArgument {
    /// Refuse fields that would change the response, drop the others
    Strict,
    /// Drop all of them; the header x-gatehouse-dropped names them
    Lenient,
}

/// How it differs, as typed.
#[derive(Debug, clap::Args)]
pub(super) struct CompatibilityArguments {
    /// What an OpenAI-compatible server lacks, separated by commas
    #[arg(long, value_enum, value_name = "WORD", value_delimiter = ',')]
    lacks: Option<Vec<LackArgument>>,
    /// What an OpenAI-compatible server supports besides Chat Completions, separated by commas
    #[arg(long, value_enum, value_name = "WORD", value_delimiter = ',')]
    offers: Option<Vec<OfferArgument>>,
    /// What to do with fields that its protocol does not support
    #[arg(long, value_enum)]
    crossing: Option<CrossingArgument>,
}

/// The same options as the core takes them.
pub(super) struct Compatibility {
    pub(super) lacks: Vec<UnsupportedFeatureView>,
    pub(super) offers: Vec<ExtraDialectView>,
    pub(super) crossing: TranslationModeView,
}

impl CompatibilityArguments {
    /// Takes the typed values, and `known` for those not typed.
    pub(super) fn merge_with(self, known: Compatibility) -> Compatibility {
        let lacks = self.lacks.map(|all| all.into_iter().filter_map(LackArgument::view).collect());
        let offers =
            self.offers.map(|all| all.into_iter().filter_map(OfferArgument::view).collect());
        let crossing = self.crossing.map(|crossing| match crossing {
            CrossingArgument::Strict => TranslationModeView::Strict,
            CrossingArgument::Lenient => TranslationModeView::Lenient,
        });
        Compatibility {
            lacks: lacks.unwrap_or(known.lacks),
            offers: offers.unwrap_or(known.offers),
            crossing: crossing.unwrap_or(known.crossing),
        }
    }
}

impl From<BackendKindArgument> for BackendKindView {
    fn from(kind: BackendKindArgument) -> Self {
        match kind {
            BackendKindArgument::OpenAi => Self::Openai,
            BackendKindArgument::Anthropic => Self::Anthropic,
            BackendKindArgument::Gemini => Self::Gemini,
            BackendKindArgument::OpenAiCompatible => Self::OpenaiCompatible,
            BackendKindArgument::Ollama => Self::Ollama,
        }
    }
}

impl LackArgument {
    const fn view(self) -> Option<UnsupportedFeatureView> {
        Some(match self {
            Self::StreamUsage => UnsupportedFeatureView::StreamUsage,
            Self::DeveloperRole => UnsupportedFeatureView::DeveloperRole,
            Self::MaxCompletionTokens => UnsupportedFeatureView::MaxCompletionTokens,
            Self::ParallelToolCalls => UnsupportedFeatureView::ParallelToolCalls,
            Self::ReasoningEffort => UnsupportedFeatureView::ReasoningEffort,
            Self::JsonSchema => UnsupportedFeatureView::JsonSchema,
            Self::Tools => UnsupportedFeatureView::Tools,
            Self::Images => UnsupportedFeatureView::Images,
            Self::None => return None,
        })
    }
}

impl OfferArgument {
    const fn view(self) -> Option<ExtraDialectView> {
        Some(match self {
            Self::Responses => ExtraDialectView::Responses,
            Self::Messages => ExtraDialectView::Messages,
            Self::None => return None,
        })
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
    if backend.crossing != TranslationModeView::Strict {
        parts.push(format!("crossing {}", serialized_word(&backend.crossing)));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// The text form of a value in JSON, settings and command line.
pub(super) fn serialized_word(view: &impl Serialize) -> String {
    let word = serde_json::to_value(view).ok();
    word.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
}

fn join_words(words: &[impl Serialize]) -> String {
    words.iter().map(serialized_word).collect::<Vec<_>>().join(", ")
}
