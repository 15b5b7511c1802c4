//! The built-in mock backend's brain: a model without a model, in every dialect.
//!
//! It makes the first minutes work offline, gives drills something to break, and lets a whole engine
//! be tested without a network. Every answer depends on the request alone, so a test can say what
//! comes. It plays by the dialect's rules: tool arguments and structured output are valid by their
//! JSON schemas, usage is reported, `max_tokens` is obeyed.
//!
//! Tokens are counted by one simple rule, for the prompt and for the answer: a run of letters and
//! digits is one token, and so is each run of other visible characters; white space is free.

mod anthropic;
mod chat;
mod embeddings;
mod fault;
mod gemini;
mod ollama;
mod play;
mod prompt;
mod responses;
mod schema;
mod script;
mod text;
mod tools;
mod voice;

use bytes::Bytes;
use domain::Dialect;
use serde_json::Value;

use crate::{ClientRequest, Delivery, UsageChunk, count_answer, models_answer};

/// Pause between the tokens of `chat`, in milliseconds: a brisk hosted model.
pub const CHAT_TOKEN_DELAY_MS: u64 = 5;

/// Pause between the tokens of `slow`, in milliseconds: a small model on a processor.
pub const SLOW_TOKEN_DELAY_MS: u64 = 150;

/// Tokens of content that `fault-cut`, `fault-stall` and `fault-error-event` send before they fail.
pub const TOKENS_BEFORE_FAULT: usize = 2;

/// Most tokens of one answer; `echo` of a longer text ends with `length`.
pub const ANSWER_TOKENS_MAX: usize = 4_096;

/// Every model of the mock, as `GET /v1/models` lists them.
///
/// `echo` repeats the last user text, `chat` writes a paragraph seeded by the prompt, `slow` is
/// `chat` at [`SLOW_TOKEN_DELAY_MS`], `think` thinks before it repeats the text, and `text-and-tool`
/// writes a paragraph and calls a tool in the same turn. Each `fault-…` fails in the way its name says.
pub const MODELS: [&str; 22] = [
    "echo",
    "chat",
    "slow",
    "think",
    "text-and-tool",
    "fault-400",
    "fault-401",
    "fault-402",
    "fault-403",
    "fault-404",
    "fault-429",
    "fault-500",
    "fault-503",
    "fault-529",
    "fault-cut",
    "fault-stall",
    "fault-html",
    "fault-empty",
    "fault-truncated-json",
    "fault-error-event",
    "fault-no-done",
    "fault-no-usage",
];

/// One answer of the mock, to be played in order: status, headers, then the body piece by piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MockAnswer {
    /// HTTP status.
    pub status: u16,
    /// Value of the `content-type` header.
    pub content_type: &'static str,
    /// Value of the `retry-after` header in seconds, where there is one.
    pub retry_after_s: Option<u32>,
    /// The body.
    pub body: Vec<MockPiece>,
    /// How the body ends after its last piece.
    pub end: MockEnd,
}

/// One piece of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MockPiece {
    /// How long to wait before it, in milliseconds.
    pub delay_ms: u64,
    /// Its bytes: one event of a stream, or a whole JSON body.
    pub bytes: Bytes,
}

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MockEnd {
    /// Regularly, as HTTP has it.
    Done,
    /// The connection breaks.
    Cut,
    /// Nothing more comes, and the connection stays open.
    Stall,
}

/// Answers a request in its own dialect. `created_unix_s` is the answer's date.
#[must_use]
pub fn answer(request: &ClientRequest, created_unix_s: i64) -> MockAnswer {
    let question = play::Question {
        dialect: request.dialect(),
        model: request.model(),
        delivery: request.delivery(),
        body: request.body(),
        created_unix_s,
    };
    question.answer()
}

/// Answers as Ollama does: the body of `POST /api/chat`, which no client sends.
#[must_use]
pub fn answer_ollama(body: &[u8]) -> MockAnswer {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    // Ollama streams unless it is told not to.
    let is_whole = value.get("stream").is_some_and(|stream| stream == false);
    let delivery = if is_whole { Delivery::Whole } else { Delivery::Stream(UsageChunk::Asked) };
    let model = value.get("model").and_then(Value::as_str).unwrap_or_default();
    let dialect = Dialect::OllamaChat;
    play::Question { dialect, model, delivery, body, created_unix_s: 0 }.answer()
}

/// Answers a wish for the tokens of a prompt to be counted, by the mock's one rule for all dialects:
/// the texts of all messages.
#[must_use]
pub fn count_tokens(dialect: Dialect, body: &[u8]) -> MockAnswer {
    let voice = voice::voice(dialect);
    let value: Option<Value> = serde_json::from_slice(body).ok();
    let Some(prompt) = value.and_then(|body| voice.prompt(&body)) else {
        return fault::unreadable(voice);
    };
    fault::replaced("application/json", count_answer(dialect, prompt.tokens))
}

/// Answers a request for embeddings in the shape of `dialect` (OpenAI's, Gemini's or Ollama's). `model`
/// is its model: every name makes vectors, but the `fault-…` fail.
#[must_use]
pub fn embeddings(dialect: Dialect, model: &str, body: &[u8]) -> MockAnswer {
    embeddings::embeddings(dialect, model, body)
}

/// The mock's list of models, as `GET /v1/models` answers it.
#[must_use]
pub fn models(created_unix_s: i64) -> Bytes {
    models_answer(Dialect::OpenAiChat, MODELS, created_unix_s)
}

#[cfg(test)]
mod tests;
