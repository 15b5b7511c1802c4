//! The table of what can be translated between dialects.
//!
//! The neutral form carries what at least two dialects support. Everything else is a [`FieldKind`], and
//! [`field_handling`] decides for each field and target dialect: it is translated, rejected (a 400 that names
//! it), or dropped and named in the header `x-gatehouse-dropped`. A field that changes the answer
//! (its meaning, its shape, who sees it) is never dropped silently.

use domain::{Dialect, TranslationMode};

use crate::RequestError;
use crate::neutral::{JsonText, ModelRequest};

/// Request fields that are not part of the neutral form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldKind {
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
    UnavailableItem,
    /// `store`: keeps the answer at the provider.
    Store,
    /// `metadata`, `user`, `safety_identifier`, `labels`: for the provider's own records.
    Metadata,
    /// `service_tier`, `prompt_cache_key`, `prompt_cache_retention`, `inference_geo`: these affect
    /// serving and billing, not the answer.
    ServiceOptions,
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
pub enum FieldHandling {
    /// The dialect's writer writes it.
    Translated,
    /// Rejected with 400 in strict mode, dropped and named in lenient mode.
    Rejected,
    /// Dropped and named in both modes: the answer is the same without it.
    Dropped,
}

/// Top-level names of these fields in the requests of each dialect.
const FIELD_NAMES: &[(Dialect, FieldKind, &[&str])] = {
    use Dialect::{
        AnthropicMessages as Messages, Gemini, OpenAiChat as Chat, OpenAiResponses as Responses,
    };
    use FieldKind as F;
    &[
        (Chat, F::Seed, &["seed"]),
        (Chat, F::Logprobs, &["logprobs", "top_logprobs"]),
        (Chat, F::LogitBias, &["logit_bias"]),
        (Chat, F::Penalties, &["frequency_penalty", "presence_penalty"]),
        (Chat, F::AudioOutput, &["modalities", "audio"]),
        (Chat, F::Prediction, &["prediction"]),
        (Chat, F::WebSearch, &["web_search_options"]),
        (Chat, F::Store, &["store"]),
        (Chat, F::Metadata, &["metadata", "safety_identifier"]),
        (Chat, F::ServiceOptions, &["service_tier", "prompt_cache_key", "prompt_cache_retention"]),
        (Chat, F::Verbosity, &["verbosity"]),
        (Responses, F::Logprobs, &["top_logprobs"]),
        (Responses, F::Store, &["store"]),
        (Responses, F::ServerState, &["background", "previous_response_id"]),
        (Responses, F::ServerState, &["conversation", "prompt"]),
        (Responses, F::Metadata, &["metadata", "safety_identifier", "client_metadata"]),
        (Responses, F::ServiceOptions, &["service_tier", "prompt_cache_key"]),
        (Responses, F::ServiceOptions, &["prompt_cache_retention", "prompt_cache_options"]),
        (Responses, F::ContextManagement, &["truncation", "context_management"]),
        (Responses, F::Presentation, &["stream_options"]),
        (Messages, F::ServerTool, &["mcp_servers"]),
        (Messages, F::ServerState, &["container"]),
        (Messages, F::Metadata, &["user_profile_id", "workspace_id"]),
        (Messages, F::ServiceOptions, &["service_tier", "inference_geo", "speed"]),
        (Messages, F::PromptCache, &["cache_control"]),
        (Messages, F::ContextManagement, &["context_management"]),
        (Messages, F::Presentation, &["diagnostics"]),
        (Gemini, F::StoredPrompt, &["cachedContent"]),
        (Gemini, F::Metadata, &["labels"]),
        (Gemini, F::Store, &["store"]),
        (Gemini, F::ServiceOptions, &["serviceTier"]),
    ]
};

/// The top-level fields of `dialect` that are not part of the neutral form.
pub(crate) fn fields_of(dialect: Dialect) -> impl Iterator<Item = (&'static str, FieldKind)> {
    let rows = FIELD_NAMES.iter().filter(move |(client, ..)| *client == dialect);
    rows.flat_map(|(_, field, names)| names.iter().map(move |name| (*name, *field)))
}

/// The field that a client of `dialect` calls `name`.
pub(crate) fn field_named(dialect: Dialect, name: &str) -> FieldKind {
    let known = fields_of(dialect).find(|(known, _)| *known == name);
    known.map_or(FieldKind::Unknown, |(_, field)| field)
}

