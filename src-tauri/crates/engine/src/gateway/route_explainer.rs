//! Explains and simulates routing decisions: which backend would serve a request now, and how many
//! such requests would be distributed.
//!
//! Nothing is sent and nothing changes. The inputs are those of a real request, but no permit is
//! taken and no randomness of the gateway is consumed.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::{BackendId, ClientId, ClientTarget, Entropy, SeededEntropy};
use endpoints::EndpointRegistry;
use gateway::{Forbidden, apply_scope, check_model};
use routing::{Decision, Needs, Route, RoutingError, RoutingRequest, Simulation};
use settings::{ClientScope, SettingsStore};

use crate::gateway::snapshot::SnapshotStore;

/// The draw used for explanations. The middle gives each draw its most likely outcome by weight,
/// and the same question gets the same answer while nothing changes.
const MEDIAN_DRAW: f64 = 0.5;
/// Seed of every simulation, so that it can be repeated.
const SIMULATION_SEED: u64 = 4_283;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteQuery {
    /// The model name as a client would write it.
    pub model: String,
    pub client: ClientId,
    pub project: Option<String>,
    /// What the request requires of a backend.
    pub needs: Needs,
}

/// Why such a request would not be served.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NotServed {
    #[error(transparent)]
    NoRoute(#[from] RoutingError),
    /// The client may not have it.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
}

/// Asks the router as a request would.
pub struct RouteExplainer {
    pub(crate) snapshots: Arc<SnapshotStore>,
    pub(crate) registry: Arc<EndpointRegistry>,
    pub(crate) settings: Arc<SettingsStore>,
}

impl RouteExplainer {
    /// Where the request would go at this moment within what its client may use, or why nowhere.
    pub fn explain(&self, question: &RouteQuery) -> Result<Decision, NotServed> {
        let client = self.client(&question.client);
        let (scope, asking) = (&client.scope, question.routing_request(&client));
        check_model(scope, &asking)?;
        let current = self.snapshots.current();
        let price = current.price();
        let conditions = self.registry.routing_inputs(&price);
        let decision = current.routes.choose(&asking, &conditions, &mut || MEDIAN_DRAW)?;
        Ok(apply_scope(scope, &asking, decision)?)
    }

    fn client(&self, id: &ClientId) -> ClientRouting {
        let settings = self.settings.current();
        let known = settings.clients.get(id).map(|known| ClientRouting {
            scope: known.scope.clone(),
            switched_to: known.switched_to.clone(),
            project: known.project.clone(),
        });
        known.unwrap_or_default()
    }

    /// The route that matches the request; `None` if the model name alone decides.
    #[must_use]
    pub fn matching_route(&self, question: &RouteQuery) -> Option<Route> {
        let client = self.client(&question.client);
        let asking = question.routing_request(&client);
        self.snapshots.current().routes.matching_route(&asking).cloned()
    }

    /// Distributes `draws` such requests at this moment as if the backends in `closed` were
    /// unavailable. Freezes the routing inputs first, so that no request waits for the draws.
    #[must_use]
    pub fn simulate(
        &self,
        question: &RouteQuery,
        draws: u32,
        closed: &BTreeSet<BackendId>,
    ) -> Simulation {
        let current = self.snapshots.current();
        let client = self.client(&question.client);
        let asking = question.routing_request(&client);
        let price = current.price();
        let frozen = current
            .routes
            .freeze_signals(&asking, &self.registry.routing_inputs(&price))
            .with_closed(closed);
        let entropy = SeededEntropy::new(SIMULATION_SEED);
        let within =
            |decision| apply_scope(&client.scope, &asking, decision).map_err(|why| why.to_string());
        current.routes.simulate(&asking, &frozen, draws, &mut || random_fraction(&entropy), &within)
    }
}

/// What the settings say of a client's requests; nothing for one that they do not know.
#[derive(Default)]
struct ClientRouting {
    scope: ClientScope,
    switched_to: Option<ClientTarget>,
    /// Wins over the project of the question, as over a header.
    project: Option<String>,
}

impl RouteQuery {
    fn routing_request<'a>(&'a self, client: &'a ClientRouting) -> RoutingRequest<'a> {
        RoutingRequest {
            model: &self.model,
            client: &self.client,
            switched_to: client.switched_to.as_ref(),
            project: client.project.as_deref().or(self.project.as_deref()),
            needs: self.needs,
            conversation: None,
        }
    }
}

/// Random number in `0.0..1.0`.
fn random_fraction(entropy: &SeededEntropy) -> f64 {
    let mut bytes = [0; 8];
    entropy.fill(&mut bytes);
    (u64::from_le_bytes(bytes) >> 11) as f64 / (1_u64 << 53) as f64
}
