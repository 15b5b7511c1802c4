//! The inputs of the route table: routes as the user configured them, and the known state of each
//! backend.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::{
    BackendId, CacheMode, ClientId, CredentialId, Dialect, PoolOrder, RouteId, RoutePolicy,
    TranslationMode, UnsupportedFeature,
};

/// A rule that maps model names to backends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub id: RouteId,
    /// Model names to match. `*` matches any text, including none.
    pub models: Vec<String>,
    /// Clients the route applies to; empty for all.
    pub clients: Vec<ClientId>,
    /// Projects the route applies to; empty for all.
    pub projects: Vec<String>,
    /// How the candidates are ordered.
    pub policy: RoutePolicy,
    /// The weights for [`RoutePolicy::Balanced`].
    pub weights: BalanceWeights,
    /// How long a conversation stays with the backend that answered last; `None` if it does not.
    pub sticky: Option<Duration>,
    /// How to treat fields that a backend's dialect cannot express; `None` for the backend's
    /// setting.
    pub crossing: Option<TranslationMode>,
    /// Cache mode; `None` for the client's setting.
    pub cache: Option<CacheMode>,
    /// In the configured order.
    pub candidates: Vec<RouteCandidate>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RouteCandidate {
    pub backend: BackendId,
    /// Model name to send; `None` for the name that the client used.
    pub model: Option<String>,
    /// Weight relative to the other candidates. 0 makes it a reserve: it comes after all others.
    pub weight: u16,
}

/// Weights in the score of [`RoutePolicy::Balanced`], relative to their sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BalanceWeights {
    /// Time to the first token.
    pub latency: u8,
    /// Price of the request.
    pub cost: u8,
    /// Unused part of the limits.
    pub headroom: u8,
}

impl Default for BalanceWeights {
    fn default() -> Self {
        Self { latency: 50, cost: 30, headroom: 20 }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct KeyPool {
    /// The order in which they are used.
    pub order: PoolOrder,
    /// Empty for a server that needs no key.
    pub members: Vec<PoolKey>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PoolKey {
    /// The key's id; the key itself is never here.
    pub credential: CredentialId,
    /// Weight relative to the other keys; 0 makes it a reserve.
    pub weight: u16,
}

/// What the table knows about one backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutableBackend {
    pub backend: BackendId,
    pub role: BackendRole,
    pub status: BackendStatus,
    /// Declared or discovered models; empty if unknown.
    pub models: Vec<String>,
    /// The keys it is called with.
    pub pool: KeyPool,
    pub capabilities: BackendCapabilities,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BackendRole {
    /// A real provider or server.
    Provider,
    /// The built-in mock, whose answers are made up.
    Mock,
}

/// Whether requests may be sent to a backend.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum BackendStatus {
    Usable,
    /// Switched off by the user. The reason completes "the backend …", for example "is switched off".
    Disabled(String),
    /// Enabled, but a required setting is missing. The reason completes "the backend …", for
    /// example "has no key".
    Unusable(String),
}

/// Capabilities of a backend that are independent of the model. By default all are unknown, which
/// excludes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BackendCapabilities {
    /// Dialects in which requests pass through untranslated; empty if unknown.
    pub dialects: BTreeSet<Dialect>,
    /// Parts of Chat Completions that it does not support.
    pub unsupported: BTreeSet<UnsupportedFeature>,
    /// True if it has an embeddings endpoint.
    pub has_embeddings: bool,
}

impl Default for BackendCapabilities {
    fn default() -> Self {
        Self { dialects: BTreeSet::new(), unsupported: BTreeSet::new(), has_embeddings: true }
    }
}
