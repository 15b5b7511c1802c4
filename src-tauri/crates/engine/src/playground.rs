//! Playground runs: a prompt of the user's own goes through the gateway's door like any client's,
//! and what comes back is told while it comes.
//!
//! Nothing here knows a backend: what the playground shows is what a tool on this machine would get,
//! errors included, and it is written down and counted like a tool's traffic. Prompts and answers of
//! the last few runs stay in memory and go nowhere else.

mod exchange;
mod order;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use domain::{BackendId, RequestId, RunId, WallTime};
use ledger::{Attempt, RequestRow, RequestState};
use parking_lot::Mutex;
use routing::Needs;
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use crate::events::EngineEvent;
use crate::routes::RouteQuestion;
use crate::serving::GatewayStanding;
use crate::snapshot;

pub use exchange::{
    PLAYGROUND_IDLE_SECS_MAX, PLAYGROUND_RAW_BYTES_MAX, PLAYGROUND_TELL_MS,
    PLAYGROUND_TEXT_BYTES_MAX,
};
pub use order::{Effort, PLAYGROUND_PROMPT_BYTES_MAX, PlaygroundOrder, TokenLimitField};

/// Runs at once: two, to compare two backends side by side.
pub const PLAYGROUND_RUNS_AT_ONCE_MAX: usize = 2;

/// Runs kept in memory, those that go included: two comparisons.
pub const PLAYGROUND_RUNS_KEPT_MAX: usize = 4;

/// One run, as far as it has come.
#[derive(Debug, Clone)]
pub struct PlaygroundRun {
    /// Its id.
    pub id: RunId,
    /// The model that was asked for.
    pub model: String,
    /// When it began.
    pub started: WallTime,
    /// How far it has come.
    pub state: PlaygroundState,
    /// The answer's text; [`PLAYGROUND_TEXT_BYTES_MAX`] at most, thinking included.
    pub text: String,
    /// What the model thought before it, where the backend shows it.
    pub thinking: String,
    /// Until the first piece of text or thinking, as a client sees it.
    pub first_piece: Option<Duration>,
    /// Since the request was sent, or until its end.
    pub elapsed: Duration,
    /// Status of the gateway's answer.
    pub http_status: Option<u16>,
    /// The request's id in the ledger.
    pub request: Option<RequestId>,
    /// The backend that answered, as the answer's header names it.
    pub backend: Option<String>,
    /// Fields of the request that the backend has no word for and did not get.
    pub dropped: Vec<String>,
    /// Why the model stopped.
    pub finish_reason: Option<String>,
    /// What went wrong, in the gateway's words.
    pub fault: Option<PlaygroundFault>,
    /// What the ledger wrote down, once it has ended.
    pub record: Option<Arc<(RequestRow, Vec<Attempt>)>>,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlaygroundState {
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

impl PlaygroundState {
    /// Whether it still goes.
    #[must_use]
    pub const fn goes(self) -> bool {
        matches!(self, Self::Waiting | Self::Streaming)
    }
}

/// What went wrong with a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaygroundFault {
    /// The gateway's own sentence.
    pub message: String,
    /// Its word for programs.
    pub code: Option<String>,
}

/// What a run adds between two tellings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaygroundPiece {
    /// Which run.
    pub run: RunId,
    /// UTF-16 units of text before this, so that a reader sees when it missed some.
    pub text_at: usize,
    /// More text.
    pub text: String,
    /// UTF-16 units of thinking before this.
    pub thinking_at: usize,
    /// More thinking.
    pub thinking: String,
    /// As in [`PlaygroundRun::first_piece`].
    pub first_piece: Option<Duration>,
    /// As in [`PlaygroundRun::elapsed`].
    pub elapsed: Duration,
}

/// What went over the wire, without the token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlaygroundRaw {
    /// Request line and headers.
    pub request_head: String,
    /// The request's JSON.
    pub request_body: String,
    /// Status line and headers; empty until they have come.
    pub answer_head: String,
    /// The body as it came; [`PLAYGROUND_RAW_BYTES_MAX`] at most.
    pub answer_body: Vec<u8>,
    /// Bytes of the body that came and are not kept.
    pub answer_bytes_cut: usize,
}

/// Why no run was started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaygroundError {
    /// Enough of them go.
    #[error(
        "{PLAYGROUND_RUNS_AT_ONCE_MAX} prompts are already running; wait for one to finish, or \
         cancel it"
    )]
    Crowded,
    /// The prompts are too long.
    #[error("the prompts have {0} bytes; at most {PLAYGROUND_PROMPT_BYTES_MAX} are allowed")]
    TooLong(usize),
    /// There is no door to knock at.
    #[error("the gateway is not listening: {0}")]
    NoGateway(String),
}

/// The runs in memory, oldest first.
#[derive(Default)]
pub(crate) struct Playground(Mutex<VecDeque<Place>>);

struct Place {
    run: PlaygroundRun,
    raw: PlaygroundRaw,
    cancel: CancellationToken,
}

