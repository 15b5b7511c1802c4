//! Request and view types for routes, for explaining which backend would serve a request, and for
//! simulating many requests.

use domain::{CacheMode, RoutePolicy, TranslationMode};
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{AvailabilityView, Count};

pub use ::routing::SIMULATION_DRAWS_MAX;
pub use ::settings::STICKY_SECS_DEFAULT;

/// All routes, in the order in which equal matches are tried.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RoutesView {
    /// Broken routes first: "fast is broken: its only backend, openai, is failing. 3 routes use 2
    /// backends."
    pub sentence: String,
    pub routes: Vec<RouteView>,
    /// Requests of the last 24 hours that took no route, only their model's name.
    pub unrouted_requests: Count,
}

/// A route with the state of its candidates and its last 24 hours.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RouteView {
    pub id: String,
    /// Model names that it matches; `*` stands for any characters.
    pub models: Vec<String>,
    /// Only for these clients; empty for all.
    pub clients: Vec<String>,
    /// Only for these projects; empty for all.
    pub projects: Vec<String>,
    pub policy: RoutePolicy,
    /// Used by the balanced policy.
    pub weights: BalanceWeightsView,
    /// How long a conversation stays with its backend, in seconds; None if it does not.
    pub sticky_secs: Option<u32>,
    /// None takes each backend's own setting.
    pub crossing: Option<TranslationMode>,
    /// None leaves the cache mode to the request.
    pub cache: Option<CacheMode>,
    pub enabled: bool,
    /// False if the profile in use leaves all its backends out.
    pub in_profile: bool,
    /// Clients that the user switched to it. Without it, they follow the routing rules again.
    pub switched_clients: Vec<String>,
    /// In the order of the settings.
    pub candidates: Vec<RouteCandidateView>,
    /// Where its requests go now, in one sentence.
    pub sentence: String,
    /// Why no candidate can answer now, as a clause: "its only backend, openai, is failing". None
    /// if one can, or if the route is switched off.
    pub broken: Option<String>,
    /// Requests of the last 24 hours.
    pub requests: Count,
    /// Percentage of all requests of the last 24 hours; None without any.
    pub share_percent: Option<u32>,
}

impl RouteView {
    /// An edit that leaves the route unchanged.
    #[must_use]
    pub fn into_edit(self) -> RouteEdit {
        let candidate = |one: RouteCandidateView| RouteCandidateEdit {
            backend: one.backend,
            model: one.model,
            weight: one.weight,
        };
        RouteEdit {
            replaces: Some(self.id.clone()),
            id: self.id,
            models: self.models,
            clients: self.clients,
            projects: self.projects,
            policy: self.policy,
            weights: self.weights,
            sticky_secs: self.sticky_secs,
            crossing: self.crossing,
            cache: self.cache,
            enabled: self.enabled,
            candidates: self.candidates.into_iter().map(candidate).collect(),
        }
    }
}

/// Weights in percent, which add up to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct BalanceWeightsView {
    /// Weight of a short time to the first token.
    pub latency: u8,
    /// Weight of a low price.
    pub cost: u8,
    /// Weight of the capacity left below the provider's limits.
    pub headroom: u8,
}

/// A candidate of a route with its state and its last 24 hours.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RouteCandidateView {
    pub backend: String,
    pub backend_label: String,
    /// None asks for the model that the client named.
    pub model: Option<String>,
    /// Used by the policies with weights.
    pub weight: u16,
    /// The best of `accesses`.
    pub availability: AvailabilityView,
    /// One for each key; one without a key if the backend needs none; empty if the backend no
    /// longer exists.
    pub accesses: Vec<AvailabilityView>,
    /// Requests of this route that it answered in the last 24 hours.
    pub requests: Count,
    /// Percentage of the route's requests; None without any.
    pub share_percent: Option<u32>,
}

/// Creates or changes a route.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RouteEdit {
    /// The route to change. None creates a route and refuses a name that is taken.
    pub replaces: Option<String>,
    pub id: String,
    /// Model names that it matches; empty takes the id.
    pub models: Vec<String>,
    /// Only for these clients; empty for all.
    pub clients: Vec<String>,
    /// Only for these projects; empty for all.
    pub projects: Vec<String>,
    pub policy: RoutePolicy,
    /// Used by the balanced policy.
    pub weights: BalanceWeightsView,
    /// How long a conversation stays with its backend, in seconds; None if it does not.
    pub sticky_secs: Option<u32>,
    /// None takes each backend's own setting.
    pub crossing: Option<TranslationMode>,
    /// None leaves the cache mode to the request.
    pub cache: Option<CacheMode>,
    pub enabled: bool,
    /// In order.
    pub candidates: Vec<RouteCandidateEdit>,
}

