//! A whole answer.

use super::request::Part;
use crate::UsageReport;

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// The provider's id of it.
    pub id: Option<String>,
    /// The model the provider says it used.
    pub model: Option<String>,
    /// The answers, by index from zero; at least one unless the prompt was blocked.
    pub choices: Vec<AnswerChoice>,
    /// Tokens.
    pub usage: Option<UsageReport>,
}

/// One of the answers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AnswerChoice {
    /// Text, thinking, refusals, media and calls, in order.
    pub parts: Vec<Part>,
    /// Why it ended; `None` if the provider never said.
    pub finish: Option<Finish>,
}

/// Why an answer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finish {
    /// In neutral words.
    pub reason: FinishReason,
    /// In the provider's own word, for the ledger.
    pub word: String,
    /// Which stop text it met, where the provider says so.
    pub stop_sequence: Option<String>,
}

/// Why an answer ended, in neutral words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FinishReason {
    /// It was done.
    EndTurn,
    /// It met a stop text.
    StopSequence,
    /// The limit of output tokens.
    MaxTokens,
    /// The context window is full.
    ContextWindow,
    /// It waits for tools.
    ToolUse,
    /// It was refused or filtered.
    Refusal,
    /// A long turn was paused and may be continued (Anthropic's `pause_turn`).
    Pause,
    /// The provider broke it off for a fault of the model (Gemini's `MALFORMED_FUNCTION_CALL`).
    Fault,
}