impl Engine {
    /// Sends a prompt and returns the run as it begins. What comes is told as events.
    pub fn start_playground(
        &self,
        order: PlaygroundOrder,
    ) -> Result<PlaygroundRun, PlaygroundError> {
        let bytes = order.prompt_bytes();
        if bytes > PLAYGROUND_PROMPT_BYTES_MAX {
            return Err(PlaygroundError::TooLong(bytes));
        }
        match self.gateway_standing() {
            GatewayStanding::Listening => {}
            GatewayStanding::Stopped => {
                return Err(PlaygroundError::NoGateway("it was not started".to_owned()));
            }
            GatewayStanding::Failed(reason) => return Err(PlaygroundError::NoGateway(reason)),
        }
        let cancel = self.parts.tasks.stopping().child_token();
        let body = order.body(self.token_limit_field(&order.model));
        let run = self.take_place(order.model, &body, cancel.clone())?;
        self.parts.events.send(EngineEvent::Playground(Arc::new(run.clone())));
        let (engine, id) = (self.clone(), run.id);
        self.parts.tasks.spawn("playground run", async move {
            let ended = tokio::select! {
                biased;
                () = cancel.cancelled() => exchange::Ended::Cancelled,
                ended = exchange::exchange(&engine, id, body) => ended,
            };
            engine.end_playground(id, ended).await;
        });
        Ok(run)
    }

    /// Stops a run: the gateway sees its client leave. One that has ended stays as it is.
    pub fn cancel_playground(&self, id: RunId) {
        let places = self.parts.playground.0.lock();
        if let Some(place) = places.iter().find(|place| place.run.id == id) {
            place.cancel.cancel();
        }
    }

    /// The runs in memory, oldest first.
    #[must_use]
    pub fn playground_runs(&self) -> Vec<PlaygroundRun> {
        self.parts.playground.0.lock().iter().map(|place| place.run.clone()).collect()
    }

    /// What went over the wire; `None` if the run is not kept any more.
    #[must_use]
    pub fn playground_raw(&self, id: RunId) -> Option<PlaygroundRaw> {
        let places = self.parts.playground.0.lock();
        places.iter().find(|place| place.run.id == id).map(|place| place.raw.clone())
    }

    /// The field that limits the answer's length where `model` leads: OpenAI's own newer models
    /// refuse the older name, other servers do not know the newer one.
    #[must_use]
    pub fn token_limit_field(&self, model: &str) -> TokenLimitField {
        let settings = self.settings();
        let kind = self
            .first_backend(model)
            .and_then(|backend| settings.backends.get(&backend).map(|backend| backend.kind));
        match kind {
            Some(settings::BackendKind::OpenAi) => TokenLimitField::Newer,
            _ => TokenLimitField::Older,
        }
    }

    /// Where the playground's request for `model` would go first.
    fn first_backend(&self, model: &str) -> Option<BackendId> {
        let client = snapshot::playground_client_id().ok()?;
        let (needs, project) = (Needs::default(), None);
        let question = RouteQuestion { model: model.to_owned(), client, project, needs };
        let chosen = self.explain_route(&question).ok()?;
        chosen.candidates.first().map(|first| first.access.backend.clone())
    }

    fn take_place(
        &self,
        model: String,
        body: &str,
        cancel: CancellationToken,
    ) -> Result<PlaygroundRun, PlaygroundError> {
        let started = self.wall();
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
        let raw = PlaygroundRaw {
            request_head: exchange::request_head(self.gateway_port()),
            request_body: body.to_owned(),
            ..PlaygroundRaw::default()
        };
        let mut places = self.parts.playground.0.lock();
        let going = places.iter().filter(|place| place.run.state.goes()).count();
        if going >= PLAYGROUND_RUNS_AT_ONCE_MAX {
            return Err(PlaygroundError::Crowded);
        }
        if places.len() >= PLAYGROUND_RUNS_KEPT_MAX
            && let Some(oldest) = places.iter().position(|place| !place.run.state.goes())
        {
            places.remove(oldest);
        }
        places.push_back(Place { run: run.clone(), raw, cancel });
        Ok(run)
    }

    /// Changes a run in its place; `None` if it is not kept any more.
    fn at_place<T>(&self, id: RunId, change: impl FnOnce(&mut Place) -> T) -> Option<T> {
        let mut places = self.parts.playground.0.lock();
        places.iter_mut().find(|place| place.run.id == id).map(change)
    }

    async fn end_playground(&self, id: RunId, ended: exchange::Ended) {
        let request = self.at_place(id, |place| place.run.request).flatten();
        let record = match request {
            // The gateway writes a request down before it sends its last byte.
            Some(request) => self.ledger().request(request).await.ok().flatten(),
            None => None,
        };
        // What was cancelled is settled a moment later; until then its figures mean nothing.
        let record = record.filter(|(row, _)| row.state != RequestState::Reserved);
        let run = self.at_place(id, |place| {
            let run = &mut place.run;
            run.record = record.map(Arc::new);
            run.state = match &ended {
                exchange::Ended::Complete => PlaygroundState::Complete,
                exchange::Ended::Cancelled => PlaygroundState::Cancelled,
                exchange::Ended::Failed(_) if run.text.is_empty() => PlaygroundState::Failed,
                exchange::Ended::Failed(_) => PlaygroundState::Partial,
            };
            if let exchange::Ended::Failed(fault) = ended {
                run.fault = Some(fault);
            }
            run.clone()
        });
        if let Some(run) = run {
            self.parts.events.send(EngineEvent::Playground(Arc::new(run)));
        }
    }
}
