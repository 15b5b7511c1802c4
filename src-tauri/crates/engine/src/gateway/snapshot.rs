//! The snapshot of the settings that requests work with, rebuilt as a whole after every change.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use domain::{
    BackendId, CacheMode, ClientId, Clock, Dialect, ExtraDialect, IdError, RouteId,
    UnsupportedFeature, WallTime,
};
use endpoints::{EndpointRegistry, ResilienceRules, TrafficRules};
use gateway::{
    Backend, GatewayClient, GatewayClients, NewToken, RequestLimits, Snapshot, TokenHash,
    TokenState,
};
use ledger::Purpose;
use pricing::PriceBook;
use resilience::{Priority, RateRules};
use routing::{
    BackendCapabilities, BackendRole, BackendStatus, BalanceWeights, KeyPool, PoolKey,
    RoutableBackend, Route, RouteCandidate, RouteTable,
};
use settings::{
    BackendKind, BackendSettings, ClientPriority, ClientSettings, GatewaySettings, RouteSettings,
    Settings, SettingsStore, TrafficLimits, api_root,
};
use url::Url;
use wire::TargetKind;

use crate::costs::prices_in_use::PricesInUse;
use crate::gateway::model_catalogue::ModelCatalogue;
use crate::gateway::resilience_rules::{attempt_rules, breaker_rules, retry_budget_rules};
use crate::gateway::response_cache::ResponseCache;

/// Placeholder URL: the mock answers within this process.
const MOCK_URL: &str = "http://mock.localhost/v1";
/// Client id of the readiness checks.
pub(crate) const CHECK_CLIENT: &str = "gatehouse.check";
/// Client id of the health checks that ask a model.
pub(crate) const HEALTH_CLIENT: &str = "gatehouse.health";
/// Client id of the playground. Its requests count as the user's own traffic.
pub const PLAYGROUND_CLIENT: &str = "gatehouse.playground";

/// Holds the snapshot in force and rebuilds it.
pub struct SnapshotStore {
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) models: Arc<ModelCatalogue>,
    pub(crate) response_cache: Arc<ResponseCache>,
    pub(crate) registry: Arc<EndpointRegistry>,
    pub(crate) prices: PricesInUse,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) mock: BackendId,
    /// Clients of the engine itself.
    pub(crate) own_clients: Vec<(TokenHash, GatewayClient)>,
    /// Shared with the gateway.
    pub(crate) current: Arc<ArcSwap<Snapshot>>,
}

