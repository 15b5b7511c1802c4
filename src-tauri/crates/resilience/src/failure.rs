//! What went wrong with one attempt, and the one table of what follows from it.
//!
//! Breaker, cooldown, block, retry and failover all read this table, so a class of failure cannot
//! count in one place and be harmless in another. Where the table comes from: the service's own
//! failure table (classes, breaker, retry, failover), with the choices it leaves open written beside
//! each row here.

use std::time::Duration;

use domain::words;

use crate::{BlockReason, FailureWeight, Happened, LimitKind, LimitScope};

words! {
    /// Why an attempt brought no answer. Also what the ledger keeps of it.
    FailureClass {
        /// Nothing left this machine: no network, no proxy, the keychain is locked. Says nothing
        /// about any backend, and another backend would fare no better.
        Local = "local",
        /// This machine is offline: no route leads to the backend. One on this machine may answer.
        Offline = "offline",
        /// The machine slept or the program was stopped while the answer was awaited, so nobody knows
        /// what the backend did. A repetition may find it well.
        Paused = "paused",
        /// Refused, unreachable, or reset before the first byte of an answer.
        Connect = "connect",
        /// The name of the host could not be resolved.
        Dns = "dns",
        /// The certificate or the handshake was refused. A repetition meets the same certificate.
        Tls = "tls",
        /// Connected, but no first token within the limit. A repetition would wait as long again.
        FirstTokenTimeout = "first-token-timeout",
        /// The answer began and then stood still or broke off, before any content. (After content
        /// nothing is repeated at all, so it is no matter of this table.)
        Stalled = "stalled",
        /// 400, 405, 413, 415, 422: the request itself. Every backend would say so, and what the
        /// client must mend is in this answer; routing has left out backends that lack a needed
        /// ability before.
        BadRequest = "bad-request",
        /// 404: the backend has no such model. Another backend, or another model, may.
        ModelMissing = "model-missing",
        /// 401: the key is not accepted.
        KeyRejected = "key-rejected",
        /// 403: the key may not do this.
        Forbidden = "forbidden",
        /// 402, or a credit balance that is used up: someone must pay.
        Unpaid = "unpaid",
        /// A spend limit or a quota without a date of renewal, often told as a 429: money, not rate.
        SpendLimit = "spend-limit",
        /// 429: too many requests or tokens at this moment.
        RateLimited = "rate-limited",
        /// 429: a quota of the day or month, renewed at a known time.
        Quota = "quota",
        /// 500, 502, 503, 504 and their like.
        Server = "server",
        /// 529, or a server that says it is overloaded.
        Overloaded = "overloaded",
        /// A success that is none: empty, cut, not in the dialect, a web page.
        NonConforming = "non-conforming",
        /// 408 or 409: the server asks for a repetition, and so do the vendors' own SDKs.
        ConflictOrTimeout = "conflict-or-timeout",
        /// The client went away.
        Cancelled = "cancelled",
    }
}

words! {
    /// Who has to act on a failure.
    Owner {
        /// The caller: the request must change.
        Request = "request",
        /// The key, or who pays for it.
        Key = "key",
        /// The name of the model.
        Model = "model",
        /// The provider.
        Endpoint = "endpoint",
        /// The way there.
        Network = "network",
        /// This machine.
        Local = "local",
        /// The client, by going away.
        Client = "client",
    }
}

/// How many of the other candidates a failure speaks against, beside the one that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// None: another key, or another model, may do.
    Access,
    /// The same model at the same backend, with whatever key.
    Model,
    /// The same model at the same backend for sure, and its other models perhaps: a provider short of
    /// room for one model may have some for another.
    BackendPerhaps,
    /// Everything at the same backend.
    Backend,
    /// All of them: nothing else is tried.
    Everything,
}

/// One row of the table.
struct Row {
    owner: Owner,
    /// Most repetitions on the same access within one request.
    retries_max: u8,
    reach: Reach,
}

