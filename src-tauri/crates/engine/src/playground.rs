//! Playground runs: the user's prompt goes through the gateway like any client's request, and the
//! response is published while it streams.
//!
//! The playground knows no backends. It shows what a tool on this machine would get, errors
//! included, and its requests are recorded and counted as traffic. Prompts and responses of the
//! last few runs stay in memory and go nowhere else.

mod exchange;
mod parameters;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use domain::{BackendId, RequestId, RunId, WallTime};
use ledger::{AttemptRecord, RequestRow, RequestState};
use parking_lot::Mutex;
use routing::Needs;
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use crate::events::EngineEvent;
use crate::routes::RouteQuery;
use crate::serving::GatewayStatus;
use crate::snapshot;

pub use exchange::{
    PLAYGROUND_IDLE_SECS_MAX, PLAYGROUND_RAW_BYTES_MAX, PLAYGROUND_TEXT_BYTES_MAX,
    PLAYGROUND_UPDATE_MS,
};
pub use parameters::{
    PLAYGROUND_PROMPT_BYTES_MAX, PlaygroundParameters, ReasoningEffort, TokenLimitField,
};

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
    /// Text of the response. Together with `thinking` at most [`PLAYGROUND_TEXT_BYTES_MAX`].
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
    /// At most [`PLAYGROUND_RAW_BYTES_MAX`].
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
pub(crate) struct Playground(Mutex<VecDeque<PlaygroundSlot>>);

struct PlaygroundSlot {
    run: PlaygroundRun,
    raw: PlaygroundRawExchange,
    cancel: CancellationToken,
}

impl Engine {
    /// Starts a run and returns its initial state. Progress is published as events.
    pub fn start_playground(
        &self,
        order: PlaygroundParameters,
    ) -> Result<PlaygroundRun, PlaygroundError> {
        let bytes = order.prompt_bytes();
        if bytes > PLAYGROUND_PROMPT_BYTES_MAX {
            return Err(PlaygroundError::TooLong(bytes));
        }
        match self.gateway_status() {
            GatewayStatus::Listening => {}
            GatewayStatus::Stopped => {
                return Err(PlaygroundError::NoGateway("it was not started".to_owned()));
            }
            GatewayStatus::Failed(reason) => return Err(PlaygroundError::NoGateway(reason)),
        }
        let cancel = self.parts.tasks.stop_token().child_token();
        let body = order.request_body(self.token_limit_field(&order.model));
        let run = self.reserve_slot(order.model, &body, cancel.clone())?;
        self.parts.events.send(EngineEvent::Playground(Arc::new(run.clone())));
        let (engine, id) = (self.clone(), run.id);
        self.parts.tasks.spawn("playground run", async move {
            let ended = tokio::select! {
                biased;
                () = cancel.cancelled() => exchange::ExchangeEnd::Cancelled,
                ended = exchange::run_exchange(&engine, id, body) => ended,
            };
            engine.end_playground(id, ended).await;
        });
        Ok(run)
    }

    /// Cancels a run: the gateway sees its client disconnect. Ended runs are not affected.
    pub fn cancel_playground(&self, id: RunId) {
        let places = self.parts.playground.0.lock();
        if let Some(place) = places.iter().find(|place| place.run.id == id) {
            place.cancel.cancel();
        }
    }

    /// Runs in memory, oldest first.
    #[must_use]
    pub fn playground_runs(&self) -> Vec<PlaygroundRun> {
        self.parts.playground.0.lock().iter().map(|place| place.run.clone()).collect()
    }

    /// Raw request and response; `None` if the run is no longer kept.
    #[must_use]
    pub fn playground_raw_exchange(&self, id: RunId) -> Option<PlaygroundRawExchange> {
        let places = self.parts.playground.0.lock();
        places.iter().find(|place| place.run.id == id).map(|place| place.raw.clone())
    }

