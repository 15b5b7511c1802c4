//! Handles a request, from its head to its response. Each step is a module of this crate that gets what it
//! needs as arguments; none calls back into an earlier step.
//!
//! Nothing reaches the client before a backend's first content. Until then a failure has its true HTTP
//! status, and another candidate may answer.

use std::sync::Arc;

use bytes::Bytes;
use domain::{BackendId, Dialect, RouteId};
use futures_util::FutureExt;
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::{Request, Response};
use ledger::RequestOutcome;
use routing::Decision;
use tokio_util::sync::CancellationToken;

use crate::accounting::RequestRecord;
use crate::attempts;
use crate::cache_step::single_flight::{self, Reader};
use crate::cache_step::{self, CacheStep};
use crate::call::{CacheSlot, Call, PendingRequest, RoutedCall};
use crate::choose::{choose, choose_route};
use crate::connection_limiter::ConnectionSlot;
use crate::context::{Arrival, RequestContext};
use crate::embeddings::Embeddings;
use crate::event::GatewayEvent;
use crate::failure::Failure;
use crate::gateway::Gateway;
use crate::generation::Generation;
use crate::guard::{self, AllowedHosts};
use crate::response::{self, ATTEMPTS, BACKEND, CACHE, CACHE_KEY, ROUTE, Refusal, ResponseBody};
use crate::snapshot::GatewayClient;
use crate::surface::{self, Surface};
use crate::{auth, body, metrics, models, token_count};

/// Answers one request. `stopped` is cancelled when answers in flight must end.
pub(crate) async fn handle(
    gateway: &Arc<Gateway>,
    hosts: &AllowedHosts,
    stopped: CancellationToken,
    request: Request<Incoming>,
) -> Response<ResponseBody> {
    let clock = gateway.outbound.clock.as_ref();
    let arrival = Arrival::of(&request, clock, &gateway.ids, stopped);
    let (id, dialect) = (arrival.id, arrival.dialect);
    let is_chunked = guard::is_chunked(request.headers());
    let mut response = match guard::check(&request, hosts).and_then(|()| surface::of(&request)) {
        Ok(surface) => respond(gateway, surface, arrival, request).await,
        Err(refusal) => refuse(gateway, &refusal, dialect, request).await,
    };
    response::stamp(&mut response, id, dialect);
    if is_chunked {
        response::close(&mut response);
    }
    response
}

/// Refuses a blocked client, and tells of it.
fn check_allowed(gateway: &Gateway, client: &GatewayClient) -> Result<(), Refusal> {
    auth::check_allowed(client).inspect_err(|_| {
        let client = client.id.clone();
        gateway.accounting.events.emit(GatewayEvent::ClientRefused { client });
    })
}

/// Authenticates the client, reads the body, parses the call and answers it.
async fn respond(
    gateway: &Arc<Gateway>,
    surface: Surface,
    arrival: Arrival,
    request: Request<Incoming>,
) -> Response<ResponseBody> {
    if let Some(response) = surface.fixed_response() {
        return response;
    }
    let dialect = arrival.dialect;
    let snapshot = gateway.snapshot.load_full();
    let client = match auth::authenticate(&request, &snapshot, gateway.outbound.clock.wall()) {
        Ok(client) => client,
        Err(refusal) => return reject(gateway, &refusal, dialect, request).await,
    };
    if let Some(connection) = request.extensions().get::<Arc<ConnectionSlot>>() {
        connection.authenticated();
    }
    let access =
        check_allowed(gateway, &client).and_then(|()| metrics::check_access(&client, &surface));
    if let Err(refusal) = access {
        return refuse(gateway, &refusal, dialect, request).await;
    }
    match &surface {
        Surface::Metrics => {
            let answer = metrics::answer(gateway.metrics.text().map(Into::into));
            return answer.unwrap_or_else(|refusal| refusal.answer(dialect));
        }
        Surface::Models => return models::list(&snapshot, &client, dialect),
        Surface::Mcp => {
            return gateway.agents.answer(&client, &snapshot, &gateway.limits, request).await;
        }
        Surface::Model(id) => return models::one(&snapshot, &client, dialect, id),
        _ => {}
    }
    if let Err(refusal) = guard::check_json(request.headers()) {
        return refuse(gateway, &refusal, dialect, request).await;
    }
    let (head, incoming) = request.into_parts();
    let body = match body::read(incoming, snapshot.limits.body_bytes_max, &gateway.limits).await {
        Ok(body) => body,
        Err(refusal) => {
            let mut response = refusal.answer(dialect);
            response::close(&mut response);
            return response;
        }
    };
    let context = RequestContext::new(arrival, client, snapshot, head.headers);
    answer_call(gateway, surface, context, body, head.uri.path()).await
}

