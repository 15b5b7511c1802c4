//! Classes of failed attempts, and the one table of their consequences.
//!
//! Breaker, cooldown, block, retry and failover all read this table, so a class cannot count in one
//! place and be ignored in another. The table follows the service's own failure table (classes,
//! breaker, retry, failover); choices that it leaves open are explained beside each row.

use std::time::Duration;

use domain::words;

use crate::{BlockReason, CallOutcome, FailureWeight, LimitKind, LimitScope};

words! {
    /// Why an attempt brought no answer. Also stored in the ledger.
    FailureClass {
        /// Nothing left this machine: no network, no proxy, or a locked keychain. Says nothing
        /// about the backend, and no other backend would do better.
        Local = "local",
        /// This machine is offline: the backend is unreachable. A backend on this machine may
        /// answer.
        Offline = "offline",
        /// The machine slept or the program was stopped while waiting, so the backend's part is
        /// unknown. A retry may succeed.
        Paused = "paused",
        /// Refused, unreachable, or reset before the first byte of an answer.
        Connect = "connect",
        /// The host name could not be resolved.
        Dns = "dns",
        /// The certificate or the handshake was rejected. A retry would meet the same certificate.
        Tls = "tls",
        /// Connected, but no first token within the limit. A retry would wait as long again.
        FirstTokenTimeout = "first-token-timeout",
        /// The answer began but stalled or broke off before any content. (After content nothing is
        /// retried, so that case is not in this table.)
        Stalled = "stalled",
        /// 400, 405, 413, 415, 422: the request is invalid. Every backend would say so, and this
        /// answer tells the client what to fix. Routing has already excluded backends that lack a
        /// needed capability.
        BadRequest = "bad-request",
        /// 404: the backend has no such model. Another backend or model may work.
        ModelMissing = "model-missing",
        /// 401: the provider does not accept the key.
        KeyRejected = "key-rejected",
        /// Its access token ended, and the token endpoint gave no new one yet. Another key may work.
        KeyExpired = "key-expired",
        /// 403: the key has no permission.
        Forbidden = "forbidden",
        /// 402, or a used-up credit balance: someone must pay.
        Unpaid = "unpaid",
        /// A spend limit, or a quota without a renewal date, often reported as 429. About money,
        /// not rate.
        SpendLimit = "spend-limit",
        /// 429: too many requests or tokens at the moment.
        RateLimited = "rate-limited",
        /// 429: a quota of the day or month with a known renewal.
        Quota = "quota",
        /// 500, 502, 503, 504 and similar.
        Server = "server",
        /// 529, or a server that reports overload.
        Overloaded = "overloaded",
        /// A success status with an unusable answer: empty, truncated, not in the dialect, or a web
        /// page.
        NonConforming = "non-conforming",
        /// 408 or 409: the server asks for a retry. The vendors' own SDKs retry these too.
        ConflictOrTimeout = "conflict-or-timeout",
        /// The client disconnected.
        Cancelled = "cancelled",
    }
}

words! {
    /// Who has to act on a failure.
    FailureOwner {
        /// The caller, by changing the request.
        Request = "request",
        /// The owner of the key or of the account.
        Key = "key",
        /// The model name is wrong.
        Model = "model",
        Endpoint = "endpoint",
        /// The connection to the provider.
        Network = "network",
        Local = "local",
        /// The client, by disconnecting.
        Client = "client",
    }
}

/// The other candidates that a failure rules out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureScope {
    /// None: another key or another model may work.
    Endpoint,
    /// The same model at the same backend, with any key.
    Model,
    /// The same model at the same backend, and possibly its other models: a provider may lack
    /// capacity for one model only.
    BackendPerhaps,
    /// Every model of the same backend.
    Backend,
    /// All candidates: nothing else is tried.
    Everything,
}

struct FailureRules {
    owner: FailureOwner,
    /// Maximum retries on the same endpoint within one request.
    retries_max: u8,
    scope: FailureScope,
}

impl FailureClass {
    /// The class of a status code without further information in the body. A status that is not an
    /// error is [`FailureClass::NonConforming`].
    #[must_use]
    pub const fn from_status(status: u16) -> Self {
        match status {
            401 => Self::KeyRejected,
            402 => Self::Unpaid,
            403 => Self::Forbidden,
            404 => Self::ModelMissing,
            408 | 409 => Self::ConflictOrTimeout,
            429 => Self::RateLimited,
            400..=499 => Self::BadRequest,
            529 => Self::Overloaded,
            500..=599 => Self::Server,
            _ => Self::NonConforming,
        }
    }

