//! Fetches a document that the user asked for: a price list, without any key, or a provider's cost
//! report with the admin key for it. Follows no redirect.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use domain::{BoundSecret, Origin};
use futures_util::StreamExt;
use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Method, StatusCode};
use settings::AllowedNetwork;
use url::Url;

use crate::upstream::{KeyCarrier, Upstream, UpstreamFailure, UpstreamRequest, UpstreamResponse};

/// Time for a whole document.
pub const FETCH_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    #[error("it did not answer within {} seconds", FETCH_TIMEOUT.as_secs())]
    Late,
    #[error(transparent)]
    Upstream(#[from] UpstreamFailure),
    #[error("it answered with status {0}; only 200 is accepted, and redirects are not followed")]
    Status(u16),
    #[error("it is larger than {0} MB")]
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
    let UpstreamResponse { status, mut body, .. } = answer;
    if status != StatusCode::OK {
        return Err(FetchError::Status(status.as_u16()));
    }
    let mut text = BytesMut::new();
    while let Some(chunk) = body.next().await {
        text.extend_from_slice(&chunk?);
        if text.len() > bytes_max {
            return Err(FetchError::TooLong(bytes_max / 1_048_576));
        }
    }
    String::from_utf8(text.into()).map_err(|_| FetchError::NotText)
}