/// The table: what happens to `field` in a request that is written in `dialect`.
#[must_use]
pub(crate) const fn field_handling(field: FieldKind, dialect: Dialect) -> FieldHandling {
    use Dialect as D;
    use FieldHandling::{Dropped, Rejected, Translated};
    use FieldKind as F;
    match (field, dialect) {
        (F::Seed, D::OpenAiChat | D::Gemini | D::OllamaChat) => Translated,
        (F::Penalties, D::OpenAiChat | D::Gemini | D::OllamaChat) => Translated,
        (F::Logprobs | F::LogitBias | F::Prediction | F::AudioOutput, D::OpenAiChat) => Translated,
        (F::Choices, D::OpenAiChat | D::Gemini) => Translated,
        (F::Stop, D::OpenAiResponses) => Rejected,
        (F::Stop, _) => Translated,
        (F::TopK, D::OpenAiChat | D::OpenAiResponses) | (F::Sampling, _) => Dropped,
        (F::TopK, _) => Translated,
        (F::AudioInput, D::OpenAiChat | D::OpenAiResponses | D::Gemini) => Translated,
        (F::Document, D::OllamaChat) => Rejected,
        (F::Document, _) => Translated,
        (F::AnyJson, D::AnthropicMessages) => Dropped,
        (F::AnyJson, _) => Translated,
        (F::JsonSchema, _) => Translated,
        (F::ParallelCalls, D::Gemini | D::OllamaChat) => Dropped,
        (F::ParallelCalls, _) => Translated,
        (F::Verbosity, D::OpenAiChat | D::OpenAiResponses) => Translated,
        (F::PromptCache, D::AnthropicMessages) => Translated,
        (
            F::Metadata
            | F::ServiceOptions
            | F::UnavailableItem
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
        ) => Rejected,
    }
}

/// Collects the dropped fields of one request while it is written.
#[derive(Debug)]
pub(crate) struct FieldFilter {
    dialect: Dialect,
    crossing: TranslationMode,
    dropped: Vec<String>,
}

impl FieldFilter {
    /// For a request written in `dialect`.
    pub(crate) const fn for_dialect(dialect: Dialect, crossing: TranslationMode) -> Self {
        Self { dialect, crossing, dropped: Vec::new() }
    }

    /// Applies the table to all extra fields of a request. Prompt-cache markers occur in many
    /// places and are named once.
    pub(crate) fn filter_extras(&mut self, request: &ModelRequest) -> Result<(), RequestError> {
        let others = request.extras.iter().filter(|extra| extra.field != FieldKind::PromptCache);
        for extra in others {
            self.check(extra.field, &extra.path)?;
        }
        if request.has_cache_breakpoints() {
            self.check(FieldKind::PromptCache, "cache_control")?;
        }
        Ok(())
    }

    /// Applies the table to one field at `path` of the client's request, and returns whether to
    /// write it.
    pub(crate) fn check(
        &mut self,
        field: FieldKind,
        path: &str,
    ) -> Result<FieldDecision, RequestError> {
        match (field_handling(field, self.dialect), self.crossing) {
            (FieldHandling::Translated, _) => Ok(FieldDecision::Keep),
            (FieldHandling::Rejected, TranslationMode::Strict) => self.reject(path),
            (FieldHandling::Rejected, TranslationMode::Lenient) | (FieldHandling::Dropped, _) => {
                self.dropped.push(path.to_owned());
                Ok(FieldDecision::Omit)
            }
        }
    }

    /// Rejects or drops a field that this server does not support although its dialect does.
    pub(crate) fn check_unsupported(&mut self, path: &str) -> Result<FieldDecision, RequestError> {
        match self.crossing {
            TranslationMode::Strict => self.reject(path),
            TranslationMode::Lenient => {
                self.dropped.push(path.to_owned());
                Ok(FieldDecision::Omit)
            }
        }
    }

    /// The extra fields that cross, under OpenAI's names. A field that this dialect has under
    /// another name only is rejected or dropped.
    pub(crate) fn named_extras<'a>(
        &mut self,
        request: &'a ModelRequest,
    ) -> Result<Vec<(&'static str, &'a JsonText)>, RequestError> {
        let mut named = Vec::new();
        for extra in &request.extras {
            if field_handling(extra.field, self.dialect) != FieldHandling::Translated {
                continue;
            }
            match extra.shared_field_name() {
                Some(name) => named.push((name, &extra.value)),
                None => {
                    self.check_unsupported(&extra.path)?;
                }
            }
        }
        Ok(named)
    }

    /// Records a dropped field that does not change the answer.
    pub(crate) fn record_dropped(&mut self, path: impl Into<String>) {
        self.dropped.push(path.into());
    }

    /// The paths of the dropped fields, in the order of their recording.
    pub(crate) fn into_dropped(self) -> Vec<String> {
        self.dropped
    }

    fn reject(&self, path: &str) -> Result<FieldDecision, RequestError> {
        Err(RequestError::Untranslatable { param: path.to_owned(), dialect: self.dialect })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldDecision {
    Keep,
    Omit,
}
