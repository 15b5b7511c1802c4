//! Sends one request to one backend within its timeout, and reads the whole response where the caller
//! needs it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::{BoundSecret, Dialect, WallTime};
use hyper::Method;
use hyper::header::HeaderMap;
use wire::{BackendRequest, upstream_error};

use super::read::{self, ReadError, ReadLimits};
use crate::handle::failure::{ErrorContext, Failure};
use crate::headers::backend_headers;
use crate::limits::ERROR_BODY_BYTES_MAX;
use crate::outbound::Outbound;
use crate::outbound::unpaused_timeout::within;
use crate::outbound::upstream::{KeyScrubber, UpstreamFailure, UpstreamRequest, UpstreamResponse};
use crate::snapshot::Backend;

/// Time to read the error body of a backend that has already failed.
const ERROR_BODY_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) struct BackendCall<'a> {
    pub(crate) backend: &'a Backend,
    pub(crate) key: Option<Arc<BoundSecret>>,
    pub(crate) outgoing: &'a BackendRequest,
    /// As the client sent them; only allowed ones are forwarded.
    pub(crate) headers: &'a HeaderMap,
    pub(crate) client: Dialect,
    /// Time to the head of the response; with [`fetch`], to its end.
    pub(crate) timeout: Duration,
}

/// A whole response with a success status.
pub(crate) struct WholeResponse {
    pub(crate) body: Bytes,
    headers: HeaderMap,
    scrubber: KeyScrubber,
}

/// Sends a request and waits for the head of its response.
pub(crate) async fn send(
    outbound: &Outbound,
    request: BackendCall<'_>,
) -> Result<UpstreamResponse, Failure> {
    let BackendCall { backend, key, outgoing, headers, client, timeout } = request;
    let request = UpstreamRequest {
        method: Method::POST,
        url: backend.url(&outgoing.path, outgoing.query),
        network: backend.network,
        headers: backend_headers(headers, client, outgoing.dialect),
        key,
        carrier: backend.key_carrier(),
        body: outgoing.body.clone(),
    };
    let sent = outbound.upstream(&backend.kind).send(request);
    let response = within(&outbound.registry, timeout, sent).await;
    let response = response.unwrap_or(Err(UpstreamFailure::Timeout));
    response.map_err(|failure| Failure::upstream(&backend.id, &failure))
}

/// Sends a request and reads its whole response. Any status but success is a failure.
pub(crate) async fn fetch(
    outbound: &Outbound,
    request: BackendCall<'_>,
    limits: ReadLimits,
) -> Result<WholeResponse, Failure> {
    let (backend, dialect) = (request.backend, request.outgoing.dialect);
    let (begun, timeout) = (outbound.clock.now(), request.timeout);
    let response = send(outbound, request).await?;
    let response = check_status(outbound, backend, dialect, response).await?;
    let UpstreamResponse { headers, body, scrubber, .. } = response;
    let left = timeout.saturating_sub(outbound.clock.now().since(begun));
    let registry = &outbound.registry;
    let body = within(registry, left, read::to_end(registry, body, limits)).await;
    let body = body.unwrap_or(Err(ReadError::Failed(UpstreamFailure::Timeout, Bytes::new())));
    let body = body.map_err(|error| {
        let failure = match error {
            ReadError::TooLarge => UpstreamFailure::Broken,
            ReadError::Failed(failure, _) => failure,
        };
        Failure::upstream(&backend.id, &failure)
    })?;
    Ok(WholeResponse { body, headers, scrubber })
}

/// Returns a response with a success status; any other becomes a failure with the backend's own message.
pub(crate) async fn check_status(
    outbound: &Outbound,
    backend: &Backend,
    dialect: Dialect,
    response: UpstreamResponse,
) -> Result<UpstreamResponse, Failure> {
    let status = response.status;
    if status.is_success() {
        return Ok(response);
    }
    if status.is_redirection() {
        return Err(Failure::redirected(&backend.id, status.as_u16()));
    }
    let UpstreamResponse { headers, body, scrubber, .. } = response;
    let limits = ReadLimits { bytes_max: ERROR_BODY_BYTES_MAX, stall: ERROR_BODY_TIMEOUT };
    let reading = read::to_end(&outbound.registry, body, limits);
    // The error is made from as much of the body as arrives in time.
    let body = match tokio::time::timeout(ERROR_BODY_TIMEOUT, reading).await {
        Ok(Ok(body) | Err(ReadError::Failed(_, body))) => body,
        Ok(Err(ReadError::TooLarge)) | Err(_) => Bytes::new(),
    };
    let error = upstream_error(dialect, status.as_u16(), &body);
    let context =
        ErrorContext { headers: &headers, scrubber: &scrubber, now: outbound.clock.wall() };
    Err(Failure::reported(&backend.id, &error, &context))
}

impl WholeResponse {
    /// The context for reading an error in the body.
    pub(crate) fn error_context(&self, now: WallTime) -> ErrorContext<'_> {
        ErrorContext { headers: &self.headers, scrubber: &self.scrubber, now }
    }
}
