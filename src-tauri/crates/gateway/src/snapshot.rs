//! The configuration a request works with: one immutable value, replaced whole when settings
//! change.
//!
//! A request keeps the snapshot it began with, so it never waits for a settings dialog and never
//! sees half a change.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use cache::Cache;
use domain::{
    BackendId, CacheMode, ClientId, ClientTarget, CredentialId, Dialect, NanoUsd, Origin,
    OriginError, TokenUsage, TranslationMode, Usage, WallTime,
};
use endpoints::{BackendTraffic, ResilienceRules, TrafficRules};
use ledger::Purpose;
use pricing::{Price, PriceBook, Provider};
use resilience::{Priority, RateRules};
use routing::RouteTable;
use settings::{AllowedNetwork, ClientScope};
use subtle::ConstantTimeEq;
use url::Url;
use wire::{Target, TargetKind};

use crate::limits::RequestLimits;
use crate::outbound::upstream::KeyCarrier;
use crate::token::TokenHash;

/// The configuration that requests read. The engine builds it; it never changes.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Configured backends. [`Snapshot::routes`] decides among them.
    pub backends: HashMap<BackendId, Backend>,
    /// Maps model names to backends.
    pub routes: RouteTable,
    pub clients: GatewayClients,
    pub prices: Arc<PriceBook>,
    pub limits: RequestLimits,
    pub resilience: ResilienceRules,
    /// `None` if no answers are cached.
    pub cache: Option<CacheUse>,
    /// True if agents are served at `/mcp`.
    pub serves_agents: bool,
    /// Time since which these models are offered; the `created` of model lists.
    pub since: WallTime,
}

impl Snapshot {
    /// Prices tokens for [`endpoints::RoutingInputs`]. The mock is free.
    pub fn price(
        &self,
    ) -> impl Fn(&BackendId, &str, &TokenUsage, WallTime) -> Option<NanoUsd> + Sync + '_ {
        |backend, model, tokens, at| {
            self.cost_at((backend, model), at, |price| price.text_cost(tokens))
        }
    }

    /// The cost of a call with this usage; `None` if it is unknown.
    pub(crate) fn usage_cost(
        &self,
        place: (&BackendId, &str),
        usage: &Usage,
        at: WallTime,
    ) -> Option<NanoUsd> {
        self.cost_at(place, at, |price| price.invoice(usage).1.ok())
    }

    /// Most that a request for a short text costs; `None` if that cannot be told. A model that searches
    /// the web for every request is charged for a search as well.
    #[must_use]
    pub fn text_cost_max(
        &self,
        (backend, model): (&BackendId, &str),
        (input_tokens, output_tokens): (u64, u64),
        at: WallTime,
    ) -> Option<NanoUsd> {
        self.cost_at((backend, model), at, |price| {
            let is_searching = wire::openai_chat::is_search_model(model);
            price.text_cost_max(input_tokens, output_tokens).filter(|_| !is_searching)
        })
    }

    /// What `cost` says of the price at this time. The mock is free.
    fn cost_at(
        &self,
        (backend, model): (&BackendId, &str),
        at: WallTime,
        cost: impl FnOnce(&Price) -> Option<NanoUsd>,
    ) -> Option<NanoUsd> {
        let provider = self.backends.get(backend)?.provider();
        if provider == Some(Provider::Mock) {
            return Some(NanoUsd::ZERO);
        }
        cost(&*self.prices.find(backend, provider, model, at)?)
    }
}

/// The cache and its settings.
#[derive(Debug, Clone)]
pub struct CacheUse {
    pub cache: Cache,
    pub ttl: Duration,
}

#[derive(Debug, Clone)]
pub struct Backend {
    pub(crate) id: BackendId,
    pub(crate) kind: TargetKind,
    pub(crate) crossing: TranslationMode,
    pub(crate) origin: Origin,
    pub(crate) credential: Option<CredentialId>,
    pub(crate) rules: TrafficRules,
    pub(crate) network: AllowedNetwork,
    provider: Option<Provider>,
    root: Url,
}

impl Backend {
    /// A backend at `root`, the base URL without the API path (see `settings::api_root`). The mock
    /// may have any `http` address: nothing is sent there.
    pub fn new(
        id: BackendId,
        kind: TargetKind,
        root: &Url,
        credential: Option<CredentialId>,
    ) -> Result<Self, OriginError> {
        let (origin, root) = (Origin::from_url(root)?, root.clone());
        let (crossing, rules) = (TranslationMode::default(), TrafficRules::default());
        let provider = match kind {
            TargetKind::Mock => Some(Provider::Mock),
            _ => Provider::from_base_url(&root, credential.is_some()),
        };
        let network = AllowedNetwork::default();
        Ok(Self { id, kind, crossing, origin, credential, rules, network, provider, root })
    }

