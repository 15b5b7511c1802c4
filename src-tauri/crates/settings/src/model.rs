//! The validated configuration. Values of these types have been checked once and are then trusted;
//! `read` and `write` convert them from and to the file's form.

mod cache;
mod resilience;
mod routing;
mod scope;

use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::backend_kind::BackendKind;
use domain::{
    BackendId, CacheMode, ClientId, CredentialId, ExtraDialect, Origin, RouteId, TranslationMode,
    UnsupportedFeature, VaultKind, WallTime,
};
use indexmap::IndexMap;
use url::Url;

use crate::AllowedNetwork;

pub use cache::{
    CACHE_DISK_BYTES_MAX_RANGE, CACHE_ENTRY_BYTES_MAX_RANGE, CACHE_MEMORY_BYTES_MAX_RANGE,
    CACHE_TTL_SECS_RANGE, CacheSettings,
};
pub use resilience::{NumberField, ResilienceNumbers, ResiliencePreset, ResilienceSettings};
pub use routing::{
    BALANCE_PERCENT_RANGE, BalanceSettings, ClientPriority, KeyPoolSettings, POOL_MEMBERS_MAX,
    PROJECT_CHARS_MAX, PoolMemberSettings, REQUESTS_PER_MINUTE_RANGE, ROUTE_CANDIDATES_MAX,
    ROUTE_MODELS_MAX, ROUTE_SCOPES_MAX, RouteCandidateSettings, RouteSettings, STICKY_SECS_DEFAULT,
    STICKY_SECS_RANGE, TOKENS_PER_MINUTE_RANGE, TrafficLimits, WEIGHT_RANGE,
};
pub use scope::{ClientScope, SCOPE_ENTRIES_MAX};

/// Id of the built-in mock backend, which is never in the file.
pub const MOCK_BACKEND_ID: &str = "mock";

pub const GATEWAY_PORT_RANGE: RangeInclusive<u16> = 1..=65_535;
/// Largest request body, in bytes: 1 KiB to 64 MiB.
pub const GATEWAY_BODY_BYTES_MAX_RANGE: RangeInclusive<usize> = 1_024..=67_108_864;
/// Concurrent requests.
pub const GATEWAY_IN_FLIGHT_MAX_RANGE: RangeInclusive<usize> = 1..=300;
/// Requests waiting for a slot; 0 refuses at once. Each waits with its body in memory.
pub const GATEWAY_QUEUE_MAX_RANGE: RangeInclusive<usize> = 0..=1_000;
/// Wait for a slot, in milliseconds; most tools give up after a minute.
pub const GATEWAY_QUEUE_WAIT_MS_RANGE: RangeInclusive<u64> = 10..=60_000;
/// Time to connect to a backend, in milliseconds.
pub const GATEWAY_CONNECT_TIMEOUT_MS_RANGE: RangeInclusive<u64> = 100..=60_000;
/// Time until the first token, in milliseconds; long because reasoning models send nothing while
/// they think.
pub const GATEWAY_FIRST_TOKEN_TIMEOUT_MS_RANGE: RangeInclusive<u64> = 1_000..=600_000;
/// Time without data inside a stream, in milliseconds.
pub const GATEWAY_STALL_TIMEOUT_MS_RANGE: RangeInclusive<u64> = 1_000..=600_000;
/// Time for a whole request, in milliseconds.
pub const GATEWAY_TOTAL_TIMEOUT_MS_RANGE: RangeInclusive<u64> = 1_000..=3_600_000;
/// Interval of background probes of one backend, in seconds.
pub const HEALTH_INTERVAL_SECS_RANGE: RangeInclusive<u64> = 5..=3_600;
/// Retention of request rows, in days.
pub const LEDGER_RETENTION_DAYS_RANGE: RangeInclusive<u32> = 1..=3_650;
/// Wait of an answer's end for the commit of its record, in milliseconds. A local disk takes under
/// one; past five seconds most tools would take the answer for broken.
pub const LEDGER_COMMIT_WAIT_MS_RANGE: RangeInclusive<u64> = 10..=5_000;
/// Longest label, in characters.
pub const LABEL_CHARS_MAX: usize = 120;
/// Longest model name, in characters.
pub const MODEL_CHARS_MAX: usize = 200;
/// Most models declared for one backend.
pub const MODELS_PER_BACKEND_MAX: usize = 1_000;
/// Most entries in each of `credentials`, `backends`, `clients` and `routes`.
pub const ENTRIES_MAX: usize = 500;

/// The whole configuration. The order of `backends` is the order in which they are tried.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// The local listener and its limits.
    pub gateway: GatewaySettings,
    pub vault: VaultSettings,
    /// Background probes.
    pub health: HealthSettings,
    /// Breakers, cooldowns and retries.
    pub resilience: ResilienceSettings,
    /// The response cache.
    pub cache: CacheSettings,
    pub notifications: NotificationSettings,
    pub ledger: LedgerSettings,
    pub appearance: AppearanceSettings,
    /// Metadata of each secret, never the secret.
    pub credentials: IndexMap<CredentialId, CredentialSettings>,
    /// Without the built-in mock.
    pub backends: IndexMap<BackendId, BackendSettings>,
    /// Maps model names to backends; the first best match is used, so the order matters.
    pub routes: IndexMap<RouteId, RouteSettings>,
    /// Tools that may call the gateway.
    pub clients: IndexMap<ClientId, ClientSettings>,
}