    /// The field that limits the response length at the backend `model` leads to: OpenAI's newer
    /// models reject the older name, other servers do not know the newer one.
    #[must_use]
    pub fn token_limit_field(&self, model: &str) -> TokenLimitField {
        let settings = self.settings();
        let kind = self
            .first_candidate_backend(model)
            .and_then(|backend| settings.backends.get(&backend).map(|backend| backend.kind));
        match kind {
            Some(settings::BackendKind::OpenAi) => TokenLimitField::MaxCompletionTokens,
            _ => TokenLimitField::MaxTokens,
        }
    }

    /// First candidate for the playground's request with `model`.
    fn first_candidate_backend(&self, model: &str) -> Option<BackendId> {
        let client = snapshot::playground_client_id().ok()?;
        let (needs, project) = (Needs::default(), None);
        let question = RouteQuery { model: model.to_owned(), client, project, needs };
        let chosen = self.explain_route(&question).ok()?;
        chosen.candidates.first().map(|first| first.access.backend.clone())
    }

    fn reserve_slot(
        &self,
        model: String,
        body: &str,
        cancel: CancellationToken,
    ) -> Result<PlaygroundRun, PlaygroundError> {
        let started = self.wall_time();
        let run = PlaygroundRun {
            id: RunId::generate(started, &*self.parts.entropy),
            model,
            started,
            state: PlaygroundState::Waiting,
            text: String::new(),
            thinking: String::new(),
            first_piece: None,
            elapsed: Duration::ZERO,
            http_status: None,
            request: None,
            backend: None,
            dropped: Vec::new(),
            finish_reason: None,
            fault: None,
            record: None,
        };
        let raw = PlaygroundRawExchange {
            request_head: exchange::request_head(self.gateway_port()),
            request_body: body.to_owned(),
            ..PlaygroundRawExchange::default()
        };
        let mut places = self.parts.playground.0.lock();
        let going = places.iter().filter(|place| place.run.state.is_running()).count();
        if going >= PLAYGROUND_RUNS_AT_ONCE_MAX {
            return Err(PlaygroundError::TooManyRuns);
        }
        if places.len() >= PLAYGROUND_RUNS_KEPT_MAX
            && let Some(oldest) = places.iter().position(|place| !place.run.state.is_running())
        {
            places.remove(oldest);
        }
        places.push_back(PlaygroundSlot { run: run.clone(), raw, cancel });
        Ok(run)
    }

    /// Applies `change` to a run; `None` if the run is no longer kept.
    fn update_slot<T>(
        &self,
        id: RunId,
        change: impl FnOnce(&mut PlaygroundSlot) -> T,
    ) -> Option<T> {
        let mut places = self.parts.playground.0.lock();
        places.iter_mut().find(|place| place.run.id == id).map(change)
    }

    async fn end_playground(&self, id: RunId, ended: exchange::ExchangeEnd) {
        let request = self.update_slot(id, |place| place.run.request).flatten();
        let record = match request {
            // The gateway records a request before it sends its last byte.
            Some(request) => self.ledger().request(request).await.ok().flatten(),
            None => None,
        };
        // A cancelled request is settled a moment later; until then its numbers are meaningless.
        let record = record.filter(|(row, _)| row.state != RequestState::Reserved);
        let run = self.update_slot(id, |place| {
            let run = &mut place.run;
            run.record = record.map(Arc::new);
            run.state = match &ended {
                exchange::ExchangeEnd::Complete => PlaygroundState::Complete,
                exchange::ExchangeEnd::Cancelled => PlaygroundState::Cancelled,
                exchange::ExchangeEnd::Failed(_) if run.text.is_empty() => PlaygroundState::Failed,
                exchange::ExchangeEnd::Failed(_) => PlaygroundState::Partial,
            };
            if let exchange::ExchangeEnd::Failed(fault) = ended {
                run.fault = Some(fault);
            }
            run.clone()
        });
        if let Some(run) = run {
            self.parts.events.send(EngineEvent::Playground(Arc::new(run)));
        }
    }
}
