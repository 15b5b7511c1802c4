//! The only place that selects the module of a dialect.

pub(crate) mod anthropic_messages;
pub(crate) mod client_spelling;
pub(crate) mod field_filter;
pub(crate) mod gemini;
pub(crate) mod ollama_chat;
pub mod openai_chat;
pub(crate) mod openai_responses;
pub(crate) mod openai_usage;
pub(crate) mod reasoning;
pub(crate) mod target;
pub(crate) mod tool_names;
pub(crate) mod translation;
pub(crate) mod turns;

use bytes::Bytes;
use domain::Dialect;

use crate::dialect::translation::{RequestEcho, StreamReader, StreamWriter, TranslatedRequest};
use crate::neutral::{ModelAnswer, ModelRequest, ProviderEvent};
use crate::{BadAnswer, Delivery, ErrorAnswer, RequestError, Target, UpstreamError};

/// Parses a client's whole request.
pub(crate) fn read_request(
    dialect: Dialect,
    text: &str,
    model: &str,
    delivery: Delivery,
) -> Result<ModelRequest, RequestError> {
    match dialect {
        Dialect::OpenAiChat => openai_chat::read_request(text, model, delivery),
        Dialect::OpenAiResponses => openai_responses::read_request(text, model, delivery),
        Dialect::AnthropicMessages => anthropic_messages::read_request(text, model, delivery),
        Dialect::Gemini => gemini::read_request(text, model, delivery),
        // No client sends this dialect, so no request is ever parsed as it.
        Dialect::OllamaChat => Err(RequestError::Missing("messages".to_owned())),
    }
}

/// Writes a request in the backend's `dialect`.
pub(crate) fn write_request(
    dialect: Dialect,
    request: &ModelRequest,
    target: &Target,
) -> Result<TranslatedRequest, RequestError> {
    match dialect {
        Dialect::OpenAiChat => openai_chat::write_request(request, target),
        Dialect::OpenAiResponses => openai_responses::write_request(request, target),
        Dialect::AnthropicMessages => anthropic_messages::write_request(request, target),
        Dialect::Gemini => gemini::write_request(request, target),
        Dialect::OllamaChat => ollama_chat::write_request(request, target),
    }
}

/// Parses a whole answer into the pieces that a stream would have had, in the same order,
/// [`ProviderEvent::RelayEnd`] last.
pub(crate) fn read_answer(dialect: Dialect, text: &str) -> Result<Vec<ProviderEvent>, BadAnswer> {
    match dialect {
        Dialect::OpenAiChat => openai_chat::read_answer(text),
        Dialect::OpenAiResponses => openai_responses::read_answer(text),
        Dialect::AnthropicMessages => anthropic_messages::read_answer(text),
        Dialect::Gemini => gemini::read_answer(text),
        Dialect::OllamaChat => ollama_chat::read_answer(text),
    }
}

/// A reader for a new stream of a backend.
pub(crate) fn stream_reader(dialect: Dialect) -> Box<dyn StreamReader> {
    match dialect {
        Dialect::OpenAiChat => Box::new(openai_chat::StreamReader::default()),
        Dialect::OpenAiResponses => Box::new(openai_responses::StreamReader::default()),
        Dialect::AnthropicMessages => Box::new(anthropic_messages::StreamReader::default()),
        Dialect::Gemini => Box::new(gemini::StreamReader::default()),
        Dialect::OllamaChat => Box::new(ollama_chat::StreamReader::default()),
    }
}

/// Writes a whole answer for a client. `None` for a dialect that no client speaks.
pub(crate) fn write_answer(
    dialect: Dialect,
    answer: &ModelAnswer,
    echo: &RequestEcho,
) -> Option<Bytes> {
    Some(match dialect {
        Dialect::OpenAiChat => openai_chat::write_answer(answer, echo),
        Dialect::OpenAiResponses => openai_responses::write_answer(answer, echo),
        Dialect::AnthropicMessages => anthropic_messages::write_answer(answer, echo),
        Dialect::Gemini => gemini::write_answer(answer, echo),
        Dialect::OllamaChat => return None,
    })
}

/// A writer for a new stream to a client. `None` for a dialect that no client speaks.
pub(crate) fn stream_writer(dialect: Dialect, echo: RequestEcho) -> Option<Box<dyn StreamWriter>> {
    Some(match dialect {
        Dialect::OpenAiChat => Box::new(openai_chat::StreamWriter::new(echo)),
        Dialect::OpenAiResponses => Box::new(openai_responses::StreamWriter::new(echo)),
        Dialect::AnthropicMessages => Box::new(anthropic_messages::StreamWriter::new(echo)),
        Dialect::Gemini => Box::new(gemini::StreamWriter::new(echo)),
        Dialect::OllamaChat => return None,
    })
}