    /// Sets how request fields without an equivalent in its dialect are treated.
    #[must_use]
    pub const fn crossing(mut self, crossing: TranslationMode) -> Self {
        self.crossing = crossing;
        self
    }

    /// Sets its traffic limits.
    #[must_use]
    pub const fn rules(mut self, rules: TrafficRules) -> Self {
        self.rules = rules;
        self
    }

    /// Sets the network that its name may resolve to.
    #[must_use]
    pub const fn network(mut self, network: AllowedNetwork) -> Self {
        self.network = network;
        self
    }

    #[must_use]
    pub const fn id(&self) -> &BackendId {
        &self.id
    }

    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    #[must_use]
    pub const fn credential(&self) -> Option<&CredentialId> {
        self.credential.as_ref()
    }

    /// The provider whose list prices apply.
    pub(crate) const fn provider(&self) -> Option<Provider> {
        self.provider
    }

    /// Describes the backend to the writers of requests for `model`.
    pub(crate) fn target(&self, model: &str) -> Target {
        Target {
            kind: self.kind.clone(),
            model: model.to_owned(),
            crossing: self.crossing,
            output_tokens_max: self.output_tokens_max(model),
        }
    }

    /// Maximum output tokens of `model`. Unlike a price this belongs to the model and not to the
    /// host, so it holds for every backend with Anthropic's dialect, including a proxy.
    pub(crate) fn output_tokens_max(&self, model: &str) -> Option<u64> {
        match self.kind {
            TargetKind::Anthropic => Provider::Anthropic.output_tokens_max(model),
            _ => self.provider()?.output_tokens_max(model),
        }
    }

    /// The header that carries its key.
    pub(crate) const fn key_carrier(&self) -> KeyCarrier {
        match self.kind {
            TargetKind::Anthropic => KeyCarrier::XApiKey,
            TargetKind::Gemini => KeyCarrier::XGoogApiKey,
            TargetKind::OpenAi
            | TargetKind::OpenAiCompatible { .. }
            | TargetKind::Ollama
            | TargetKind::Mock => KeyCarrier::Bearer,
        }
    }

    /// The URL of an API path below the root.
    pub(crate) fn url(&self, segments: &[impl AsRef<str>], query: Option<&str>) -> Url {
        let mut url = self.root.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        if query.is_some() {
            url.set_query(query);
        }
        url.set_fragment(None);
        url
    }

    pub(crate) fn traffic(&self) -> BackendTraffic {
        BackendTraffic { rules: self.rules, is_mock: self.kind == TargetKind::Mock }
    }

    /// The URL of its model list, and the dialect of that list.
    pub(crate) fn models_url(&self) -> (Url, Dialect) {
        let path: &[&str] = match self.kind {
            TargetKind::Anthropic => &["v1", "models"],
            TargetKind::Gemini => &["v1beta", "models"],
            TargetKind::Ollama => &["api", "tags"],
            TargetKind::OpenAi | TargetKind::OpenAiCompatible { .. } | TargetKind::Mock => {
                &["models"]
            }
        };
        // The largest page size, so that one request returns the whole list.
        let query = match self.kind {
            TargetKind::Anthropic => Some("limit=1000"),
            TargetKind::Gemini => Some("pageSize=1000"),
            _ => None,
        };
        let dialect = match self.kind {
            TargetKind::Anthropic => Dialect::AnthropicMessages,
            TargetKind::Gemini => Dialect::Gemini,
            TargetKind::Ollama => Dialect::OllamaChat,
            TargetKind::OpenAi | TargetKind::OpenAiCompatible { .. } | TargetKind::Mock => {
                Dialect::OpenAiChat
            }
        };
        (self.url(path, query), dialect)
    }

    /// True if the backend is this gateway, listening on `port`: a request would loop forever.
    pub(crate) fn is_this_gateway(&self, port: u16) -> bool {
        self.kind != TargetKind::Mock
            && self.origin.is_loopback()
            && self.root.port_or_known_default() == Some(port)
    }
}

