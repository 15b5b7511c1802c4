//! What every dialect module provides, in one shape, and the one place that chooses among them.
//!
//! Readers and writers know their own dialect and the neutral form, never another dialect.

use bytes::{Bytes, BytesMut};
use domain::Dialect;

use crate::neutral::{Answer, Event, Piece, Request};
use crate::{
    BadAnswer, Delivery, ErrorAnswer, RequestError, SseEvent, StreamFault, Target, UpstreamError,
    anthropic_messages, gemini, ollama_chat, openai_chat, openai_responses,
};

/// A request in a backend's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    /// The body.
    pub(crate) body: Bytes,
    /// Fields of the client's request that were left out, in the client's words, for the header
    /// `x-gatehouse-dropped`.
    pub(crate) dropped: Vec<String>,
}

/// What an answer repeats of its request, and what the gateway adds.
#[derive(Debug, Clone)]
pub(crate) struct Echo {
    /// The client's request.
    pub(crate) request: std::sync::Arc<Request>,
    /// For answers whose provider gave no id: unique, letters and digits only.
    pub(crate) id: String,
    /// Seconds since 1970, for dialects that date their answers.
    pub(crate) created_unix_s: i64,
}

/// Reads a backend's stream in one dialect.
pub(crate) trait StreamReader: Send {
    /// What one event says. Unknown events say nothing; the reader never fails for what it does not
    /// know, only for what contradicts the dialect.
    fn read(&mut self, event: &SseEvent) -> Result<Vec<Piece>, StreamFault>;
}

/// Writes a client's stream in one dialect.
pub(crate) trait StreamWriter: Send {
    /// Appends what `event` is in this dialect; may be nothing.
    fn write(&mut self, event: &Event, out: &mut BytesMut);

    /// The event that tells the client that its answer is not whole, after what was written so far.
    fn error_event(&self, error: &ErrorAnswer<'_>) -> Bytes;
}

/// Reads the whole request of a client.
pub(crate) fn read_request(
    dialect: Dialect,
    text: &str,
    model: &str,
    delivery: Delivery,
) -> Result<Request, RequestError> {
    match dialect {
        Dialect::OpenAiChat => openai_chat::read_request(text, model, delivery),
        Dialect::OpenAiResponses => openai_responses::read_request(text, model, delivery),
        Dialect::AnthropicMessages => anthropic_messages::read_request(text, model, delivery),
        Dialect::Gemini => gemini::read_request(text, model, delivery),
        // No client speaks it to us, so no request is ever parsed as it.
        Dialect::OllamaChat => Err(RequestError::Missing("messages".to_owned())),
    }
}

/// Writes a request in the backend's `dialect`.
pub(crate) fn write_request(
    dialect: Dialect,
    request: &Request,
    target: &Target,
) -> Result<Written, RequestError> {
    match dialect {
        Dialect::OpenAiChat => openai_chat::write_request(request, target),
        Dialect::OpenAiResponses => openai_responses::write_request(request, target),
        Dialect::AnthropicMessages => anthropic_messages::write_request(request, target),
        Dialect::Gemini => gemini::write_request(request, target),
        Dialect::OllamaChat => ollama_chat::write_request(request, target),
    }
}

/// What a whole answer says, in the order in which a stream would have said it, [`Piece::End`] last.
pub(crate) fn read_answer(dialect: Dialect, text: &str) -> Result<Vec<Piece>, BadAnswer> {
    match dialect {
        Dialect::OpenAiChat => openai_chat::read_answer(text),
        Dialect::OpenAiResponses => openai_responses::read_answer(text),
        Dialect::AnthropicMessages => anthropic_messages::read_answer(text),
        Dialect::Gemini => gemini::read_answer(text),
        Dialect::OllamaChat => ollama_chat::read_answer(text),
    }
}

/// A reader at the start of a backend's stream.
pub(crate) fn stream_reader(dialect: Dialect) -> Box<dyn StreamReader> {
    match dialect {
        Dialect::OpenAiChat => Box::new(openai_chat::StreamReader::default()),
        Dialect::OpenAiResponses => Box::new(openai_responses::StreamReader::default()),
        Dialect::AnthropicMessages => Box::new(anthropic_messages::StreamReader::default()),
        Dialect::Gemini => Box::new(gemini::StreamReader::default()),
        Dialect::OllamaChat => Box::new(ollama_chat::StreamReader::default()),
    }
}

/// A whole answer for a client. `None` for a dialect that no client speaks.
pub(crate) fn write_answer(dialect: Dialect, answer: &Answer, echo: &Echo) -> Option<Bytes> {
    Some(match dialect {
        Dialect::OpenAiChat => openai_chat::write_answer(answer, echo),
        Dialect::OpenAiResponses => openai_responses::write_answer(answer, echo),
        Dialect::AnthropicMessages => anthropic_messages::write_answer(answer, echo),
        Dialect::Gemini => gemini::write_answer(answer, echo),
        Dialect::OllamaChat => return None,
    })
}

/// A writer at the start of a client's stream. `None` for a dialect that no client speaks.
pub(crate) fn stream_writer(dialect: Dialect, echo: Echo) -> Option<Box<dyn StreamWriter>> {
    Some(match dialect {
        Dialect::OpenAiChat => Box::new(openai_chat::StreamWriter::new(echo)),
        Dialect::OpenAiResponses => Box::new(openai_responses::StreamWriter::new(echo)),
        Dialect::AnthropicMessages => Box::new(anthropic_messages::StreamWriter::new(echo)),
        Dialect::Gemini => Box::new(gemini::StreamWriter::new(echo)),
        Dialect::OllamaChat => return None,
    })
}

/// What a backend of `dialect` says about its failure.
#[must_use]
pub fn upstream_error(dialect: Dialect, status: u16, body: &[u8]) -> UpstreamError {
    match dialect {
        Dialect::AnthropicMessages => anthropic_messages::upstream_error(status, body),
        Dialect::Gemini => gemini::upstream_error(status, body),
        // Ollama's `{"error":"…"}` is one of the deviations that this reader knows.
        Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::OllamaChat => {
            openai_chat::upstream_error(status, body)
        }
    }
}

/// The body of an error for a client.
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

/// The status with which a client of `dialect` is told of an error whose neutral status is
/// `error.status`: each dialect has a set of its own (529 is Anthropic's only).
///
/// Where the backend rejected our key ([`crate::ErrorKind::BackendKey`]) it is what ends the dialect's
/// tools soonest with our sentence shown, and without sending their user to a login. Requests until
/// each gave up, and its seconds, with `x-should-retry: false` (measured 2026-11-22):
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

/// The event that tells a client in mid-stream that its answer is not whole; the stream then ends
/// cleanly. `sequence` is the number of events written before and `id` the answer's own (Responses
/// numbers its events, and its SDKs refuse one of another answer).
///
/// A broken connection would discard the event in clients that have not read it yet: the AI SDK 7.0
/// then reports "Failed to process successful response" instead of the message. After a clean end 14
/// consumers of Chat and Messages and 8 of Responses raise with the message (measured 2026-11-22).
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

/// What keeps a silent stream alive: an event, a comment or an empty line that every client of
/// `dialect` skips. Google's SDKs know no comments: `google-genai` 3.4 for Python takes one for broken
/// JSON, Gemini CLI 0.61 cannot read what follows it, and LiteLLM 1.106 loses it in silence. White
/// space may stand between the items of Gemini's array, too.
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
