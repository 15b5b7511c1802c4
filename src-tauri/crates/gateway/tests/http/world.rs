//! A whole gateway for one test: temporary ledger, keys in memory, one client, any backends.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use domain::{
    BackendId, BoundSecret, ClientId, ClientProgram, Clock, CredentialId, Endpoint, Meter, Secret,
    SeededEntropy, SystemClock, TranslationMode, Unit, WallTime,
};
use endpoints::{EndpointRegistry, ResilienceRules};
use gateway::{
    AccessTokens, Backend, Budgets, CacheUse, EventSink, Gateway, GatewayClient, GatewayEvent,
    GatewayParts, HttpUpstream, Listener, ListenerLimits, MetricsSource, MockUpstream, NameLookup,
    RequestLimits, RequestSummary, Snapshot, StopSignal, SystemNameLookup, TokenState,
    UpstreamEnvironment, new_token,
};
use ledger::{AttemptRecord, Ledger, LedgerLimits, Purpose, RequestQuery, RequestRow};
use parking_lot::Mutex;
use pricing::{Price, PriceBook, PriceTerms, Rate, Rates};
use resilience::{AttemptRules, EndpointTransition};
use routing::{
    BackendCapabilities, BackendRole, BackendStatus, KeyPool, PoolKey, RoutableBackend, RouteTable,
};
use settings::SettingsStore;
use tempfile::TempDir;
use test_support::{RawAnswer, RawClient, ScriptedUpstream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use vault::{MemoryStore, Vault};
use wire::TargetKind;

pub(crate) const KEY: &str = test_support::MARKED_KEY;

pub(crate) struct World {
    pub(crate) address: SocketAddr,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) ledger: Ledger,
    pub(crate) vault: Vault,
    pub(crate) registry: Arc<EndpointRegistry>,
    pub(crate) budgets: Arc<Budgets>,
    memory: Memory,
    pub(crate) seen: Arc<Seen>,
    pub(crate) snapshot: Arc<ArcSwap<Snapshot>>,
    pub(crate) token: String,
    pub(crate) stop: StopSignal,
    pub(crate) serving: JoinSet<()>,
    pub(crate) folder: TempDir,
}

#[derive(Default)]
pub(crate) struct Seen {
    events: Mutex<Vec<GatewayEvent>>,
    transitions: Mutex<Vec<EndpointTransition>>,
    more: Notify,
}

impl EventSink for Seen {
    fn emit(&self, event: GatewayEvent) {
        self.events.lock().push(event);
        self.more.notify_waiters();
    }
}

/// A figure for Prometheus.
struct Figures;

impl MetricsSource for Figures {
    fn text(&self) -> Option<String> {
        Some("# EOF\n".to_owned())
    }
}

impl Seen {
    pub(crate) fn settled(&self) -> Vec<RequestSummary> {
        let events = self.events.lock();
        let summary = |event: &GatewayEvent| match event {
            GatewayEvent::RequestSettled(summary) => Some(summary.as_ref().clone()),
            _ => None,
        };
        events.iter().filter_map(summary).collect()
    }

    /// The programs that clients called with so far.
    pub(crate) fn programs(&self) -> Vec<ClientProgram> {
        let events = self.events.lock();
        let program = |event: &GatewayEvent| match event {
            GatewayEvent::ClientSeen { program, .. } => Some(program.clone()),
            _ => None,
        };
        events.iter().filter_map(program).collect()
    }

    /// How often a blocked client was refused so far.
    pub(crate) fn refused(&self) -> usize {
        let events = self.events.lock();
        events.iter().filter(|event| matches!(event, GatewayEvent::ClientRefused { .. })).count()
    }

    /// All transitions of endpoints so far.
    pub(crate) fn transitions(&self) -> Vec<EndpointTransition> {
        self.transitions.lock().clone()
    }

    /// Waits until this many requests are settled.
    pub(crate) async fn wait_settled(&self, count: usize) -> Vec<RequestSummary> {
        loop {
            let more = self.more.notified();
            let settled = self.settled();
            if settled.len() >= count {
                return settled;
            }
            more.await;
        }
    }
}

