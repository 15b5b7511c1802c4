//! The built-in mock backend's brain: an OpenAI-compatible model without a model.
//!
//! It makes the first minutes work offline, gives drills something to break, and lets a whole engine
//! be tested without a network. Every answer depends on the request alone, so a test can say what
//! comes. It plays by the dialect's rules: tool arguments and structured output are valid by their
//! JSON schemas, usage is reported, `max_tokens` is obeyed.
//!
//! Tokens are counted by one simple rule, for the prompt and for the answer: a run of letters and
//! digits is one token, and so is each run of other visible characters; white space is free.

mod answer;
mod fault;
mod prompt;
mod schema;
mod text;
mod tools;

use bytes::Bytes;

use crate::{ClientRequest, models_answer};

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
/// `chat` at [`SLOW_TOKEN_DELAY_MS`]. Each `fault-…` fails in the way its name says.
pub const MODELS: [&str; 20] = [
    "echo",
    "chat",
    "slow",
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

/// Answers a chat request. `created_unix_s` is the answer's `created`.
#[must_use]
pub fn answer(request: &ClientRequest, created_unix_s: i64) -> MockAnswer {
    answer::answer(request, created_unix_s)
}

/// The mock's list of models, as `GET /v1/models` answers it.
#[must_use]
pub fn models(created_unix_s: i64) -> Bytes {
    models_answer(domain::Dialect::OpenAiChat, MODELS, created_unix_s)
}

#[cfg(test)]
mod tests;