/// Parses a call and answers it, under the id of its request.
async fn answer_call(
    gateway: &Arc<Gateway>,
    surface: Surface,
    context: RequestContext,
    body: Bytes,
    path: &str,
) -> Response<ResponseBody> {
    let (id, dialect) = (context.arrival.id, context.arrival.dialect);
    let outcome = match surface {
        Surface::Generate(surface) => {
            match Generation::parse(&surface, &context, body, &gateway.items) {
                Ok(call) => answer(gateway, context, call).await,
                Err(refusal) => Err(refusal),
            }
        }
        Surface::Embeddings(surface) => match Embeddings::parse(&surface, &context, body) {
            Ok(call) => answer(gateway, context, call).await,
            Err(refusal) => Err(refusal),
        },
        Surface::CountTokens(surface) => {
            let Gateway { admission, outbound, .. } = gateway.as_ref();
            token_count::answer(&surface, &context, body, admission, outbound).await
        }
        // Answered before their body was read.
        _ => Err(surface::not_found(path)),
    };
    let mut response = outcome.unwrap_or_else(|refusal| refusal.answer(dialect));
    response::stamp(&mut response, id, dialect);
    response
}

/// Runs the steps of every call to a model, from admission to the response.
async fn answer<C: Call>(
    gateway: &Arc<Gateway>,
    context: RequestContext,
    call: C,
) -> Result<Response<ResponseBody>, Refusal> {
    let Gateway { admission, accounting, outbound, flights, .. } = gateway.as_ref();
    let registry = &outbound.registry;
    let (facts, snapshot) = (call.facts(), &context.snapshot);
    if let Some(program) = context.program() {
        let client = context.client.id.clone();
        accounting.events.emit(GatewayEvent::ClientSeen { client, program });
    }
    let slot = admission.enter(facts.admission(&context.client), &snapshot.limits).await?;
    let decision = choose(registry, snapshot, &context.client, &facts.asking(&context));
    let route = decision.as_ref().map_or("", |decision| decision.route.as_str());
    let new = facts.new_request(&context, route);
    let mut record =
        RequestRecord::new(accounting, new, context.arrival.begun, facts.bytes_in, slot);
    let mut decision = match decision {
        Ok(decision) => decision,
        Err(failure) => return Ok(fail(record, &failure, context.arrival.dialect).await),
    };
    let switch = |route: &RouteId| {
        choose_route(registry, snapshot, &context.client, &facts.asking(&context), route)
    };
    match gateway.budgets.admit(&context, facts.model, || call.size(), &mut decision, switch) {
        Ok(reservation) => record.hold_budget(reservation),
        Err(failure) => return Ok(fail(record, &failure, context.arrival.dialect).await),
    }
    registry.budget().count_request(outbound.clock.now());
    record.reserve(&decision)?;
    call.restrict(&mut decision);
    let slot = call.cache_slot(&context, &decision);
    if let Err(reason) = &slot {
        record.bypassed(*reason);
    }
    let routed = RoutedCall { context, call, decision, slot: slot.ok() };
    let address = routed.slot.as_ref().and_then(CacheSlot::address);
    let pending = Box::new(PendingRequest { routed, record });
    let shared = Arc::clone(gateway);
    let lead = move |pending| async move { fetch::<C>(&shared, pending).await }.boxed();
    let mut response = match cache_step::look_up(flights, pending, lead).await {
        CacheStep::Bypass(pending) => fetch(gateway, pending).await,
        CacheStep::Hit(pending, hit) => C::replay(*pending, hit).await,
        CacheStep::Lead(items, dialect) => {
            single_flight::respond(items, Reader::Leader(dialect)).await
        }
        CacheStep::Follow(items, follower) => {
            single_flight::respond(items, Reader::Follower(follower)).await
        }
    };
    if let Some(address) = address.filter(|_| response.status().is_success()) {
        response::mark(&mut response, CACHE_KEY, &address.to_string());
    }
    Ok(response)
}

