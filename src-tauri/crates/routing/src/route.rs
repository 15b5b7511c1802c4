//! What the table is made of: routes as the user wrote them, and what is known of each backend.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::{
    BackendId, CacheWish, ClientId, CredentialId, Crossing, Dialect, Lack, PoolOrder, RouteId,
    RoutePolicy,
};

/// A rule that leads names of models to backends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Its id.
    pub id: RouteId,
    /// The names it answers to; `*` in a name stands for any text, also for none.
    pub models: Vec<String>,
    /// Only for these clients; empty: for all.
    pub clients: Vec<ClientId>,
    /// Only for requests of these projects; empty: for all.
    pub projects: Vec<String>,
    /// How the candidates are put in order.
    pub policy: RoutePolicy,
    /// What counts how much under [`RoutePolicy::Balanced`].
    pub weights: BalanceWeights,
    /// How long a conversation stays where its last answer came from; `None`: it does not.
    pub sticky: Option<Duration>,
    /// What becomes of fields that a backend's dialect has no word for; `None`: as the backend says.
    pub crossing: Option<Crossing>,
    /// Whether answers may come from the cache; `None`: as the client says.
    pub cache: Option<CacheWish>,
    /// Who may answer, in the order in which they are written.
    pub candidates: Vec<RouteCandidate>,
}

/// One backend of a route.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RouteCandidate {
    /// Where to send a request.
    pub backend: BackendId,
    /// What to ask for there; `None`: the name that the client asked for.
    pub model: Option<String>,
    /// Its share beside the other candidates' weights. A candidate of weight 0 is a reserve: it comes
    /// after all that have a weight.
    pub weight: u16,
}

/// What counts how much in the score of [`RoutePolicy::Balanced`], in percent of their sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BalanceWeights {
    /// Time to the first token.
    pub latency: u8,
    /// Price of the request.
    pub cost: u8,
    /// How much of its limits is left.
    pub headroom: u8,
}

impl Default for BalanceWeights {
    fn default() -> Self {
        Self { latency: 50, cost: 30, headroom: 20 }
    }
}

/// The keys with which one backend may be called.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Pool {
    /// In which order they are used.
    pub order: PoolOrder,
    /// The keys; none for a server that wants none.
    pub members: Vec<PoolMember>,
}

/// One key of a pool.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PoolMember {
    /// Its id; the key itself is never seen here.
    pub credential: CredentialId,
    /// Its share beside the other keys' weights; 0 makes it a reserve.
    pub weight: u16,
}

/// What the table knows of one backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendModels {
    /// Its id.
    pub backend: BackendId,
    /// A provider, or the built-in mock.
    pub role: BackendRole,
    /// Whether requests may go there.
    pub standing: Standing,
    /// Declared or discovered models; empty when they are not known.
    pub models: Vec<String>,
    /// The keys it is called with.
    pub pool: Pool,
    /// What it can and cannot do.
    pub traits: BackendTraits,
}

/// What kind of answer a backend gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BackendRole {
    /// A real one.
    Provider,
    /// A made-up one.
    Mock,
}

/// Whether requests may go to a backend.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Yes.
    Usable,
    /// Switched off by the user.
    Disabled,
    /// On, but something is missing; the reason completes "the backend …", such as "has no key".
    Unusable(String),
}

/// What a backend can and cannot do, whatever the model. The default knows nothing and so rules
/// nothing out.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BackendTraits {
    /// The dialects in which requests pass through untranslated; empty: not known.
    pub speaks: BTreeSet<Dialect>,
    /// What it lacks of Chat Completions.
    pub lacks: BTreeSet<Lack>,
    /// Whether it has an endpoint for vectors of texts.
    pub offers_vectors: bool,
}

impl Default for BackendTraits {
    fn default() -> Self {
        Self { speaks: BTreeSet::new(), lacks: BTreeSet::new(), offers_vectors: true }
    }
}
