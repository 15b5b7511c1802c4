//! What an answer says about itself, how a stream may end, and what is no answer although its status
//! was 200: the same for every dialect.

use bytes::Bytes;

use crate::{MODEL_NAME_BYTES_MAX, SSE_EVENT_BYTES_MAX, UpstreamError, UsageReport};

/// Most choices of one answer (`n` of the OpenAI API goes to 128).
pub const CHOICES_MAX: usize = 128;

/// What an answer, whole or streamed, says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AnswerFacts {
    /// Tokens as the backend counted them; `None` if it did not say, and then they are unknown,
    /// never zero.
    pub usage: Option<UsageReport>,
    /// The model the backend says it used.
    pub model: Option<String>,
    /// The first finish reason, in the backend's own word.
    pub finish_reason: Option<String>,
    /// How much text, thinking and arguments came, in bytes: from it usage is estimated where the
    /// backend reports none. Zero where it was not needed.
    pub content_bytes: u64,
}

impl AnswerFacts {
    /// Whether nothing was learned: no event said anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Why a body with status 200 is no answer. Never relay it: clients take it for success.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAnswer {
    /// No bytes.
    #[error("the body is empty")]
    Empty,
    /// A web page: a captive portal, a proxy's login, a wrong base URL.
    #[error("it is a web page, not JSON; check the base URL and the network")]
    Html,
    /// Broken off or never JSON.
    #[error("the JSON is incomplete or not in the format of its API")]
    NotJson,
    /// JSON without a choice.
    #[error("it has no choices")]
    NoChoices,
    /// A stream, where a whole answer was asked for, that ended before its end.
    #[error("it ended before it was complete")]
    Truncated,
    /// A stream that broke its dialect.
    #[error("the stream is broken: {0}")]
    Broken(StreamFault),
    /// An error object in a body with status 200.
    #[error("it contains an error: {}", .0.message)]
    UpstreamError(UpstreamError),
}

/// What became of the bytes fed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tapped {
    /// Bytes to relay now; may be empty.
    pub relay: Bytes,
    /// Whether to go on reading.
    pub flow: Flow,
}

/// Whether a stream goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Feed more.
    More,
    /// The end is known: relay what was given, stop reading, call the stream's `finish`.
    Stop,
}

/// How a stream ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamEnd {
    /// Every choice has its finish reason. `append` goes to the client before its stream ends: empty
    /// after a regular end, else what the backend left out.
    Complete {
        /// Bytes to relay last.
        append: Bytes,
    },
    /// The bytes ended, or `[DONE]` came, before a finish reason: close with an error event.
    Truncated,
    /// The backend reported an error in the stream (not relayed): close with an error event.
    UpstreamError(UpstreamError),
    /// The stream broke the dialect: close with an error event.
    Broken(StreamFault),
}

/// How a stream broke the dialect. The text is for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum StreamFault {
    /// Over [`SSE_EVENT_BYTES_MAX`].
    #[error("an event has more than {SSE_EVENT_BYTES_MAX} bytes")]
    EventTooLarge,
    /// Bytes that are no UTF-8.
    #[error("the text is not UTF-8")]
    InvalidUtf8,
    /// `data` that is no JSON object, or has no readable choices.
    #[error("an event does not follow the API's format")]
    NotJson,
    /// Over [`CHOICES_MAX`].
    #[error("it has more than {CHOICES_MAX} choices")]
    TooManyChoices,
    /// A piece of a tool call after its choice had finished: relaying or dropping it would hand an
    /// agent a wrong call.
    #[error("a tool call continues after the finish reason")]
    LateToolCall,
    /// Arguments of a tool call that never got a name.
    #[error("a tool call has no name")]
    NamelessToolCall,
    /// More was kept back than a translator keeps (see `assemble`), or more calls than any answer has.
    #[error("it has too many tool calls")]
    AnswerTooLarge,
}

/// Whether a name is a model's.
pub(crate) fn is_model_name(name: &str) -> bool {
    (1..=MODEL_NAME_BYTES_MAX).contains(&name.len()) && !name.chars().any(char::is_control)
}

/// The text of a whole answer, or why it is none.
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