/// Asks backends until one answers, and delivers its answer.
async fn fetch<C: Call>(
    gateway: &Gateway,
    pending: Box<PendingRequest<C>>,
) -> Response<ResponseBody> {
    let PendingRequest { routed, mut record } = *pending;
    record.wait_until_reserved().await;
    let outcome = attempts::run(&gateway.outbound, &routed, &mut record).await;
    let route = RouteHeaders::of(&record, &routed.decision);
    let mut response = match outcome {
        Ok(opened) => {
            let conversation = routed.call.facts().conversation;
            if let (Some(conversation), Some(stay)) = (conversation, routed.decision.sticky) {
                record.keep_conversation(conversation, stay);
            }
            C::deliver(routed, &gateway.outbound, opened, record).await
        }
        Err(failure) => fail(record, &failure, routed.context.arrival.dialect).await,
    };
    route.mark(&mut response);
    response
}

/// Settles a request that failed before its response began.
async fn fail(
    mut record: RequestRecord,
    failure: &Failure,
    dialect: Dialect,
) -> Response<ResponseBody> {
    let mut response = failure.refusal.answer(dialect);
    record.set_status(response.status().as_u16());
    record.fail(RequestOutcome::Failed, failure).await;
    response.headers_mut().insert(CACHE, HeaderValue::from_static("bypass"));
    response
}

/// Refuses a request without a valid token.
async fn reject(
    gateway: &Gateway,
    refusal: &Refusal,
    dialect: Dialect,
    request: Request<Incoming>,
) -> Response<ResponseBody> {
    if let Some(connection) = request.extensions().get::<Arc<ConnectionSlot>>() {
        connection.not_authenticated();
    }
    if refusal.code == auth::INVALID_TOKEN {
        gateway.wrong_tokens.record(gateway.outbound.clock.now()).await;
    }
    refuse(gateway, refusal, dialect, request).await
}

/// Refuses a request whose body was not read.
async fn refuse(
    gateway: &Gateway,
    refusal: &Refusal,
    dialect: Dialect,
    request: Request<Incoming>,
) -> Response<ResponseBody> {
    let bytes_max = gateway.snapshot.load().limits.body_bytes_max;
    let template = surface::template(&request);
    gateway.refusals.note(refusal.code, template, gateway.outbound.clock.now());
    body::swallow_refused(request, bytes_max).await;
    refusal.answer(dialect)
}

/// The response headers that name the route and the backend that answered.
struct RouteHeaders {
    route: String,
    backend: Option<BackendId>,
    attempts: usize,
}

impl RouteHeaders {
    fn of(record: &RequestRecord, decision: &Decision) -> Self {
        let first = decision.candidates.first().map(|candidate| &candidate.endpoint.backend);
        let backend = record.backend().or(first).cloned();
        Self { route: decision.route.clone(), backend, attempts: record.attempts() }
    }

    fn mark(&self, response: &mut Response<ResponseBody>) {
        response::mark(response, ROUTE, &self.route);
        if let Some(backend) = &self.backend {
            response::mark(response, BACKEND, backend.as_str());
        }
        response.headers_mut().insert(ATTEMPTS, HeaderValue::from(self.attempts));
    }
}
