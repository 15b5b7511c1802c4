//! Fetches a document that the user asked for: a price list, without any key, or a provider's cost
//! report with the admin key for it. Posts a message to a webhook, and telemetry to a collector with
//! its key. Follows no redirect.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::{BoundSecret, Origin};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use hyper::{Method, StatusCode};
use settings::AllowedNetwork;
use url::Url;

use crate::outbound::upstream::{
    KeyCarrier, Upstream, UpstreamFailure, UpstreamRequest, UpstreamResponse, read_body,
};

/// Time for a whole document.
pub(crate) const FETCH_TIMEOUT: Duration = Duration::from_secs(30);

/// Time for a host to answer [`is_reachable`].
pub(crate) const REACH_TIMEOUT: Duration = Duration::from_secs(4);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    #[error("it did not answer within {} seconds", FETCH_TIMEOUT.as_secs())]
    Late,
    #[error(transparent)]
    Upstream(#[from] UpstreamFailure),
    #[error("it answered with status {0}; only 200 is accepted, and redirects are not followed")]
    Status(u16),
    /// With the limit in bytes.
    #[error("it is larger than {} kB", .0 / 1_024)]
    TooLong(usize),
    #[error("it is not UTF-8 text")]
    NotText,
}

/// Gets the text at `url`, of at most `bytes_max` bytes.
pub async fn fetch_text(
    upstream: &dyn Upstream,
    url: Url,
    network: AllowedNetwork,
    bytes_max: usize,
) -> Result<String, FetchError> {
    let request = get_request(url, network);
    let fetched = tokio::time::timeout(FETCH_TIMEOUT, fetch(upstream, request, bytes_max));
    fetched.await.map_err(|_elapsed| FetchError::Late)?
}

/// Returns true if the host of `url` sends any response, over TLS for `https`; `None` if this machine
/// could not ask. Asks for its first page, without a key: nothing is billed, and it goes the way of
/// requests, through a proxy if they do.
pub async fn is_reachable(
    upstream: &dyn Upstream,
    mut url: Url,
    network: AllowedNetwork,
) -> Option<bool> {
    url.set_path("/");
    url.set_query(None);
    let asked = upstream.send(get_request(url, network));
    match tokio::time::timeout(REACH_TIMEOUT, asked).await {
        Ok(Ok(_) | Err(UpstreamFailure::Broken)) => Some(true),
        Ok(Err(
            UpstreamFailure::Key(_)
            | UpstreamFailure::Address(_)
            | UpstreamFailure::OutOfDescriptors
            | UpstreamFailure::Local,
        )) => None,
        Ok(Err(
            UpstreamFailure::Dns
            | UpstreamFailure::DnsTimeout
            | UpstreamFailure::Connect
            | UpstreamFailure::Tls(_)
            | UpstreamFailure::Timeout
            | UpstreamFailure::Offline,
        ))
        | Err(_) => Some(false),
    }
}

/// A page of a provider's cost report.
#[derive(Debug)]
pub struct ReportCall {
    /// The origin that the key is bound to.
    pub origin: Origin,
    /// Path and query.
    pub path: String,
    pub key: Arc<BoundSecret>,
    pub carrier: KeyCarrier,
    pub headers: &'static [(&'static str, &'static str)],
}

/// Gets a page of a cost report, of at most `bytes_max` bytes.
pub async fn fetch_report(
    upstream: &dyn Upstream,
    call: ReportCall,
    bytes_max: usize,
) -> Result<String, FetchError> {
    let url = Url::parse(&format!("{}{}", call.origin, call.path));
    let url = url.map_err(|_| FetchError::Upstream(UpstreamFailure::Local))?;
    let mut headers = HeaderMap::new();
    for (name, value) in call.headers {
        headers.insert(*name, HeaderValue::from_static(value));
    }
    let request = UpstreamRequest {
        headers,
        key: Some(call.key),
        carrier: call.carrier,
        ..get_request(url, AllowedNetwork::default())
    };
    let fetched = tokio::time::timeout(FETCH_TIMEOUT, fetch(upstream, request, bytes_max));
    fetched.await.map_err(|_elapsed| FetchError::Late)?
}

