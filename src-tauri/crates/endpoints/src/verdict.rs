//! What one call says about the health of its backend and key.

use resilience::FailureClass;

/// What one request says about the health of its backend and key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It answered well.
    Success,
    /// It failed.
    BackendFailure(FailureReason),
    /// It does not accept the key.
    KeyRejected,
    /// The key's account has no money left.
    KeyUnpaid,
    /// It is fine and wants fewer requests.
    RateLimited,
    /// The request was at fault; it says nothing about the backend.
    ClientFault,
    /// The client went away; it says nothing about the backend.
    Cancelled,
    /// The fault lies on this machine: nothing was sent (a locked vault, no network, no file descriptors
    /// left), or nobody was there to read (it slept).
    NotSent,
}

/// How a backend failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureReason {
    /// Its name cannot be resolved.
    Dns,
    /// No connection: refused, unreachable or not in time.
    Connect,
    /// No encrypted connection.
    Tls,
    /// It answered too late or went silent.
    Timeout,
    /// The connection broke, or the answer ended before its end.
    Broken,
    /// It sent something that is no answer.
    Unreadable,
    /// It said so itself (5xx).
    Status,
    /// It has no capacity (503, 529).
    Overloaded,
    /// It sent us to another address, where no key may go.
    Redirected,
}

impl FailureReason {
    /// The stable word for it, also the error class in the ledger.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Broken => "broken",
            Self::Unreadable => "unreadable",
            Self::Status => "backend_error",
            Self::Overloaded => "overloaded",
            Self::Redirected => "redirected",
        }
    }

    /// Whose failure it is, before any content came.
    #[must_use]
    pub const fn class(self) -> FailureClass {
        match self {
            Self::Dns => FailureClass::Dns,
            Self::Connect | Self::Broken => FailureClass::Connect,
            Self::Tls => FailureClass::Tls,
            Self::Timeout => FailureClass::FirstTokenTimeout,
            Self::Unreadable | Self::Redirected => FailureClass::NonConforming,
            Self::Status => FailureClass::Server,
            Self::Overloaded => FailureClass::Overloaded,
        }
    }
}
