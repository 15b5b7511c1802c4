//! A complete answer.

use super::request::ContentPart;
use crate::UsageReport;

#[derive(Debug, Clone, PartialEq, Default)]
pub struct ModelAnswer {
    /// Id given by the provider.
    pub id: Option<String>,
    /// Model that the provider reports.
    pub model: Option<String>,
    /// By index from zero; at least one unless the prompt was blocked.
    pub choices: Vec<AnswerChoice>,
    pub usage: Option<UsageReport>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct AnswerChoice {
    /// Text, thinking, refusals, media and calls, in order.
    pub parts: Vec<ContentPart>,
    /// `None` if the provider gave no reason.
    pub finish: Option<Finish>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finish {
    pub reason: FinishReason,
    /// Reason in the provider's spelling, for the ledger.
    pub word: String,
    /// Stop text that was met, if the provider reports it.
    pub stop_sequence: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FinishReason {
    EndTurn,
    StopSequence,
    /// Limit of output tokens.
    MaxTokens,
    /// The context window is full.
    ContextWindow,
    /// The answer ends with calls and waits for their results.
    ToolUse,
    /// Refused or filtered.
    Refusal,
    /// A long turn was paused and can be continued (Anthropic's `pause_turn`).
    Pause,
    /// A fault of the model (Gemini's `MALFORMED_FUNCTION_CALL`), or a reason that the reader of
    /// Anthropic or Gemini does not know.
    Fault,
}
