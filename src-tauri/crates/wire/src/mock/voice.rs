//! In which dialect the mock speaks.

use bytes::Bytes;
use domain::Dialect;
use serde_json::Value;

use super::anthropic::Anthropic;
use super::chat::Chat;
use super::gemini::Gemini;
use super::ollama::Ollama;
use super::prompt::Prompt;
use super::responses::Responses;
use super::script::Script;
use crate::{ErrorAnswer, UsageChunk};

/// The mock's native voice in one dialect: how it reads a request and shapes an answer. Written apart
/// from the translators, so that neither hides a fault of the other.
pub(super) trait Voice: Sync {
    /// What a request asks for; `None` if it is none.
    fn prompt(&self, body: &Value) -> Option<Prompt>;

    /// The body of a whole answer.
    fn whole(&self, script: &Script) -> Bytes;

    /// The events of a streamed answer.
    fn stream(&self, script: &Script, usage: UsageChunk) -> Vec<Beat>;

    /// The value of `content-type` of a stream.
    fn stream_type(&self) -> &'static str {
        "text/event-stream"
    }

    /// The body of an error.
    fn error(&self, error: &ErrorAnswer<'_>) -> Bytes;

    /// An error in mid-stream, after `events` events.
    fn error_event(&self, error: &ErrorAnswer<'_>, events: usize) -> Bytes;
}

/// One event of a stream.
#[derive(Debug)]
pub(super) struct Beat {
    pub(super) kind: BeatKind,
    pub(super) bytes: Bytes,
}

/// What an event is to the faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BeatKind {
    /// Says nothing that the model said.
    Frame,
    /// A token of text, of thinking or of a call: the model's pace is kept before it.
    Token,
    /// Tells that the stream is whole, after the finish reason.
    Terminator,
}

impl Beat {
    pub(super) fn frame(bytes: impl Into<Bytes>) -> Self {
        Self { kind: BeatKind::Frame, bytes: bytes.into() }
    }

    pub(super) fn token(bytes: impl Into<Bytes>) -> Self {
        Self { kind: BeatKind::Token, bytes: bytes.into() }
    }

    pub(super) fn terminator(bytes: impl Into<Bytes>) -> Self {
        Self { kind: BeatKind::Terminator, bytes: bytes.into() }
    }
}

/// Adds a member to an object; anything else is left as it is.
pub(super) fn insert(object: &mut Value, key: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(key.to_owned(), value);
    }
}

/// The voice of a dialect.
pub(super) const fn voice(dialect: Dialect) -> &'static dyn Voice {
    match dialect {
        Dialect::OpenAiChat => &Chat,
        Dialect::OpenAiResponses => &Responses,
        Dialect::AnthropicMessages => &Anthropic,
        Dialect::Gemini => &Gemini,
        Dialect::OllamaChat => &Ollama,
    }
}