/// The local listener and its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewaySettings {
    /// Port on loopback; within [`GATEWAY_PORT_RANGE`].
    pub port: u16,
    /// Within [`GATEWAY_BODY_BYTES_MAX_RANGE`].
    pub body_bytes_max: usize,
    /// Concurrent requests; within [`GATEWAY_IN_FLIGHT_MAX_RANGE`].
    pub in_flight_max: usize,
    /// Requests waiting for a slot; within [`GATEWAY_QUEUE_MAX_RANGE`].
    pub queue_max: usize,
    /// Within [`GATEWAY_QUEUE_WAIT_MS_RANGE`].
    pub queue_wait_ms: u64,
    /// Within [`GATEWAY_CONNECT_TIMEOUT_MS_RANGE`].
    pub connect_timeout_ms: u64,
    /// Within [`GATEWAY_FIRST_TOKEN_TIMEOUT_MS_RANGE`].
    pub first_token_timeout_ms: u64,
    /// Time without data inside a stream; within [`GATEWAY_STALL_TIMEOUT_MS_RANGE`].
    pub stall_timeout_ms: u64,
    /// Time for a whole request; within [`GATEWAY_TOTAL_TIMEOUT_MS_RANGE`].
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
            // Reasoning models send nothing while they think, for minutes.
            first_token_timeout_ms: 300_000,
            stall_timeout_ms: 30_000,
            total_timeout_ms: 600_000,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VaultSettings {
    /// Never changed silently.
    pub kind: VaultKind,
}

/// Background probes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthSettings {
    /// Interval of the probes of one backend; within [`HEALTH_INTERVAL_SECS_RANGE`].
    pub interval_secs: u64,
}

impl Default for HealthSettings {
    fn default() -> Self {
        Self { interval_secs: 30 }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationSettings {
    pub enabled: bool,
}

impl Default for NotificationSettings {
    fn default() -> Self {
        Self { enabled: true }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerSettings {
    /// Retention of request rows; within [`LEDGER_RETENTION_DAYS_RANGE`].
    pub retention_days: u32,
    /// Wait of an answer's end for its record; within [`LEDGER_COMMIT_WAIT_MS_RANGE`]. After it the
    /// answer is delivered and the ledger counts as behind.
    pub commit_wait_ms: u64,
}

impl Default for LedgerSettings {
    fn default() -> Self {
        Self { retention_days: 30, commit_wait_ms: 250 }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AppearanceSettings {
    pub theme: Theme,
}

/// Metadata of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialSettings {
    /// Display name; at most [`LABEL_CHARS_MAX`] characters.
    pub label: String,
    /// The host that the key may be sent to: a copy for display. The vault's record is binding.
    pub origin: Option<Origin>,
    /// The last four characters, to tell keys apart; `None` for a very short key.
    pub tail: Option<String>,
    pub created: WallTime,
    /// When the secret was last replaced; `None` if never.
    pub replaced: Option<WallTime>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendSettings {
    /// Display name; at most [`LABEL_CHARS_MAX`] characters.
    pub label: String,
    /// Never [`BackendKind::Mock`] in a valid configuration.
    pub kind: BackendKind,
    /// The address as entered; [`crate::api_root`] gives the base of request paths.
    pub base_url: Url,
    /// Its keys.
    pub pool: KeyPoolSettings,
    pub enabled: bool,
    /// Declared models; empty to fetch them from the backend.
    pub models: Vec<String>,
    /// Chat Completions features that it lacks; used only for [`BackendKind::OpenAiCompatible`].
    pub lacks: BTreeSet<UnsupportedFeature>,
    /// APIs that it supports beside Chat Completions; used only for
    /// [`BackendKind::OpenAiCompatible`].
    pub offers: BTreeSet<ExtraDialect>,
    /// Treatment of fields that its protocol does not have.
    pub crossing: TranslationMode,
    /// Allows its public name to resolve to a private address (`private_network`).
    pub network: AllowedNetwork,
    /// Limits of the gateway's traffic to it.
    pub limits: TrafficLimits,
}

impl BackendSettings {
    /// The first key; `None` for a server without keys.
    #[must_use]
    pub fn credential(&self) -> Option<&CredentialId> {
        self.pool.credentials().next()
    }
}

/// A tool that may call the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSettings {
    /// Hash of its local token.
    pub token_sha256: TokenSha256,
    pub created: WallTime,
    /// When its token expires; `None` for never.
    pub expires: Option<WallTime>,
    /// Limits of its traffic.
    pub limits: TrafficLimits,
    /// Use of the cache unless the route decides; `None` for the default.
    pub cache: Option<CacheMode>,
    pub priority: ClientPriority,
    /// What it may request (`allow_models`, `allow_backends`, `allow_routes`).
    pub scope: ClientScope,
}

/// SHA-256 hash of a local token, 64 hexadecimal digits in the file.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenSha256([u8; 32]);

/// The text is not 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token hash has 64 hexadecimal digits; add the client again to get one")]
pub struct TokenSha256Malformed;

impl TokenSha256 {
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The digest, for a comparison in constant time.
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
    /// Colour theme of the panel.
    #[derive(Default)]
    Theme {
        /// As set in the operating system.
        #[default]
        System = "system",
        Light = "light",
        Dark = "dark",
    }
}
