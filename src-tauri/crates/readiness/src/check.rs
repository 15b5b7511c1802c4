//! A readiness check: its definition, its possible statuses and its outcome.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{BackendId, CredentialId};
use serde::{Deserialize, Serialize};

/// Time limit of a check that sets none.
pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(5);
/// Upper bound of every check's time limit.
pub const TIMEOUT_HARD: Duration = Duration::from_secs(30);
/// Evidence lines kept per check; further lines are dropped.
pub const EVIDENCE_LINES_MAX: usize = 20;
/// Maximum length of an evidence line, cause or fix, in characters; longer text is cut.
pub const EVIDENCE_CHARS_MAX: usize = 300;

/// A readiness check. Running it costs no money.
#[derive(Clone)]
pub struct ReadinessCheck {
    pub id: CheckId,
    /// A statement that should hold: "The keychain keeps and returns a value".
    pub title: String,
    pub category: CheckCategory,
    pub severity: CheckSeverity,
    /// Weight within its category's score.
    pub weight: u32,
    /// Checks that must pass, warn or not apply before this one runs.
    pub depends_on: Vec<CheckId>,
    pub applies: Applicability,
    pub network_scope: NetworkScope,
    /// Time limit, capped at [`TIMEOUT_HARD`].
    pub timeout: Duration,
    pub run: Arc<dyn CheckBody>,
}

#[async_trait]
pub trait CheckBody: Send + Sync {
    /// Runs the check. Dropping the future cancels it, and the drop must undo whatever it has
    /// begun. The runner catches a panic and reports it as [`CheckStatus::Crashed`].
    async fn run(&self) -> CheckOutcome;
}

/// Check id: `R-05`, or `R-10/openai` for a check that exists once per backend.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CheckId(String);

domain::words! {
    CheckCategory {
        /// Speed of Gatehouse itself.
        Performance = "performance",
        Reliability = "reliability",
        /// Protection of keys and of the gateway.
        Security = "security",
        /// Limits and quotas.
        Capacity = "capacity",
        /// Whether problems will be noticed.
        Monitoring = "monitoring",
        Cache = "cache",
        /// Next steps in the setup, such as adding a backend or a client.
        Guidance = "guidance",
    }
}

domain::words! {
    CheckSeverity {
        /// Nothing works without it.
        Blocker = "blocker",
        /// A step of the setup without which nothing real works.
        Setup = "setup",
        /// Something does not work.
        Major = "major",
        /// Could be better.
        Minor = "minor",
        Info = "info",
    }
}

/// Whether the check applies to this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applicability {
    Yes,
    No(String),
}

/// What a check needs access to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NetworkScope {
    /// This machine only.
    Local,
    /// The network. Fewer of these run at once, so that their durations stay comparable.
    Network,
}

domain::words! {
    CheckStatus {
        /// Has not started: a dependency is not final yet, or the concurrency limit is reached.
        Waiting = "waiting",
        Running = "running",
        Pass = "pass",
        /// Works, but not well.
        Warn = "warn",
        /// Failed, or exceeded its time limit.
        Fail = "fail",
        /// Not run because a dependency did not pass.
        Skipped = "skipped",
        NotApplicable = "not_applicable",
        /// The check panicked.
        Crashed = "crashed",
        /// Cancelled by the user.
        Cancelled = "cancelled",
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckOutcome {
    /// [`CheckStatus::Pass`], [`CheckStatus::Warn`], [`CheckStatus::Fail`] or [`CheckStatus::NotApplicable`].
    pub(crate) status: CheckStatus,
    pub(crate) evidence: Vec<String>,
    pub(crate) cause: Option<String>,
    pub(crate) fix: Option<String>,
    pub(crate) action: Option<FixAction>,
}

/// Where in the panel the user applies a fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FixAction {
    OpenBackend {
        id: BackendId,
    },
    OpenKey {
        id: CredentialId,
    },
    OpenSettings,
    OpenBudgets,
    OpenPrices,
    /// Where alerts are sent, and the test of each channel.
    OpenAlertChannels,
    /// The ledger's part of the settings.
    OpenLedger,
    AddBackend,
    AddClient,
    /// Looks for keys in plain text, to import them.
    FindKeys,
}

impl ReadinessCheck {
    /// Creates a local check with the default weight of its severity, [`TIMEOUT_DEFAULT`] and no
    /// dependencies.
    #[must_use]
    pub fn new(
        id: CheckId,
        title: impl Into<String>,
        category: CheckCategory,
        severity: CheckSeverity,
        run: Arc<dyn CheckBody>,
    ) -> Self {
        Self {
            id,
            title: title.into(),
            category,
            severity,
            weight: severity.weight(),
            depends_on: Vec::new(),
            applies: Applicability::Yes,
            network_scope: NetworkScope::Local,
            timeout: TIMEOUT_DEFAULT,
            run,
        }
    }

    #[must_use]
    pub fn with_dependencies(mut self, depends_on: impl IntoIterator<Item = CheckId>) -> Self {
        self.depends_on.extend(depends_on);
        self
    }

    /// Marks the check as a network check with the given time limit.
    #[must_use]
    pub fn with_network_timeout(mut self, timeout: Duration) -> Self {
        self.network_scope = NetworkScope::Network;
        self.timeout = timeout;
        self
    }
}

impl fmt::Debug for ReadinessCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("id", &self.id).finish_non_exhaustive()
    }
}

