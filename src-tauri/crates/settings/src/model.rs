//! What a valid configuration is. A value of these types has been checked once and is then trusted;
//! the file's spelling of it lives in `read` and `write`.

mod cache;
mod resilience;
mod routing;
mod scope;

use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use domain::{
    BackendId, CacheWish, ClientId, CredentialId, Crossing, Lack, Offer, Origin, RouteId,
    VaultKind, WallTime,
};
use indexmap::IndexMap;
use url::Url;

use crate::BackendNetwork;

pub use cache::{
    CACHE_DISK_BYTES_MAX_RANGE, CACHE_ENTRY_BYTES_MAX_RANGE, CACHE_MEMORY_BYTES_MAX_RANGE,
    CACHE_TTL_SECS_RANGE, CacheSettings,
};
pub use resilience::{NumberField, ResilienceNumbers, ResiliencePreset, ResilienceSettings};
pub use routing::{
    BALANCE_PERCENT_RANGE, BalanceSettings, ClientPriority, POOL_MEMBERS_MAX, PROJECT_CHARS_MAX,
    PoolMember, PoolSettings, REQUESTS_PER_MINUTE_RANGE, ROUTE_CANDIDATES_MAX, ROUTE_MODELS_MAX,
    ROUTE_SCOPES_MAX, RouteCandidateSettings, RouteSettings, STICKY_SECS_DEFAULT,
    STICKY_SECS_RANGE, TOKENS_PER_MINUTE_RANGE, TrafficLimits, WEIGHT_RANGE,
};
pub use scope::{ClientScope, SCOPE_ENTRIES_MAX};

/// Id of the mock backend that is built in and therefore never stands in the file.
pub const MOCK_BACKEND_ID: &str = "mock";

/// Ports the gateway may listen on.
pub const GATEWAY_PORT_RANGE: RangeInclusive<u16> = 1..=65_535;
/// Largest request body, in bytes: 1 KiB to 64 MiB.
pub const GATEWAY_BODY_BYTES_MAX_RANGE: RangeInclusive<usize> = 1_024..=67_108_864;
/// Requests in flight at once.
pub const GATEWAY_IN_FLIGHT_MAX_RANGE: RangeInclusive<usize> = 1..=300;
/// Requests that wait for a place; 0 refuses at once. Each waits with its body in memory.
pub const GATEWAY_QUEUE_MAX_RANGE: RangeInclusive<usize> = 0..=1_000;
/// How long a request waits for a place, in milliseconds; past a minute most tools have given up.
pub const GATEWAY_QUEUE_WAIT_MS_RANGE: RangeInclusive<u64> = 10..=60_000;
/// Time to connect to a backend, in milliseconds.
pub const GATEWAY_CONNECT_TIMEOUT_MS_RANGE: RangeInclusive<u64> = 100..=60_000;
/// Time until the first token, in milliseconds; long because reasoning models think in silence.
pub const GATEWAY_FIRST_TOKEN_TIMEOUT_MS_RANGE: RangeInclusive<u64> = 1_000..=600_000;
/// Silence inside a stream, in milliseconds.
pub const GATEWAY_STALL_TIMEOUT_MS_RANGE: RangeInclusive<u64> = 1_000..=600_000;
/// Time for a whole request, in milliseconds.
pub const GATEWAY_TOTAL_TIMEOUT_MS_RANGE: RangeInclusive<u64> = 1_000..=3_600_000;
/// Time between two background probes of one backend, in seconds.
pub const HEALTH_INTERVAL_SECS_RANGE: RangeInclusive<u64> = 5..=3_600;
/// How long raw requests are kept, in days.
pub const LEDGER_RETENTION_DAYS_RANGE: RangeInclusive<u32> = 1..=3_650;
/// How long the end of an answer waits until its record is committed, in milliseconds. A local disk
/// takes under one; past five seconds most tools would take the answer for broken.
pub const LEDGER_COMMIT_WAIT_MS_RANGE: RangeInclusive<u64> = 10..=5_000;
/// Longest label, in characters.
pub const LABEL_CHARS_MAX: usize = 120;
/// Longest model name, in characters.
pub const MODEL_CHARS_MAX: usize = 200;
/// Most models declared for one backend.
pub const MODELS_PER_BACKEND_MAX: usize = 1_000;
/// Most entries in each of `credentials`, `backends`, `clients` and `routes`.
pub const ENTRIES_MAX: usize = 500;

