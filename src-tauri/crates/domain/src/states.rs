//! States and results that the ledger stores and several crates name.

use crate::words;

words! {
    /// Health of a backend.
    HealthState {
        Up = "up",
        /// It does not answer, or it rejects the key.
        Down = "down",
        /// There is no result, or none that is recent.
        Unknown = "unknown",
    }
}

impl HealthState {
    /// `None` if it is not known.
    #[must_use]
    pub const fn is_up(self) -> Option<bool> {
        match self {
            Self::Up => Some(true),
            Self::Down => Some(false),
            Self::Unknown => None,
        }
    }
}

words! {
    /// Health of a backend or a service as it is shown: whether it answers, and how well.
    ShownHealth {
        Up = "up",
        /// It answers, but slowly, or it fails often, or it has just recovered.
        Degraded = "degraded",
        /// It does not answer, or it rejects the key.
        Down = "down",
        /// There is no result, or none that is recent.
        Unknown = "unknown",
        /// It is switched off, or not in the profile in use.
        Disabled = "disabled",
    }
}

impl From<HealthState> for ShownHealth {
    fn from(state: HealthState) -> Self {
        match state {
            HealthState::Up => Self::Up,
            HealthState::Down => Self::Down,
            HealthState::Unknown => Self::Unknown,
        }
    }
}

words! {
    /// What called an operation.
    CallerKind {
        /// The desktop window
        Window = "window",
        /// The panel in a browser
        Panel = "panel",
        /// The command line
        CommandLine = "command-line",
        /// An agent, over MCP
        Mcp = "mcp",
        /// A choice on a desktop notification
        Notification = "notification",
    }
}

words! {
    /// How an operation that changes something ended.
    AuditOutcome {
        Done = "done",
        /// The request was wrong, or not allowed. Nothing was changed.
        Refused = "refused",
        /// The settings do not allow it to agents. Nothing was changed.
        NotAllowed = "not_allowed",
        /// It could not be done, or only in part.
        Failed = "failed",
    }
}

words! {
    /// Which readiness checks a run includes.
    CheckSet {
        /// Local checks only; takes under three seconds.
        Quick = "quick",
        /// Every check that costs nothing.
        Full = "full",
    }
}

words! {
    /// Result of a readiness run.
    ReadinessVerdict {
        Ready = "ready",
        ReadyWithWarnings = "ready_with_warnings",
        NotReady = "not_ready",
        /// Nothing is wrong, but a step of the setup without which nothing real works is missing.
        NotSetUp = "not_set_up",
    }
}

impl ReadinessVerdict {
    /// The verdict in words, as inside a sentence.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::ReadyWithWarnings => "ready with warnings",
            Self::NotReady => "not ready",
            Self::NotSetUp => "not set up yet",
        }
    }
}
