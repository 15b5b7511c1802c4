//! What a request works with: one immutable value, swapped whole when the settings change.
//!
//! A request keeps the snapshot it began with, so it never waits for a settings dialog and never
//! sees half a change.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use cache::Cache;
use domain::{
    BackendId, CacheMode, ClientId, CredentialId, Dialect, MicroUsd, Origin, OriginError,
    TokenUsage, TranslationMode, WallTime,
};
use endpoints::{BackendTraffic, ResilienceRules, TrafficRules};
use ledger::{PriceBook, Provider, Purpose};
use resilience::{Priority, RateRules};
use routing::RouteTable;
use settings::{AllowedNetwork, ClientScope};
use subtle::ConstantTimeEq;
use url::Url;
use wire::{Target, TargetKind};

use crate::limits::RequestLimits;
use crate::token::TokenHash;
use crate::upstream::KeyCarrier;

/// Everything the way of a request reads. Made by the engine, never changed.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Where requests may go, by id. [`FolderSnapshot::routes`] decides among them.
    pub backends: HashMap<BackendId, Backend>,
    /// From a model's name to backends.
    pub routes: RouteTable,
    /// Who may call.
    pub clients: GatewayClients,
    /// What tokens cost.
    pub prices: Arc<PriceBook>,
    /// Limits of one request.
    pub limits: RequestLimits,
    /// What is done about failure.
    pub resilience: ResilienceRules,
    /// Answers that were given before; `None`: none are kept.
    pub cache: Option<CacheUse>,
    /// Since when these models are offered; the `created` of our list of models.
    pub since: WallTime,
}

impl Snapshot {
    /// Prices tokens for [`endpoints::RoutingInputs`]. The mock costs nothing.
    pub fn price(
        &self,
    ) -> impl Fn(&BackendId, &str, &TokenUsage, WallTime) -> Option<MicroUsd> + Sync + '_ {
        |backend, model, tokens, at| {
            let provider = self.backends.get(backend)?.provider();
            if provider == Some(Provider::Mock) {
                return Some(MicroUsd::ZERO);
            }
            self.prices.find(backend, provider, model, at)?.cost(tokens)
        }
    }
}

/// The cache and how it is used.
#[derive(Debug, Clone)]
pub struct CacheUse {
    /// Cached answers.
    pub cache: Cache,
    /// How long an answer stays valid.
    pub ttl: Duration,
}

/// One place requests can go.
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
    /// A backend at `root`, the address without the endpoint (see `settings::api_root`). The mock may
    /// have any `http` address: nothing is sent there.
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
            _ => Provider::from_origin(&origin),
        };
        let network = AllowedNetwork::default();
        Ok(Self { id, kind, crossing, origin, credential, rules, network, provider, root })
    }

    /// What becomes of fields that its dialect has no word for.
    #[must_use]
    pub const fn crossing(mut self, crossing: TranslationMode) -> Self {
        self.crossing = crossing;
        self
    }

    /// How much it is asked at the most.
    #[must_use]
    pub const fn rules(mut self, rules: TrafficRules) -> Self {
        self.rules = rules;
        self
    }

    /// Where its name may lead.
    #[must_use]
    pub const fn network(mut self, network: AllowedNetwork) -> Self {
        self.network = network;
        self
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> &BackendId {
        &self.id
    }

    /// Where it lies.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The key it is called with.
    #[must_use]
    pub const fn credential(&self) -> Option<&CredentialId> {
        self.credential.as_ref()
    }

    /// Whose list prices hold there.
    pub(crate) const fn provider(&self) -> Option<Provider> {
        self.provider
    }

    /// It, as a writer of requests for `model` has to know it.
    pub(crate) fn target(&self, model: &str) -> Target {
        Target {
            kind: self.kind.clone(),
            model: model.to_owned(),
            crossing: self.crossing,
            output_tokens_max: self.output_tokens_max(model),
        }
    }

    /// The most output tokens of `model`. Unlike a price this belongs to the model and not to the
    /// host, so it holds for whatever speaks Anthropic's dialect, a proxy too.
    fn output_tokens_max(&self, model: &str) -> Option<u64> {
        match self.kind {
            TargetKind::Anthropic => Provider::Anthropic.output_tokens_max(model),
            _ => self.provider()?.output_tokens_max(model),
        }
    }

    /// The header in which it takes its key.
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

    /// Where an endpoint of it lies.
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

    /// How it may be used.
    pub(crate) fn traffic(&self) -> BackendTraffic {
        BackendTraffic { rules: self.rules, is_mock: self.kind == TargetKind::Mock }
    }

    /// Where it lists its models, and in which dialect.
    pub(crate) fn models_url(&self) -> (Url, Dialect) {
        let path: &[&str] = match self.kind {
            TargetKind::Anthropic => &["v1", "models"],
            TargetKind::Gemini => &["v1beta", "models"],
            TargetKind::Ollama => &["api", "tags"],
            TargetKind::OpenAi | TargetKind::OpenAiCompatible { .. } | TargetKind::Mock => {
                &["models"]
            }
        };
        // The largest pages there are, so that one request sees the whole list.
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

    /// Whether it is the gateway itself, listening on `port`: a request would go round for ever.
    pub(crate) fn is_this_gateway(&self, port: u16) -> bool {
        self.kind != TargetKind::Mock
            && self.origin.is_loopback()
            && self.root.port_or_known_default() == Some(port)
    }
}

/// A tool that may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayClient {
    /// Its id.
    pub id: ClientId,
    /// What it is written down as: a person's tool, or our own checks.
    pub purpose: Purpose,
    /// Whether its token still holds.
    pub standing: TokenState,
    /// How much it may ask.
    pub rules: TrafficRules,
    /// Whose turn it is when places are scarce.
    pub priority: Priority,
    /// Whether its answers may come from the cache, where no route says.
    pub cache: Option<CacheMode>,
    /// What it may ask for.
    pub scope: ClientScope,
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
        Self { id, purpose, standing, rules, priority, cache: None, scope }
    }
}

/// Whether a client's token still holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenState {
    /// It does; if a time is given, until then.
    Valid(Option<WallTime>),
    /// The user took it back. Kept to say so.
    Revoked,
}

/// Why a token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenRefused {
    Unknown,
    Expired,
    Revoked,
}

/// All clients by the hash of their token.
#[derive(Debug, Clone, Default)]
pub struct GatewayClients(HashMap<TokenHash, Arc<GatewayClient>>);

impl GatewayClients {
    /// The client with this token, if it may call at `now`.
    pub(crate) fn admit(
        &self,
        hash: &TokenHash,
        now: WallTime,
    ) -> Result<Arc<GatewayClient>, TokenRefused> {
        // The map compares hashes, of which a caller cannot choose the bytes; the second comparison
        // is in constant time all the same, so that no later change of the map matters.
        let found = self.0.get_key_value(hash);
        let (known, client) = found.ok_or(TokenRefused::Unknown)?;
        if !bool::from(known.bytes().ct_eq(hash.bytes())) {
            return Err(TokenRefused::Unknown);
        }
        match client.standing {
            TokenState::Revoked => Err(TokenRefused::Revoked),
            TokenState::Valid(Some(until)) if until <= now => Err(TokenRefused::Expired),
            TokenState::Valid(_) => Ok(Arc::clone(client)),
        }
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
}
