//! What each dialect of the mock implements.

use bytes::Bytes;
use domain::Dialect;
use serde_json::Value;

use super::anthropic::AnthropicMock;
use super::chat::ChatMock;
use super::gemini::GeminiMock;
use super::ollama::OllamaMock;
use super::prompt::MockPrompt;
use super::responses::ResponsesMock;
use super::script::AnswerScript;
use crate::{ErrorAnswer, UsageChunk};

/// The mock's own reader and writer for one dialect. It is written independently of the
/// translators, so that neither hides a fault of the other.
pub(super) trait MockDialect: Sync {
    /// Reads a request; `None` if the body is none.
    fn read_prompt(&self, body: &Value) -> Option<MockPrompt>;

    /// Body of a complete answer.
    fn write_answer(&self, script: &AnswerScript) -> Bytes;

    /// Events of a streamed answer.
    fn write_stream(&self, script: &AnswerScript, usage: UsageChunk) -> Vec<AnswerFrame>;

    /// The `content-type` of a stream.
    fn stream_content_type(&self) -> &'static str {
        "text/event-stream"
    }

    /// Body of an error.
    fn error_body(&self, error: &ErrorAnswer<'_>) -> Bytes;

    /// An error event in mid-stream, after `events` events.
    fn error_event(&self, error: &ErrorAnswer<'_>, events: usize) -> Bytes;
}

/// One event of a stream, or a complete body.
#[derive(Debug)]
pub(super) struct AnswerFrame {
    pub(super) kind: AnswerFrameKind,
    pub(super) bytes: Bytes,
}

/// The kind of an event, for delays and faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AnswerFrameKind {
    /// Contains nothing that the model said.
    Frame,
    /// A token of text, thinking or a call. The model's delay comes before it.
    Token,
    /// Marks the stream as complete, after the finish reason.
    Terminator,
}

impl AnswerFrame {
    pub(super) fn frame(bytes: impl Into<Bytes>) -> Self {
        Self { kind: AnswerFrameKind::Frame, bytes: bytes.into() }
    }

    pub(super) fn token(bytes: impl Into<Bytes>) -> Self {
        Self { kind: AnswerFrameKind::Token, bytes: bytes.into() }
    }

    pub(super) fn terminator(bytes: impl Into<Bytes>) -> Self {
        Self { kind: AnswerFrameKind::Terminator, bytes: bytes.into() }
    }
}

/// Adds a member to an object; other values stay unchanged.
pub(super) fn insert(object: &mut Value, key: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(key.to_owned(), value);
    }
}

pub(super) const fn mock_dialect(dialect: Dialect) -> &'static dyn MockDialect {
    match dialect {
        Dialect::OpenAiChat => &ChatMock,
        Dialect::OpenAiResponses => &ResponsesMock,
        Dialect::AnthropicMessages => &AnthropicMock,
        Dialect::Gemini => &GeminiMock,
        Dialect::OllamaChat => &OllamaMock,
    }
}
