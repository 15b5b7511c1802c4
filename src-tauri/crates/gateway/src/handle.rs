//! Handles a request, from its head to its response. Each step is a module below that gets what it needs as
//! arguments; none calls back into an earlier step.
//!
//! Nothing reaches the client before a backend's first content. Until then a failure has its true HTTP
//! status, and another candidate may answer.

pub(crate) mod accounting;
pub(crate) mod admission;
pub(crate) mod attempts;
pub(crate) mod auth;
pub(crate) mod body;
pub(crate) mod budget_guard;
pub(crate) mod cache_mode;
pub(crate) mod cache_step;
pub(crate) mod call;
pub(crate) mod choose;
pub(crate) mod context;
pub(crate) mod embeddings;
pub(crate) mod failure;
pub(crate) mod generation;
pub(crate) mod guard;
pub(crate) mod models;
pub(crate) mod relay;
pub(crate) mod response;
pub(crate) mod response_items;
pub(crate) mod scope;
pub(crate) mod stream_end;
pub(crate) mod surface;
pub(crate) mod token_count;

use std::sync::Arc;

use domain::{BackendId, Dialect, RouteId};
use futures_util::FutureExt;
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::{Request, Response};
use routing::Decision;
use tokio_util::sync::CancellationToken;

use crate::event::GatewayEvent;
use crate::gateway::Gateway;
use crate::handle::accounting::RequestRecord;
use crate::handle::cache_step::CacheStep;
use crate::handle::cache_step::single_flight::{self, Reader};
use crate::handle::call::{CacheSlot, Call, PendingRequest, RoutedCall};
use crate::handle::choose::{choose, choose_route};
use crate::handle::context::{Arrival, RequestContext};
use crate::handle::embeddings::Embeddings;
use crate::handle::generation::Generation;
use crate::handle::guard::AllowedHosts;
use crate::handle::response::{ATTEMPTS, BACKEND, CACHE_KEY, ROUTE, Refusal, ResponseBody};
use crate::handle::surface::{CallSurface, FixedSurface, OwnSurface, Surface};
use crate::listener::metrics;
use crate::snapshot::{GatewayClient, Snapshot};

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
    let mut response = match check_head(gateway, hosts, &request) {
        Ok(Head::Fixed(surface)) => surface.response(),
        Ok(Head::Own(surface, Caller { client, snapshot })) => match surface {
            OwnSurface::Models => models::list(&snapshot, &client, dialect),
            OwnSurface::Model(id) => models::one(&snapshot, &client, dialect, &id),
            OwnSurface::Mcp => {
                gateway.agents.answer(&client, &snapshot, &gateway.limits, request).await
            }
            OwnSurface::Metrics => metrics::answer(gateway.metrics.text().map(Into::into))
                .unwrap_or_else(|refusal| refusal.answer(dialect)),
        },
        Ok(Head::Call(surface, caller)) => call(gateway, &surface, caller, arrival, request).await,
        Err(refusal) => refuse(gateway, &refusal, dialect, request).await,
    };
    response::stamp(&mut response, id, dialect);
    if is_chunked {
        response::close(&mut response);
    }
    response
}

/// Where a request goes by its head, and who sent it.
enum Head {
    Fixed(FixedSurface),
    Own(OwnSurface, Caller),
    Call(CallSurface, Caller),
}

struct Caller {
    client: Arc<GatewayClient>,
    snapshot: Arc<Snapshot>,
}

/// Checks the head, routes the path and authenticates the client.
fn check_head<B>(
    gateway: &Gateway,
    hosts: &AllowedHosts,
    request: &Request<B>,
) -> Result<Head, Refusal> {
    guard::check(request, hosts)?;
    let surface = surface::of(request)?;
    let caller = |own: Option<&OwnSurface>| {
        let snapshot = gateway.snapshot.load_full();
        let (now, events) = (gateway.outbound.clock.wall(), gateway.accounting.events.as_ref());
        let client = auth::authenticate(request, &snapshot, now, events)?;
        metrics::check_access(&client, own)?;
        Ok(Caller { client, snapshot })
    };
    match surface {
        Surface::Fixed(surface) => Ok(Head::Fixed(surface)),
        Surface::Own(surface) => {
            let caller = caller(Some(&surface))?;
            Ok(Head::Own(surface, caller))
        }
        Surface::Call(surface) => {
            let caller = caller(None)?;
            guard::check_json(request.headers())?;
            Ok(Head::Call(surface, caller))
        }
    }
}

/// Refuses a request whose body was not read.
async fn refuse(
    gateway: &Gateway,
    refusal: &Refusal,
    dialect: Dialect,
    request: Request<Incoming>,
) -> Response<ResponseBody> {
    let now = gateway.outbound.clock.now();
    let bytes_max = gateway.snapshot.load().limits.body_bytes_max;
    if refusal.code == auth::INVALID_TOKEN {
        gateway.wrong_tokens.record(now).await;
    }
    gateway.refusals.note(refusal.code, surface::template(&request), now);
    body::swallow_refused(request, bytes_max).await;
    refusal.answer(dialect)
}

/// Reads and parses a call to a model, and answers it under the id of its request.
async fn call(
    gateway: &Arc<Gateway>,
    surface: &CallSurface,
    caller: Caller,
    arrival: Arrival,
    request: Request<Incoming>,
) -> Response<ResponseBody> {
    let Caller { client, snapshot } = caller;
    let dialect = arrival.dialect;
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
    let id = context.arrival.id;
    let outcome = match surface {
        CallSurface::Generate(surface) => {
            match Generation::parse(surface, &context, body, &gateway.items) {
                Ok(call) => answer(gateway, context, call).await,
                Err(refusal) => Err(refusal),
            }
        }
        CallSurface::Embeddings(surface) => match Embeddings::parse(surface, &context, body) {
            Ok(call) => answer(gateway, context, call).await,
            Err(refusal) => Err(refusal),
        },
        CallSurface::CountTokens(surface) => {
            let Gateway { admission, outbound, .. } = gateway.as_ref();
            token_count::answer(surface, &context, body, admission, outbound).await
        }
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
        Err(failure) => return Ok(relay::refused(record, &failure, context.arrival.dialect).await),
    };
    let switch = |route: &RouteId| {
        choose_route(registry, snapshot, &context.client, &facts.asking(&context), route)
    };
    match gateway.budgets.admit(&context, facts.model, || call.size(), &mut decision, switch) {
        Ok(reservation) => record.hold_budget(reservation),
        Err(failure) => return Ok(relay::refused(record, &failure, context.arrival.dialect).await),
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
        Err(failure) => relay::refused(record, &failure, routed.context.arrival.dialect).await,
    };
    route.mark(&mut response);
    response
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
