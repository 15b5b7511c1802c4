//! The written table of what crosses between dialects.
//!
//! The neutral form carries what at least two dialects can say. Everything else is a [`Field`], and
//! [`fate`] says for each field and each dialect it may be sent in whether it crosses, is refused (a
//! 400 that names it) or is dropped and named in the header `x-gatehouse-dropped`. A field that
//! changes what the answer is (its meaning, its shape, who sees it) is never dropped silently.

use domain::{Crossing, Dialect};

use crate::RequestError;
use crate::neutral::Request;

/// What a request may say beyond the neutral form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// `seed`.
    Seed,
    /// `logprobs`, `top_logprobs`, `responseLogprobs`.
    Logprobs,
    /// `logit_bias`.
    LogitBias,
    /// `frequency_penalty`, `presence_penalty` and their Gemini twins.
    Penalties,
    /// `n` above one, `candidateCount`.
    Choices,
    /// Stop texts, where the target has none (Responses).
    Stop,
    /// `top_k` where the target has none. Left out, not refused: Gemini CLI says it with every request
    /// and cannot be told not to, and it says how to draw words, not which answer is wanted.
    TopK,
    /// `temperature`, `top_p` and `top_k` where the model refuses them, left out for the same reason.
    Sampling,
    /// Sound as output (`modalities`, `audio`, `responseModalities`).
    AudioOutput,
    /// Sound as input.
    AudioInput,
    /// An image by file id, or another file bound to one provider.
    ProviderFile,
    /// A document (PDF) as input.
    Document,
    /// `prediction`.
    Prediction,
    /// A tool that the provider runs itself. Left out, not refused: Codex and others offer theirs with
    /// every request, and a model that does not have it answers without it.
    ServerTool,
    /// `web_search_options`.
    WebSearch,
    /// JSON mode without a schema where the target has none. Left out, not refused: OpenAI demands that
    /// the prompt asks for JSON too, so the wish reaches the model. The AI SDK's `generateObject`,
    /// LangChain's `json_mode`, instructor and llm ask for structure in this way only.
    AnyJson,
    /// Structured output where the target has none.
    JsonSchema,
    /// `parallel_tool_calls` where the target has no such switch.
    ParallelCalls,
    /// `previous_response_id`, `conversation`, `background`, a stored prompt: state that the gateway
    /// does not keep.
    ServerState,
    /// A reference to an item of an earlier answer that the gateway made and does not have any more, or to
    /// reasoning of another provider. Left out, not refused: the conversation can go on without it.
    LostItem,
    /// `store`: keeping the answer at the provider.
    Store,
    /// `metadata`, `user`, `safety_identifier`, `labels`: for the provider's own records.
    Metadata,
    /// `service_tier`, `prompt_cache_key`, `prompt_cache_retention`, `inference_geo`: how it is
    /// served and billed, not what is answered.
    Serving,
    /// `cache_control`, `cachedContent` markers.
    PromptCache,
    /// `cachedContent`: a prompt prefix that lies at the provider; without it the prompt is another.
    StoredPrompt,
    /// `safetySettings` that ask for a filter.
    SafetySettings,
    /// `safetySettings` that only switch filters off (`OFF`, `BLOCK_NONE`): elsewhere there are none
    /// that could be on. instructor sends them with every request.
    SafetyOff,
    /// `verbosity`, `text.verbosity`.
    Verbosity,
    /// `context_management`, `truncation`: what the provider may leave out of a long prompt.
    ContextManagement,
    /// `include`, `stream_options`, `fileData` hints: wishes about how the answer is shown.
    Presentation,
    /// A field that this gateway does not know.
    Unknown,
}

/// What becomes of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// The writer of the dialect writes it.
    Crosses,
    /// 400 by name when strict, dropped and named when lenient.
    Refused,
    /// Dropped and named, strict or not: the answer is the same without it.
    Dropped,
}

