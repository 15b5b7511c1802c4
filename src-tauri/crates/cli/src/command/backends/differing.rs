//! Options for backends that differ from their protocol (`--lacks`, `--offers`, `--crossing`), and
//! their text in lists.

use clap::ValueEnum;
use control::view::{BackendKindView, BackendView, CrossingView, LackView, OfferView};
use serde::Serialize;

/// The protocols that can be chosen; the mock is built in.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Kind {
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
pub(super) enum Lack {
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
pub(super) enum Offer {
    /// OpenAI's Responses API
    Responses,
    /// Anthropic's Messages API
    Messages,
    /// Nothing; overrides a preset or the settings
    None,
}

/// What becomes of fields that a protocol has no word for.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Crossing {
    /// Refuse fields that would change the response, drop the others
    Strict,
    /// Drop all of them; the header x-gatehouse-dropped names them
    Lenient,
}

/// How it differs, as typed.
#[derive(Debug, clap::Args)]
pub(super) struct Differing {
    /// What an OpenAI-compatible server lacks, separated by commas
    #[arg(long, value_enum, value_name = "WORD", value_delimiter = ',')]
    lacks: Option<Vec<Lack>>,
    /// What an OpenAI-compatible server supports besides Chat Completions, separated by commas
    #[arg(long, value_enum, value_name = "WORD", value_delimiter = ',')]
    offers: Option<Vec<Offer>>,
    /// What to do with fields that its protocol does not support
    #[arg(long, value_enum)]
    crossing: Option<Crossing>,
}

/// The same options as the core takes them.
pub(super) struct Words {
    pub(super) lacks: Vec<LackView>,
    pub(super) offers: Vec<OfferView>,
    pub(super) crossing: CrossingView,
}

impl Differing {
    /// Takes the typed values, and `known` for those not typed.
    pub(super) fn over(self, known: Words) -> Words {
        let lacks = self.lacks.map(|all| all.into_iter().filter_map(Lack::view).collect());
        let offers = self.offers.map(|all| all.into_iter().filter_map(Offer::view).collect());
        let crossing = self.crossing.map(|crossing| match crossing {
            Crossing::Strict => CrossingView::Strict,
            Crossing::Lenient => CrossingView::Lenient,
        });
        Words {
            lacks: lacks.unwrap_or(known.lacks),
            offers: offers.unwrap_or(known.offers),
            crossing: crossing.unwrap_or(known.crossing),
        }
    }
}

impl From<Kind> for BackendKindView {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::OpenAi => Self::Openai,
            Kind::Anthropic => Self::Anthropic,
            Kind::Gemini => Self::Gemini,
            Kind::OpenAiCompatible => Self::OpenaiCompatible,
            Kind::Ollama => Self::Ollama,
        }
    }
}

impl Lack {
    const fn view(self) -> Option<LackView> {
        Some(match self {
            Self::StreamUsage => LackView::StreamUsage,
            Self::DeveloperRole => LackView::DeveloperRole,
            Self::MaxCompletionTokens => LackView::MaxCompletionTokens,
            Self::ParallelToolCalls => LackView::ParallelToolCalls,
            Self::ReasoningEffort => LackView::ReasoningEffort,
            Self::JsonSchema => LackView::JsonSchema,
            Self::Tools => LackView::Tools,
            Self::Images => LackView::Images,
            Self::None => return None,
        })
    }
}

impl Offer {
    const fn view(self) -> Option<OfferView> {
        Some(match self {
            Self::Responses => OfferView::Responses,
            Self::Messages => OfferView::Messages,
            Self::None => return None,
        })
    }
}

/// The differences in one line; `None` without any.
pub(super) fn sentence(backend: &BackendView) -> Option<String> {
    let mut parts = Vec::new();
    if !backend.lacks.is_empty() {
        parts.push(format!("lacks {}", list(&backend.lacks)));
    }
    if !backend.offers.is_empty() {
        parts.push(format!("offers {}", list(&backend.offers)));
    }
    if backend.crossing != CrossingView::Strict {
        parts.push(format!("crossing {}", word(&backend.crossing)));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// The text form of a value in JSON, settings and command line.
pub(super) fn word(view: &impl Serialize) -> String {
    let word = serde_json::to_value(view).ok();
    word.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
}

fn list(words: &[impl Serialize]) -> String {
    words.iter().map(word).collect::<Vec<_>>().join(", ")
}
