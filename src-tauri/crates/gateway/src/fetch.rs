//! Fetches a document that the user asked for, such as a price list. Sends no key and follows no
//! redirect.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use hyper::header::HeaderMap;
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
    let fetched = tokio::time::timeout(FETCH_TIMEOUT, fetch(upstream, url, network, bytes_max));
    fetched.await.map_err(|_elapsed| FetchError::Late)?
}

async fn fetch(
    upstream: &dyn Upstream,
    url: Url,
    network: AllowedNetwork,
    bytes_max: usize,
) -> Result<String, FetchError> {
    let request = UpstreamRequest {
        method: Method::GET,
        url,
        network,
        headers: HeaderMap::new(),
        key: None,
        carrier: KeyCarrier::Bearer,
        body: Bytes::new(),
    };
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