/// A client that may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayClient {
    pub id: ClientId,
    /// The purpose recorded for its requests: a person's tool, or Gatehouse's own checks.
    pub purpose: Purpose,
    pub standing: TokenState,
    pub rules: TrafficRules,
    /// Its priority when slots are scarce.
    pub priority: Priority,
    /// Its cache mode, if the route sets none.
    pub cache: Option<CacheMode>,
    pub scope: ClientScope,
    /// Where its requests go instead of what the routing rules choose.
    pub switched_to: Option<ClientTarget>,
    /// True while the user blocks it: its token is valid, and its requests are refused.
    pub blocked: bool,
    /// True if its token also opens `/mcp`.
    pub may_use_mcp: bool,
    /// True if its token reads `/metrics` and opens nothing else.
    pub reads_metrics: bool,
    /// Most attempts for one of its requests, if fewer than the rules allow.
    pub attempts_max: Option<u8>,
    /// The project that its requests belong to, whatever they say.
    pub project: Option<String>,
    /// True for clients of this program, which choose the ids of their requests: who stops one before
    /// its response began knows its record all the same.
    pub names_requests: bool,
    /// True for the client of this program that sends the prompts of agents. For an agent with a client's
    /// token it names that client, whose scope, limits and budgets then hold.
    pub sends_for_clients: bool,
}

impl GatewayClient {
    /// A client without limits.
    #[must_use]
    pub fn new(id: ClientId, purpose: Purpose, standing: TokenState) -> Self {
        let rules = TrafficRules {
            rates: RateRules { requests_per_minute: None, tokens_per_minute: None },
            in_flight_max: None,
        };
        let (priority, scope) = (Priority::Interactive, ClientScope::default());
        Self {
            id,
            purpose,
            standing,
            rules,
            priority,
            cache: None,
            scope,
            switched_to: None,
            blocked: false,
            may_use_mcp: false,
            reads_metrics: false,
            attempts_max: None,
            project: None,
            names_requests: false,
            sends_for_clients: false,
        }
    }
}

/// Validity of a client's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenState {
    /// Valid, until the given time if there is one.
    Valid(Option<WallTime>),
    /// Revoked by the user. Kept so that the refusal can say so.
    Revoked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenRefused {
    Unknown,
    Expired,
    Revoked,
}

#[derive(Debug, Clone, Default)]
pub struct GatewayClients(HashMap<TokenHash, Arc<GatewayClient>>);

/// Most revoked tokens that are remembered. Later ones are refused as unknown.
const REVOKED_MAX: usize = 1_000;

impl GatewayClients {
    /// These clients, and the users' clients of `before` that are not among them as revoked, so that
    /// their refusals say so for as long as this program runs.
    #[must_use]
    pub fn replacing(mut self, before: &Self) -> Self {
        let is_users = |client: &GatewayClient| {
            client.purpose == Purpose::User && !client.names_requests && !client.sends_for_clients
        };
        let gone = before.0.iter().filter(|(hash, _)| !self.0.contains_key(*hash));
        let gone: Vec<_> = gone.filter(|(_, client)| is_users(client)).take(REVOKED_MAX).collect();
        for (hash, client) in gone {
            let client = GatewayClient { standing: TokenState::Revoked, ..(**client).clone() };
            self.0.insert(*hash, Arc::new(client));
        }
        self
    }

    /// The client with this token, if the token is valid at `now`.
    pub(crate) fn admit(
        &self,
        hash: &TokenHash,
        now: WallTime,
    ) -> Result<Arc<GatewayClient>, TokenRefused> {
        // The map compares hashes, whose bytes a caller cannot choose. The second comparison is in
        // constant time all the same, so that a later change of the map does not matter.
        let found = self.0.get_key_value(hash);
        let (known, client) = found.ok_or(TokenRefused::Unknown)?;
        if !bool::from(known.bytes().ct_eq(hash.bytes())) {
            return Err(TokenRefused::Unknown);
        }
        check_standing(client, now).map(|()| Arc::clone(client))
    }

    /// The client of this id, if its token is valid at `now`.
    pub(crate) fn find(
        &self,
        id: &ClientId,
        now: WallTime,
    ) -> Result<Arc<GatewayClient>, TokenRefused> {
        let own = self.0.values().filter(|client| client.id == *id);
        // A token that replaced a revoked one has the same client.
        let found = own.min_by_key(|client| client.standing == TokenState::Revoked);
        let client = found.ok_or(TokenRefused::Unknown)?;
        check_standing(client, now).map(|()| Arc::clone(client))
    }
}

