//! What is known of a run, and how many runs are kept.

use std::sync::Arc;
use std::time::Duration;

use domain::{RequestId, RunId, WallTime};
use ledger::{AttemptRecord, RequestRow};

use crate::parameters::{PLAYGROUND_PROMPT_BYTES_MAX, PromptSender};

/// Maximum concurrent runs: two of the user, to compare two backends, and four of an agent.
pub const PLAYGROUND_RUNS_AT_ONCE_MAX: usize = 6;

/// Maximum runs kept in memory, including running ones.
pub const PLAYGROUND_RUNS_KEPT_MAX: usize = 8;

#[derive(Debug, Clone)]
pub struct PlaygroundRun {
    pub id: RunId,
    pub sender: PromptSender,
    pub model: String,
    pub started: WallTime,
    pub state: PlaygroundState,
    /// Text of the response. Together with `thinking` at most `PLAYGROUND_TEXT_BYTES_MAX`.
    pub text: String,
    /// Reasoning text, if the backend shows it.
    pub thinking: String,
    /// Time to the first text or reasoning, as a client sees it.
    pub first_piece: Option<Duration>,
    /// Time since the request was sent, or its total duration once it has ended.
    pub elapsed: Duration,
    /// Status of the gateway's response.
    pub http_status: Option<u16>,
    /// Id of the request in the ledger, known from the start; `None` if it never got there.
    pub request: Option<RequestId>,
    /// Backend that answered, from the response header.
    pub backend: Option<String>,
    /// Request fields that were not sent because the backend does not support them.
    pub dropped: Vec<String>,
    pub finish_reason: Option<String>,
    pub fault: Option<PlaygroundFault>,
    /// The ledger's record, once the run has ended.
    pub record: Option<Arc<RequestWithAttempts>>,
}

/// A request as the ledger has it.
pub type RequestWithAttempts = (RequestRow, Vec<AttemptRecord>);

domain::words! {
    PlaygroundState {
        /// Sent, without a response so far.
        Waiting = "waiting",
        Streaming = "streaming",
        Complete = "complete",
        /// Failed after the first text.
        Partial = "partial",
        /// Refused, or failed before any text.
        Failed = "failed",
        /// Stopped by the user.
        Cancelled = "cancelled",
    }
}

impl PlaygroundState {
    /// True while the run is in progress.
    #[must_use]
    pub const fn is_running(self) -> bool {
        matches!(self, Self::Waiting | Self::Streaming)
    }
}

/// Code of the fault of a run that took longer than its `time_limit`.
pub const TIME_LIMIT_CODE: &str = "time_limit";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaygroundFault {
    /// The gateway's error message.
    pub message: String,
    /// The gateway's error code.
    pub code: Option<String>,
}

/// A change of a run.
#[derive(Debug, Clone)]
pub enum PlaygroundEvent {
    /// It started or ended.
    Run(Arc<PlaygroundRun>),
    /// More of its response.
    Delta(Arc<PlaygroundDelta>),
}

/// Text added since the last update of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaygroundDelta {
    pub run: RunId,
    /// UTF-16 length of the text before this piece, so that a reader notices a gap.
    pub text_at: usize,
    pub text: String,
    /// UTF-16 length of the reasoning before this piece.
    pub thinking_at: usize,
    pub thinking: String,
    /// As in [`PlaygroundRun::first_piece`].
    pub first_piece: Option<Duration>,
    /// As in [`PlaygroundRun::elapsed`].
    pub elapsed: Duration,
}

/// Raw request and response, without the token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlaygroundRawExchange {
    /// Request line and headers.
    pub request_head: String,
    pub request_body: String,
    /// Status line and headers; empty until received.
    pub answer_head: String,
    /// At most `PLAYGROUND_RAW_BYTES_MAX`.
    pub answer_body: Vec<u8>,
    /// Number of body bytes received but not kept.
    pub answer_bytes_cut: usize,
}

/// Why no run was started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaygroundError {
    #[error(
        "{PLAYGROUND_RUNS_AT_ONCE_MAX} prompts are already running; wait for one to finish, or \
         cancel it"
    )]
    TooManyRuns,
    /// Holds the bytes of the prompt and system prompt.
    #[error("the prompts have {0} bytes; at most {PLAYGROUND_PROMPT_BYTES_MAX} are allowed")]
    TooLong(usize),
    /// The gateway is not listening; holds the reason.
    #[error("the gateway is not listening: {0}")]
    NoGateway(String),
    /// A health check of the same backend is running.
    #[error("this backend is being asked already; wait for its answer, or cancel it")]
    AlreadyAsked,
}