/// The whole configuration. The order of `backends` is the order in which they are asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// The local listener and its limits.
    pub gateway: GatewaySettings,
    /// Where secrets are kept.
    pub vault: VaultSettings,
    /// Background probes.
    pub health: HealthSettings,
    /// When a backend is left alone, and how often a request is tried.
    pub resilience: ResilienceSettings,
    /// Answers that were given before.
    pub cache: CacheSettings,
    /// Desktop notifications.
    pub notifications: NotificationSettings,
    /// The record of requests and costs.
    pub ledger: LedgerSettings,
    /// How the panel looks.
    pub appearance: AppearanceSettings,
    /// What is known of each secret, never the secret.
    pub credentials: IndexMap<CredentialId, CredentialSettings>,
    /// Places requests can go, without the built-in mock.
    pub backends: IndexMap<BackendId, BackendSettings>,
    /// Which model names lead where; the first that fits best is taken, so their order matters.
    pub routes: IndexMap<RouteId, RouteSettings>,
    /// Tools that may call the gateway.
    pub clients: IndexMap<ClientId, ClientSettings>,
}

/// The local listener and its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewaySettings {
    /// Port on loopback; within [`GATEWAY_PORT_RANGE`].
    pub port: u16,
    /// Largest request body in bytes; within [`GATEWAY_BODY_BYTES_MAX_RANGE`].
    pub body_bytes_max: usize,
    /// Requests in flight at once; within [`GATEWAY_IN_FLIGHT_MAX_RANGE`].
    pub in_flight_max: usize,
    /// Requests that wait for a place; within [`GATEWAY_QUEUE_MAX_RANGE`].
    pub queue_max: usize,
    /// Milliseconds that one waits; within [`GATEWAY_QUEUE_WAIT_MS_RANGE`].
    pub queue_wait_ms: u64,
    /// Milliseconds to connect; within [`GATEWAY_CONNECT_TIMEOUT_MS_RANGE`].
    pub connect_timeout_ms: u64,
    /// Milliseconds until the first token; within [`GATEWAY_FIRST_TOKEN_TIMEOUT_MS_RANGE`].
    pub first_token_timeout_ms: u64,
    /// Milliseconds of silence inside a stream; within [`GATEWAY_STALL_TIMEOUT_MS_RANGE`].
    pub stall_timeout_ms: u64,
    /// Milliseconds for a whole request; within [`GATEWAY_TOTAL_TIMEOUT_MS_RANGE`].
    pub total_timeout_ms: u64,
}

impl Default for GatewaySettings {
    fn default() -> Self {
        Self {
            port: 4_283,
            body_bytes_max: 33_554_432,
            in_flight_max: 50,
            queue_max: 300,
            queue_wait_ms: 10_000,
            connect_timeout_ms: 5_000,
            // Reasoning models think in silence, for minutes.
            first_token_timeout_ms: 300_000,
            stall_timeout_ms: 30_000,
            total_timeout_ms: 600_000,
        }
    }
}

/// Where secrets are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VaultSettings {
    /// The chosen store. Never changed behind the user's back.
    pub kind: VaultKind,
}

/// Background probes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthSettings {
    /// Seconds between two probes of one backend; within [`HEALTH_INTERVAL_SECS_RANGE`].
    pub interval_secs: u64,
}

impl Default for HealthSettings {
    fn default() -> Self {
        Self { interval_secs: 30 }
    }
}

/// Desktop notifications.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationSettings {
    /// Whether any are shown.
    pub enabled: bool,
}

impl Default for NotificationSettings {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// The record of requests and costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerSettings {
    /// Days that raw requests are kept; within [`LEDGER_RETENTION_DAYS_RANGE`].
    pub retention_days: u32,
    /// Milliseconds that the end of an answer waits for its record; within
    /// [`LEDGER_COMMIT_WAIT_MS_RANGE`]. Then the answer is delivered and the ledger counts as behind.
    pub commit_wait_ms: u64,
}

impl Default for LedgerSettings {
    fn default() -> Self {
        Self { retention_days: 30, commit_wait_ms: 250 }
    }
}

/// How the panel looks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AppearanceSettings {
    /// Light, dark, or as the system says.
    pub theme: Theme,
}

