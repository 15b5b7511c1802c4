//! Which backend would serve a request at this moment, and what would become of many such requests.
//!
//! Nothing is sent and nothing changes: the table and the conditions are those of a request, but no
//! permit is taken and no chance of the gateway's is used up.

use std::collections::BTreeSet;

use domain::{BackendId, ClientId, Entropy, SeededEntropy};
use gateway::{Forbidden, apply_scope, check_model};
use routing::{Asking, Decision, Needs, NoRoute, Route, Simulation};
use settings::ClientScope;

use crate::engine::Engine;

/// The chance that an explanation draws with: at the middle each draw has the outcome that its weights
/// make likeliest, and the same question has the same answer while nothing changes.
const MIDDLE: f64 = 0.5;
/// Where the chance of every simulation begins, so that it can be repeated.
const SIMULATION_SEED: u64 = 4_283;

/// A request that is thought of and not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteQuestion {
    /// The model's name as a client would write it.
    pub model: String,
    /// Who asks.
    pub client: ClientId,
    /// For which project.
    pub project: Option<String>,
    /// What the request needs.
    pub needs: Needs,
}

/// Why such a request would not be served.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NotServed {
    /// Nobody can.
    #[error(transparent)]
    NoRoute(#[from] NoRoute),
    /// The client may not have it.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
}

impl Engine {
    /// Where the request would go at this moment within what its client may use, or why nowhere.
    pub fn explain_route(&self, question: &RouteQuestion) -> Result<Decision, NotServed> {
        let (scope, asking) = (self.scope_of(&question.client), question.asking());
        check_model(&scope, &asking)?;
        let current = self.parts.snapshot.load_full();
        let conditions = self.parts.live.now(&current);
        let decision = current.routes.choose(&asking, &conditions, &mut || MIDDLE)?;
        Ok(apply_scope(&scope, &asking, decision)?)
    }

    /// What the client may use; everything for one that the settings do not know.
    fn scope_of(&self, client: &ClientId) -> ClientScope {
        let settings = self.settings();
        settings.clients.get(client).map(|known| known.scope.clone()).unwrap_or_default()
    }

    /// The route that answers to the request; `None` if the model's name alone decides.
    #[must_use]
    pub fn route_of(&self, question: &RouteQuestion) -> Option<Route> {
        self.parts.snapshot.load().routes.route_of(&question.asking()).cloned()
    }

    /// Where so many such requests would go at this moment, if the backends of `closed` could not be
    /// asked. The moment is held still first: no request waits for the draws.
    #[must_use]
    pub fn simulate_route(
        &self,
        question: &RouteQuestion,
        draws: u32,
        closed: &BTreeSet<BackendId>,
    ) -> Simulation {
        let current = self.parts.snapshot.load_full();
        let asking = question.asking();
        let frozen = current.routes.freeze(&asking, &self.parts.live.now(&current)).closed(closed);
        let (entropy, scope) =
            (SeededEntropy::new(SIMULATION_SEED), self.scope_of(&question.client));
        let within =
            |decision| apply_scope(&scope, &asking, decision).map_err(|why| why.to_string());
        current.routes.simulate(&asking, &frozen, draws, &mut || fraction(&entropy), &within)
    }
}

impl RouteQuestion {
    fn asking(&self) -> Asking<'_> {
        Asking {
            model: &self.model,
            client: &self.client,
            project: self.project.as_deref(),
            needs: self.needs,
            conversation: None,
        }
    }
}

/// A number from 0 to below 1.
fn fraction(entropy: &SeededEntropy) -> f64 {
    let mut bytes = [0; 8];
    entropy.fill(&mut bytes);
    (u64::from_le_bytes(bytes) >> 11) as f64 / (1_u64 << 53) as f64
}
