//! What each dialect of the mock implements.

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

/// The mock's own reader and writer for one dialect. It is written independently of the
/// translators, so that neither hides a fault of the other.
pub(super) trait Voice: Sync {
    /// Reads a request; `None` if the body is none.
    fn prompt(&self, body: &Value) -> Option<Prompt>;

    /// Body of a complete answer.
    fn whole(&self, script: &Script) -> Bytes;

    /// Events of a streamed answer.
    fn stream(&self, script: &Script, usage: UsageChunk) -> Vec<Beat>;

    /// The `content-type` of a stream.
    fn stream_type(&self) -> &'static str {
        "text/event-stream"
    }

    /// Body of an error.
    fn error(&self, error: &ErrorAnswer<'_>) -> Bytes;

    /// An error event in mid-stream, after `events` events.
    fn error_event(&self, error: &ErrorAnswer<'_>, events: usize) -> Bytes;
}

/// One event of a stream, or a complete body.
#[derive(Debug)]
pub(super) struct Beat {
    pub(super) kind: BeatKind,
    pub(super) bytes: Bytes,
}

/// The kind of an event, for delays and faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BeatKind {
    /// Contains nothing that the model said.
    Frame,
    /// A token of text, thinking or a call. The model's delay comes before it.
    Token,
    /// Marks the stream as complete, after the finish reason.
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

/// Adds a member to an object; other values stay unchanged.
pub(super) fn insert(object: &mut Value, key: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(key.to_owned(), value);
    }
}

pub(super) const fn voice(dialect: Dialect) -> &'static dyn Voice {
    match dialect {
        Dialect::OpenAiChat => &Chat,
        Dialect::OpenAiResponses => &Responses,
        Dialect::AnthropicMessages => &Anthropic,
        Dialect::Gemini => &Gemini,
        Dialect::OllamaChat => &Ollama,
    }
}