    #[must_use]
    pub const fn owner(self) -> FailureOwner {
        self.rules().owner
    }

    /// Maximum retries on the same endpoint within one request. A rate limit is retried only if the
    /// server named a short wait ([`crate::AttemptRules::wait_max`]).
    #[must_use]
    pub(crate) const fn same_backend_retries_max(self) -> u8 {
        self.rules().retries_max
    }

    /// True if another candidate may be tried.
    #[must_use]
    pub(crate) fn may_fail_over(self) -> bool {
        self.rules().scope != FailureScope::Everything
    }

    #[must_use]
    pub const fn scope(self) -> FailureScope {
        self.rules().scope
    }

    const fn rules(self) -> FailureRules {
        use FailureOwner::{Client, Endpoint, Key, Local, Model, Network, Request};
        let (owner, retries_max, reach) = match self {
            Self::Local => (Local, 0, FailureScope::Everything),
            Self::Offline => (Local, 0, FailureScope::Backend),
            Self::Paused => (Local, 1, FailureScope::Endpoint),
            Self::Connect => (Network, 1, FailureScope::Backend),
            // The resolver was just asked, and its answer is cached for seconds.
            Self::Dns => (Network, 0, FailureScope::Backend),
            Self::Tls => (Endpoint, 0, FailureScope::Backend),
            Self::FirstTokenTimeout | Self::Stalled => (Endpoint, 0, FailureScope::BackendPerhaps),
            Self::BadRequest => (Request, 0, FailureScope::Everything),
            Self::ModelMissing => (Model, 0, FailureScope::Model),
            Self::KeyRejected
            | Self::KeyExpired
            | Self::Forbidden
            | Self::Unpaid
            | Self::SpendLimit
            | Self::Quota => (Key, 0, FailureScope::Endpoint),
            Self::RateLimited => (Key, 2, FailureScope::Endpoint),
            Self::Server => (Endpoint, 2, FailureScope::BackendPerhaps),
            Self::Overloaded | Self::NonConforming | Self::ConflictOrTimeout => {
                (Endpoint, 1, FailureScope::BackendPerhaps)
            }
            Self::Cancelled => (Client, 0, FailureScope::Everything),
        };
        FailureRules { owner, retries_max, scope: reach }
    }
}

/// What the server said about retrying, besides its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ServerRetryHint {
    #[default]
    Unspecified,
    /// `x-should-retry: false`: do not retry here. Other backends are not affected.
    DoNotRetry,
}

/// A failed attempt: its class and what the server said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptFailure {
    pub class: FailureClass,
    /// The wait the server asks for (`retry-after` in any of its forms).
    pub wait: Option<Duration>,
    pub advice: ServerRetryHint,
}

impl AttemptFailure {
    /// The outcome for breaker, cooldown or block. `scope` is the extent of a rate limit or quota,
    /// as far as the answer or the provider's documentation says; other classes ignore it.
    ///
    /// A first-token timeout counts as a full failure, like any timeout. 408 and 409 are 4xx and do
    /// not count.
    #[must_use]
    pub const fn call_outcome(self, scope: LimitScope) -> CallOutcome {
        use FailureClass as Class;
        let wait = self.wait;
        match self.class {
            Class::Connect
            | Class::Dns
            | Class::Tls
            | Class::FirstTokenTimeout
            | Class::Stalled
            | Class::Server => {
                CallOutcome::Failure { weight: FailureWeight::Full, retry_after: wait }
            }
            Class::Overloaded | Class::NonConforming => {
                CallOutcome::Failure { weight: FailureWeight::Half, retry_after: wait }
            }
            Class::RateLimited => CallOutcome::RateLimited { scope, wait, kind: LimitKind::Rate },
            Class::Quota => CallOutcome::RateLimited { scope, wait, kind: LimitKind::DailyQuota },
            Class::KeyRejected => CallOutcome::Blocked(BlockReason::KeyRejected),
            Class::Forbidden => CallOutcome::Blocked(BlockReason::Forbidden),
            Class::Unpaid => CallOutcome::Blocked(BlockReason::Unpaid),
            Class::SpendLimit => CallOutcome::Blocked(BlockReason::QuotaExhausted),
            Class::Local
            | Class::Offline
            | Class::Paused
            | Class::BadRequest
            | Class::ModelMissing
            // It is refreshed in the background, and fails at once until then.
            | Class::KeyExpired
            | Class::ConflictOrTimeout
            | Class::Cancelled => CallOutcome::Neutral,
        }
    }
}

