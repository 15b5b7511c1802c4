//! The validated configuration. Values of these types have been checked once and are then trusted;
//! `read` and `write` convert them from and to the file's form.

mod alerts;
mod cache;
mod channels;
mod currency;
mod oauth;
mod pins;
mod profiles;
mod resilience;
mod routing;
mod scope;
mod service_levels;
mod services;

use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use domain::BackendKind;
use domain::{
    AlertSeverity, BackendId, BillingProvider, Budget, BudgetId, CacheMode, ClientId, ClientTarget,
    CredentialId, ExtraDialect, NanoUsd, Origin, PinId, ProfileId, RouteId, ServiceId,
    TranslationMode, UnsupportedFeature, VaultKind, ViewId, WallTime,
};
use indexmap::IndexMap;
use url::Url;

use crate::AllowedNetwork;
use crate::finding::Findings;
use crate::section_reader::SectionReader;
use crate::setting::{Section, Setting, TableFields, settings};

pub use alerts::AlertSettings;
pub use cache::{CacheServerUrl, CacheServerUrlError, CacheSettings};
pub(crate) use channels::MAIL_TEXT_CHARS_MAX;
pub use channels::{MailSettings, WebhookSettings};
pub use currency::CurrencySettings;
pub use oauth::{OAUTH_TEXT_CHARS_MAX, OAuthSettings};
pub use pins::{PINS_MAX, PinMeasure, PinRange, PinSettings};
pub use profiles::{PROFILES_MAX, Profile, ProfileSettings};
pub(crate) use resilience::PresetRow;
pub use resilience::{ResilienceNumbers, ResiliencePreset, ResilienceSettings};
pub use routing::{
    BALANCE_PERCENT_RANGE, BalanceSettings, ClientPriority, KeyPoolSettings, POOL_MEMBERS_MAX,
    PROJECT_CHARS_MAX, PoolMemberSettings, ROUTE_CANDIDATES_MAX, ROUTE_MODELS_MAX,
    ROUTE_SCOPES_MAX, RouteCandidateSettings, RouteSettings, STICKY_SECS_DEFAULT,
    STICKY_SECS_RANGE, TrafficLimits, WEIGHT_RANGE,
};
pub use scope::{ClientScope, SCOPE_ENTRIES_MAX};
pub use service_levels::{FIRST_TOKEN_MAX_MS_RANGE, OwnObjective, ServiceLevelSettings};
pub use services::{
    GITHUB_API, HttpExpectation, KEY_HEADER_CHARS_MAX, SCOPE_CHARS_MAX, SERVICE_SCOPES_MAX,
    SERVICE_TEXT_CHARS_MAX, SERVICES_MAX, ServiceAddress, ServiceAddressError, ServiceSettings,
    parse_key_header,
};

/// Id of the built-in mock backend, which is never in the file.
pub const MOCK_BACKEND_ID: &str = "mock";

/// Longest label, in characters.
pub const LABEL_CHARS_MAX: usize = 120;

/// Maximum characters of the note on a key.
pub const KEY_NOTE_CHARS_MAX: usize = 500;
/// Longest model name, in characters.
pub const MODEL_CHARS_MAX: usize = 200;
/// Most models declared for one backend.
pub const MODELS_PER_BACKEND_MAX: usize = 1_000;
/// Longest filter text of a saved view, in characters.
pub const VIEW_QUERY_CHARS_MAX: usize = 1_000;
/// Most saved views. They are a menu.
pub const VIEWS_MAX: usize = 50;
/// Most entries in each of `credentials`, `backends`, `clients`, `routes` and `budgets`.
pub const ENTRIES_MAX: usize = 500;

/// Highest limit of a budget: a million dollars.
pub const BUDGET_LIMIT_MAX: NanoUsd = NanoUsd::new(1_000_000_000_000_000);
/// Most marks of one budget.
pub const BUDGET_MARKS_MAX: usize = 8;
/// Marks of a budget, in percent. Above 100 for one that refuses nothing.
pub const BUDGET_MARK_PERCENT_RANGE: RangeInclusive<i64> = 1..=200;
/// Length of a rolling budget, in days.
pub const BUDGET_DAYS_RANGE: RangeInclusive<i64> = 1..=366;
/// Day of the month on which a budget begins.
pub const BUDGET_RESET_DAY_RANGE: RangeInclusive<i64> = 1..=31;

