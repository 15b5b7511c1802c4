//! What one call says about the health of its backend and key.

use resilience::FailureClass;

/// The health of a backend and its key as one request shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    Success,
    BackendFailure(FailureReason),
    /// The backend does not accept the key.
    KeyRejected,
    /// The key's account is out of credit.
    KeyUnpaid,
    /// The backend is healthy but wants fewer requests.
    RateLimited,
    /// The request was at fault. Says nothing about the backend.
    ClientFault,
    /// The client disconnected. Says nothing about the backend.
    Cancelled,
    /// The fault is on this machine: nothing was sent (a locked vault, no network, no file
    /// descriptors left), or nobody was there to read (the machine slept).
    NotSent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureReason {
    /// The name cannot be resolved.
    Dns,
    /// No connection: refused, unreachable or not in time.
    Connect,
    Tls,
    /// It answered too late or went silent.
    Timeout,
    /// The connection broke, or the answer ended before its end.
    Broken,
    /// It sent something that is not a valid answer.
    Unreadable,
    /// It reported a server error (5xx).
    Status,
    /// It has no capacity (503, 529).
    Overloaded,
    /// It redirected to another address, where no key may be sent.
    Redirected,
}

impl FailureReason {
    /// Stable error code; also the error class in the ledger.
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

    /// The failure class before any content arrived.
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
