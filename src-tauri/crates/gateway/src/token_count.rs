//! Counts the tokens of a request before it is sent. The backend counts if it speaks the client's
//! dialect; otherwise the count is an estimate and marked so. Nothing is billed, so nothing is
//! recorded.

use bytes::Bytes;
use cache::BypassReason;
use endpoints::TrafficRules;
use hyper::Response;
use hyper::header::HeaderValue;
use routing::{Candidate, Needs, RoutingRequest};
use wire::{BackendRequest, CountRequest, read_count, write_count};

use crate::accounting::estimate;
use crate::admission::{AdmissionControl, AdmissionRequest};
use crate::attempts::read::ReadLimits;
use crate::attempts::send::{BackendCall, fetch};
use crate::choose::choose;
use crate::context::RequestContext;
use crate::failure::{BackendWork, Failure, bad_request};
use crate::limits::COUNT_ANSWER_BYTES_MAX;
use crate::outbound::Outbound;
use crate::response::{self, BACKEND, CACHE, ESTIMATED, Refusal, ResponseBody};
use crate::snapshot::Backend;
use crate::surface::CountTokensSurface;

/// Answers one count. It takes an admission slot but uses none of its client's rates.
pub(crate) async fn answer(
    surface: &CountTokensSurface,
    context: &RequestContext,
    body: Bytes,
    admission: &std::sync::Arc<AdmissionControl>,
    outbound: &Outbound,
) -> Result<Response<ResponseBody>, Refusal> {
    let parsed = match surface {
        CountTokensSurface::Messages => CountRequest::parse_anthropic(body),
        CountTokensSurface::Gemini { model } => CountRequest::parse_gemini(model, body),
    };
    let request = parsed.map_err(|error| bad_request(&error))?;
    let client = &context.client;
    let in_flight_max = client.rules.in_flight_max;
    let admission_request = AdmissionRequest {
        client: &client.id,
        priority: client.priority,
        rules: TrafficRules { in_flight_max, ..TrafficRules::default() },
        tokens: 0,
        conversation: None,
    };
    let _slot = admission.enter(admission_request, &context.snapshot.limits).await?;
    if let Some(used) = &context.snapshot.cache {
        used.cache.record_bypass(BypassReason::Surface);
    }
    let counted = count(&request, context, outbound).await;
    let mut response =
        counted.unwrap_or_else(|failure| failure.refusal.answer(context.arrival.dialect));
    response.headers_mut().insert(CACHE, HeaderValue::from_static("bypass"));
    Ok(response)
}

async fn count(
    request: &CountRequest,
    context: &RequestContext,
    outbound: &Outbound,
) -> Result<Response<ResponseBody>, Failure> {
    let candidate = candidate(request, context, outbound)?;
    let backend = outbound.reachable(&context.snapshot, &candidate)?;
    let mut response = match request.upstream_request(&backend.target(&candidate.model)) {
        Some(outgoing) => {
            let dropped = outgoing.dropped.clone();
            let count = ask(backend, &candidate, outgoing, context, outbound).await?;
            let mut response = response::json(200, count);
            response::mark_dropped(&mut response, &dropped);
            response
        }
        None => {
            let tokens = estimate::input_tokens(request.body());
            let mut response = response::json(200, write_count(context.arrival.dialect, tokens));
            response.headers_mut().insert(ESTIMATED, HeaderValue::from_static("tokens"));
            response
        }
    };
    response::mark(&mut response, BACKEND, backend.id.as_str());
    Ok(response)
}

/// The candidate that would answer the request, and so the one that counts.
fn candidate(
    request: &CountRequest,
    context: &RequestContext,
    outbound: &Outbound,
) -> Result<Candidate, Failure> {
    let RequestContext { arrival, client, snapshot, .. } = context;
    let asking = RoutingRequest {
        model: request.model(),
        client: &client.id,
        switched_to: client.switched_to.as_ref(),
        project: arrival.project.as_deref(),
        needs: Needs { dialect: Some(arrival.dialect), ..Needs::default() },
        conversation: None,
    };
    // A decision has at least one candidate.
    Ok(choose(&outbound.registry, snapshot, client, &asking)?.candidates.swap_remove(0))
}

async fn ask(
    backend: &Backend,
    candidate: &Candidate,
    outgoing: BackendRequest,
    context: &RequestContext,
    outbound: &Outbound,
) -> Result<Bytes, Failure> {
    let limits = &context.snapshot.limits;
    let sent = BackendCall {
        backend,
        key: outbound.key(&candidate.endpoint).await?,
        outgoing: &outgoing,
        headers: &context.headers,
        client: outgoing.dialect,
        timeout: limits.first_token_timeout,
    };
    let limits = ReadLimits { bytes_max: COUNT_ANSWER_BYTES_MAX, stall: limits.stall_timeout };
    let body = fetch(outbound, sent, limits).await?.body;
    match read_count(outgoing.dialect, &body) {
        Some(_) => Ok(body),
        None => Err(Failure::unreadable(&backend.id, "sent no token count.", BackendWork::None)),
    }
}