/// Limits short enough for a test and long enough for a busy machine.
#[derive(Clone)]
pub(crate) struct Limits {
    pub(crate) listener: ListenerLimits,
    pub(crate) request: RequestLimits,
    pub(crate) network: Arc<HttpUpstream>,
    pub(crate) ledger: LedgerLimits,
    pub(crate) resilience: ResilienceRules,
    pub(crate) memory: Memory,
    pub(crate) cache: Option<CacheUse>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Keeps what a request learnt about backends for the next one, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Memory {
    /// Each request starts without memory.
    None,
    Kept,
}

pub(crate) fn network() -> Arc<HttpUpstream> {
    network_within(Duration::from_secs(5))
}

pub(crate) fn network_within(connect_timeout: Duration) -> Arc<HttpUpstream> {
    let environment =
        UpstreamEnvironment { names: Arc::new(Online), ..UpstreamEnvironment::default() };
    Arc::new(HttpUpstream::amid(environment, connect_timeout))
}

/// The system's names on a machine that counts as online for the tests.
#[derive(Debug)]
struct Online;

#[async_trait]
impl NameLookup for Online {
    async fn addresses(&self, name: &str, port: u16) -> std::io::Result<Vec<SocketAddr>> {
        SystemNameLookup.addresses(name, port).await
    }
}

impl Default for Limits {
    fn default() -> Self {
        let long = Duration::from_secs(20);
        Self {
            listener: ListenerLimits {
                head_timeout: long,
                body_idle_timeout: long,
                body_total_timeout: long,
                stop_grace: long,
                ..ListenerLimits::default()
            },
            request: RequestLimits {
                body_bytes_max: 65_536,
                in_flight_max: 50,
                queue_max: 300,
                queue_wait: long,
                first_token_timeout: long,
                stall_timeout: long,
                total_timeout: long,
                stream_bytes_max: gateway::STREAM_BYTES_MAX,
            },
            network: network(),
            ledger: LedgerLimits::default(),
            // One attempt; `failover` tests several.
            resilience: ResilienceRules {
                attempts: AttemptRules { attempts_max: 1, ..AttemptRules::default() },
                ..ResilienceRules::default()
            },
            memory: Memory::None,
            cache: None,
            clock: Arc::new(SystemClock::new()),
        }
    }
}

/// A backend `corp` at `upstream` with the model `gpt` and [`KEY`] bound to it, and [`PROVIDERS`].
pub(crate) async fn world(upstream: &ScriptedUpstream) -> World {
    world_with(upstream, Limits::default()).await
}

pub(crate) async fn world_with(upstream: &ScriptedUpstream, limits: Limits) -> World {
    build(&upstream.base_url(), &upstream.base_url(), limits).await
}

/// As [`world_with`], with the key bound to the origin of `key_home`.
pub(crate) async fn build(base_url: &str, key_home: &str, limits: Limits) -> World {
    let folder = TempDir::new().expect("a folder");
    let ledger =
        Ledger::open_with(&folder.path().join("ledger.db"), limits.ledger).expect("a ledger");
    let clock = limits.clock;
    let vault = Vault::new(Arc::new(MemoryStore::new()), clock.clone());
    let credential = CredentialId::new("corp-key").expect("an id");
    let secret = Secret::parse(KEY.to_owned()).expect("a secret");
    let home = key_home.parse().expect("an origin");
    vault.put(&credential, BoundSecret::new(secret, Some(home))).await.expect("stored");
    let token = new_token(&SeededEntropy::new(9));
    let id = ClientId::new("tool").expect("an id");
    let client = GatewayClient::new(id, Purpose::User, TokenState::Valid(None));
    let mut backends = providers(base_url, &credential);
    backends.push(backend("mock", TargetKind::Mock, "http://mock.invalid/v1", None));
    let mut offered: Vec<_> =
        PROVIDERS.iter().map(|(id, model)| models(id, BackendRole::Provider, &[model])).collect();
    offered.push(models("mock", BackendRole::Mock, &wire::mock::MODELS));
    let snapshot = Snapshot {
        serves_agents: true,
        routes: RouteTable::new(Vec::new(), offered),
        backends: backends.into_iter().map(|b| (b.id().clone(), b)).collect(),
        clients: [(token.hash, client)].into_iter().collect(),
        prices: Arc::new(prices()),
        limits: limits.request,
        resilience: limits.resilience.clone(),
        cache: limits.cache,
        since: WallTime::from_unix_ms(7_000),
    };
    let snapshot = Arc::new(ArcSwap::from_pointee(snapshot));
    let seen = Arc::new(Seen::default());
    let registry =
        EndpointRegistry::new(&limits.resilience, clock.clone(), &SeededEntropy::new(5), {
            let seen = seen.clone();
            Box::new(move |transitions| seen.transitions.lock().extend(transitions))
        });
    let budgets = Budgets::new(clock.clone());
    let parts = GatewayParts {
        endpoints: registry.clone(),
        budgets: budgets.clone(),
        clock: clock.clone(),
        entropy: Arc::new(SeededEntropy::new(1)),
        ledger: ledger.clone(),
        access_tokens: access_tokens(&folder, &vault, &limits.network, &clock, &registry),
        snapshot: Arc::clone(&snapshot),
        network: limits.network,
        mock: Arc::new(MockUpstream::new(clock)),
        events: seen.clone(),
        metrics: Arc::new(Figures),
    };
    let gateway = Gateway::new(parts, limits.listener);
    let listener = Listener::bind(0).await.expect("a port");
    let address = SocketAddr::from(([127, 0, 0, 1], listener.port()));
    let stop = StopSignal::default();
    let mut serving = JoinSet::new();
    serving.spawn(Arc::clone(&gateway).serve(listener, stop.clone()));
    let token = token.secret.expose().to_owned();
    World {
        address,
        gateway,
        ledger,
        vault,
        registry,
        budgets,
        memory: limits.memory,
        seen,
        snapshot,
        token,
        stop,
        serving,
        folder,
    }
}

/// Access tokens of no key: the settings name none.
fn access_tokens(
    folder: &TempDir,
    vault: &Vault,
    network: &Arc<HttpUpstream>,
    clock: &Arc<dyn Clock>,
    registry: &Arc<EndpointRegistry>,
) -> Arc<AccessTokens> {
    let settings = SettingsStore::open(folder.path().join("settings.toml")).expect("settings");
    Arc::new(AccessTokens::new(
        vault.clone(),
        network.clone(),
        clock.clone(),
        Arc::new(settings),
        registry.clone(),
    ))
}

/// Each backend with its one model; all at the same upstream.
const PROVIDERS: [(&str, &str); 6] = [
    ("corp", "gpt"),
    ("responses", "gpt-r"),
    ("anthropic", "claude"),
    ("lenient", "claude-lenient"),
    ("google", "gemini"),
    ("ollama", "llama"),
];

/// Backends of every kind with the same key.
fn providers(base_url: &str, credential: &CredentialId) -> Vec<Backend> {
    let root = base_url.trim_end_matches("/v1");
    let at = |id: &str, kind, url: &str| backend(id, kind, url, Some(credential.clone()));
    let compatible =
        TargetKind::OpenAiCompatible { lacks: Default::default(), offers: Default::default() };
    vec![
        at("corp", compatible, base_url),
        at("responses", TargetKind::OpenAi, base_url),
        at("anthropic", TargetKind::Anthropic, root),
        at("lenient", TargetKind::Anthropic, root).crossing(TranslationMode::Lenient),
        at("google", TargetKind::Gemini, root),
        at("ollama", TargetKind::Ollama, root),
    ]
}

fn backend(
    id: &str,
    kind: TargetKind,
    base_url: &str,
    credential: Option<CredentialId>,
) -> Backend {
    let url = base_url.parse().expect("a URL");
    Backend::new(BackendId::new(id).expect("an id"), kind, &url, credential).expect("a backend")
}

fn models(id: &str, role: BackendRole, models: &[&str]) -> RoutableBackend {
    RoutableBackend {
        backend: BackendId::new(id).expect("an id"),
        role,
        status: BackendStatus::Usable,
        models: models.iter().map(|&model| model.to_owned()).collect(),
        pool: KeyPool { members: keys(role), ..KeyPool::default() },
        capabilities: BackendCapabilities::default(),
    }
}

/// The mock has no key; all providers have the same one.
fn keys(role: BackendRole) -> Vec<PoolKey> {
    let credential = CredentialId::new("corp-key").expect("an id");
    match role {
        BackendRole::Provider => vec![PoolKey { credential, weight: 1 }],
        BackendRole::Mock => Vec::new(),
    }
}

/// A model that has a declared price at the provider.
pub(crate) const PRICED_MODEL: &str = "priced-1";

/// As [`PRICED_MODEL`], with a tenth of its price for what is read from a cache.
pub(crate) const CACHED_MODEL: &str = "cached-1";

/// As [`PRICED_MODEL`] at the standard tier, with half of its price at the flex tier, ten times of it at
/// the priority tier, and a cent for a search.
pub(crate) const TIERED_MODEL: &str = "tiered-1";

/// Declared prices: a dollar a million tokens for [`PRICED_MODEL`], and for the mock's `echo`,
/// which is free nevertheless.
fn prices() -> PriceBook {
    let dollar = Rate::from_quote("1", Unit::Tokens).expect("a rate");
    let rates = Rates::from_iter([(Meter::Input, dollar), (Meter::Output, dollar)]);
    let tenth = Rate::from_quote("0.1", Unit::Tokens).expect("a rate");
    let cached = Rates::from_iter([
        (Meter::Input, dollar),
        (Meter::CacheRead, tenth),
        (Meter::Output, dollar),
    ]);
    let declared = |backend: &str, model, terms| {
        let backend = BackendId::new(backend).expect("an id");
        Price::declared(&backend, model, terms, WallTime::from_unix_ms(0))
    };
    let price = |backend: &str, model, rates: &Rates| {
        declared(backend, model, PriceTerms::flat(rates.clone()))
    };
    let tiered = r#"{"rates":{"input":1,"output":1,"web_search":10},"tiers":{
        "flex":{"rates":{"input":0.5,"output":0.5}},"priority":{"rates":{"input":10,"output":10}}}}"#;
    let tiered: PriceTerms = serde_json::from_str(tiered).expect("terms");
    PriceBook::default()
        .with_price(price("mock", "echo", &rates))
        .with_price(price("corp", PRICED_MODEL, &rates))
        .with_price(price("corp", CACHED_MODEL, &cached))
        .with_price(declared("corp", TIERED_MODEL, tiered))
}

