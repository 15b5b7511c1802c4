//! Where requests go: routes as they are shown and edited, the answer to "which backend would serve
//! this, and why", and what would become of many such requests.

use domain::{CacheWish, RoutePolicy};
use serde::{Deserialize, Serialize};
use specta::Type;

use super::dialects::twin;
use super::{AvailabilityView, Count, CrossingView};

/// Most draws of one simulation.
pub const SIMULATION_DRAWS_MAX: u32 = 10_000;

twin! {
    /// How a route puts its candidates in order.
    RoutePolicyView of RoutePolicy {
        /// As they are written.
        Ordered = Ordered,
        /// By chance, in proportion to their weights.
        Weighted = Weighted,
        /// The lowest price for the request first.
        Cheapest = Cheapest,
        /// The shortest time to the first token first.
        Fastest = Fastest,
        /// The fewest requests in flight first.
        LeastBusy = LeastBusy,
        /// The best sum of latency, cost and headroom.
        Balanced = Balanced,
        /// A fixed share of the conversations each, without failover between them.
        Split = Split,
    }
}

twin! {
    /// Whether answers may come from the cache.
    CacheWishView of CacheWish {
        /// If the same question has the same answer.
        Auto = Auto,
        /// Whatever the temperature.
        On = On,
        /// Never.
        Off = Off,
        /// Ask again, and keep the new answer.
        Refresh = Refresh,
    }
}

/// All routes, in the order in which equals are tried.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RoutesView {
    /// The worst first, in one or two sentences: "fast is broken: its only backend, openai, is
    /// failing. 3 routes lead to 2 backends."
    pub sentence: String,
    /// The routes.
    pub routes: Vec<RouteView>,
    /// Requests of the last day that no route led: by their model's name alone.
    pub unrouted_requests: Count,
}

/// A route with the state of its candidates and its last day.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RouteView {
    /// Its name.
    pub id: String,
    /// The model names it answers to, `*` stands for any letters.
    pub models: Vec<String>,
    /// Only for these clients; empty for all.
    pub clients: Vec<String>,
    /// Only for these projects; empty for all.
    pub projects: Vec<String>,
    /// How its candidates are put in order.
    pub policy: RoutePolicyView,
    /// What counts how much, of the balanced policy.
    pub weights: BalanceWeightsView,
    /// How long a conversation stays with its backend, in seconds; none for not at all.
    pub sticky_secs: Option<u32>,
    /// What becomes of fields that a backend has no word for; none takes the backend's own.
    pub crossing: Option<CrossingView>,
    /// Whether answers may come from the cache; none leaves it to the request.
    pub cache: Option<CacheWishView>,
    /// Whether it is used.
    pub enabled: bool,
    /// Where it leads, as written.
    pub candidates: Vec<RouteCandidateView>,
    /// Where its requests go now, in one sentence.
    pub sentence: String,
    /// Why none of its candidates can answer now, as a clause: "its only backend, openai, is
    /// failing"; none if one can, or if the route is switched off.
    pub broken: Option<String>,
    /// Requests of the last 24 hours.
    pub requests: Count,
    /// Their share of all requests of the last 24 hours, 0 to 100; none without any.
    pub share_percent: Option<u32>,
}

/// What counts how much, in percent. They add up to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct BalanceWeightsView {
    /// A short time to the first token.
    pub latency: u8,
    /// A low price.
    pub cost: u8,
    /// Room left below the provider's limits.
    pub headroom: u8,
}

/// A backend that a route leads to.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RouteCandidateView {
    /// Which backend.
    pub backend: String,
    /// Its name for people.
    pub backend_label: String,
    /// The model asked of it; none asks for the name the client used.
    pub model: Option<String>,
    /// Its weight among the others, of the policies that use one.
    pub weight: u16,
    /// The best of its keys: whether it may be used at this moment.
    pub availability: AvailabilityView,
    /// Each of its keys; one entry without a key if it needs none, none at all if the backend no
    /// longer exists.
    pub accesses: Vec<AvailabilityView>,
    /// Requests of this route that it answered in the last 24 hours.
    pub requests: Count,
    /// Their share of this route's, 0 to 100; none without any.
    pub share_percent: Option<u32>,
}

/// Makes a route, or changes one.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RouteEdit {
    /// The route that is changed; none makes a new one, and refuses a name that is taken.
    pub replaces: Option<String>,
    /// Its name.
    pub id: String,
    /// The model names it answers to; empty takes the id.
    pub models: Vec<String>,
    /// Only for these clients; empty for all.
    pub clients: Vec<String>,
    /// Only for these projects; empty for all.
    pub projects: Vec<String>,
    /// How its candidates are put in order.
    pub policy: RoutePolicyView,
    /// What counts how much, of the balanced policy.
    pub weights: BalanceWeightsView,
    /// How long a conversation stays with its backend, in seconds; none for not at all.
    pub sticky_secs: Option<u32>,
    /// What becomes of fields that a backend has no word for; none takes the backend's own.
    pub crossing: Option<CrossingView>,
    /// Whether answers may come from the cache; none leaves it to the request.
    pub cache: Option<CacheWishView>,
    /// Whether it is used.
    pub enabled: bool,
    /// Where it leads, in order.
    pub candidates: Vec<RouteCandidateEdit>,
}