/// Parses a backend's error response.
#[must_use]
pub fn upstream_error(dialect: Dialect, status: u16, body: &[u8]) -> UpstreamError {
    match dialect {
        Dialect::AnthropicMessages => anthropic_messages::upstream_error(status, body),
        Dialect::Gemini => gemini::upstream_error(status, body),
        // The Chat reader also accepts Ollama's `{"error":"…"}`.
        Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::OllamaChat => {
            openai_chat::upstream_error(status, body)
        }
    }
}

#[must_use]
pub fn error_body(dialect: Dialect, error: &ErrorAnswer<'_>) -> Bytes {
    match dialect {
        Dialect::AnthropicMessages => anthropic_messages::error_body(error),
        Dialect::Gemini => gemini::error_body(error),
        Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::OllamaChat => {
            openai_chat::error_body(error)
        }
    }
}

/// Maps the neutral status `error.status` to the status for a client of `dialect`: each dialect has
/// its own set (529 is Anthropic's only).
///
/// For a rejected backend key ([`crate::ErrorKind::BackendKey`]) it is the status with which the
/// dialect's tools give up soonest, show our message and do not send their user to a login.
/// Requests and seconds until each tool gave up, with `x-should-retry: false` (measured
/// 2026-11-22):
///
/// | Tool              | 400       | 403        | 424       | 502        |
/// |-------------------|-----------|------------|-----------|------------|
/// | Claude Code 2.1   | 6, 1.8 s  | 1, login   | 1, 2.2 s  | 1, 0.7 s   |
/// | Codex 0.169       | 1, 0.8 s  | 6, 7.5 s   | 6, 6.9 s  | 30, 25 s   |
/// | Gemini CLI 0.61   | 1, 3.4 s  | 1, 3.6 s   | 1, 8.1 s  | no end     |
/// | pi 0.73, 4 APIs   | 1, 2.2 s  | 1, 2.0 s   | 1, 4.5 s  | 4, 17 s    |
#[must_use]
pub fn error_status(dialect: Dialect, error: &ErrorAnswer<'_>) -> u16 {
    match dialect {
        Dialect::AnthropicMessages => anthropic_messages::error_status(error),
        Dialect::Gemini => gemini::error_status(error),
        Dialect::OpenAiResponses => openai_responses::error_status(error),
        Dialect::OpenAiChat | Dialect::OllamaChat => error.status,
    }
}

/// The event that tells a client in mid-stream that its answer is incomplete; the stream then ends
/// cleanly. `sequence` is the number of events written so far and `id` the answer's id (Responses
/// numbers its events, and its SDKs reject one of another answer).
///
/// A broken connection would discard the event in clients that have not read it yet: the AI SDK 7.0
/// then reports "Failed to process successful response" instead of the message. After a clean end
/// 14 consumers of Chat and Messages and 8 of Responses raise an error with the message (measured
/// 2026-11-22).
#[must_use]
pub fn error_event(
    dialect: Dialect,
    error: &ErrorAnswer<'_>,
    sequence: u64,
    id: Option<&str>,
) -> Bytes {
    match dialect {
        Dialect::OpenAiChat | Dialect::OllamaChat => openai_chat::error_event(error),
        Dialect::OpenAiResponses => openai_responses::error_event(error, sequence, id),
        Dialect::AnthropicMessages => anthropic_messages::error_event(error),
        Dialect::Gemini => gemini::error_event(error),
    }
}

/// Keep-alive bytes for a silent stream: an event, a comment or an empty line that every client of
/// `dialect` skips. Google's SDKs do not support comments: `google-genai` 3.4 for Python reports
/// broken JSON, Gemini CLI 0.61 cannot read what follows, and LiteLLM 1.106 loses it silently.
/// White space is also valid between the items of Gemini's array.
#[must_use]
pub const fn heartbeat(dialect: Dialect) -> &'static [u8] {
    match dialect {
        Dialect::AnthropicMessages => b"event: ping\ndata: {\"type\": \"ping\"}\n\n",
        Dialect::Gemini => b"\r\n",
        Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::OllamaChat => {
            b": waiting for the backend\n\n"
        }
    }
}
