//! The built-in mock backend: answers in every dialect without a model.
//!
//! It makes first steps possible offline, gives drills something to break, and lets tests run a
//! whole engine without a network. Every answer depends on the request alone, so a test can predict
//! it. It follows the dialect's rules: tool arguments and structured output are valid by their JSON
//! schemas, usage is reported, `max_tokens` is obeyed.
//!
//! One rule counts tokens in prompts and answers: a run of letters and digits is one token, and so
//! is each run of other visible characters; white space is free.

mod embeddings;
mod fault;
mod frames;
mod prompt;
mod schema;
mod script;
mod text;
mod tools;

use bytes::Bytes;
use domain::Dialect;
use fault::MockFault;
use frames::AnswerFrames;
use prompt::MockPrompt;
use script::{AnswerScript, AnswerStyle};

use crate::{ClientRequest, CountRequest, EmbeddingRequest, write_count, write_model_list};

/// Pause between the tokens of `chat`, in milliseconds: a fast hosted model.
pub(crate) const CHAT_TOKEN_DELAY_MS: u64 = 5;

/// Pause between the tokens of `slow`, in milliseconds: a small model on a CPU.
pub(crate) const SLOW_TOKEN_DELAY_MS: u64 = 150;

/// Content tokens that `fault-cut`, `fault-stall` and `fault-error-event` send before they fail.
pub(crate) const TOKENS_BEFORE_FAULT: usize = 2;

/// Most tokens of one answer; `echo` of a longer text ends with `length`.
pub(crate) const ANSWER_TOKENS_MAX: usize = 4_096;

/// Every model of the mock, as `GET /v1/models` lists them.
///
/// `echo` repeats the last user text, `chat` writes a paragraph seeded by the prompt, `slow` is
/// `chat` at `SLOW_TOKEN_DELAY_MS`, `think` thinks before it repeats the text, and `text-and-tool`
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

/// One answer: status, headers, then the body piece by piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MockAnswer {
    pub status: u16,
    pub content_type: &'static str,
    /// Value of the `retry-after` header, in seconds.
    pub retry_after_s: Option<u32>,
    pub body: Vec<MockChunk>,
    pub end: MockEnd,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MockChunk {
    /// Wait before this piece, in milliseconds.
    pub delay_ms: u64,
    /// One event of a stream, or a complete JSON body.
    pub bytes: Bytes,
}

/// How a body ends after its last piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MockEnd {
    /// The HTTP body ends normally.
    Done,
    /// The connection breaks.
    Cut,
    /// No more bytes come, and the connection stays open.
    Stall,
}

/// Answers a request in its own dialect. `created_unix_s` is the date of the answer.
#[must_use]
pub fn answer(request: &ClientRequest, created_unix_s: i64) -> MockAnswer {
    let (dialect, model) = (request.dialect(), request.model());
    let Some((style, delay_ms, fault)) = model_behaviour(model) else {
        return fault::unknown_model_answer(dialect, model);
    };
    let request = match request.to_neutral() {
        Ok(request) => request,
        Err(reason) => return fault::unreadable_request_answer(dialect, &reason),
    };
    let script = AnswerScript::new(&MockPrompt::new(&request), style);
    let tokens_max = fault.as_ref().map_or(usize::MAX, MockFault::tokens_max);
    let good = AnswerFrames::write(&script, dialect, request, created_unix_s, delay_ms, tokens_max);
    match fault {
        Some(fault) => fault.apply(good),
        None => good.into_answer(MockEnd::Done),
    }
}

/// Style, pause between tokens in milliseconds, and fault of a model; `None` if it does not exist.
fn model_behaviour(model: &str) -> Option<(AnswerStyle, u64, Option<MockFault>)> {
    Some(match model {
        "echo" => (AnswerStyle::Echo, 0, None),
        "chat" => (AnswerStyle::Chat, CHAT_TOKEN_DELAY_MS, None),
        "slow" => (AnswerStyle::Chat, SLOW_TOKEN_DELAY_MS, None),
        "think" => (AnswerStyle::Think, CHAT_TOKEN_DELAY_MS, None),
        "text-and-tool" => (AnswerStyle::TextAndTool, CHAT_TOKEN_DELAY_MS, None),
        _ => (AnswerStyle::Chat, 0, Some(MockFault::from_model_name(model)?)),
    })
}

/// Answers a request to count tokens: applies the mock's token rule to the texts of all messages.
#[must_use]
pub fn answer_token_count(request: &CountRequest) -> MockAnswer {
    let dialect = request.dialect();
    match request.read_turns() {
        Ok(turns) => {
            let tokens = prompt::count_turn_tokens(&turns);
            fault::ok_answer("application/json", write_count(dialect, tokens))
        }
        Err(reason) => fault::unreadable_request_answer(dialect, &reason),
    }
}

/// Answers a request for embeddings. Every model makes vectors, except that `fault-…` models fail.
#[must_use]
pub fn answer_embeddings(request: &EmbeddingRequest) -> MockAnswer {
    embeddings::answer_embeddings(request)
}

/// The mock's model list, as `GET /v1/models` answers it.
#[must_use]
pub fn model_list(created_unix_s: i64) -> Bytes {
    write_model_list(Dialect::OpenAiChat, MODELS, created_unix_s)
}

#[cfg(test)]
mod tests;
