//! The table of what can be translated between dialects.
//!
//! The neutral form carries what at least two dialects support. Everything else is a [`Field`], and
//! [`fate`] decides for each field and target dialect: it is translated, rejected (a 400 that names
//! it), or dropped and named in the header `x-gatehouse-dropped`. A field that changes the answer
//! (its meaning, its shape, who sees it) is never dropped silently.

use domain::{Crossing, Dialect};

use crate::RequestError;
use crate::neutral::Request;

/// Request fields that are not part of the neutral form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    Seed,
    /// `logprobs`, `top_logprobs`, `responseLogprobs`.
    Logprobs,
    LogitBias,
    /// `frequency_penalty`, `presence_penalty` and their Gemini counterparts.
    Penalties,
    /// `n` above one, `candidateCount`.
    Choices,
    /// Stop sequences, which Responses does not have.
    Stop,
    /// `top_k` where the target has none. Dropped rather than rejected: Gemini CLI always sends it
    /// and cannot be configured not to, and it affects only sampling, not which answer is wanted.
    TopK,
    /// `temperature`, `top_p` and `top_k` where the model rejects them; dropped for the same
    /// reason.
    Sampling,
    /// Audio output (`modalities`, `audio`, `responseModalities`).
    AudioOutput,
    AudioInput,
    /// An image given by file id, or another file stored at one provider.
    ProviderFile,
    /// A document (PDF) as input.
    Document,
    Prediction,
    /// A tool that the provider runs itself. Dropped rather than rejected: Codex and others offer
    /// theirs with every request, and a model without it answers without it.
    ServerTool,
    WebSearch,
    /// JSON mode without a schema where the target has none. Dropped rather than rejected: OpenAI
    /// requires the prompt to ask for JSON too, so the model still sees the request. The AI SDK's
    /// `generateObject`, LangChain's `json_mode`, instructor and llm request structured output only
    /// this way.
    AnyJson,
    /// Structured output where the target has none.
    JsonSchema,
    /// `parallel_tool_calls` where the target has no such option.
    ParallelCalls,
    /// `previous_response_id`, `conversation`, `background`, a stored prompt: state that the
    /// gateway does not keep.
    ServerState,
    /// A reference to an item of an earlier answer that the gateway created and no longer has, or
    /// to another provider's reasoning. Dropped rather than rejected: the conversation can continue
    /// without it.
    LostItem,
    /// `store`: keeps the answer at the provider.
    Store,
    /// `metadata`, `user`, `safety_identifier`, `labels`: for the provider's own records.
    Metadata,
    /// `service_tier`, `prompt_cache_key`, `prompt_cache_retention`, `inference_geo`: these affect
    /// serving and billing, not the answer.
    Serving,
    /// `cache_control`, `cachedContent` markers.
    PromptCache,
    /// `cachedContent`: a prompt prefix stored at the provider; without it the prompt is a
    /// different one.
    StoredPrompt,
    /// `safetySettings` that enable a filter.
    SafetySettings,
    /// `safetySettings` that only disable filters (`OFF`, `BLOCK_NONE`); other providers have no
    /// such filters. instructor sends them with every request.
    SafetyOff,
    /// `verbosity`, `text.verbosity`.
    Verbosity,
    /// `context_management`, `truncation`: what the provider may leave out of a long prompt.
    ContextManagement,
    /// `include`, `stream_options`, `fileData` hints: options for how the answer is presented.
    Presentation,
    /// A field unknown to this gateway.
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// The dialect's writer writes it.
    Crosses,
    /// Rejected with 400 in strict mode, dropped and named in lenient mode.
    Refused,
    /// Dropped and named in both modes: the answer is the same without it.
    Dropped,
}

/// The table: what happens to `field` in a request that is written in `dialect`.
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

/// Collects the dropped fields of one request while it is written.
#[derive(Debug)]
pub(crate) struct Crossings {
    dialect: Dialect,
    crossing: Crossing,
    dropped: Vec<String>,
}

impl Crossings {
    /// For a request written in `dialect`.
    pub(crate) const fn into_dialect(dialect: Dialect, crossing: Crossing) -> Self {
        Self { dialect, crossing, dropped: Vec::new() }
    }

    /// Applies the table to all extra fields of a request. Prompt-cache markers occur in many
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

    /// Applies the table to one field at `path` of the client's request, and returns whether to
    /// write it.
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

    /// Rejects or drops a field that this server does not support although its dialect does.
    pub(crate) fn lacking(&mut self, path: &str) -> Result<Write, RequestError> {
        match self.crossing {
            Crossing::Strict => self.refuse(path),
            Crossing::Lenient => {
                self.dropped.push(path.to_owned());
                Ok(Write::No)
            }
        }
    }

    /// Records a dropped field that does not change the answer.
    pub(crate) fn dropped(&mut self, path: impl Into<String>) {
        self.dropped.push(path.into());
    }

    /// The paths of the dropped fields, in the order of their recording.
    pub(crate) fn into_dropped(self) -> Vec<String> {
        self.dropped
    }

    fn refuse(&self, path: &str) -> Result<Write, RequestError> {
        Err(RequestError::CannotCross { param: path.to_owned(), dialect: self.dialect })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Write {
    Yes,
    No,
}
