//! Figures for Prometheus, at `/metrics`. What they are is passed in by the layers above.

use bytes::Bytes;
use domain::ClientId;
use hyper::Response;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use wire::ErrorKind;

use crate::handle::response::{self, Refusal, ResponseBody, RetryAdvice};
use crate::handle::surface::OwnSurface;
use crate::snapshot::GatewayClient;

const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// What is told at `/metrics`.
pub trait MetricsSource: Send + Sync {
    /// All of it as OpenMetrics text; `None` while it is off.
    fn text(&self) -> Option<String>;
}

/// Keeps a token for metrics to metrics, and metrics to tokens for them. `own` is `None` for a call to a
/// model.
pub(crate) fn check_access(
    client: &GatewayClient,
    own: Option<&OwnSurface>,
) -> Result<(), Refusal> {
    match (client.reads_metrics, own == Some(&OwnSurface::Metrics)) {
        (true, false) => Err(nothing_else(&client.id)),
        (false, true) => Err(not_allowed(&client.id)),
        _ => Ok(()),
    }
}

/// Answers `GET /metrics` to a caller who may read it.
pub(crate) fn answer(text: Option<Bytes>) -> Result<Response<ResponseBody>, Refusal> {
    let text = text.ok_or_else(|| {
        let message = "Metrics for Prometheus are off. \
                       Turn them on with `gatehouse settings set metrics_prometheus true`.";
        Refusal::new(404, ErrorKind::NotFound, "metrics_off", message).retry(RetryAdvice::Never)
    })?;
    let mut answer = response::whole(text);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, OPEN_METRICS);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(answer)
}

fn nothing_else(client: &ClientId) -> Refusal {
    let message = format!(
        "The token of the client {client} reads /metrics and nothing else. Use that of another \
         client; `gatehouse clients add NAME` makes one."
    );
    Refusal::new(403, ErrorKind::Permission, "metrics_only", message).retry(RetryAdvice::Never)
}

fn not_allowed(client: &ClientId) -> Refusal {
    let message = format!(
        "The client {client} may not read metrics. Make one that may with `gatehouse clients add \
         prometheus --metrics`."
    );
    Refusal::new(403, ErrorKind::Permission, "metrics_not_allowed", message)
        .retry(RetryAdvice::Never)
}
