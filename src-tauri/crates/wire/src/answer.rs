//! Types shared by all dialects: facts read from an answer, how a stream ends, and why a body with
//! status 200 is not an answer.

use bytes::Bytes;
use domain::Usage;

use crate::{MODEL_NAME_BYTES_MAX, SSE_EVENT_BYTES_MAX, UpstreamError, UsageReport};

/// Maximum number of choices in one answer (OpenAI's API allows `n` up to 128).
pub(crate) const CHOICES_MAX: usize = 128;

/// Facts read from a whole or streamed answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AnswerFacts {
    /// Token counts from the backend. `None` means unknown, never zero.
    pub usage: Option<UsageReport>,
    /// What else says how the answer is billed, where there is no report of tokens: the service tier,
    /// calls of the provider's tools, and what is not understood.
    pub billed_beside: Usage,
    /// The model that the backend reports.
    pub model: Option<String>,
    /// The first finish reason, in the backend's own spelling.
    pub finish_reason: Option<String>,
    /// Bytes of text, thinking and tool arguments, for estimating usage that the backend does not
    /// report. Zero where no estimate is needed.
    pub content_bytes: u64,
}

impl AnswerFacts {
    /// True if no event carried any of these facts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// True for the finish reason of a tool call, in the dialects that have one: Chat Completions and
/// Messages.
#[must_use]
pub fn is_tool_call(finish_reason: &str) -> bool {
    matches!(finish_reason, "tool_calls" | "function_call" | "tool_use")
}

/// Why a body with status 200 is not an answer. Never relay such a body: clients would treat it as
/// success.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAnswer {
    #[error("the body is empty")]
    Empty,
    /// A web page: from a captive portal, a proxy's login or a wrong base URL.
    #[error("it is a web page, not JSON; check the base URL and the network")]
    Html,
    #[error("the JSON is incomplete or not in the format of its API")]
    NotJson,
    #[error("it has no choices")]
    NoChoices,
    /// A stream, received in place of a whole answer, that stopped before its end.
    #[error("it ended before it was complete")]
    Truncated,
    #[error("the stream is broken: {0}")]
    Broken(StreamFault),
    /// An error object in a body with status 200.
    #[error("it contains an error: {}", .0.message)]
    UpstreamError(UpstreamError),
}

/// Result of feeding bytes to a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TapOutput {
    /// Bytes to relay now; may be empty.
    pub relay: Bytes,
    pub flow: Flow,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    More,
    /// The end is known: relay these bytes, stop reading, and call the stream's `finish`.
    Stop,
}

impl Flow {
    pub(crate) const fn until(end: Option<&StreamEnd>) -> Self {
        if end.is_some() { Self::Stop } else { Self::More }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamEnd {
    /// Every choice has its finish reason.
    Complete {
        /// Bytes to relay before closing the client's stream: what the backend left out, empty
        /// after a regular end.
        append: Bytes,
    },
    /// The bytes ended, or `[DONE]` came, before a finish reason: close with an error event.
    Truncated,
    /// The backend reported an error in the stream, which is not relayed: close with an error
    /// event.
    UpstreamError(UpstreamError),
    /// The stream violated the dialect: close with an error event.
    Broken(StreamFault),
}

/// How a stream violated the dialect. The messages are for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum StreamFault {
    /// An event exceeds [`SSE_EVENT_BYTES_MAX`].
    #[error("an event has more than {SSE_EVENT_BYTES_MAX} bytes")]
    EventTooLarge,
    #[error("the text is not UTF-8")]
    InvalidUtf8,
    /// `data` that is not a JSON object or has no readable choices.
    #[error("an event does not follow the API's format")]
    NotJson,
    /// More than `CHOICES_MAX` choices.
    #[error("it has more than {CHOICES_MAX} choices")]
    TooManyChoices,
    /// A tool call continues after its choice finished: relaying or dropping the piece would give
    /// an agent a wrong call.
    #[error("a tool call continues after the finish reason")]
    LateToolCall,
    /// Arguments of a tool call that never got a name.
    #[error("a tool call has no name")]
    NamelessToolCall,
    /// A translator would have to buffer more than its limit (see `assemble`), or there are too
    /// many tool calls.
    #[error("it has too many tool calls")]
    AnswerTooLarge,
}

/// True for a non-empty name of at most [`MODEL_NAME_BYTES_MAX`] bytes without control characters.
pub(crate) fn is_model_name(name: &str) -> bool {
    (1..=MODEL_NAME_BYTES_MAX).contains(&name.len()) && !name.chars().any(char::is_control)
}

/// The text of a whole answer, or why the body is not an answer.
pub(crate) fn answer_text(body: &[u8]) -> Result<&str, BadAnswer> {
    let text = std::str::from_utf8(body).map_err(|_| BadAnswer::NotJson)?;
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err(BadAnswer::Empty);
    }
    if text.starts_with('<') {
        return Err(BadAnswer::Html);
    }
    Ok(text)
}