impl World {
    pub(crate) fn host(&self) -> String {
        format!("host: {}", self.address)
    }

    pub(crate) fn bearer(&self) -> String {
        format!("authorization: Bearer {}", self.token)
    }

    /// Forgets what earlier requests learnt, if this world has no memory.
    pub(crate) fn forget(&self) {
        if self.memory == Memory::Kept {
            return;
        }
        for backend in self.snapshot.load().backends.values() {
            let credential = backend.credential().cloned();
            self.registry.reset(&Endpoint { backend: backend.id().clone(), credential });
        }
    }

    /// Sends a valid chat request.
    pub(crate) async fn begin_chat(&self, body: &str) -> RawClient {
        self.forget();
        let mut client = RawClient::connect(self.address).await.expect("connected");
        let (host, bearer) = (self.host(), self.bearer());
        let headers = [host.as_str(), &bearer, "content-type: application/json"];
        let line = "POST /v1/chat/completions HTTP/1.1";
        client.send_request(line, &headers, body.as_bytes()).await.expect("sent");
        client
    }

    pub(crate) async fn chat(&self, body: &str) -> RawAnswer {
        self.begin_chat(body).await.read_answer().await.expect("an answer")
    }

    /// Sends a request without a body, with the token.
    pub(crate) async fn get(&self, path: &str) -> RawAnswer {
        let bytes = format!("GET {path} HTTP/1.1\r\n{}\r\n{}\r\n\r\n", self.host(), self.bearer());
        RawClient::exchange(self.address, bytes.as_bytes()).await.expect("an answer")
    }

    /// The ledger's row of a request, by the id on its answer.
    pub(crate) async fn row(&self, answer: &RawAnswer) -> (RequestRow, Vec<AttemptRecord>) {
        let id = answer.header("x-gatehouse-request-id").expect("an id");
        let id = id.parse().expect("one of our ids");
        self.ledger.request(id).await.expect("readable").expect("a row")
    }

    pub(crate) async fn rows(&self) -> Vec<RequestRow> {
        self.ledger.requests(RequestQuery::newest(100)).await.expect("readable")
    }
}

/// A whole-answer request for the model of `corp`.
pub(crate) const ASK: &str = r#"{"model":"gpt","messages":[{"role":"user","content":"hi"}]}"#;

/// A stream request for the model of `corp`.
pub(crate) const ASK_STREAM: &str =
    r#"{"model":"gpt","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