/// Defines the settings file: its sections, which are tables of settings, and its entries.
macro_rules! settings_file {
    ($(#[$about:meta])* $struct:ident {
        sections { $($(#[$doc:meta])* $section:ident: $type:ty,)+ }
        entries { $($(#[$entry_doc:meta])* $entry:ident: $entry_type:ty,)+ }
    }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq, Default)]
        pub struct $struct {
            $($(#[$doc])* pub $section: $type,)+
            $($(#[$entry_doc])* pub $entry: $entry_type,)+
        }

        impl $struct {
            /// Names at the top of the file.
            pub(crate) const NAMES: &'static [&'static str] =
                &["version", $(stringify!($section),)+ $(stringify!($entry)),+];

            /// The settings of all sections, in the order of the file.
            #[must_use]
            pub fn table() -> Vec<&'static Setting> {
                [$(<$type as Section>::settings()),+].concat()
            }

            /// Everything but the entries.
            pub(crate) fn read_sections(root: &SectionReader, findings: &mut Findings) -> Self {
                Self {
                    $($section: {
                        let section = root.section(stringify!($section), findings);
                        <$type as Section>::read(&section, findings)
                    },)+
                    ..Self::default()
                }
            }

            pub(crate) fn write_sections(&self) -> impl Iterator<Item = (&'static str, TableFields)> {
                [$((stringify!($section), Section::write(&self.$section))),+].into_iter()
            }
        }
    };
}

settings_file! {
    /// The whole configuration. The order of `backends` is the order in which they are tried.
    Settings {
        sections {
            gateway: GatewaySettings,
            vault: VaultSettings,
            health: HealthSettings,
            service_levels: ServiceLevelSettings,
            resilience: ResilienceSettings,
            cache: CacheSettings,
            notifications: NotificationSettings,
            alerts: AlertSettings,
            webhook: WebhookSettings,
            mail: MailSettings,
            ledger: LedgerSettings,
            session_logs: SessionLogSettings,
            currency: CurrencySettings,
            mcp: McpSettings,
            metrics: MetricsSettings,
            telemetry: TelemetrySettings,
            profile: ProfileSettings,
            appearance: AppearanceSettings,
        }
        entries {
            /// Metadata of each secret, never the secret.
            credentials: IndexMap<CredentialId, CredentialSettings>,
            /// Without the built-in mock.
            backends: IndexMap<BackendId, BackendSettings>,
            /// What else work depends on.
            services: IndexMap<ServiceId, ServiceSettings>,
            /// Maps model names to backends; the first best match is used, so the order matters.
            routes: IndexMap<RouteId, RouteSettings>,
            /// Tools that may call the gateway.
            clients: IndexMap<ClientId, ClientSettings>,
            /// Saved filters of the requests.
            views: IndexMap<ViewId, ViewSettings>,
            /// Figures on the Overview.
            pins: IndexMap<PinId, PinSettings>,
            /// Spending limits.
            budgets: IndexMap<BudgetId, Budget>,
            /// Sets of backends, one of which is in use at a time.
            profiles: IndexMap<ProfileId, Profile>,
        }
    }
}

settings! {
    /// The local listener and its limits.
    pub GatewaySettings in "gateway", keys "gateway_" {
        /// The gateway listens on this port.
        port: u16 = 4_283, in 1..=65_535, panel Gateway "Port", summary "Gateway port";
        /// Further requests wait or are refused.
        in_flight_max: usize = 50, in 1..=300, counts "requests", panel Gateway "Concurrent requests",
            key "in_flight_max", summary "Concurrent requests";
        /// Larger bodies are refused before they are read.
        body_bytes_max: usize = 33_554_432, in 1_024..=67_108_864,
            panel Gateway "Maximum request size",
            key "body_bytes_max", summary "Maximum request size";
        /// Requests that wait for a slot; 0 refuses at once. Each waits with its body in memory.
        queue_max: usize = 300, in 0..=1_000, counts "requests";
        /// Longest wait for a slot. Most tools give up after a minute.
        queue_wait_ms: u64 = 10_000, in 10..=60_000;
        /// Time to connect to a backend.
        connect_timeout_ms: u64 = 5_000, in 100..=60_000, panel Timeouts "Connect",
            key "connect_timeout_ms", summary "Connect timeout", after restart;
        /// Reasoning models can take long to start.
        // They send nothing while they think, for minutes.
        first_token_timeout_ms: u64 = 300_000, in 1_000..=600_000, panel Timeouts "First token",
            key "first_token_timeout_ms", summary "First token timeout";
        /// A stream that is silent for longer is ended.
        stall_timeout_ms: u64 = 30_000, in 1_000..=600_000, panel Timeouts "Stream stall",
            key "stall_timeout_ms", summary "Stream stall timeout";
        /// From the request's first byte to the response's last.
        total_timeout_ms: u64 = 600_000, in 1_000..=3_600_000, panel Timeouts "Total",
            key "total_timeout_ms", summary "Total timeout";
    }
}

settings! {
    /// Background probes.
    pub HealthSettings in "health", keys "health_" {
        /// Time between two probes of a backend, doubled on battery. Probes cost nothing.
        interval_secs: u64 = 30, in 5..=3_600, panel Probes "Probe interval",
            summary "Probe interval";
        /// Time between two probes while Gatehouse is idle.
        idle_interval_secs: u64 = 300, in 5..=3_600, panel Probes "Probe interval when idle",
            summary "Probe interval when idle";
        /// Idle begins this long after the last request or use of the window.
        idle_after_secs: u64 = 600, in 60..=86_400;
    }
}

settings! {
    pub LedgerSettings in "ledger", keys "ledger_" {
        /// Totals are kept longer.
        retention_days: u32 = 30, in 1..=3_650, panel Probes "Keep requests",
            key "retention_days", summary "Keep requests";
        /// Longest wait of an answer's end for its record. After it the answer is delivered, and the
        /// ledger counts as behind.
        // A local disk takes under a millisecond; past five seconds tools would give up.
        commit_wait_ms: u64 = 250, in 10..=5_000;
    }
}

settings! {
    /// Usage that coding tools write down themselves.
    #[derive(Copy)]
    pub SessionLogSettings in "session_logs", keys "session_logs_" {
        /// Imports what is new in the session logs of coding tools after the start and every ten
        /// minutes. Only tokens, models, times and folders are kept, never a prompt or an answer.
        import: bool = false, key "import_session_logs", summary "Import session logs";
    }
}

settings! {
    pub NotificationSettings in "notifications", keys "notifications_" {
        /// When something needs your attention, and when checks finish in the background.
        enabled: bool = true, panel Notifications "Desktop notifications",
            summary "Notifications";
        /// An alert that nobody acknowledged for so long is shown again, with a sound; 0: never.
        sound_wait_secs: u32 = 600, in 0..=86_400;
        /// The least severity that is shown again with a sound.
        sound_severity: AlertSeverity = AlertSeverity::Critical;
    }
}

settings! {
    /// What agents may do over MCP. Reading is always allowed; no tool returns a key or a prompt.
    #[derive(Copy)]
    pub McpSettings in "mcp", keys "mcp_" {
        /// Agents may run the readiness checks. Nothing is billed.
        checks: bool = true, panel Agents "Run checks", summary "Agents may run checks";
        /// Agents may send prompts, which costs money. A budget for the project `agents` limits it.
        spend: bool = false, panel Agents "Send prompts", summary "Agents may send prompts";
        /// Agents may switch backends, reset breakers and clear the cache.
        change: bool = false, panel Agents "Change things", summary "Agents may change things";
        /// Agents may also connect over HTTP, at /mcp on the gateway's port, with the token of a client
        /// that allows it.
        http: bool = false, panel Agents "Serve over HTTP", summary "MCP over HTTP";
    }
}

settings! {
    /// What other programs may read about the traffic.
    #[derive(Copy)]
    pub MetricsSettings in "metrics", keys "metrics_" {
        /// Serves counts, costs and times for Prometheus at /metrics of the gateway, to clients made with
        /// `gatehouse clients add prometheus --metrics`. Counting begins when this is turned on.
        prometheus: bool = false, panel Metrics "Prometheus", summary "Metrics for Prometheus";
    }
}

settings! {
    /// What is sent to an OpenTelemetry collector of yours.
    pub TelemetrySettings in "telemetry", keys "telemetry_" {
        /// Sends times, models, tokens and errors of requests to a collector, with the names of clients,
        /// routes and backends. Never a prompt, a key or a path.
        enabled: bool = false, panel Metrics "OpenTelemetry", summary "OpenTelemetry";
        /// Where the collector takes OTLP over HTTP, such as http://127.0.0.1:4318, without /v1/traces.
        endpoint: String, panel Metrics "Collector";
        /// The key in the vault that is sent to the collector as a bearer token. It must be locked to the
        /// collector's host.
        credential: Option<CredentialId>, panel Metrics "Collector key";
        /// A trace of each request, with its attempts.
        traces: bool = true, panel Metrics "Traces";
        /// Sums of tokens and durations, once a minute.
        metrics: bool = true, panel Metrics "Metrics";
        /// The collector's name may lead to a private network.
        private_network: bool = false, panel Metrics "Private network";
    }
}

settings! {
    #[derive(Copy)]
    pub AppearanceSettings in "appearance", keys "" {
        /// Colour theme of the panel.
        theme: Theme, panel Appearance "Theme", summary "Theme";
    }
}

settings! {
    pub VaultSettings in "vault", keys "vault_" {
        /// Where keys are stored. `gatehouse vault set` changes it and moves them.
        kind: VaultKind, panel Vault "Key storage";
    }
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
    /// When the provider stops accepting it, as the user says; `None` if never or not known.
    pub expires: Option<WallTime>,
    /// What the user wants to remember of it; at most [`KEY_NOTE_CHARS_MAX`] characters.
    pub note: Option<String>,
    /// Set for an admin key, which reads this provider's cost reports and is never sent with a
    /// request.
    pub billing: Option<BillingProvider>,
    /// Set for a secret that is exchanged for access tokens, which requests carry instead of it.
    pub oauth: Option<OAuthSettings>,
}

impl CredentialSettings {
    /// Notes that another secret has the name since `at`. What is known of the end of the one before
    /// is forgotten.
    pub fn set_replaced(&mut self, tail: Option<String>, origin: Option<Origin>, at: WallTime) {
        (self.tail, self.origin, self.replaced) = (tail, origin, Some(at));
        self.expires = None;
    }
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
    pub objective: OwnObjective,
}

impl BackendSettings {
    /// The first key; `None` for a server without keys.
    #[must_use]
    pub fn credential(&self) -> Option<&CredentialId> {
        self.pool.credentials().next()
    }

    /// True for a server on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        Origin::from_url(&self.base_url).is_ok_and(|origin| origin.is_loopback())
    }
}

/// A saved view of the requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewSettings {
    /// The filters as in the panel's address, `client=editor&slower_than=5s`; at most
    /// [`VIEW_QUERY_CHARS_MAX`] characters. Read where they are used.
    pub query: String,
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
    /// Where its requests go instead of what the routing rules choose (`backend` or `route`).
    pub switched_to: Option<ClientTarget>,
    /// True while its requests are refused. Its token stays.
    pub blocked: bool,
    /// True if its token also opens MCP over HTTP.
    pub mcp: bool,
    /// True if its token reads `/metrics` and opens nothing else.
    pub reads_metrics: bool,
    /// The project that its requests belong to, whatever they say, at most [`PROJECT_CHARS_MAX`]
    /// characters; `None` for the one that each names.
    pub project: Option<String>,
}

impl ClientSettings {
    /// True once its token is refused for its age.
    #[must_use]
    pub fn is_expired(&self, now: WallTime) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }
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

crate::setting::word_types!(Theme);
