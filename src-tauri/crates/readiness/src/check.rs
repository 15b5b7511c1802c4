//! One question and its possible answers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{BackendId, CredentialId};
use serde::{Deserialize, Serialize};

/// How long a check may take unless it says otherwise.
pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(5);
/// How long any check may take, whatever it says.
pub const TIMEOUT_HARD: Duration = Duration::from_secs(30);
/// Most lines of evidence kept of a check.
pub const EVIDENCE_LINES_MAX: usize = 20;
/// Longest line of evidence, cause or fix, in characters.
pub const EVIDENCE_CHARS_MAX: usize = 300;

/// One readiness question. All checks are free of charge.
#[derive(Clone)]
pub struct Check {
    /// Its id.
    pub id: CheckId,
    /// The question as a statement that should hold: "The keychain keeps and returns a value".
    pub title: String,
    /// What it belongs to.
    pub category: Category,
    /// How much it matters.
    pub severity: Severity,
    /// Its share within its category.
    pub weight: u32,
    /// Checks that must hold before it is worth trying.
    pub depends_on: Vec<CheckId>,
    /// Whether there is anything to check here.
    pub applies: Applies,
    /// Whether it leaves this machine.
    pub reach: Reach,
    /// How long it may take; at most [`TIMEOUT_HARD`] is granted.
    pub timeout: Duration,
    /// What it does.
    pub run: Arc<dyn Run>,
}

/// What a check does.
#[async_trait]
pub trait Run: Send + Sync {
    /// Answers the question. Dropping the future stops it; what it had begun it must undo when
    /// dropped. A panic is caught and is a result.
    async fn run(&self) -> Outcome;
}

/// Name of a check: `R-05`, or `R-10/openai` for one that is made for each backend.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CheckId(String);

/// The seven categories of the score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Speed of the program itself.
    Performance,
    /// Whether it will keep working.
    Reliability,
    /// Whether keys and the gateway are safe.
    Security,
    /// Limits and quotas.
    Capacity,
    /// Whether trouble will be noticed.
    Monitoring,
    /// The response cache.
    Cache,
    /// What helps to get further.
    Guidance,
}

/// How much a check matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing works without it.
    Blocker,
    /// Something does not work.
    Major,
    /// Could be better.
    Minor,
    /// Good to know.
    Info,
}

/// Whether there is anything to check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applies {
    /// Yes.
    Yes,
    /// No, and why.
    No(String),
}

/// How far a check reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// This machine only.
    Local,
    /// The network; fewer of these run at once, so that their durations can be compared.
    Network,
}

/// How a check went, or how far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Waits for others.
    Waiting,
    /// Goes.
    Running,
    /// Good.
    Pass,
    /// Works, not well.
    Warn,
    /// Bad, or not done within its time.
    Fail,
    /// Not tried, because a check it depends on did not hold.
    Skipped,
    /// Nothing to check here.
    NotApplicable,
    /// The check itself broke.
    Crashed,
    /// Stopped by the user.
    Cancelled,
}

/// A check's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// One of [`Status::Pass`], [`Status::Warn`], [`Status::Fail`] and [`Status::NotApplicable`].
    pub(crate) status: Status,
    pub(crate) evidence: Vec<String>,
    pub(crate) cause: Option<String>,
    pub(crate) fix: Option<String>,
    pub(crate) action: Option<Action>,
}

/// Where a fix is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// At this backend.
    OpenBackend {
        /// Which.
        id: BackendId,
    },
    /// At this key.
    OpenKey {
        /// Which.
        id: CredentialId,
    },
    /// In the settings.
    OpenSettings,
    /// At the ledger, in the settings.
    OpenLedger,
    /// By adding a backend.
    AddBackend,
    /// By adding a client.
    AddClient,
}

