//! What changed and why: the entries of the transition log.

use std::time::Duration;

use domain::{Access, Moment, RequestId, words};

/// Most request ids a transition names.
pub const EVIDENCE_MAX: usize = 10;

/// A change of breaker, cooldown, block or manual setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// Whose.
    pub access: Access,
    /// The model, if only it cools down.
    pub model: Option<String>,
    /// The state before.
    pub from: TransitionState,
    /// The state now.
    pub to: TransitionState,
    /// Why.
    pub rule: TransitionRule,
    /// The calls that led to it, oldest first, at most [`EVIDENCE_MAX`]; none if time, a probe or the
    /// user did.
    pub evidence: Vec<RequestId>,
    /// When it happened; for a change by time that is when it was due, not when it was noticed.
    pub at: Moment,
    /// How long it will last from `at`, if it ends by itself.
    pub until: Option<Duration>,
}

words! {
    /// A state in the transition log.
    TransitionState {
        /// The breaker lets everything through.
        Closed = "closed",
        /// The breaker lets nothing through.
        Open = "open",
        /// The breaker lets single calls through.
        HalfOpen = "half-open",
        /// The breaker lets a growing share through.
        Recovering = "recovering",
        /// No cooldown or block.
        Ready = "ready",
        /// Waiting for a rate limit to pass.
        CoolingDown = "cooling-down",
        /// Waiting for the user: key, permission or money.
        Blocked = "blocked",
        /// The breaker decides; nothing is set by hand.
        Automatic = "automatic",
        /// Held open by hand.
        ForcedOpen = "forced-open",
        /// Held closed by hand.
        ForcedClosed = "forced-closed",
        /// The breaker only writes its log.
        MonitorOnly = "monitor-only",
        /// The breaker is off.
        Disabled = "disabled",
    }
}

words! {
    /// Why a state changed.
    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(rename_all = "kebab-case")]
    TransitionRule {
        /// So many failures in a row.
        FailuresInARow = "failures-in-a-row",
        /// Too large a share of failed calls.
        FailureRate = "failure-rate",
        /// Too large a share of slow calls.
        SlowRate = "slow-rate",
        /// So many light probes failed in a row.
        ProbesFailed = "probes-failed",
        /// The open time is over.
        OpenTimeOver = "open-time-over",
        /// Nothing else was left to try.
        NothingElse = "nothing-else",
        /// A trial in half-open failed.
        TrialFailed = "trial-failed",
        /// The trials succeeded.
        TrialsPassed = "trials-passed",
        /// Too many failures while recovering.
        RampFailed = "ramp-failed",
        /// The ramp is over.
        RampPassed = "ramp-passed",
        /// 429: too many requests or tokens.
        RateLimited = "rate-limited",
        /// 429: the quota of the day is used up.
        DailyQuota = "daily-quota",
        /// The cooldown is over.
        CooldownOver = "cooldown-over",
        /// 401: the key is not accepted.
        KeyRejected = "key-rejected",
        /// 403: the key may not do this.
        Forbidden = "forbidden",
        /// 402: there is no money on the account.
        Unpaid = "unpaid",
        /// The quota or spend limit of the account is used up.
        QuotaExhausted = "quota-exhausted",
        /// The key was replaced.
        CredentialChanged = "credential-changed",
        /// A check by hand succeeded.
        RecheckPassed = "recheck-passed",
        /// Set by hand.
        Forced = "forced",
        /// The time set by hand is over.
        ForceExpired = "force-expired",
        /// Reset manually.
        Reset = "reset",
    }
}

impl TransitionRule {
    /// The reason in a clause, for a sentence such as "Tripped: several requests in a row failed".
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
            Self::Forced => "set manually",
            Self::ForceExpired => "the manual override expired",
            Self::Reset => "reset manually",
        }
    }
}
