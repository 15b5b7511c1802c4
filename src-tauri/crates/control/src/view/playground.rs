//! Request and view types for playground runs: what was sent, what came back, and what it cost.

use ::playground::{PlaygroundState, ReasoningEffort};
use domain::ClientId;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{CostBasisView, Count, NanoDollars, SnippetView, UnixMs};

/// A prompt for one model. Its code snippets are requested with the same type.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PlaygroundSend {
    /// Model name as clients use it: `backend/model` or a bare name.
    pub model: String,
    /// None or empty for no system prompt.
    pub system: Option<String>,
    pub prompt: String,
    /// 0 to 2; None for the backend's default.
    pub temperature: Option<f64>,
    /// Limit of the output; None for the backend's default.
    pub max_tokens: Option<u32>,
    /// None for the backend's default.
    pub effort: Option<ReasoningEffort>,
    /// An agent asks, not the user: the request is recorded under the project `agents`.
    #[serde(default)]
    #[specta(optional)]
    pub by_agent: bool,
    /// The client with whose token an agent is here, whose scope, limits and budgets hold. Told within
    /// this process alone: no request can name it.
    #[serde(skip)]
    pub client: Option<ClientId>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PlaygroundRef {
    pub run: String,
}

/// A run, in progress or ended.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PlaygroundRunView {
    pub id: String,
    pub model: String,
    pub started_at: UnixMs,
    pub state: PlaygroundState,
    /// True until the run has ended, for any reason.
    pub is_running: bool,
    /// Text received so far.
    pub text: String,
    /// Reasoning received so far, if the backend shows it.
    pub thinking: String,
    /// Time to the first piece as the client sees it, in milliseconds.
    pub first_token_ms: Option<f64>,
    /// Time since sending, or the total time once the run has ended, in milliseconds.
    #[specta(type = specta_typescript::Number)]
    pub elapsed_ms: f64,
    /// Status of the gateway's response.
    pub http_status: Option<u16>,
    pub error: Option<PlaygroundErrorView>,
    /// The backend that answered or failed last.
    pub backend: Option<String>,
    /// Fields that were not sent because the backend does not support them.
    pub dropped: Vec<String>,
    pub finish_reason: Option<String>,
    /// Id of the request in the log.
    pub request: Option<String>,
    /// The ledger's record of the run, once it has ended.
    pub record: Option<PlaygroundRecordView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PlaygroundErrorView {
    pub message: String,
    /// The gateway's machine-readable code.
    pub code: Option<String>,
}

/// The ledger's record of a run.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PlaygroundRecordView {
    /// The model that the backend reports.
    pub model_billed: Option<String>,
    /// Why this backend was chosen.
    pub explanation: String,
    /// None if the backend reported no usage.
    pub usage: Option<PlaygroundUsageView>,
    /// None if not known.
    pub cost_nano_usd: Option<NanoDollars>,
    pub cost_basis: CostBasisView,
    /// Output tokens per second between the first token and the end.
    pub tokens_per_second: Option<f64>,
    /// In order.
    pub attempts: Vec<PlaygroundAttemptView>,
}

/// Token counts. `input` and `output` are totals; the other classes do not overlap.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, Type)]
pub struct PlaygroundUsageView {
    pub input: Count,
    pub output: Count,
    /// Input that no cache held.
    pub input_uncached: Count,
    /// Input read from the provider's cache.
    pub cache_read: Count,
    /// Input written to the provider's cache.
    pub cache_write: Count,
    /// Output without reasoning.
    pub output_visible: Count,
    pub reasoning: Count,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PlaygroundAttemptView {
    pub backend: String,
    /// The model requested from the backend.
    pub model: String,
    #[specta(type = specta_typescript::Number)]
    pub duration_ms: f64,
    /// None if the backend did not answer.
    pub http_status: Option<u16>,
    /// Error text; None if the attempt succeeded.
    pub error: Option<String>,
}

/// A further piece of a run's response.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PlaygroundDeltaView {
    pub run: String,
    /// Position of `text` in the run's text, in UTF-16 units. A reader that expects another
    /// position missed a piece.
    pub text_at: Count,
    pub text: String,
    /// Position of `thinking` in the run's reasoning, in UTF-16 units.
    pub thinking_at: Count,
    pub thinking: String,
    /// Time to the first piece, in milliseconds.
    pub first_token_ms: Option<f64>,
    /// Time since sending, in milliseconds.
    #[specta(type = specta_typescript::Number)]
    pub elapsed_ms: f64,
}

/// The HTTP exchange of a run, without the token.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PlaygroundRawExchangeView {
    /// Request line and headers.
    pub request_head: String,
    pub request_body: String,
    /// Status line and headers; empty until they arrive.
    pub answer_head: String,
    /// The body as received.
    pub answer_body: String,
    /// Number of bytes cut from the end of `answer_body`.
    pub answer_bytes_cut: Count,
}

/// A playground request as code.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PlaygroundSnippetsView {
    /// The client whose token the code fetches.
    pub client: String,
    /// True if the client exists.
    pub connected: bool,
    /// One for each library.
    pub snippets: Vec<SnippetView>,
}
