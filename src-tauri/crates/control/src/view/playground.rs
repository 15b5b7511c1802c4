//! One prompt to one backend, or to two: what was sent, what came, and what it took.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{CostBasisView, Count, MicroDollars, SnippetView, UnixMs};

/// What to send. The same request asks for its snippets.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PlaygroundSend {
    /// A model as clients name it, `backend/model` or a bare name.
    pub model: String,
    /// The system prompt; empty for none.
    pub system: Option<String>,
    /// The prompt.
    pub prompt: String,
    /// 0 to 2; none for the backend's own.
    pub temperature: Option<f64>,
    /// Most tokens of the answer; none for the backend's own.
    pub max_tokens: Option<u32>,
    /// How hard to think; none for the backend's own.
    pub effort: Option<EffortView>,
}

/// How hard a model is to think before it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum EffortView {
    /// As little as it can.
    Minimal,
    /// Little.
    Low,
    /// Somewhat.
    Medium,
    /// Hard.
    High,
}

/// Names one run.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PlaygroundRef {
    /// Which.
    pub run: String,
}

/// A run, while it goes and after.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PlaygroundRunView {
    /// Its id.
    pub id: String,
    /// The model that was asked for.
    pub model: String,
    /// When it began.
    pub started_at: UnixMs,
    /// How far it has come.
    pub state: PlaygroundStateView,
    /// The answer's text so far.
    pub text: String,
    /// What the model thought before it, where the backend shows it.
    pub thinking: String,
    /// Until the first piece, in milliseconds, as a client sees it.
    pub first_token_ms: Option<f64>,
    /// Since it was sent, or until its end, in milliseconds.
    #[specta(type = specta_typescript::Number)]
    pub elapsed_ms: f64,
    /// Status of the gateway's answer.
    pub http_status: Option<u16>,
    /// What went wrong, in the gateway's words.
    pub error: Option<PlaygroundErrorView>,
    /// The backend that answered or failed last.
    pub backend: Option<String>,
    /// Fields that the backend has no word for and did not get.
    pub dropped: Vec<String>,
    /// Why the model stopped.
    pub finish_reason: Option<String>,
    /// The request in the log, to link to.
    pub request: Option<String>,
    /// What was written down about it, once it has ended.
    pub record: Option<PlaygroundRecordView>,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum PlaygroundStateView {
    /// Sent; nothing has come yet.
    Waiting,
    /// Text comes.
    Streaming,
    /// Ended well.
    Complete,
    /// Broke off after its first text.
    Partial,
    /// Refused, or broke before any text.
    Failed,
    /// Stopped by the user.
    Cancelled,
}

/// What went wrong.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PlaygroundErrorView {
    /// The gateway's own sentence.
    pub message: String,
    /// Its word for programs.
    pub code: Option<String>,
}

/// What the ledger has of a run.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PlaygroundRecordView {
    /// What the backend says it used.
    pub model_billed: Option<String>,
    /// Why it went where it went.
    pub explanation: String,
    /// Tokens by class; none when the backend did not say.
    pub usage: Option<PlaygroundUsageView>,
    /// Its cost; none when not known.
    pub cost: Option<MicroDollars>,
    /// How the cost is known.
    pub cost_basis: CostBasisView,
    /// Output tokens for each second between the first token and the end.
    pub tokens_per_second: Option<f64>,
    /// Every try, in order.
    pub attempts: Vec<PlaygroundAttemptView>,
}

/// Tokens; no token is in two classes.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, Type)]
pub struct PlaygroundUsageView {
    /// All input.
    pub input: Count,
    /// All output.
    pub output: Count,
    /// Input that no cache had.
    pub input_uncached: Count,
    /// Input read from a provider's cache.
    pub cache_read: Count,
    /// Input written into a provider's cache.
    pub cache_write: Count,
    /// Output that can be seen.
    pub output_visible: Count,
    /// Output that was thinking.
    pub reasoning: Count,
}

/// One try at one backend.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PlaygroundAttemptView {
    /// Where it went.
    pub backend: String,
    /// The model named there.
    pub model: String,
    /// How long it took, in milliseconds.
    #[specta(type = specta_typescript::Number)]
    pub duration_ms: f64,
    /// The backend's status, if it answered.
    pub http_status: Option<u16>,
    /// How it failed, in words; none if it did not.
    pub error: Option<String>,
}

/// More of an answer.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PlaygroundPieceView {
    /// Which run.
    pub run: String,
    /// UTF-16 units of text before this: another number than the reader has means that it missed
    /// some.
    pub text_at: Count,
    /// More text.
    pub text: String,
    /// UTF-16 units of thinking before this.
    pub thinking_at: Count,
    /// More thinking.
    pub thinking: String,
    /// Until the first piece, in milliseconds.
    pub first_token_ms: Option<f64>,
    /// Since it was sent, in milliseconds.
    #[specta(type = specta_typescript::Number)]
    pub elapsed_ms: f64,
}

/// What went over the wire. The token is not in it.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PlaygroundRawView {
    /// Request line and headers.
    pub request_head: String,
    /// The request's JSON.
    pub request_body: String,
    /// Status line and headers of the answer; empty until they have come.
    pub answer_head: String,
    /// The answer as it came.
    pub answer_body: String,
    /// Bytes at its end that are not shown.
    pub answer_bytes_cut: Count,
}

/// The same request as code.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PlaygroundSnippetsView {
    /// The client whose token the code fetches.
    pub client: String,
    /// Whether there is such a client yet.
    pub connected: bool,
    /// The code, one for each library.
    pub snippets: Vec<SnippetView>,
}