fn check_standing(client: &GatewayClient, now: WallTime) -> Result<(), TokenRefused> {
    match client.standing {
        TokenState::Revoked => Err(TokenRefused::Revoked),
        TokenState::Valid(Some(until)) if until <= now => Err(TokenRefused::Expired),
        TokenState::Valid(_) => Ok(()),
    }
}

impl FromIterator<(TokenHash, GatewayClient)> for GatewayClients {
    fn from_iter<I: IntoIterator<Item = (TokenHash, GatewayClient)>>(clients: I) -> Self {
        Self(clients.into_iter().map(|(hash, client)| (hash, Arc::new(client))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::hash_token;

    #[test]
    fn paths_are_appended_whatever_the_root_ends_with() {
        let backend = |kind: TargetKind, root: &str| {
            let url = root.parse().expect("a URL");
            let id = BackendId::new("b").expect("an id");
            Backend::new(id, kind, &url, None).expect("a backend")
        };
        for root in ["https://api.test/v1", "https://api.test/v1/"] {
            let openai = backend(TargetKind::OpenAi, root);
            let chat = openai.url(&["chat", "completions"], None);
            assert_eq!(chat.as_str(), "https://api.test/v1/chat/completions");
            assert_eq!(openai.models_url().0.as_str(), "https://api.test/v1/models");
        }
        let gemini = backend(TargetKind::Gemini, "https://api.test");
        let url = gemini.url(&["v1beta", "models", "a/b c?:generateContent"], Some("alt=sse"));
        let expected = "https://api.test/v1beta/models/a%2Fb%20c%3F:generateContent?alt=sse";
        assert_eq!(url.as_str(), expected);
        let versioned = backend(TargetKind::OpenAi, "https://api.test/v1?v=2#x");
        assert_eq!(versioned.models_url().0.as_str(), "https://api.test/v1/models?v=2");
    }

    #[test]
    fn a_token_holds_until_its_time_and_not_after() {
        let standing = |standing| {
            let id = ClientId::new("c").expect("an id");
            let client = GatewayClient::new(id, Purpose::User, standing);
            let clients: GatewayClients = [(hash_token("ghk_a"), client)].into_iter().collect();
            let now = WallTime::from_unix_ms(1_000);
            assert_eq!(clients.admit(&hash_token("ghk_b"), now), Err(TokenRefused::Unknown));
            clients.admit(&hash_token("ghk_a"), now).map(|client| client.id.to_string())
        };
        let until = |ms| TokenState::Valid(Some(WallTime::from_unix_ms(ms)));
        assert_eq!(standing(TokenState::Valid(None)), Ok("c".to_owned()));
        assert_eq!(standing(until(1_001)), Ok("c".to_owned()));
        assert_eq!(standing(until(1_000)), Err(TokenRefused::Expired));
        assert_eq!(standing(TokenState::Revoked), Err(TokenRefused::Revoked));
    }

    #[test]
    fn a_token_that_is_gone_counts_as_revoked_until_it_is_back() {
        let now = WallTime::from_unix_ms(1_000);
        let id = || ClientId::new("c").expect("an id");
        let client = |token: &str, purpose| {
            (hash_token(token), GatewayClient::new(id(), purpose, TokenState::Valid(None)))
        };
        let first: GatewayClients =
            [client("ghk_a", Purpose::User), client("ghk_check", Purpose::Check)]
                .into_iter()
                .collect();
        let renewed = [client("ghk_b", Purpose::User)].into_iter().collect::<GatewayClients>();
        let second = renewed.clone().replacing(&first);
        let said = |clients: &GatewayClients, token| {
            clients.admit(&hash_token(token), now).map(|found| found.id.to_string())
        };
        assert_eq!(said(&second, "ghk_a"), Err(TokenRefused::Revoked));
        assert_eq!(said(&second, "ghk_check"), Err(TokenRefused::Unknown));
        assert_eq!(said(&second, "ghk_b"), Ok("c".to_owned()));
        assert!(second.find(&id(), now).is_ok(), "its new token is valid");
        let third = renewed.clone().replacing(&second);
        assert_eq!(said(&third, "ghk_a"), Err(TokenRefused::Revoked));
        let restored = first.replacing(&third);
        assert_eq!(said(&restored, "ghk_a"), Ok("c".to_owned()));

        let number = |number: usize| client(&format!("ghk_{number}"), Purpose::User);
        let many: GatewayClients = (0..=REVOKED_MAX).map(number).collect();
        let kept = renewed.replacing(&many);
        assert_eq!(kept.0.len(), REVOKED_MAX + 1);
    }
}