impl FailureClass {
    /// The class that a status of a backend stands for when its body says nothing closer. A status
    /// that is no error is [`FailureClass::NonConforming`].
    #[must_use]
    pub const fn of_status(status: u16) -> Self {
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

    /// Who has to act on it.
    #[must_use]
    pub const fn owner(self) -> Owner {
        self.row().owner
    }

    /// Most repetitions on the same access within one request. A rate limit is repeated only if the
    /// server named a short wait ([`crate::AttemptRules::wait_max`]).
    #[must_use]
    pub const fn same_backend_retries_max(self) -> u8 {
        self.row().retries_max
    }

    /// Whether another candidate is tried after it.
    #[must_use]
    pub fn may_fail_over(self) -> bool {
        self.row().reach != Reach::Everything
    }

    /// Which of the other candidates it speaks against.
    #[must_use]
    pub const fn reach(self) -> Reach {
        self.row().reach
    }

    const fn row(self) -> Row {
        use Owner::{Client, Endpoint, Key, Local, Model, Network, Request};
        let (owner, retries_max, reach) = match self {
            Self::Local => (Local, 0, Reach::Everything),
            Self::Offline => (Local, 0, Reach::Backend),
            Self::Paused => (Local, 1, Reach::Access),
            Self::Connect => (Network, 1, Reach::Backend),
            // The resolver has just been asked; its answer is kept for seconds.
            Self::Dns => (Network, 0, Reach::Backend),
            Self::Tls => (Endpoint, 0, Reach::Backend),
            Self::FirstTokenTimeout | Self::Stalled => (Endpoint, 0, Reach::BackendPerhaps),
            Self::BadRequest => (Request, 0, Reach::Everything),
            Self::ModelMissing => (Model, 0, Reach::Model),
            Self::KeyRejected | Self::Forbidden | Self::Unpaid | Self::SpendLimit | Self::Quota => {
                (Key, 0, Reach::Access)
            }
            Self::RateLimited => (Key, 2, Reach::Access),
            Self::Server => (Endpoint, 2, Reach::BackendPerhaps),
            Self::Overloaded | Self::NonConforming | Self::ConflictOrTimeout => {
                (Endpoint, 1, Reach::BackendPerhaps)
            }
            Self::Cancelled => (Client, 0, Reach::Everything),
        };
        Row { owner, retries_max, reach }
    }
}

/// What the server said about a repetition, beside its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Advice {
    /// Nothing.
    #[default]
    Unsaid,
    /// `x-should-retry: false`: not again here. Another backend is not meant by it.
    NotAgain,
}

/// A failed attempt: its class, and what the server said with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong.
    pub class: FailureClass,
    /// How long the server asks to wait (`retry-after` in any of its forms).
    pub wait: Option<Duration>,
    /// What it said about a repetition.
    pub advice: Advice,
}

impl Failure {
    /// What breaker, cooldown or block is told of it. `scope`: what a rate limit or quota holds for,
    /// as far as the answer or the provider's manual says; it matters to those two classes only.
    ///
    /// A timeout to the first token counts as a whole failure, as any timeout does. 408 and 409 are
    /// 4xx and count nowhere.
    #[must_use]
    pub const fn happened(self, scope: LimitScope) -> Happened {
        use FailureClass as Class;
        let wait = self.wait;
        match self.class {
            Class::Connect
            | Class::Dns
            | Class::Tls
            | Class::FirstTokenTimeout
            | Class::Stalled
            | Class::Server => Happened::Failure { weight: FailureWeight::Full, retry_after: wait },
            Class::Overloaded | Class::NonConforming => {
                Happened::Failure { weight: FailureWeight::Half, retry_after: wait }
            }
            Class::RateLimited => Happened::RateLimited { scope, wait, kind: LimitKind::Rate },
            Class::Quota => Happened::RateLimited { scope, wait, kind: LimitKind::DailyQuota },
            Class::KeyRejected => Happened::Blocked(BlockReason::KeyRejected),
            Class::Forbidden => Happened::Blocked(BlockReason::Forbidden),
            Class::Unpaid => Happened::Blocked(BlockReason::Unpaid),
            Class::SpendLimit => Happened::Blocked(BlockReason::QuotaExhausted),
            Class::Local
            | Class::Offline
            | Class::Paused
            | Class::BadRequest
            | Class::ModelMissing
            | Class::ConflictOrTimeout
            | Class::Cancelled => Happened::Nothing,
        }
    }
}

impl From<FailureClass> for Failure {
    fn from(class: FailureClass) -> Self {
        Self { class, wait: None, advice: Advice::Unsaid }
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
            assert_eq!(FailureClass::of_status(status), class, "{status}");
        }
    }

    #[test]
    fn breaker_cooldown_and_block_are_told_what_is_theirs() {
        let wait = Some(Duration::from_secs(7));
        let failed = |class: FailureClass| Failure { wait, ..class.into() };
        let told = |class| match failed(class).happened(LimitScope::Model) {
            Happened::Failure { weight, retry_after } => {
                assert_eq!(retry_after, wait, "{class}");
                if weight == FailureWeight::Full { "breaker" } else { "breaker, half" }
            }
            Happened::RateLimited { scope: LimitScope::Model, wait: told, kind } => {
                assert_eq!(told, wait, "{class}");
                kind.word()
            }
            Happened::Blocked(reason) => reason.word(),
            Happened::Nothing => "nothing",
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