impl From<FailureClass> for AttemptFailure {
    fn from(class: FailureClass) -> Self {
        Self { class, wait: None, advice: ServerRetryHint::Unspecified }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_has_one_class() {
        use FailureClass::{
            BadRequest, ConflictOrTimeout, Forbidden, KeyRejected, ModelMissing, NonConforming,
            Overloaded, RateLimited, Server, Unpaid,
        };
        let expected = [
            (200, NonConforming),
            (302, NonConforming),
            (400, BadRequest),
            (401, KeyRejected),
            (402, Unpaid),
            (403, Forbidden),
            (404, ModelMissing),
            (408, ConflictOrTimeout),
            (409, ConflictOrTimeout),
            (413, BadRequest),
            (422, BadRequest),
            (429, RateLimited),
            (500, Server),
            (502, Server),
            (503, Server),
            (504, Server),
            (529, Overloaded),
            (599, Server),
            (700, NonConforming),
        ];
        for (status, class) in expected {
            assert_eq!(FailureClass::from_status(status), class, "{status}");
        }
    }

    #[test]
    fn breaker_cooldown_and_block_are_told_what_is_theirs() {
        let wait = Some(Duration::from_secs(7));
        let failed = |class: FailureClass| AttemptFailure { wait, ..class.into() };
        let told = |class| match failed(class).call_outcome(LimitScope::Model) {
            CallOutcome::Failure { weight, retry_after } => {
                assert_eq!(retry_after, wait, "{class}");
                if weight == FailureWeight::Full { "breaker" } else { "breaker, half" }
            }
            CallOutcome::RateLimited { scope: LimitScope::Model, wait: told, kind } => {
                assert_eq!(told, wait, "{class}");
                kind.word()
            }
            CallOutcome::Blocked(reason) => reason.word(),
            CallOutcome::Neutral => "nothing",
            other => panic!("{class}: {other:?}"),
        };
        let expected = [
            (FailureClass::Local, "nothing"),
            (FailureClass::Offline, "nothing"),
            (FailureClass::Paused, "nothing"),
            (FailureClass::Connect, "breaker"),
            (FailureClass::Dns, "breaker"),
            (FailureClass::Tls, "breaker"),
            (FailureClass::FirstTokenTimeout, "breaker"),
            (FailureClass::Stalled, "breaker"),
            (FailureClass::BadRequest, "nothing"),
            (FailureClass::ModelMissing, "nothing"),
            (FailureClass::KeyRejected, BlockReason::KeyRejected.word()),
            (FailureClass::KeyExpired, "nothing"),
            (FailureClass::Forbidden, BlockReason::Forbidden.word()),
            (FailureClass::Unpaid, BlockReason::Unpaid.word()),
            (FailureClass::SpendLimit, BlockReason::QuotaExhausted.word()),
            (FailureClass::RateLimited, "rate"),
            (FailureClass::Quota, "daily-quota"),
            (FailureClass::Server, "breaker"),
            (FailureClass::Overloaded, "breaker, half"),
            (FailureClass::NonConforming, "breaker, half"),
            (FailureClass::ConflictOrTimeout, "nothing"),
            (FailureClass::Cancelled, "nothing"),
        ];
        assert_eq!(expected.map(|(class, _)| class).as_slice(), FailureClass::ALL);
        for (class, mechanism) in expected {
            assert_eq!(told(class), mechanism, "{class}");
        }
    }

    #[test]
    fn what_is_the_callers_or_this_machines_stays_here() {
        let stay: Vec<_> =
            FailureClass::ALL.iter().filter(|class| !class.may_fail_over()).collect();
        let expected = [FailureClass::Local, FailureClass::BadRequest, FailureClass::Cancelled];
        assert_eq!(stay, expected.iter().collect::<Vec<_>>());
    }
}