impl CheckId {
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// Id of the check `name` for one backend: `name/backend`.
    #[must_use]
    pub(crate) fn for_backend(name: &str, backend: &BackendId) -> Self {
        Self(format!("{name}/{backend}"))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl CheckCategory {
    /// Share of the total score, in percent. The shares add up to 100.
    #[must_use]
    pub const fn weight_percent(self) -> u32 {
        match self {
            Self::Reliability | Self::Security => 25,
            Self::Performance | Self::Monitoring => 15,
            Self::Capacity => 10,
            Self::Cache | Self::Guidance => 5,
        }
    }

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Performance => "Performance",
            Self::Reliability => "Reliability",
            Self::Security => "Security",
            Self::Capacity => "Capacity",
            Self::Monitoring => "Monitoring",
            Self::Cache => "Cache",
            Self::Guidance => "Guidance",
        }
    }
}

impl CheckSeverity {
    /// Default weight of a check. Each step up doubles it.
    #[must_use]
    pub const fn weight(self) -> u32 {
        match self {
            Self::Blocker | Self::Setup => 8,
            Self::Major => 4,
            Self::Minor => 2,
            Self::Info => 1,
        }
    }
}

impl CheckStatus {
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }

    /// True when the check ran and its result says something about the machine.
    #[must_use]
    pub(crate) const fn was_tried(self) -> bool {
        matches!(self, Self::Pass | Self::Warn | Self::Fail | Self::Crashed)
    }

    /// True when checks that depend on it may run.
    #[must_use]
    pub(crate) const fn allows_dependents(self) -> bool {
        matches!(self, Self::Pass | Self::Warn | Self::NotApplicable)
    }

    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Fail | Self::Crashed)
    }
}

impl CheckOutcome {
    #[must_use]
    pub const fn pass() -> Self {
        Self::with(CheckStatus::Pass, None, None)
    }

    /// Works, but not well. `cause` and `fix` follow the rules of [`CheckOutcome::fail`].
    #[must_use]
    pub fn warn(cause: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::with(CheckStatus::Warn, Some(cause.into()), Some(fix.into()))
    }

    /// `cause` is a clause that can follow a colon ("the keychain is locked"); `fix` is a sentence
    /// that says what to do.
    #[must_use]
    pub fn fail(cause: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::with(CheckStatus::Fail, Some(cause.into()), Some(fix.into()))
    }

    /// There is nothing to check, with the reason.
    #[must_use]
    pub(crate) fn not_applicable(cause: impl Into<String>) -> Self {
        Self::with(CheckStatus::NotApplicable, Some(cause.into()), None)
    }

    /// Adds a line of evidence. It must contain no secrets.
    #[must_use]
    pub fn with_evidence(mut self, evidence: impl Into<String>) -> Self {
        self.evidence.push(evidence.into());
        self
    }

    /// Sets where the user applies the fix.
    #[must_use]
    pub fn with_action(mut self, action: FixAction) -> Self {
        self.action = Some(action);
        self
    }

    #[must_use]
    pub const fn status(&self) -> CheckStatus {
        self.status
    }

    pub(crate) const fn with(
        status: CheckStatus,
        cause: Option<String>,
        fix: Option<String>,
    ) -> Self {
        Self { status, evidence: Vec::new(), cause, fix, action: None }
    }
}
