//! The way out: one request to one backend, and its answer as it comes.
//!
//! Two implementations: the network and the built-in mock. Neither decides anything; both say what
//! happened in words the pipeline can decide by. Dropping what they return ends the call at once.

mod http;
mod key;
mod local;
mod mock;
mod near;
mod resolve;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::{BoundSecret, OriginMismatch};
use endpoints::FailureReason;
use futures_util::stream::BoxStream;
use hyper::header::HeaderMap;
use hyper::{Method, StatusCode};
use settings::{AddressError, AllowedNetwork};
use url::Url;

pub use http::{HttpUpstream, Proxies, UpstreamEnvironment};
pub use key::KeyScrubber;
pub use mock::MockUpstream;
pub use resolve::{NameLookup, SystemNameLookup};

/// A place that answers requests.
#[async_trait]
pub trait Upstream: Send + Sync {
    /// Sends `request` and waits for the head of the answer. The caller limits the time.
    async fn send(&self, request: UpstreamRequest) -> Result<UpstreamResponse, UpstreamFailure>;
}

/// One request to a backend.
#[derive(Debug)]
pub struct UpstreamRequest {
    /// GET or POST.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// Where the name in `url` may lead.
    pub network: AllowedNetwork,
    /// Headers, none of which is the key's.
    pub headers: HeaderMap,
    /// Sent as `carrier` says, if the URL is of the origin it is bound to.
    pub key: Option<Arc<BoundSecret>>,
    /// The header that takes the key.
    pub carrier: KeyCarrier,
    /// The body; empty for GET.
    pub body: Bytes,
}

/// The header in which a backend takes its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyCarrier {
    /// `Authorization: Bearer`: OpenAI and whoever is compatible with it.
    Bearer,
    /// `x-api-key`: Anthropic.
    XApiKey,
    /// `x-goog-api-key`: Gemini.
    XGoogApiKey,
}

/// The head of an answer and its body to come.
pub struct UpstreamResponse {
    /// The status as it came.
    pub status: StatusCode,
    /// The headers as they came; not to be relayed without an allow-list.
    pub headers: HeaderMap,
    /// The body as it comes, without the key that was sent.
    pub body: BoxStream<'static, Result<Bytes, UpstreamFailure>>,
    /// Takes the key that was sent out of what a backend says of an error.
    pub scrubber: KeyScrubber,
}

/// Why there was no answer, or no more of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamFailure {
    /// The key may not go there; nothing was sent.
    #[error("nothing was sent: {0}")]
    Key(OriginMismatch),
    /// The name does not resolve.
    #[error("its name cannot be resolved; check the base URL and the network")]
    Dns,
    /// Nobody said in time where the name leads.
    #[error(
        "its name could not be resolved in time (DNS); check the network and the DNS server of \
         this machine"
    )]
    DnsTimeout,
    /// The name leads where it may not.
    #[error("{0}")]
    Address(AddressError),
    /// No connection.
    #[error("it cannot be reached; check that it runs and that its base URL is right")]
    Connect,
    /// No encrypted connection.
    #[error("no secure connection: {0}")]
    Tls(TlsFault),
    /// No head of an answer, or no byte, in time.
    #[error("it did not answer in time")]
    Timeout,
    /// The connection broke. Clients read these words: pi 0.73 tries again at "connection lost".
    #[error("connection lost before the response was complete")]
    Broken,
    /// No socket could be opened: the program has as many files and connections open as it may.
    #[error(
        "Gatehouse has reached the system's limit on open files and connections; try again in a \
         moment, or raise the limit (`ulimit -n`)"
    )]
    OutOfDescriptors,
    /// No route leads off this machine.
    #[error("this machine is offline; check its network")]
    Offline,
    /// The request could not be built or the client library could not be set up.
    #[error("the request could not be sent from this machine; see the log")]
    Local,
}

/// What is wrong with an encrypted connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TlsFault {
    /// Its certificate is out of date.
    #[error("its certificate has expired")]
    Expired,
    /// Its certificate is for another name.
    #[error("its certificate is for another host")]
    WrongHost,
    /// Nobody this machine trusts has signed its certificate.
    #[error("its certificate is not signed by an authority that this machine trusts")]
    UnknownIssuer,
    /// Anything else: old versions, no encryption at all, a broken handshake.
    #[error("the handshake failed")]
    Handshake,
}

impl From<resolve::ResolveError> for UpstreamFailure {
    fn from(unresolved: resolve::ResolveError) -> Self {
        match unresolved {
            resolve::ResolveError::Unknown => Self::Dns,
            resolve::ResolveError::TooLate => Self::DnsTimeout,
            resolve::ResolveError::Refused(refusal) => Self::Address(refusal),
            resolve::ResolveError::OutOfDescriptors => Self::OutOfDescriptors,
            resolve::ResolveError::Offline => Self::Offline,
        }
    }
}

impl UpstreamFailure {
    /// How the backend failed; `None` where the fault lies on this machine.
    #[must_use]
    pub const fn reason(&self) -> Option<FailureReason> {
        match self {
            Self::Key(_) | Self::OutOfDescriptors | Self::Offline | Self::Local => None,
            Self::Dns | Self::DnsTimeout | Self::Address(_) => Some(FailureReason::Dns),
            Self::Connect => Some(FailureReason::Connect),
            Self::Tls(_) => Some(FailureReason::Tls),
            Self::Timeout => Some(FailureReason::Timeout),
            Self::Broken => Some(FailureReason::Broken),
        }
    }
}