/// What is known of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialSettings {
    /// A person's name for it; at most [`LABEL_CHARS_MAX`] characters.
    pub label: String,
    /// Where the key may go: a copy for display. The vault's own record is the binding one.
    pub origin: Option<Origin>,
    /// The last four characters, to tell keys apart; `None` for a very short key.
    pub tail: Option<String>,
    /// When the key was added.
    pub created: WallTime,
    /// When its secret was last replaced; `None` if never.
    pub replaced: Option<WallTime>,
}

/// One place requests can go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendSettings {
    /// A person's name for it; at most [`LABEL_CHARS_MAX`] characters.
    pub label: String,
    /// The protocol it speaks; never [`BackendKind::Mock`] in a valid configuration.
    pub kind: BackendKind,
    /// The address as it was typed; [`crate::api_root`] has what paths are appended to.
    pub base_url: Url,
    /// The keys it gets.
    pub pool: PoolSettings,
    /// Whether requests may go there.
    pub enabled: bool,
    /// Models it is declared to have; empty means: ask the backend.
    pub models: Vec<String>,
    /// What it lacks of Chat Completions; without meaning unless it is
    /// [`BackendKind::OpenAiCompatible`].
    pub lacks: BTreeSet<Lack>,
    /// What it speaks beside Chat Completions; without meaning unless it is
    /// [`BackendKind::OpenAiCompatible`].
    pub offers: BTreeSet<Offer>,
    /// What becomes of fields that its protocol has no word for.
    pub crossing: Crossing,
    /// Whether its name, although public, may lead to a private address (`private_network`).
    pub network: BackendNetwork,
    /// How much the gateway may ask of it.
    pub limits: TrafficLimits,
}

impl BackendSettings {
    /// The first of its keys; `None` for a server that wants none.
    #[must_use]
    pub fn credential(&self) -> Option<&CredentialId> {
        self.pool.credentials().next()
    }
}

/// A tool that may call the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSettings {
    /// SHA-256 of its local token.
    pub token_sha256: TokenSha256,
    /// When it was added.
    pub created: WallTime,
    /// When its token stops working; `None` for never.
    pub expires: Option<WallTime>,
    /// How much it may ask of the gateway.
    pub limits: TrafficLimits,
    /// Whether its answers may come from the cache, where no route says; `None`: as is usual.
    pub cache: Option<CacheWish>,
    /// Whether somebody waits for its answers.
    pub priority: ClientPriority,
    /// What it may ask for (`allow_models`, `allow_backends`, `allow_routes`).
    pub scope: ClientScope,
}

/// SHA-256 of a local token, 64 hexadecimal digits in the file.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenSha256([u8; 32]);

/// The text is not 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token hash has 64 hexadecimal digits; add the client again to get one")]
pub struct TokenSha256Malformed;

impl TokenSha256 {
    /// From the digest's bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The digest's bytes, for a comparison in constant time.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for TokenSha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TokenSha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenSha256({self})")
    }
}

impl FromStr for TokenSha256 {
    type Err = TokenSha256Malformed;
    fn from_str(text: &str) -> Result<Self, TokenSha256Malformed> {
        if text.len() != 64 {
            return Err(TokenSha256Malformed);
        }
        let mut bytes = [0_u8; 32];
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let mut nibbles = digits.iter().map(|digit| char::from(*digit).to_digit(16));
            let (Some(Some(high)), Some(Some(low))) = (nibbles.next(), nibbles.next()) else {
                return Err(TokenSha256Malformed);
            };
            *byte = u8::try_from(high * 16 + low).map_err(|_| TokenSha256Malformed)?;
        }
        Ok(Self(bytes))
    }
}

domain::words! {
    /// The panel's colours.
    #[derive(Default)]
    Theme {
        /// As the system says.
        #[default]
        System = "system",
        /// Dark text on light ground.
        Light = "light",
        /// Light text on dark ground.
        Dark = "dark",
    }
}

domain::words! {
    /// The protocol a backend speaks.
    BackendKind {
        /// OpenAI itself: every endpoint of its API.
        OpenAi = "openai",
        /// Anthropic's Messages.
        Anthropic = "anthropic",
        /// Google's Gemini API.
        Gemini = "gemini",
        /// Another server that speaks OpenAI's chat completions.
        OpenAiCompatible = "openai-compatible",
        /// Ollama's own chat.
        Ollama = "ollama",
        /// The built-in mock.
        Mock = "mock",
    }
}