impl RouteEdit {
    /// Puts a candidate before the others, whose order stays; `None` if there is no such candidate.
    #[must_use]
    pub fn with_first(mut self, backend: &str, model: Option<&str>) -> Option<Self> {
        let is_it =
            |one: &RouteCandidateEdit| one.backend == backend && one.model.as_deref() == model;
        let at = self.candidates.iter().position(is_it)?;
        self.candidates.get_mut(..=at)?.rotate_right(1);
        Some(self)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RouteCandidateEdit {
    pub backend: String,
    /// None asks for the model that the client named.
    pub model: Option<String>,
    /// 1 to 1,000.
    pub weight: u16,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RouteRef {
    pub id: String,
}

/// Reorders the routes.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RoutesOrder {
    /// Route names, first to last. Routes that are not named stay behind them.
    pub ids: Vec<String>,
}

/// A request to explain or to simulate. It is not sent.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct HypotheticalRequest {
    /// Model name as clients use it.
    pub model: String,
    /// None for the panel itself.
    #[serde(default)]
    #[specta(optional)]
    pub client: Option<String>,
    #[serde(default)]
    #[specta(optional)]
    pub project: Option<String>,
    /// The request uses tools.
    #[serde(default)]
    #[specta(optional)]
    pub tools: bool,
    /// The request contains images.
    #[serde(default)]
    #[specta(optional)]
    pub vision: bool,
    /// The request asks for a response by a JSON schema.
    #[serde(default)]
    #[specta(optional)]
    pub json_schema: bool,
    /// Length of the prompt, in tokens.
    #[serde(default)]
    #[specta(optional)]
    pub input_tokens: u32,
}

/// Which backend would serve a request now, and why. Nothing is sent.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RouteDecisionView {
    /// None if the model's name alone decided.
    pub route: Option<String>,
    /// How the candidates were ordered.
    pub policy: RoutePolicy,
    /// The decision in one sentence, or why there is none and what to do.
    pub sentence: String,
    /// True if a backend would serve the request.
    pub served: bool,
    /// In the order in which they would be tried.
    pub candidates: Vec<RankedCandidateView>,
    /// Candidates that would not be tried.
    pub passed_over: Vec<ExcludedCandidateView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RankedCandidateView {
    /// Position, from 1.
    pub place: u32,
    pub backend: String,
    /// None if the backend needs no key.
    pub credential: Option<String>,
    /// The model requested from the backend.
    pub model: String,
    /// Why it has this position, in words.
    pub why: String,
    pub availability: AvailabilityView,
    /// What its position was computed from; empty for policies without scores.
    pub parts: Vec<ScoreComponentView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ScoreComponentView {
    /// `latency`, `cost`, `headroom`, `weight` or `in flight`.
    pub name: String,
    /// Measured value with its unit: `420 ms`.
    pub measured: String,
    /// Weight of this part, 0 to 100.
    pub weight_percent: u8,
    /// How well it does compared with the other candidates, 0 to 100.
    pub score_percent: u8,
}

/// A candidate that would not be tried.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ExcludedCandidateView {
    pub backend: String,
    /// None unless the reason lies with the key.
    pub credential: Option<String>,
    /// The model that would have been requested.
    pub model: String,
    pub reason: String,
}

/// Draws the same request many times. Nothing is sent, and no state changes.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RouteSimulation {
    pub ask: HypotheticalRequest,
    /// 1 to [`SIMULATION_DRAWS_MAX`].
    pub draws: u32,
    /// Backends that are treated as down.
    pub closed: Vec<String>,
}

/// Where the simulated requests would go.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RouteSimulationView {
    pub sentence: String,
    pub draws: u32,
    /// How often each candidate was the first choice, largest share first; includes candidates that
    /// never were.
    pub shares: Vec<CandidateShareView>,
    /// Draws that no backend would have served.
    pub failures: u32,
    /// Why those draws failed.
    pub failure: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct CandidateShareView {
    pub backend: String,
    /// The model requested from the backend.
    pub model: String,
    /// Draws in which it was the first choice.
    pub draws: u32,
    /// Percentage of all draws.
    #[specta(type = specta_typescript::Number)]
    pub percent: f64,
    /// The percentage that its weight promises; None for policies without weights.
    pub expected_percent: Option<f64>,
}
