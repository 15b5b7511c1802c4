//! Probes a backend without cost: lists its models with its configured key.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::{BackendId, BoundSecret, Clock};
use endpoints::Verdict;
use hyper::Method;
use hyper::header::{ACCEPT, HeaderMap};
use wire::{UpstreamClass, UpstreamError, read_model_list, upstream_error};

use crate::handle::failure::{BackendWork, ErrorContext, Failure};
use crate::handle::response::JSON;
use crate::headers::{backend_headers, is_compressed};
use crate::outbound::upstream::{
    Upstream, UpstreamFailure, UpstreamRequest, UpstreamResponse, read_body,
};
use crate::snapshot::Backend;

/// Time for a whole probe.
pub const PROBE_TIMEOUT: Duration = Duration::from_secs(10);

/// Largest model list read, in bytes. The largest aggregators send under a megabyte.
pub(crate) const MODEL_LIST_BYTES_MAX: usize = 8_388_608;

/// What comes before the names of scopes in OpenAI's refusals.
const MISSING_SCOPES: &str = "Missing scopes: ";

/// OpenAI's name of the permission to list models.
const LIST_MODELS_SCOPE: &str = "api.model.read";

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ProbeFailure {
    /// What the failure says about the backend and its key. [`Verdict::ClientFault`] with status
    /// 404 means that the backend answers but has no model list; with 401 or 403, that the key may not
    /// read it.
    pub verdict: Verdict,
    /// The backend's status, if it answered.
    pub http_status: Option<u16>,
    /// What happened and what to do, as a clause without the backend's name; free of keys.
    pub message: String,
}

/// Asks `backend` for its models within [`PROBE_TIMEOUT`]. Follows no redirect, and sends the key
/// to its own origin only. Nothing is billed or recorded.
pub async fn probe(
    upstream: &dyn Upstream,
    backend: &Backend,
    key: Option<Arc<BoundSecret>>,
    clock: &dyn Clock,
) -> Result<Vec<String>, ProbeFailure> {
    let mut http_status = None;
    let asking = list_models(upstream, backend, key, clock, &mut http_status);
    let outcome = match tokio::time::timeout(PROBE_TIMEOUT, asking).await {
        Ok(outcome) => outcome,
        Err(_elapsed) => Err(Failure::upstream(&backend.id, &UpstreamFailure::Timeout)),
    };
    outcome.map_err(|failure| ProbeFailure {
        verdict: failure.verdict,
        http_status,
        message: without_subject(&backend.id, &failure.refusal.message),
    })
}

/// Removes the backend's name from the start of `message`: a probe's result is shown beside the
/// name, and in a narrow column the name would fill it.
fn without_subject(backend: &BackendId, message: &str) -> String {
    let clause = message.strip_prefix(&format!("The backend {backend} ")).unwrap_or(message);
    let clause = clause.strip_prefix("failed: ").unwrap_or(clause);
    clause.strip_prefix("it ").unwrap_or(clause).to_owned()
}

async fn list_models(
    upstream: &dyn Upstream,
    backend: &Backend,
    key: Option<Arc<BoundSecret>>,
    clock: &dyn Clock,
    http_status: &mut Option<u16>,
) -> Result<Vec<String>, Failure> {
    let (url, dialect) = backend.models_url();
    let mut headers = backend_headers(&HeaderMap::new(), dialect, dialect);
    headers.insert(ACCEPT, JSON);
    let request = UpstreamRequest {
        method: Method::GET,
        url,
        network: backend.network,
        headers,
        key,
        carrier: backend.key_carrier(),
        body: Bytes::new(),
    };
    let id = &backend.id;
    let failed = |failure| Failure::upstream(id, &failure);
    let UpstreamResponse { status, headers, body, scrubber } =
        upstream.send(request).await.map_err(failed)?;
    *http_status = Some(status.as_u16());
    if status.is_redirection() {
        return Err(Failure::redirected(id, status.as_u16()));
    }
    if is_compressed(&headers) {
        let what = "sent a compressed response although none was requested.";
        return Err(Failure::unreadable(id, what, BackendWork::None));
    }
    let list = read_body(body, MODEL_LIST_BYTES_MAX).await.map_err(failed)?;
    let too_long =
        || Failure::unreadable(id, "sent a list of models that is too long.", BackendWork::None);
    let list = list.ok_or_else(too_long)?;
    if !status.is_success() {
        let error = upstream_error(dialect, status.as_u16(), &list);
        let context = ErrorContext { headers: &headers, scrubber: &scrubber, now: clock.wall() };
        let failure = Failure::reported(id, &error, &context);
        return Err(if may_not_list(&error) { unlisted(id, failure) } else { failure });
    }
    read_model_list(dialect, &list).map_err(|bad| {
        Failure::unreadable(id, &format!("sent no list of models: {bad}."), BackendWork::None)
    })
}

/// True if the key is known and only has no permission to list models, as a restricted key of OpenAI
/// may have none: this says nothing of what else it may do.
fn may_not_list(error: &UpstreamError) -> bool {
    let scopes = error.message.split_once(MISSING_SCOPES).map(|(_, scopes)| scopes);
    let named =
        scopes.map(|scopes| scopes.split(". ").next().unwrap_or(scopes).trim_end_matches('.'));
    // With another one beside it, the key may lack what a request needs.
    error.class == UpstreamClass::KeyRejected && named == Some(LIST_MODELS_SCOPE)
}

fn unlisted(id: &BackendId, failure: Failure) -> Failure {
    let mut failure = Failure { verdict: Verdict::ClientFault, ..failure };
    failure.refusal.message = format!(
        "The backend {id} does not let this key list models: it lacks the scope {LIST_MODELS_SCOPE}. \
         It may ask them nevertheless"
    )
    .into_boxed_str();
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_does_not_begin_with_the_backends_name() {
        let id = BackendId::new("acme").expect("an id");
        let clause = |message: &str| without_subject(&id, message);
        let refused = Failure::upstream(&id, &UpstreamFailure::Connect);
        let reason = "cannot be reached; check that it runs and that its base URL is right.";
        assert_eq!(clause(&refused.refusal.message), reason);
        let moved = Failure::redirected(&id, 302);
        assert!(clause(&moved.refusal.message).starts_with("answered with a redirect (302)"));
        assert_eq!(clause("Something else."), "Something else.");
    }
}
