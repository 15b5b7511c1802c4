//! The context that all steps of one request share: its identity, its client, and the settings as it began.

use std::sync::Arc;

use domain::{ClientProgram, Clock, Dialect, Entropy, Moment, RequestId, WallTime};
use hyper::Request;
use hyper::header::{HeaderMap, USER_AGENT};
use ledger::Purpose;
use resilience::AttemptRules;
use tokio_util::sync::CancellationToken;

use crate::handle::response::REQUEST_ID;
use crate::handle::surface;
use crate::headers::PROJECT;
use crate::snapshot::{GatewayClient, Snapshot};

/// The identity of a request, made when it arrives.
pub(crate) struct Arrival {
    pub(crate) id: RequestId,
    pub(crate) begun: Moment,
    pub(crate) started: WallTime,
    /// The project that its token is for, or else the client's tag from `x-gatehouse-project`.
    pub(crate) project: Option<String>,
    /// The dialect of the client's responses.
    pub(crate) dialect: Dialect,
    /// Cancelled when the grace period of a stop is over; answers then end with an error.
    pub(crate) stopped: CancellationToken,
}

/// A request whose client is known.
pub(crate) struct RequestContext {
    pub(crate) arrival: Arrival,
    pub(crate) client: Arc<GatewayClient>,
    pub(crate) snapshot: Arc<Snapshot>,
    /// As the client sent them; [`crate::headers`] decides which are forwarded.
    pub(crate) headers: HeaderMap,
}

impl RequestContext {
    pub(crate) fn new(
        mut arrival: Arrival,
        client: Arc<GatewayClient>,
        snapshot: Arc<Snapshot>,
        headers: HeaderMap,
    ) -> Self {
        if let Some(project) = &client.project {
            arrival.project = Some(project.clone());
        }
        if client.names_requests {
            arrival.id = chosen_id(&headers).unwrap_or(arrival.id);
        }
        Self { arrival, client, snapshot, headers }
    }

    /// The limits of its attempts: the rules in force, and the client's own.
    pub(crate) fn attempt_rules(&self) -> AttemptRules {
        let rules = self.snapshot.resilience.attempts;
        let own = self.client.attempts_max.unwrap_or(rules.attempts_max);
        AttemptRules { attempts_max: rules.attempts_max.min(own), ..rules }
    }

    /// The program of a client of the user's, as it calls itself.
    pub(crate) fn program(&self) -> Option<ClientProgram> {
        let agent =
            self.headers.get(USER_AGENT).filter(|_| self.client.purpose == Purpose::User)?;
        ClientProgram::from_user_agent(agent.to_str().ok()?)
    }
}

impl Arrival {
    pub(crate) fn of<B>(
        request: &Request<B>,
        clock: &dyn Clock,
        ids: &dyn Entropy,
        stopped: CancellationToken,
    ) -> Self {
        let started = clock.wall();
        Self {
            id: RequestId::generate(started, ids),
            begun: clock.now(),
            started,
            project: project(request.headers()),
            dialect: surface::dialect(request.uri().path(), request.headers()),
            stopped,
        }
    }
}

fn chosen_id(headers: &HeaderMap) -> Option<RequestId> {
    headers.get(REQUEST_ID)?.to_str().ok()?.parse().ok()
}

/// The client's tag, if it is visible ASCII; the ledger truncates it.
fn project(headers: &HeaderMap) -> Option<String> {
    let tag = headers.get(PROJECT)?.to_str().ok()?.trim();
    (!tag.is_empty()).then(|| tag.to_owned())
}