/// What becomes of `field` in a request that is written in `dialect`. The table.
#[must_use]
pub const fn fate(field: Field, dialect: Dialect) -> Fate {
    use Dialect as D;
    use Fate::{Crosses, Dropped, Refused};
    use Field as F;
    match (field, dialect) {
        (F::Seed, D::OpenAiChat | D::Gemini | D::OllamaChat) => Crosses,
        (F::Penalties, D::OpenAiChat | D::Gemini | D::OllamaChat) => Crosses,
        (F::Logprobs | F::LogitBias | F::Prediction | F::AudioOutput, D::OpenAiChat) => Crosses,
        (F::Choices, D::OpenAiChat | D::Gemini) => Crosses,
        (F::Stop, D::OpenAiResponses) => Refused,
        (F::Stop, _) => Crosses,
        (F::TopK, D::OpenAiChat | D::OpenAiResponses) | (F::Sampling, _) => Dropped,
        (F::TopK, _) => Crosses,
        (F::AudioInput, D::OpenAiChat | D::OpenAiResponses | D::Gemini) => Crosses,
        (F::Document, D::OllamaChat) => Refused,
        (F::Document, _) => Crosses,
        (F::AnyJson, D::AnthropicMessages) => Dropped,
        (F::AnyJson, _) => Crosses,
        (F::JsonSchema, _) => Crosses,
        (F::ParallelCalls, D::Gemini | D::OllamaChat) => Dropped,
        (F::ParallelCalls, _) => Crosses,
        (F::Verbosity, D::OpenAiChat | D::OpenAiResponses) => Crosses,
        (F::PromptCache, D::AnthropicMessages) => Crosses,
        (
            F::Metadata
            | F::Serving
            | F::LostItem
            | F::SafetyOff
            | F::Store
            | F::PromptCache
            | F::Presentation
            | F::Verbosity
            | F::ContextManagement
            | F::ServerTool
            | F::Unknown,
            _,
        ) => Dropped,
        (
            F::Seed
            | F::Penalties
            | F::Logprobs
            | F::LogitBias
            | F::Prediction
            | F::AudioOutput
            | F::Choices
            | F::AudioInput
            | F::ProviderFile
            | F::WebSearch
            | F::ServerState
            | F::StoredPrompt
            | F::SafetySettings,
            _,
        ) => Refused,
    }
}

/// The fields of one request that are left out, collected while it is written.
#[derive(Debug)]
pub(crate) struct Crossings {
    dialect: Dialect,
    crossing: Crossing,
    dropped: Vec<String>,
}

impl Crossings {
    /// For a request that is written in `dialect`.
    pub(crate) const fn into_dialect(dialect: Dialect, crossing: Crossing) -> Self {
        Self { dialect, crossing, dropped: Vec::new() }
    }

    /// Judges all of a request's extras that do not cross. Markers of prompt caches stand in many
    /// places and are named once.
    pub(crate) fn settle(&mut self, request: &Request) -> Result<(), RequestError> {
        let others = request.extras.iter().filter(|extra| extra.field != Field::PromptCache);
        for extra in others {
            self.judge(extra.field, &extra.path)?;
        }
        if request.has_cache_marks() {
            self.judge(Field::PromptCache, "cache_control")?;
        }
        Ok(())
    }

    /// Judges one field that stands at `path` of the client's request: whether it is to be written.
    pub(crate) fn judge(&mut self, field: Field, path: &str) -> Result<Write, RequestError> {
        match (fate(field, self.dialect), self.crossing) {
            (Fate::Crosses, _) => Ok(Write::Yes),
            (Fate::Refused, Crossing::Strict) => self.refuse(path),
            (Fate::Refused, Crossing::Lenient) | (Fate::Dropped, _) => {
                self.dropped.push(path.to_owned());
                Ok(Write::No)
            }
        }
    }

    /// Judges what this server, unlike its dialect, has no word for: refused or dropped.
    pub(crate) fn lacking(&mut self, path: &str) -> Result<Write, RequestError> {
        match self.crossing {
            Crossing::Strict => self.refuse(path),
            Crossing::Lenient => {
                self.dropped.push(path.to_owned());
                Ok(Write::No)
            }
        }
    }

    /// Notes a field that was left out and changes nothing about the answer.
    pub(crate) fn dropped(&mut self, path: impl Into<String>) {
        self.dropped.push(path.into());
    }

    /// The paths of the fields that were left out, in order.
    pub(crate) fn into_dropped(self) -> Vec<String> {
        self.dropped
    }

    fn refuse(&self, path: &str) -> Result<Write, RequestError> {
        Err(RequestError::CannotCross { param: path.to_owned(), dialect: self.dialect })
    }
}

/// Whether a field is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Write {
    Yes,
    No,
}