impl Check {
    /// A local check with the weight of its severity, the default time limit and no dependency.
    #[must_use]
    pub fn new(
        id: CheckId,
        title: impl Into<String>,
        category: Category,
        severity: Severity,
        run: Arc<dyn Run>,
    ) -> Self {
        Self {
            id,
            title: title.into(),
            category,
            severity,
            weight: severity.weight(),
            depends_on: Vec::new(),
            applies: Applies::Yes,
            reach: Reach::Local,
            timeout: TIMEOUT_DEFAULT,
            run,
        }
    }

    /// Is tried only after these hold.
    #[must_use]
    pub fn after(mut self, depends_on: impl IntoIterator<Item = CheckId>) -> Self {
        self.depends_on.extend(depends_on);
        self
    }

    /// Leaves this machine, and may take `timeout`.
    #[must_use]
    pub fn over_network(mut self, timeout: Duration) -> Self {
        self.reach = Reach::Network;
        self.timeout = timeout;
        self
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("id", &self.id).finish_non_exhaustive()
    }
}

impl CheckId {
    /// The check of that name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The check `name` of one backend.
    #[must_use]
    pub fn of_backend(name: &str, backend: &BackendId) -> Self {
        Self(format!("{name}/{backend}"))
    }

    /// The name.
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

impl Category {
    /// All of them, in the order they are shown.
    pub const ALL: [Self; 7] = [
        Self::Performance,
        Self::Reliability,
        Self::Security,
        Self::Capacity,
        Self::Monitoring,
        Self::Cache,
        Self::Guidance,
    ];

    /// Its share of the score, in percent. Together 100.
    #[must_use]
    pub const fn weight_percent(self) -> u32 {
        match self {
            Self::Reliability | Self::Security => 25,
            Self::Performance | Self::Monitoring => 15,
            Self::Capacity => 10,
            Self::Cache | Self::Guidance => 5,
        }
    }

    /// Its name for people.
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

impl Severity {
    /// The weight of a check that does not say otherwise: each step matters twice as much.
    #[must_use]
    pub const fn weight(self) -> u32 {
        match self {
            Self::Blocker => 8,
            Self::Major => 4,
            Self::Minor => 2,
            Self::Info => 1,
        }
    }
}

impl Status {
    /// Whether the check is done with.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }

    /// Whether the check was tried and says something about the machine.
    #[must_use]
    pub const fn was_tried(self) -> bool {
        matches!(self, Self::Pass | Self::Warn | Self::Fail | Self::Crashed)
    }

    /// Whether checks that depend on it may be tried.
    #[must_use]
    pub const fn lets_others_run(self) -> bool {
        matches!(self, Self::Pass | Self::Warn | Self::NotApplicable)
    }

    /// Whether it did not hold.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Fail | Self::Crashed)
    }
}

impl Outcome {
    /// It holds.
    #[must_use]
    pub const fn pass() -> Self {
        Self::with(Status::Pass, None, None)
    }

    /// It holds, not well. `cause` and `fix` as in [`Outcome::fail`].
    #[must_use]
    pub fn warn(cause: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::with(Status::Warn, Some(cause.into()), Some(fix.into()))
    }

    /// It does not hold. `cause` is a clause that follows a colon ("the keychain is locked"), `fix`
    /// a sentence that says what to do.
    #[must_use]
    pub fn fail(cause: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::with(Status::Fail, Some(cause.into()), Some(fix.into()))
    }

    /// There is nothing to check, and why.
    #[must_use]
    pub fn not_applicable(cause: impl Into<String>) -> Self {
        Self::with(Status::NotApplicable, Some(cause.into()), None)
    }

    /// Adds a line of what was seen, free of secrets.
    #[must_use]
    pub fn saw(mut self, evidence: impl Into<String>) -> Self {
        self.evidence.push(evidence.into());
        self
    }

    /// Says where the fix is made.
    #[must_use]
    pub fn at(mut self, action: Action) -> Self {
        self.action = Some(action);
        self
    }

    /// How it went.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.status
    }

    pub(crate) const fn with(status: Status, cause: Option<String>, fix: Option<String>) -> Self {
        Self { status, evidence: Vec::new(), cause, fix, action: None }
    }
}
