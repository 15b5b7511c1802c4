//! Asks a service over HTTP whether it works. Follows no redirect, and reads no more of the answer
//! than is compared.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use domain::{BoundSecret, ServiceMethod};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use hyper::Method;
use hyper::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use settings::AllowedNetwork;
use url::Url;

use crate::outbound::upstream::{
    KeyCarrier, Upstream, UpstreamFailure, UpstreamRequest, UpstreamResponse,
};

/// Most bytes of an answer that are read.
pub(crate) const SERVICE_ANSWER_BYTES_MAX: usize = 65_536;
/// GitHub refuses requests without one.
const AGENT: HeaderValue = HeaderValue::from_static("gatehouse");

#[derive(Debug)]
pub struct ServiceCall {
    pub method: ServiceMethod,
    pub url: Url,
    pub network: AllowedNetwork,
    pub key: Option<Arc<BoundSecret>>,
    /// The header that carries the key; `None` for `Authorization: Bearer`.
    pub key_header: Option<String>,
}

/// The head of a service's answer, and its text on demand. Neither has copies of the key.
pub struct ServiceAnswer {
    pub status: u16,
    headers: HeaderMap,
    body: BoxStream<'static, Result<Bytes, UpstreamFailure>>,
}

impl ServiceAnswer {
    /// The first header of this name; `None` if it is missing or not text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Reads the first `SERVICE_ANSWER_BYTES_MAX` bytes of the text.
    pub async fn text(mut self) -> Result<String, UpstreamFailure> {
        let mut text = BytesMut::new();
        while text.len() < SERVICE_ANSWER_BYTES_MAX {
            let Some(chunk) = self.body.next().await else { break };
            text.extend_from_slice(&chunk?);
        }
        text.truncate(SERVICE_ANSWER_BYTES_MAX);
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

/// Sends the request and waits for the head of the answer. The caller limits the time.
pub async fn call_service(
    upstream: &dyn Upstream,
    call: ServiceCall,
) -> Result<ServiceAnswer, UpstreamFailure> {
    let carrier = match call.key_header {
        None => KeyCarrier::Bearer,
        Some(name) => {
            KeyCarrier::Header(HeaderName::try_from(name).map_err(|_| UpstreamFailure::Local)?)
        }
    };
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(USER_AGENT, AGENT);
    let request = UpstreamRequest {
        method: match call.method {
            ServiceMethod::Get => Method::GET,
            ServiceMethod::Head => Method::HEAD,
        },
        url: call.url,
        network: call.network,
        headers,
        key: call.key,
        carrier,
        body: Bytes::new(),
    };
    let UpstreamResponse { status, headers, body, .. } = upstream.send(request).await?;
    Ok(ServiceAnswer { status: status.as_u16(), headers, body })
}
