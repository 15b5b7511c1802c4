//! State changes and their causes: the entries of the transition log.

use std::time::Duration;

use domain::{Endpoint, Moment, RequestId, words};

/// Maximum number of request ids per transition.
pub const EVIDENCE_MAX: usize = 10;

/// A change of breaker, cooldown, block or manual setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointTransition {
    pub endpoint: Endpoint,
    /// Set if only this model cools down.
    pub model: Option<String>,
    pub from: TransitionState,
    pub to: TransitionState,
    pub rule: TransitionCause,
    /// The calls that caused it, oldest first, at most [`EVIDENCE_MAX`]. Empty if the cause was
    /// time, a probe or the user.
    pub evidence: Vec<RequestId>,
    /// When it happened. For a change by time: when it was due, not when it was noticed.
    pub at: Moment,
    /// How long it lasts from `at`, if it ends by itself.
    pub until: Option<Duration>,
}

words! {
    /// A state in the transition log.
    TransitionState {
        /// The breaker admits all calls.
        Closed = "closed",
        /// The breaker admits no call.
        Open = "open",
        /// The breaker admits single trial calls.
        HalfOpen = "half-open",
        /// The breaker admits a growing share of calls.
        Recovering = "recovering",
        /// No cooldown or block.
        Ready = "ready",
        /// Waiting for a rate limit to end.
        CoolingDown = "cooling-down",
        /// Waiting for the user: key, permission or payment.
        Blocked = "blocked",
        /// The breaker decides; no manual setting.
        Automatic = "automatic",
        /// Forced open by the user.
        ForcedOpen = "forced-open",
        /// Forced closed by the user.
        ForcedClosed = "forced-closed",
        /// The breaker only logs.
        MonitorOnly = "monitor-only",
        /// The breaker is disabled by the user.
        Disabled = "disabled",
    }
}

words! {
    /// Why a state changed.
    TransitionCause {
        /// Too many consecutive failures.
        FailuresInARow = "failures-in-a-row",
        /// Too large a share of failed calls.
        FailureRate = "failure-rate",
        /// Too large a share of slow calls.
        SlowRate = "slow-rate",
        /// Too many consecutive failed light probes.
        ProbesFailed = "probes-failed",
        OpenTimeOver = "open-time-over",
        /// No other endpoint could answer.
        NothingElse = "nothing-else",
        /// A half-open trial failed.
        TrialFailed = "trial-failed",
        TrialsPassed = "trials-passed",
        /// Too many failures while recovering.
        RampFailed = "ramp-failed",
        RampPassed = "ramp-passed",
        /// 429: too many requests or tokens.
        RateLimited = "rate-limited",
        /// 429: the daily quota is used up.
        DailyQuota = "daily-quota",
        CooldownOver = "cooldown-over",
        /// 401: the provider does not accept the key.
        KeyRejected = "key-rejected",
        /// 403: the key has no permission.
        Forbidden = "forbidden",
        /// 402: the account has no credit.
        Unpaid = "unpaid",
        /// The quota or spend limit of the account is used up.
        QuotaExhausted = "quota-exhausted",
        CredentialChanged = "credential-changed",
        /// A manual check succeeded.
        RecheckPassed = "recheck-passed",
        /// It opened by failures just before the network was found to be down, and that is back.
        NetworkBack = "network-back",
        /// Set by the user.
        Forced = "forced",
        /// The manual setting expired.
        ForceExpired = "force-expired",
        /// Reset by the user.
        Reset = "reset",
    }
}

impl TransitionCause {
    /// A clause for a sentence such as "Tripped: several requests in a row failed".
    #[must_use]
    pub const fn clause(self) -> &'static str {
        match self {
            Self::FailuresInARow => "several requests in a row failed",
            Self::FailureRate => "too many requests failed in the last minute",
            Self::SlowRate => "most requests in the last minute were much slower than usual",
            Self::ProbesFailed => "several probes in a row failed",
            Self::OpenTimeOver => "the waiting time is over",
            Self::NothingElse => "no other backend was available",
            Self::TrialFailed => "a trial request failed",
            Self::TrialsPassed => "the trial requests succeeded",
            Self::RampFailed => "too many requests failed during recovery",
            Self::RampPassed => "it has recovered",
            Self::RateLimited => "the provider's rate limit was reached",
            Self::DailyQuota => "the daily quota is used up",
            Self::CooldownOver => "the rate limit is over",
            Self::KeyRejected => "the provider rejected the key",
            Self::Forbidden => "the key has no permission for this",
            Self::Unpaid => "the account is out of credit",
            Self::QuotaExhausted => "the account's quota or spend limit is used up",
            Self::CredentialChanged => "the key was replaced",
            Self::RecheckPassed => "a check succeeded",
            Self::NetworkBack => "the network is back",
            Self::Forced => "set manually",
            Self::ForceExpired => "the manual override expired",
            Self::Reset => "reset manually",
        }
    }
}