impl SnapshotStore {
    #[must_use]
    pub fn current(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Puts the present settings in force for new requests; requests in flight keep theirs.
    pub(crate) fn rebuild(&self) {
        let settings = self.settings.current();
        let numbers = settings.resilience.numbers();
        let resilience = ResilienceRules {
            breaker: breaker_rules(&numbers),
            attempts: attempt_rules(&numbers),
            budget: retry_budget_rules(&numbers),
        };
        self.registry.configure(&resilience);
        let built = Snapshot {
            backends: backends(&settings, &self.mock),
            routes: routes(&settings, &self.models, &self.mock),
            clients: self.clients(&settings).replacing(&self.current.load().clients),
            cache: self.response_cache.in_use(&settings),
            prices: self.prices.load_full(),
            limits: RequestLimits::from(&settings.gateway),
            resilience,
            serves_agents: settings.mcp.http,
            since: self.clock.wall(),
        };
        self.current.store(Arc::new(built));
    }

    fn clients(&self, settings: &Settings) -> GatewayClients {
        let known =
            settings.clients.iter().map(|(id, known)| (known.token_sha256, client(id, known)));
        known.chain(self.own_clients.iter().cloned()).collect()
    }
}

/// A client of the engine itself, whose token exists in memory only.
pub(crate) fn own_client(
    id: &str,
    token: &NewToken,
    purpose: Purpose,
) -> Result<(TokenHash, GatewayClient), IdError> {
    let client = GatewayClient::new(ClientId::new(id)?, purpose, TokenState::Valid(None));
    Ok((token.hash, GatewayClient { names_requests: true, ..client }))
}

fn client(id: &ClientId, known: &ClientSettings) -> GatewayClient {
    let standing = TokenState::Valid(known.expires);
    GatewayClient {
        rules: traffic_rules(known.limits),
        priority: match known.priority {
            ClientPriority::Interactive => Priority::Interactive,
            ClientPriority::Background => Priority::Background,
        },
        cache: known.cache,
        scope: known.scope.clone(),
        switched_to: known.switched_to.clone(),
        blocked: known.blocked,
        may_use_mcp: known.mcp,
        reads_metrics: known.reads_metrics,
        project: known.project.clone(),
        ..GatewayClient::new(id.clone(), Purpose::User, standing)
    }
}

fn traffic_rules(limits: TrafficLimits) -> TrafficRules {
    let TrafficLimits { requests_per_minute, tokens_per_minute, in_flight_max } = limits;
    TrafficRules {
        rates: RateRules { requests_per_minute, tokens_per_minute },
        in_flight_max: in_flight_max.and_then(|most| u32::try_from(most).ok()),
    }
}

/// The client of the playground, which also sends the prompts of agents with a client's token.
pub(crate) fn playground_client(token: &NewToken) -> Result<(TokenHash, GatewayClient), IdError> {
    let (hash, client) = own_client(PLAYGROUND_CLIENT, token, Purpose::User)?;
    Ok((hash, GatewayClient { sends_for_clients: true, ..client }))
}

/// The client of the health checks that ask a model: one attempt, so that one request is billed, and
/// an answer that no cache has.
pub(crate) fn health_client(token: &NewToken) -> Result<(TokenHash, GatewayClient), IdError> {
    let (hash, client) = own_client(HEALTH_CLIENT, token, Purpose::Health)?;
    let (attempts_max, cache) = (Some(1), Some(CacheMode::Off));
    Ok((hash, GatewayClient { attempts_max, cache, ..client }))
}

/// A snapshot that serves nothing, in use until the settings are in force.
pub(crate) fn empty(prices: Arc<PriceBook>, since: WallTime) -> Snapshot {
    Snapshot {
        backends: HashMap::new(),
        routes: RouteTable::new(Vec::new(), Vec::new()),
        clients: GatewayClients::default(),
        cache: None,
        prices,
        limits: RequestLimits::from(&GatewaySettings::default()),
        resilience: ResilienceRules::default(),
        serves_agents: false,
        since,
    }
}

fn backends(settings: &Settings, mock: &BackendId) -> HashMap<BackendId, Backend> {
    let built_in = MOCK_URL.parse::<Url>().ok();
    let built_in =
        built_in.and_then(|url| Backend::new(mock.clone(), TargetKind::Mock, &url, None).ok());
    let own = settings.backends.iter().filter_map(|(id, known)| {
        let root = api_root(known.kind, &known.base_url);
        let built = Backend::new(id.clone(), target(known), &root, known.credential().cloned());
        let built = built.ok()?.crossing(known.crossing).network(known.network);
        Some(built.rules(traffic_rules(known.limits)))
    });
    built_in.into_iter().chain(own).map(|backend| (backend.id().clone(), backend)).collect()
}

fn target(known: &BackendSettings) -> TargetKind {
    target_kind(known.kind, known.lacks.clone(), known.offers.clone())
}

/// A backend's kind for dialect translation.
pub(crate) fn target_kind(
    kind: BackendKind,
    lacks: BTreeSet<UnsupportedFeature>,
    offers: BTreeSet<ExtraDialect>,
) -> TargetKind {
    match kind {
        BackendKind::OpenAi => TargetKind::OpenAi,
        BackendKind::Anthropic => TargetKind::Anthropic,
        BackendKind::Gemini => TargetKind::Gemini,
        BackendKind::OpenAiCompatible => TargetKind::OpenAiCompatible { lacks, offers },
        BackendKind::Ollama => TargetKind::Ollama,
        BackendKind::Mock => TargetKind::Mock,
    }
}

fn routes(settings: &Settings, catalogue: &ModelCatalogue, mock: &BackendId) -> RouteTable {
    let own = settings.backends.iter().map(|(id, known)| RoutableBackend {
        backend: id.clone(),
        role: BackendRole::Provider,
        status: settings
            .why_backend_is_off(id)
            .map_or(BackendStatus::Usable, BackendStatus::Disabled),
        models: catalogue.models_with(settings, id),
        pool: pool(known),
        capabilities: traits(known),
    });
    let built_in = RoutableBackend {
        backend: mock.clone(),
        role: BackendRole::Mock,
        status: BackendStatus::Usable,
        models: catalogue.models_with(settings, mock),
        pool: KeyPool::default(),
        capabilities: BackendCapabilities::default(),
    };
    let routes = settings.routes.iter().filter(|(_, known)| settings.is_route_on(known));
    let routes = routes.map(|(id, known)| route(id, known)).collect();
    RouteTable::new(routes, own.chain([built_in]).collect())
}

fn route(id: &RouteId, known: &RouteSettings) -> Route {
    let settings::BalanceSettings { latency, cost, headroom } = known.weights;
    let candidates = known.candidates.iter().map(|candidate| RouteCandidate {
        backend: candidate.backend.clone(),
        model: candidate.model.clone(),
        weight: candidate.weight,
    });
    let stays = (known.sticky_secs > 0).then(|| Duration::from_secs(known.sticky_secs.into()));
    Route {
        id: id.clone(),
        models: known.models.clone(),
        clients: known.clients.clone(),
        projects: known.projects.clone(),
        policy: known.policy,
        weights: BalanceWeights { latency, cost, headroom },
        sticky: stays,
        crossing: known.crossing,
        cache: known.cache,
        candidates: candidates.collect(),
    }
}

fn pool(known: &BackendSettings) -> KeyPool {
    let members = known
        .pool
        .members
        .iter()
        .map(|member| PoolKey { credential: member.credential.clone(), weight: member.weight });
    KeyPool { order: known.pool.order, members: members.collect() }
}

/// What a backend supports, independent of the model.
fn traits(known: &BackendSettings) -> BackendCapabilities {
    let mut speaks: BTreeSet<Dialect> = match known.kind {
        BackendKind::OpenAi => [Dialect::OpenAiChat, Dialect::OpenAiResponses].into(),
        BackendKind::Anthropic => [Dialect::AnthropicMessages].into(),
        BackendKind::Gemini => [Dialect::Gemini].into(),
        BackendKind::OpenAiCompatible => [Dialect::OpenAiChat].into(),
        BackendKind::Ollama => [Dialect::OllamaChat].into(),
        BackendKind::Mock => Dialect::ALL.iter().copied().collect(),
    };
    let mut lacks = BTreeSet::new();
    if known.kind == BackendKind::OpenAiCompatible {
        lacks.clone_from(&known.lacks);
        speaks.extend(known.offers.iter().map(|offer| match offer {
            ExtraDialect::Responses => Dialect::OpenAiResponses,
            ExtraDialect::Messages => Dialect::AnthropicMessages,
        }));
    }
    // Anthropic has no embeddings endpoint and recommends another vendor
    // (platform.claude.com/docs/en/build-with-claude/embeddings).
    BackendCapabilities {
        dialects: speaks,
        unsupported: lacks,
        has_embeddings: known.kind != BackendKind::Anthropic,
    }
}
