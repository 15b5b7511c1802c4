//! A route over two backends, each with an upstream and a key of its own.

use std::sync::Arc;
use std::time::Duration;

use domain::{BackendId, BoundSecret, CredentialId, Endpoint, RouteId, RoutePolicy, Secret};
use endpoints::ResilienceRules;
use gateway::{Backend, HttpUpstream};
use resilience::AttemptRules;
use routing::{
    BackendCapabilities, BackendRole, BackendStatus, BalanceWeights, KeyPool, PoolKey,
    RoutableBackend, Route, RouteCandidate, RouteTable,
};
use test_support::{ChatText, RawAnswer, Reply, ScriptedUpstream};
use wire::TargetKind;

use crate::world::{KEY, Limits, Memory, World, world_with};

/// The answer of a healthy backend.
pub(crate) const WELL: ChatText<'_> =
    ChatText { model: "gpt", deltas: &["all", " is ", "well"], usage: None };

/// The address of the first candidate.
pub(crate) enum At {
    /// An upstream that always gives this reply.
    Replying(Reply),
    /// The same, in Gemini's dialect.
    Gemini(Reply),
    /// Another address.
    Url(String),
}

/// A gateway with one or two candidates for every model, and the route `spare` to the second.
pub(crate) struct Pair {
    pub(crate) one: ScriptedUpstream,
    pub(crate) two: ScriptedUpstream,
    pub(crate) world: World,
}

/// Three attempts, with waits short enough for a test.
pub(crate) fn limits(network: Arc<HttpUpstream>) -> Limits {
    let attempts = AttemptRules {
        base: Duration::from_millis(1),
        base_connect: Duration::from_millis(1),
        ..AttemptRules::default()
    };
    let resilience = ResilienceRules { attempts, ..ResilienceRules::default() };
    Limits { network, resilience, memory: Memory::Kept, ..Limits::default() }
}

pub(crate) async fn always(reply: Reply) -> ScriptedUpstream {
    ScriptedUpstream::start_with(move |_| Some(reply.clone())).await.expect("an upstream")
}

/// A healthy upstream for every delivery.
pub(crate) async fn healthy() -> ScriptedUpstream {
    let answer =
        |received: &test_support::ReceivedRequest| match received.json()["stream"].as_bool() {
            Some(true) => Some(Reply::chat_stream(&WELL)),
            _ => Some(Reply::chat(&WELL)),
        };
    ScriptedUpstream::start_with(answer).await.expect("an upstream")
}

impl Pair {
    /// `one` and then a healthy `two`.
    pub(crate) async fn of(at: At, limits: Limits) -> Self {
        Self::over(at, healthy().await, &["one", "two"], limits).await
    }

    pub(crate) async fn alone(at: At, limits: Limits) -> Self {
        Self::over(at, always(Reply::chat(&WELL)).await, &["one"], limits).await
    }

    pub(crate) async fn over(
        at: At,
        two: ScriptedUpstream,
        candidates: &[&str],
        limits: Limits,
    ) -> Self {
        let gemini = matches!(at, At::Gemini(_));
        let (one, url) = match at {
            At::Replying(reply) | At::Gemini(reply) => {
                let one = always(reply).await;
                let url = one.base_url();
                (one, url)
            }
            At::Url(url) => (always(Reply::chat(&WELL)).await, url),
        };
        let kind = if gemini { TargetKind::Gemini } else { compatible() };
        Self::made((one, url, kind), (two, compatible()), candidates, limits).await
    }

    pub(crate) async fn between(
        (one, url): (ScriptedUpstream, String),
        two: ScriptedUpstream,
        candidates: &[&str],
        limits: Limits,
    ) -> Self {
        Self::made((one, url, compatible()), (two, compatible()), candidates, limits).await
    }

    /// `one` and `two` in Anthropic's dialect.
    pub(crate) async fn of_anthropic(
        one: ScriptedUpstream,
        url: String,
        two: ScriptedUpstream,
        candidates: &[&str],
        limits: Limits,
    ) -> Self {
        let url = url.trim_end_matches("/v1").to_owned();
        let kind = TargetKind::Anthropic;
        Self::made((one, url, kind.clone()), (two, kind), candidates, limits).await
    }

    async fn made(
        (one, url, kind): (ScriptedUpstream, String, TargetKind),
        (two, second_kind): (ScriptedUpstream, TargetKind),
        candidates: &[&str],
        limits: Limits,
    ) -> Self {
        let second_url = match second_kind {
            TargetKind::Anthropic => two.base_url().trim_end_matches("/v1").to_owned(),
            _ => two.base_url(),
        };
        let world = world_with(&two, limits).await;
        let mut snapshot = (**world.snapshot.load()).clone();
        let mut offered = Vec::new();
        for (id, url, kind) in [("one", url, kind), ("two", second_url, second_kind)] {
            let endpoint = endpoint(id);
            let secret = Secret::parse(KEY.to_owned()).expect("a secret");
            let key = BoundSecret::new(secret, Some(url.parse().expect("an origin")));
            let credential = endpoint.credential.expect("a key");
            world.vault.put(&credential, key).await.expect("stored");
            let root = url.parse().expect("a URL");
            let backend =
                Backend::new(endpoint.backend.clone(), kind, &root, Some(credential.clone()));
            snapshot.backends.insert(endpoint.backend.clone(), backend.expect("a backend"));
            offered.push(RoutableBackend {
                backend: endpoint.backend,
                role: BackendRole::Provider,
                status: BackendStatus::Usable,
                models: vec!["gpt".to_owned()],
                pool: KeyPool {
                    members: vec![PoolKey { credential, weight: 1 }],
                    ..KeyPool::default()
                },
                capabilities: BackendCapabilities::default(),
            });
        }
        let routes = vec![route("pair", "*", candidates), route("spare", "spare", &["two"])];
        snapshot.routes = RouteTable::new(routes, offered);
        world.snapshot.store(Arc::new(snapshot));
        Self { one, two, world }
    }

    /// Calls to the first and the second upstream.
    pub(crate) fn calls(&self) -> (usize, usize) {
        (self.one.requests().len(), self.two.requests().len())
    }

    pub(crate) async fn ask(&self, body: &str) -> RawAnswer {
        self.world.chat(body).await
    }
}

fn compatible() -> TargetKind {
    TargetKind::OpenAiCompatible { lacks: Default::default(), offers: Default::default() }
}

/// The endpoint of a backend of a pair.
pub(crate) fn endpoint(id: &str) -> Endpoint {
    let credential = CredentialId::new(format!("{id}-key")).expect("an id");
    Endpoint { backend: BackendId::new(id).expect("an id"), credential: Some(credential) }
}

/// `candidates` are `backend` or `backend/model`.
fn route(id: &str, model: &str, candidates: &[&str]) -> Route {
    let candidate = |text: &&str| {
        let (backend, model) =
            text.split_once('/').map_or((*text, None), |(id, model)| (id, Some(model.to_owned())));
        RouteCandidate { backend: BackendId::new(backend).expect("an id"), model, weight: 1 }
    };
    Route {
        id: RouteId::new(id).expect("an id"),
        models: vec![model.to_owned()],
        clients: Vec::new(),
        projects: Vec::new(),
        policy: RoutePolicy::Ordered,
        weights: BalanceWeights::default(),
        sticky: None,
        crossing: None,
        cache: None,
        candidates: candidates.iter().map(candidate).collect(),
    }
}
