//! The playground's runs in memory: what is known of each, and how many are kept.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use domain::{RequestId, RunId, WallTime};
use ledger::{AttemptRecord, RequestRow};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::playground::PLAYGROUND_PROMPT_BYTES_MAX;

/// Maximum concurrent runs: two, to compare two backends side by side.
pub const PLAYGROUND_RUNS_AT_ONCE_MAX: usize = 2;

/// Maximum runs kept in memory, including running ones: two comparisons.
pub const PLAYGROUND_RUNS_KEPT_MAX: usize = 4;

#[derive(Debug, Clone)]
pub struct PlaygroundRun {
    pub id: RunId,
    /// Requested model name.
    pub model: String,
    pub started: WallTime,
    pub state: PlaygroundState,
    /// Text of the response. Together with `thinking` at most [`crate::PLAYGROUND_TEXT_BYTES_MAX`].
    pub text: String,
    /// Reasoning text, if the backend shows it.
    pub thinking: String,
    /// Time to the first text or reasoning, as a client sees it.
    pub first_piece: Option<Duration>,
    /// Time since the request was sent, or its total duration once it has ended.
    pub elapsed: Duration,
    /// Status of the gateway's response.
    pub http_status: Option<u16>,
    /// Id of the request in the ledger.
    pub request: Option<RequestId>,
    /// Backend that answered, from the response header.
    pub backend: Option<String>,
    /// Request fields that were not sent because the backend does not support them.
    pub dropped: Vec<String>,
    pub finish_reason: Option<String>,
    pub fault: Option<PlaygroundFault>,
    /// The ledger's record, once the run has ended.
    pub record: Option<Arc<(RequestRow, Vec<AttemptRecord>)>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlaygroundState {
    /// Sent, without a response so far.
    Waiting,
    Streaming,
    Complete,
    /// Failed after the first text.
    Partial,
    /// Refused, or failed before any text.
    Failed,
    Cancelled,
}

impl PlaygroundState {
    /// True while the run is in progress.
    #[must_use]
    pub const fn is_running(self) -> bool {
        matches!(self, Self::Waiting | Self::Streaming)
    }
}

/// Error of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaygroundFault {
    /// The gateway's error message.
    pub message: String,
    /// The gateway's error code.
    pub code: Option<String>,
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
    /// At most [`crate::PLAYGROUND_RAW_BYTES_MAX`].
    pub answer_body: Vec<u8>,
    /// Number of body bytes received but not kept.
    pub answer_bytes_cut: usize,
}

/// Why no run was started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaygroundError {
    /// [`PLAYGROUND_RUNS_AT_ONCE_MAX`] is reached.
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
}

/// Runs in memory, oldest first.
#[derive(Default)]
pub(crate) struct PlaygroundRuns(Mutex<VecDeque<PlaygroundSlot>>);

pub(crate) struct PlaygroundSlot {
    pub(crate) run: PlaygroundRun,
    pub(crate) raw: PlaygroundRawExchange,
    pub(crate) cancel: CancellationToken,
}

impl PlaygroundRuns {
    /// Adds a run, in the place of the oldest that has ended if there are many.
    pub(crate) fn add(&self, slot: PlaygroundSlot) -> Result<(), PlaygroundError> {
        let mut places = self.0.lock();
        let going = places.iter().filter(|place| place.run.state.is_running()).count();
        if going >= PLAYGROUND_RUNS_AT_ONCE_MAX {
            return Err(PlaygroundError::TooManyRuns);
        }
        if places.len() >= PLAYGROUND_RUNS_KEPT_MAX
            && let Some(oldest) = places.iter().position(|place| !place.run.state.is_running())
        {
            places.remove(oldest);
        }
        places.push_back(slot);
        Ok(())
    }

    /// Cancels a run: the gateway sees its client disconnect. Ended runs are not affected.
    pub(crate) fn cancel(&self, id: RunId) {
        let places = self.0.lock();
        if let Some(place) = places.iter().find(|place| place.run.id == id) {
            place.cancel.cancel();
        }
    }

    /// Runs in memory, oldest first.
    #[must_use]
    pub(crate) fn list(&self) -> Vec<PlaygroundRun> {
        self.0.lock().iter().map(|place| place.run.clone()).collect()
    }

    /// Raw request and response; `None` if the run is no longer kept.
    #[must_use]
    pub(crate) fn raw_exchange(&self, id: RunId) -> Option<PlaygroundRawExchange> {
        let places = self.0.lock();
        places.iter().find(|place| place.run.id == id).map(|place| place.raw.clone())
    }

    /// Applies `change` to a run; `None` if the run is no longer kept.
    pub(crate) fn update<T>(
        &self,
        id: RunId,
        change: impl FnOnce(&mut PlaygroundSlot) -> T,
    ) -> Option<T> {
        let mut places = self.0.lock();
        places.iter_mut().find(|place| place.run.id == id).map(change)
    }
}