/// A backend that a route is to lead to.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RouteCandidateEdit {
    /// Which backend.
    pub backend: String,
    /// The model asked of it; none asks for the name the client used.
    pub model: Option<String>,
    /// Its weight, 1 to 1,000.
    pub weight: u16,
}

/// Names one route.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RouteRef {
    /// Which.
    pub id: String,
}

/// Puts the routes in another order.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RoutesOrder {
    /// Every route's name, first to last.
    pub ids: Vec<String>,
}

/// A request that is thought of and not sent.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RouteAsk {
    /// A model as clients name it.
    pub model: String,
    /// Who asks; none for the panel itself.
    pub client: Option<String>,
    /// For which project.
    pub project: Option<String>,
    /// With tools.
    pub tools: bool,
    /// With images.
    pub vision: bool,
    /// With an answer by a JSON schema.
    pub json_schema: bool,
    /// Length of the question, in tokens.
    pub input_tokens: u32,
}

/// Which backend would serve a request at this moment, and why. Nothing is sent.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RouteDecisionView {
    /// The route that matched; none if the model's name alone decided.
    pub route: Option<String>,
    /// How the candidates were put in order.
    pub policy: RoutePolicyView,
    /// The decision in one sentence, or why there is none and what to do.
    pub sentence: String,
    /// Whether a backend would serve it.
    pub served: bool,
    /// Who would be tried, first to last.
    pub candidates: Vec<RouteChoiceView>,
    /// Who would not be tried, with the reason.
    pub passed_over: Vec<PassedOverView>,
}

/// One candidate of a decision.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RouteChoiceView {
    /// Its place, from 1.
    pub place: u32,
    /// Which backend.
    pub backend: String,
    /// With which key; none if it needs none.
    pub credential: Option<String>,
    /// The model asked of it.
    pub model: String,
    /// Why it has this place, in words.
    pub why: String,
    /// Whether it may be used at this moment.
    pub availability: AvailabilityView,
    /// What its place was reckoned from; empty for policies that reckon nothing.
    pub parts: Vec<ScorePartView>,
}

/// One part of a candidate's score.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ScorePartView {
    /// `latency`, `cost`, `headroom`, `weight` or `in flight`.
    pub name: String,
    /// What was measured, with its unit: `420 ms`.
    pub measured: String,
    /// How much it counts, 0 to 100.
    pub weight_percent: u8,
    /// How good it is beside the others, 0 to 100.
    pub score_percent: u8,
}

/// A backend that would not be tried.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PassedOverView {
    /// Which backend.
    pub backend: String,
    /// With which key, if the reason lies with it.
    pub credential: Option<String>,
    /// The model that would have been asked of it.
    pub model: String,
    /// Why not, in words.
    pub reason: String,
}

/// Draws the same request many times. Nothing is sent, and no state changes.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RouteSimulation {
    /// The request.
    pub ask: RouteAsk,
    /// How often, 1 to [`SIMULATION_DRAWS_MAX`].
    pub draws: u32,
    /// Backends that are taken to be down.
    pub closed: Vec<String>,
}

/// Where many such requests would go.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RouteSimulationView {
    /// What was found, in one sentence.
    pub sentence: String,
    /// How often it was drawn.
    pub draws: u32,
    /// Who would have been tried first, and how often; the largest share first, candidates without
    /// any included.
    pub shares: Vec<RouteShareView>,
    /// Draws that no backend would have served.
    pub failures: u32,
    /// Why those failed, in words.
    pub failure: Option<String>,
}

/// One candidate's share of a simulation.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RouteShareView {
    /// Which backend.
    pub backend: String,
    /// The model asked of it.
    pub model: String,
    /// Draws that tried it first.
    pub draws: u32,
    /// Their share of all draws, 0 to 100.
    #[specta(type = specta_typescript::Number)]
    pub percent: f64,
    /// The share that its weight promises, 0 to 100; of the policies that use weights only.
    pub expected_percent: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_spelled_on_the_wire_as_in_the_settings_file() {
        let spelled = |view: serde_json::Value| view.as_str().expect("a word").to_owned();
        for policy in RoutePolicy::ALL {
            let view = RoutePolicyView::from(*policy);
            let json = spelled(serde_json::to_value(view).expect("JSON"));
            assert_eq!((json.as_str(), RoutePolicy::from(view)), (policy.word(), *policy));
        }
        for wish in CacheWish::ALL {
            let view = CacheWishView::from(*wish);
            let json = spelled(serde_json::to_value(view).expect("JSON"));
            assert_eq!((json.as_str(), CacheWish::from(view)), (wish.word(), *wish));
        }
    }
}
