//! Playground runs: the user's prompt goes through the gateway like any client's request, and the
//! response is published while it streams.
//!
//! The playground knows no backends. It shows what a tool on this machine would get, errors
//! included, and its requests are recorded and counted as traffic. Prompts and responses of the
//! last few runs stay in memory and go nowhere else.

mod exchange;
mod parameters;

use std::sync::Arc;
use std::time::Duration;

use domain::{BackendId, RunId};
use ledger::RequestState;
use routing::Needs;
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use crate::events::EngineEvent;
use crate::playground_runs::{
    PlaygroundError, PlaygroundRawExchange, PlaygroundRun, PlaygroundSlot, PlaygroundState,
};
use crate::routes::RouteQuery;
use crate::serving_state::GatewayStatus;
use crate::snapshot;

pub use exchange::{
    PLAYGROUND_IDLE_SECS_MAX, PLAYGROUND_RAW_BYTES_MAX, PLAYGROUND_TEXT_BYTES_MAX,
    PLAYGROUND_UPDATE_MS,
};
pub use parameters::{
    PLAYGROUND_PROMPT_BYTES_MAX, PlaygroundParameters, ReasoningEffort, TokenLimitField,
};

impl Engine {
    /// As for `PlaygroundRuns::cancel`.
    pub fn cancel_playground(&self, id: RunId) {
        self.parts.playground.cancel(id);
    }

    /// Runs in memory, oldest first.
    #[must_use]
    pub fn playground_runs(&self) -> Vec<PlaygroundRun> {
        self.parts.playground.list()
    }

    /// Raw request and response; `None` if the run is no longer kept.
    #[must_use]
    pub fn playground_raw_exchange(&self, id: RunId) -> Option<PlaygroundRawExchange> {
        self.parts.playground.raw_exchange(id)
    }

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
        chosen.candidates.first().map(|first| first.endpoint.backend.clone())
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
        self.parts.playground.add(PlaygroundSlot { run: run.clone(), raw, cancel })?;
        Ok(run)
    }

    async fn end_playground(&self, id: RunId, ended: exchange::ExchangeEnd) {
        let request = self.parts.playground.update(id, |place| place.run.request).flatten();
        let record = match request {
            // The gateway records a request before it sends its last byte.
            Some(request) => self.ledger().request(request).await.ok().flatten(),
            None => None,
        };
        // A cancelled request is settled a moment later; until then its numbers are meaningless.
        let record = record.filter(|(row, _)| row.state != RequestState::Reserved);
        let run = self.parts.playground.update(id, |place| {
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
