//! Routes, the keys of a backend, and traffic limits.

use std::ops::RangeInclusive;

use domain::{
    BackendId, CacheMode, ClientId, CredentialId, PoolOrder, RouteId, RoutePolicy, TranslationMode,
};

use super::{OwnObjective, Settings};
use crate::setting::settings;

/// Relative share of a candidate or key for weighted orders; 0 excludes it while another one has a
/// weight. A thousand steps are finer than anybody can observe.
pub const WEIGHT_RANGE: RangeInclusive<i64> = 0..=1_000;
/// Importance of one criterion in the policy `balanced`, in percent.
pub const BALANCE_PERCENT_RANGE: RangeInclusive<i64> = 0..=100;
/// Time for which a conversation stays with its backend after its last request, in seconds; 0
/// disables it. A day at most: no provider's prompt cache lives longer.
pub const STICKY_SECS_RANGE: RangeInclusive<i64> = 0..=86_400;
/// Most candidates of one route. A request tries three; more only lengthen the list.
pub const ROUTE_CANDIDATES_MAX: usize = 16;
/// Most names and patterns of one route; each is compared with every request's model.
pub const ROUTE_MODELS_MAX: usize = 50;
/// Most clients, and most projects, of one route.
pub const ROUTE_SCOPES_MAX: usize = 50;
pub const PROJECT_CHARS_MAX: usize = 64;
/// Most keys of one backend. Each has its own probes and health state.
pub const POOL_MEMBERS_MAX: usize = 16;
/// A rule that maps model names to backends. Routes are matched in file order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteSettings {
    pub enabled: bool,
    /// Model names, with `*` for any characters; never empty, by default the route's id.
    pub models: Vec<String>,
    /// Only for these clients; empty for all.
    pub clients: Vec<ClientId>,
    /// Only for these projects; empty for all.
    pub projects: Vec<String>,
    /// Decides the order of the candidates.
    pub policy: RoutePolicy,
    /// Used only with [`RoutePolicy::Balanced`].
    pub weights: BalanceSettings,
    /// Time for which a conversation stays with its backend; within [`STICKY_SECS_RANGE`].
    pub sticky_secs: u32,
    /// Treatment of fields that a backend's protocol does not have; `None` uses the backend's
    /// setting.
    pub crossing: Option<TranslationMode>,
    /// Use of the cache; `None` uses the client's setting.
    pub cache: Option<CacheMode>,
    /// Never empty, at most [`ROUTE_CANDIDATES_MAX`]. A missing backend is kept with a warning, and
    /// skipped.
    pub candidates: Vec<RouteCandidateSettings>,
    pub objective: OwnObjective,
}

impl RouteSettings {
    /// The model that a candidate is asked for; `None` if it depends on the request.
    #[must_use]
    pub fn model_at<'a>(&'a self, candidate: &'a RouteCandidateSettings) -> Option<&'a str> {
        let only = match self.models.as_slice() {
            [name] if !name.contains('*') => Some(name),
            _ => None,
        };
        candidate.model.as_ref().or(only).map(String::as_str)
    }

    /// A route for `models` from any client, with `candidates` in order.
    #[must_use]
    pub fn new(models: Vec<String>, candidates: Vec<RouteCandidateSettings>) -> Self {
        Self {
            enabled: true,
            models,
            clients: Vec::new(),
            projects: Vec::new(),
            policy: RoutePolicy::default(),
            weights: BalanceSettings::default(),
            sticky_secs: STICKY_SECS_DEFAULT,
            crossing: None,
            cache: None,
            candidates,
            objective: OwnObjective::default(),
        }
    }
}

impl Settings {
    /// Sorts the routes by `order`; unnamed ones keep their order behind it.
    pub fn order_routes(&mut self, order: &[RouteId]) {
        let rank = |id: &RouteId| order.iter().position(|named| named == id);
        self.routes.sort_by_cached_key(|id, _| rank(id).unwrap_or(order.len()));
    }
}

/// Ten minutes: slightly longer than the providers' shortest prompt caches.
pub const STICKY_SECS_DEFAULT: u32 = 600;

/// Weights of the criteria in the policy `balanced`, in percent; only their proportion matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BalanceSettings {
    /// Weight of the time to the first token.
    pub latency: u8,
    /// Weight of the price.
    pub cost: u8,
    /// Weight of the unused rate limits.
    pub headroom: u8,
}

impl Default for BalanceSettings {
    fn default() -> Self {
        Self { latency: 50, cost: 30, headroom: 20 }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteCandidateSettings {
    pub backend: BackendId,
    /// The model to request there; `None` for the requested name.
    pub model: Option<String>,
    /// Within [`WEIGHT_RANGE`].
    pub weight: u16,
}

/// The keys of one backend.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyPoolSettings {
    pub order: PoolOrder,
    /// Without duplicates, at most [`POOL_MEMBERS_MAX`]; empty for a server without keys.
    pub members: Vec<PoolMemberSettings>,
}

/// One key of a backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolMemberSettings {
    /// Name in the vault.
    pub credential: CredentialId,
    /// Within [`WEIGHT_RANGE`].
    pub weight: u16,
}

impl KeyPoolSettings {
    /// A pool of one key, or of none.
    #[must_use]
    pub fn from_credential(credential: Option<CredentialId>) -> Self {
        let members = credential.into_iter().map(PoolMemberSettings::new).collect();
        Self { order: PoolOrder::default(), members }
    }

    /// The keys, in order.
    pub fn credentials(&self) -> impl Iterator<Item = &CredentialId> {
        self.members.iter().map(|member| &member.credential)
    }

    pub fn remove(&mut self, credential: &CredentialId) {
        self.members.retain(|member| member.credential != *credential);
    }
}

impl PoolMemberSettings {
    /// A key with the default weight.
    #[must_use]
    pub const fn new(credential: CredentialId) -> Self {
        Self { credential, weight: 1 }
    }
}

settings! {
    /// Limits of a client's traffic, or of the traffic to a backend; `None` for no limit.
    #[derive(Copy)]
    pub TrafficLimits in "*", keys "" {
        /// Most requests in any minute.
        // The gateway answers a few thousand a second, so more is no limit.
        requests_per_minute: Option<u32>, in 1..=100_000;
        /// Most tokens in any minute, input and output.
        // The largest accounts have some ten million.
        tokens_per_minute: Option<u32>, in 1..=1_000_000_000;
        /// Concurrent requests.
        in_flight_max: Option<usize>, in 1..=300;
    }
}

domain::words! {
    /// Priority of a client's requests when all slots are taken.
    #[derive(Default)]
    ClientPriority {
        /// High: someone is waiting.
        #[default]
        Interactive = "interactive",
        /// Low: nobody is waiting.
        Background = "background",
    }
}
