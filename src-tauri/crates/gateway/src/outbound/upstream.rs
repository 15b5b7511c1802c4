//! Sends one request to one backend and returns its answer as it arrives.
//!
//! Two implementations: the network and the built-in mock. Neither decides anything; both report
//! what happened in types the caller can decide by. Dropping what they return cancels the call at
//! once.

mod connect;
mod http;
mod key;
mod local;
mod mock;
mod near;
mod resolve;
mod tls;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use domain::{BoundSecret, OriginMismatch};
use endpoints::FailureReason;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use hyper::header::{HeaderMap, HeaderName};
use hyper::{Method, StatusCode};
use settings::{AddressError, AllowedNetwork};
use url::Url;

pub use connect::{CONNECT_LIMIT, connect};
pub use http::{HttpUpstream, Proxies, UpstreamEnvironment};
pub use key::KeyScrubber;
pub use local::is_offline;
pub use mock::MockUpstream;
pub use resolve::{NameLookup, SystemNameLookup};

/// A transport to backends.
#[async_trait]
pub trait Upstream: Send + Sync {
    /// Sends `request` and waits for the head of the answer. The caller limits the time.
    async fn send(&self, request: UpstreamRequest) -> Result<UpstreamResponse, UpstreamFailure>;
}

#[derive(Debug)]
pub struct UpstreamRequest {
    /// GET or POST.
    pub method: Method,
    pub url: Url,
    /// The network that the host of `url` may resolve to.
    pub network: AllowedNetwork,
    /// Headers without the key.
    pub headers: HeaderMap,
    /// Sent in `carrier`, if the URL has the origin it is bound to.
    pub key: Option<Arc<BoundSecret>>,
    pub carrier: KeyCarrier,
    /// Empty for GET.
    pub body: Bytes,
}

/// The header that carries a backend's key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum KeyCarrier {
    /// `Authorization: Bearer`: OpenAI and compatible backends.
    Bearer,
    /// `x-api-key`: Anthropic.
    XApiKey,
    /// `x-goog-api-key`: Gemini.
    XGoogApiKey,
    /// The header that a service wants.
    Header(HeaderName),
}

/// The head of an answer and the stream of its body.
pub struct UpstreamResponse {
    pub status: StatusCode,
    /// The headers as received; not to be relayed without an allow-list.
    pub headers: HeaderMap,
    /// The body as it arrives, without the key that was sent.
    pub body: BoxStream<'static, Result<Bytes, UpstreamFailure>>,
    /// Removes the key that was sent from error texts.
    pub scrubber: KeyScrubber,
}

/// The body of an answer; `None` if it has more than `bytes_max`.
pub(crate) async fn read_body(
    mut body: BoxStream<'static, Result<Bytes, UpstreamFailure>>,
    bytes_max: usize,
) -> Result<Option<BytesMut>, UpstreamFailure> {
    let mut read = BytesMut::new();
    while let Some(chunk) = body.next().await {
        read.extend_from_slice(&chunk?);
        if read.len() > bytes_max {
            return Ok(None);
        }
    }
    Ok(Some(read))
}

/// Why an answer is missing or incomplete.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamFailure {
    /// The key may not be sent to this origin; nothing was sent.
    #[error("nothing was sent: {0}")]
    Key(OriginMismatch),
    #[error("its name cannot be resolved; check the base URL and the network")]
    Dns,
    /// The name lookup timed out.
    #[error(
        "its name could not be resolved in time (DNS); check the network and the DNS server of \
         this machine"
    )]
    DnsTimeout,
    /// The name resolves to an address that is not allowed.
    #[error("{0}")]
    Address(AddressError),
    #[error("it cannot be reached; check that it runs and that its base URL is right")]
    Connect,
    #[error("no secure connection: {0}")]
    Tls(TlsFault),
    /// No response head, or no byte, in time.
    #[error("it did not answer in time")]
    Timeout,
    /// The connection broke. Clients read this text: pi 0.73 tries again at "connection lost".
    #[error("connection lost before the response was complete")]
    Broken,
    /// No socket could be opened: the limit on open files and connections is reached.
    #[error(
        "Gatehouse has reached the system's limit on open files and connections; try again in a \
         moment, or raise the limit (`ulimit -n`)"
    )]
    OutOfDescriptors,
    /// No route leaves this machine.
    #[error("this machine is offline; check its network")]
    Offline,
    /// The request could not be built or the client library could not be set up.
    #[error("the request could not be sent from this machine; see the log")]
    Local,
}

/// Why a TLS connection failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TlsFault {
    /// Its certificate has expired or is not valid yet.
    #[error("its certificate has expired")]
    Expired,
    /// Its certificate is for another name.
    #[error("its certificate is for another host")]
    WrongHost,
    /// Its certificate is not signed by an authority that this machine trusts.
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
    /// How the backend failed; `None` if the fault is on this machine.
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
