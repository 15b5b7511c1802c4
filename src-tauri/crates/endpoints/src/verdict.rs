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

impl Verdict {
    /// True if nothing came back over the network, which may be the network's fault.
    #[must_use]
    pub const fn is_unreached(self) -> bool {
        matches!(
            self,
            Self::BackendFailure(
                FailureReason::Dns
                    | FailureReason::Connect
                    | FailureReason::Tls
                    | FailureReason::Timeout
            )
        )
    }
}

domain::words! {
    /// Why a backend failed. The word is the stable error code and the error class in the ledger.
    FailureReason {
        /// The name cannot be resolved.
        Dns = "dns",
        /// No connection: refused, unreachable or not in time.
        Connect = "connect",
        Tls = "tls",
        /// It answered too late or went silent.
        Timeout = "timeout",
        /// The connection broke, or the answer ended before its end.
        Broken = "broken",
        /// It sent something that is not a valid answer.
        Unreadable = "unreadable",
        /// It reported a server error (5xx).
        Status = "backend_error",
        /// It has no capacity (503, 529).
        Overloaded = "overloaded",
        /// It redirected to another address, where no key may be sent.
        Redirected = "redirected",
    }
}

impl FailureReason {
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
