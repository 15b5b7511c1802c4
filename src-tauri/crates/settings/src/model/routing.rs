//! Where requests go: routes, the keys a backend has, and how much of each anybody may use.

use std::ops::RangeInclusive;

use domain::{
    BackendId, CacheWish, ClientId, CredentialId, Crossing, PoolOrder, RouteId, RoutePolicy,
};

use crate::Settings;

/// Share of a candidate or key, for the orders that go by weights; 0 gives it nothing as long as
/// another one has a weight. A thousand parts are finer than anybody can observe.
pub const WEIGHT_RANGE: RangeInclusive<u16> = 0..=1_000;
/// Importance of one consideration in the policy `balanced`, in percent.
pub const BALANCE_PERCENT_RANGE: RangeInclusive<u8> = 0..=100;
/// How long a conversation stays with its backend after its last request, in seconds; 0 means not at
/// all. A day at most: no provider's prompt cache lives longer.
pub const STICKY_SECS_RANGE: RangeInclusive<u32> = 0..=86_400;
/// Most candidates of one route. A request tries three; more than this only lengthens a list that
/// nobody reads.
pub const ROUTE_CANDIDATES_MAX: usize = 16;
/// Most names and patterns of one route; each is compared with each request's model.
pub const ROUTE_MODELS_MAX: usize = 50;
/// Most clients, and most projects, that one route is for.
pub const ROUTE_SCOPES_MAX: usize = 50;
/// Longest name of a project, in characters.
pub const PROJECT_CHARS_MAX: usize = 64;
/// Most keys of one backend. Each is probed and watched by itself.
pub const POOL_MEMBERS_MAX: usize = 16;
/// Requests a minute. The gateway answers a few thousand a second, so more is no limit.
pub const REQUESTS_PER_MINUTE_RANGE: RangeInclusive<u32> = 1..=100_000;
/// Tokens a minute, asked and answered together; the largest accounts have some ten millions.
pub const TOKENS_PER_MINUTE_RANGE: RangeInclusive<u32> = 1..=1_000_000_000;

/// A rule that leads a model's name to backends. Routes are looked at in their order in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteSettings {
    /// Whether it is looked at.
    pub enabled: bool,
    /// Names it answers to, with `*` for any characters; never empty, the route's id if not given.
    pub models: Vec<String>,
    /// Clients it is for; empty for all.
    pub clients: Vec<ClientId>,
    /// Projects it is for; empty for all.
    pub projects: Vec<String>,
    /// How its candidates are put in order.
    pub policy: RoutePolicy,
    /// What counts how much; without meaning unless the policy is [`RoutePolicy::Balanced`].
    pub weights: BalanceSettings,
    /// Seconds a conversation stays with its backend; within [`STICKY_SECS_RANGE`].
    pub sticky_secs: u32,
    /// What becomes of fields that a backend's protocol has no word for; `None`: as the backend says.
    pub crossing: Option<Crossing>,
    /// Whether answers may come from the cache; `None`: as the client says.
    pub cache: Option<CacheWish>,
    /// Where its requests may go; never empty, at most [`ROUTE_CANDIDATES_MAX`]. A backend that does
    /// not exist is kept, with a warning, and passed over.
    pub candidates: Vec<RouteCandidateSettings>,
}

impl RouteSettings {
    /// A route for all requests that name one of `models`, to `candidates` in their order.
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
        }
    }
}

impl Settings {
    /// Brings the routes into `order`; those that it does not name stay behind it as they were.
    pub fn order_routes(&mut self, order: &[RouteId]) {
        let rank = |id: &RouteId| order.iter().position(|named| named == id);
        self.routes.sort_by_cached_key(|id, _| rank(id).unwrap_or(order.len()));
    }
}

/// Ten minutes: a little longer than the shortest prompt caches of the providers live.
pub const STICKY_SECS_DEFAULT: u32 = 600;

/// What counts how much in the policy `balanced`, in percent; their proportion is what matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BalanceSettings {
    /// The time to the first token.
    pub latency: u8,
    /// The price of the request.
    pub cost: u8,
    /// What is left of rate limits.
    pub headroom: u8,
}

impl Default for BalanceSettings {
    fn default() -> Self {
        Self { latency: 50, cost: 30, headroom: 20 }
    }
}

/// One place a route leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteCandidateSettings {
    /// Where the request goes.
    pub backend: BackendId,
    /// What it asks for there; `None` for the name that was asked for.
    pub model: Option<String>,
    /// Its share; within [`WEIGHT_RANGE`].
    pub weight: u16,
}

/// The keys of one backend.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PoolSettings {
    /// In which order they are used.
    pub order: PoolOrder,
    /// Each once, at most [`POOL_MEMBERS_MAX`]; empty for a server that wants no key.
    pub members: Vec<PoolMember>,
}

/// One key of a backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolMember {
    /// Its name in the vault.
    pub credential: CredentialId,
    /// Its share; within [`WEIGHT_RANGE`].
    pub weight: u16,
}

impl PoolSettings {
    /// The pool of one key, or of none.
    #[must_use]
    pub fn of(credential: Option<CredentialId>) -> Self {
        let members = credential.into_iter().map(PoolMember::new).collect();
        Self { order: PoolOrder::default(), members }
    }

    /// The keys in their order.
    pub fn credentials(&self) -> impl Iterator<Item = &CredentialId> {
        self.members.iter().map(|member| &member.credential)
    }

    /// Takes a key out, wherever it stands.
    pub fn detach(&mut self, credential: &CredentialId) {
        self.members.retain(|member| member.credential != *credential);
    }
}

impl PoolMember {
    /// A key with the weight of every other.
    #[must_use]
    pub const fn new(credential: CredentialId) -> Self {
        Self { credential, weight: 1 }
    }
}

/// How much of the gateway a client, or of a backend the gateway, may use; `None` for no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TrafficLimits {
    /// Requests in any minute; within [`REQUESTS_PER_MINUTE_RANGE`].
    pub requests_per_minute: Option<u32>,
    /// Tokens in any minute, asked and answered; within [`TOKENS_PER_MINUTE_RANGE`].
    pub tokens_per_minute: Option<u32>,
    /// Requests in flight at once; within [`crate::GATEWAY_IN_FLIGHT_MAX_RANGE`].
    pub in_flight_max: Option<usize>,
}

domain::words! {
    /// Whose requests go first when all places are taken.
    #[derive(Default)]
    ClientPriority {
        /// Somebody waits for the answer.
        #[default]
        Interactive = "interactive",
        /// Nobody does.
        Background = "background",
    }
}