/// Time for a webhook to take a message.
pub(crate) const POST_TIMEOUT: Duration = Duration::from_secs(15);
/// Largest body of a message, in bytes.
pub(crate) const POST_BYTES_MAX: usize = 16_384;

/// Why a webhook or a collector did not take a message. No text holds its address, which is a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    #[error("it did not answer within {} seconds", POST_TIMEOUT.as_secs())]
    Late,
    #[error(transparent)]
    Upstream(#[from] UpstreamFailure),
    #[error("it answered with status {status}{}", redirect_note(*status))]
    Status { status: u16, retry_after: Option<Duration> },
    #[error("the message is larger than {0} bytes")]
    TooLong(usize),
}

const fn redirect_note(status: u16) -> &'static str {
    if matches!(status, 300..=399) { "; redirects are not followed" } else { "" }
}

impl PostError {
    /// True if the same message may be taken later.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        match self {
            Self::Late => true,
            Self::Upstream(failure) => !matches!(
                failure,
                UpstreamFailure::Key(_) | UpstreamFailure::Address(_) | UpstreamFailure::Tls(_)
            ),
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
            Self::TooLong(_) => false,
        }
    }
}

/// Largest message to an OpenTelemetry collector, in bytes.
const TELEMETRY_BYTES_MAX: usize = 4_194_304;

/// Posts a protobuf message to an OpenTelemetry collector, with the key for it, if it has one, as a
/// bearer token, and takes any 2xx as accepted. The answer's body is not read.
pub async fn post_protobuf(
    upstream: &dyn Upstream,
    url: Url,
    network: AllowedNetwork,
    key: Option<Arc<BoundSecret>>,
    body: Bytes,
) -> Result<(), PostError> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
    let request = UpstreamRequest { headers, key, body, ..get_request(url, network) };
    post(upstream, request, TELEMETRY_BYTES_MAX).await
}

/// Posts JSON to a webhook and takes any 2xx as accepted. The answer's body is not read.
pub async fn post_json(
    upstream: &dyn Upstream,
    url: Url,
    network: AllowedNetwork,
    body: String,
) -> Result<(), PostError> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let request = UpstreamRequest { headers, body: body.into(), ..get_request(url, network) };
    post(upstream, request, POST_BYTES_MAX).await
}

async fn post(
    upstream: &dyn Upstream,
    request: UpstreamRequest,
    bytes_max: usize,
) -> Result<(), PostError> {
    if request.body.len() > bytes_max {
        return Err(PostError::TooLong(bytes_max));
    }
    let request = UpstreamRequest { method: Method::POST, ..request };
    let sent = tokio::time::timeout(POST_TIMEOUT, upstream.send(request));
    let answer = sent.await.map_err(|_elapsed| PostError::Late)??;
    if answer.status.is_success() {
        return Ok(());
    }
    let named = answer.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = named.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    Err(PostError::Status { status: answer.status.as_u16(), retry_after })
}

fn get_request(url: Url, network: AllowedNetwork) -> UpstreamRequest {
    UpstreamRequest {
        method: Method::GET,
        url,
        network,
        headers: HeaderMap::new(),
        key: None,
        carrier: KeyCarrier::Bearer,
        body: Bytes::new(),
    }
}

async fn fetch(
    upstream: &dyn Upstream,
    request: UpstreamRequest,
    bytes_max: usize,
) -> Result<String, FetchError> {
    let answer = upstream.send(request).await?;
    let UpstreamResponse { status, body, .. } = answer;
    if status != StatusCode::OK {
        return Err(FetchError::Status(status.as_u16()));
    }
    let text = read_body(body, bytes_max).await?;
    let text = text.ok_or(FetchError::TooLong(bytes_max))?;
    String::from_utf8(text.into()).map_err(|_| FetchError::NotText)
}
