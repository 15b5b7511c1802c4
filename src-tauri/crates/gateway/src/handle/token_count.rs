//! Counts the tokens of a request before it is sent. The backend that would answer the request counts
//! if it speaks the client's dialect; otherwise the count is an estimate and marked so.
//!
//! A count shares admission and routing with the other calls, and the plan of attempts, but not
//! `attempts`: nothing is billed, so there is no record, budget or price. It takes no permit of a
//! breaker and reports nothing to one: a provider may answer requests and know no counts, so a failed
//! count must not open its breaker, nor a successful one close it. Nor does it take from the limits of
//! the backend, since providers limit counts separately; so a cooldown does not stop it either.
//!
//! If the backend cannot be asked or fails, another one that would count the same counts: one of the
//! same dialect and model. Each is asked once. Counts have no retry budget, since clients do without a
//! count.

use std::time::Duration;

use bytes::Bytes;
use cache::BypassReason;
use endpoints::TrafficRules;
use hyper::Response;
use hyper::header::HeaderValue;
use resilience::{
    AttemptContext, AttemptPlan, AttemptStep, Availability, ClosedReason, RetryBudget,
    RetryBudgetRules,
};
use routing::{Candidate, Decision, Needs, RoutingRequest};
use wire::{CountRequest, read_count, write_count};

use crate::handle::accounting::estimate;
use crate::handle::admission::{AdmissionControl, AdmissionRequest};
use crate::handle::attempts::read::ReadLimits;
use crate::handle::attempts::reasons::FailureReasons;
use crate::handle::attempts::send::{BackendCall, fetch};
use crate::handle::choose::choose;
use crate::handle::context::RequestContext;
use crate::handle::failure::{BackendWork, Failure, bad_request};
use crate::handle::response::{self, BACKEND, CACHE, ESTIMATED, Refusal, ResponseBody};
use crate::handle::surface::CountTokensSurface;
use crate::limits::COUNT_ANSWER_BYTES_MAX;
use crate::outbound::Outbound;
use crate::snapshot::Backend;

/// Counts are not retried.
const NO_RETRIES: RetryBudgetRules = RetryBudgetRules { percent: 0, reserve: 0 };

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
    let counted = TokenCount { request: &request, context, outbound }.answer().await;
    let mut response =
        counted.unwrap_or_else(|failure| failure.refusal.answer(context.arrival.dialect));
    response.headers_mut().insert(CACHE, HeaderValue::from_static("bypass"));
    Ok(response)
}

struct TokenCount<'a> {
    request: &'a CountRequest,
    context: &'a RequestContext,
    outbound: &'a Outbound,
}

/// A candidate that counts the same as the first one.
struct CountTarget<'a> {
    backend: &'a Backend,
    candidate: &'a Candidate,
}

/// Why a candidate did not count.
enum CountError {
    NotAsked(Failure),
    Failed(Failure),
}

impl TokenCount<'_> {
    async fn answer(&self) -> Result<Response<ResponseBody>, Failure> {
        let decision = self.choose()?;
        let Some(first) = decision.candidates.first() else {
            return Err(FailureReasons::default().into_failure());
        };
        let snapshot = &self.context.snapshot;
        let is_reachable = |it: &&Candidate| self.outbound.reachable(snapshot, it).is_ok();
        let first = decision.candidates.iter().find(is_reachable).unwrap_or(first);
        let backend = self.outbound.reachable(snapshot, first)?;
        if self.request.is_counted_by(&backend.target(&first.model)) {
            return self.ask(&self.targets(&decision, &first.model)).await;
        }
        let tokens = estimate::input_tokens(self.request.body());
        let count = write_count(self.context.arrival.dialect, tokens);
        let mut response = response::json(200, count);
        response.headers_mut().insert(ESTIMATED, HeaderValue::from_static("tokens"));
        response::mark(&mut response, BACKEND, backend.id.as_str());
        Ok(response)
    }

    /// The candidates that would answer the request; the first one counts.
    fn choose(&self) -> Result<Decision, Failure> {
        let RequestContext { arrival, client, snapshot, .. } = self.context;
        let asking = RoutingRequest {
            model: self.request.model(),
            client: &client.id,
            switched_to: client.switched_to.as_ref(),
            project: arrival.project.as_deref(),
            needs: Needs { dialect: Some(arrival.dialect), ..Needs::default() },
            conversation: None,
        };
        choose(&self.outbound.registry, snapshot, client, &asking)
    }

    /// The candidates with `model` that count in the client's dialect.
    fn targets<'d>(&'d self, decision: &'d Decision, model: &str) -> Vec<CountTarget<'d>> {
        let same = decision.candidates.iter().filter(|it| it.model == *model);
        let target = |candidate: &'d Candidate| {
            let backend = self.outbound.reachable(&self.context.snapshot, candidate).ok()?;
            let counts = self.request.is_counted_by(&backend.target(&candidate.model));
            counts.then_some(CountTarget { backend, candidate })
        };
        same.filter_map(target).collect()
    }

    /// Asks one target after the other until one counts.
    async fn ask(&self, targets: &[CountTarget<'_>]) -> Result<Response<ResponseBody>, Failure> {
        let registry = &self.outbound.registry;
        let endpoints = || {
            let candidates = targets.iter().map(|it| it.candidate);
            candidates.map(|candidate| (&candidate.endpoint, candidate.model.as_str()))
        };
        let mut plan = AttemptPlan::new(self.context.attempt_rules(), endpoints());
        let mut budget = RetryBudget::new(NO_RETRIES);
        let mut reasons = FailureReasons::default();
        let mut step = plan.first_step();
        while let AttemptStep::Try(index) = step {
            let Some(target) = targets.get(index) else { break };
            let left = self.time_left();
            let error = match self.ask_one(target, left).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            let at = AttemptContext {
                now: self.outbound.clock.now(),
                left: self.time_left(),
                chance: registry.chance(),
            };
            step = match error {
                CountError::NotAsked(failure) => {
                    reasons.add(target.candidate, failure);
                    plan.next_after_rejection(index, &mut budget, at)
                }
                CountError::Failed(failure) => {
                    let planned = failure.for_plan();
                    reasons.add(target.candidate, failure);
                    plan.next_after_failure(index, planned, &mut budget, at)
                }
            };
        }
        if plan.attempts_made() > 0 {
            return Err(reasons.into_failure());
        }
        Err(reasons.all_closed(registry.time_until_reopen(endpoints())))
    }

    async fn ask_one(
        &self,
        target: &CountTarget<'_>,
        left: Duration,
    ) -> Result<Response<ResponseBody>, CountError> {
        let CountTarget { backend, candidate: Candidate { endpoint, model, .. } } = target;
        let closed = self.outbound.registry.availability(endpoint, model);
        if let Availability::Closed { reason, .. } = closed
            && !matches!(reason, ClosedReason::CoolingDown(_))
        {
            let now = self.outbound.clock.now();
            return Err(CountError::NotAsked(Failure::closed(endpoint, &closed, now)));
        }
        let key = self.outbound.key(endpoint).await.map_err(CountError::NotAsked)?;
        let outgoing = self.request.upstream_request(&backend.target(model));
        let limits = &self.context.snapshot.limits;
        let sent = BackendCall {
            backend,
            key,
            outgoing: &outgoing,
            headers: &self.context.headers,
            client: outgoing.dialect,
            timeout: limits.first_token_timeout.min(left),
        };
        let limits = ReadLimits { bytes_max: COUNT_ANSWER_BYTES_MAX, stall: limits.stall_timeout };
        let count = fetch(self.outbound, sent, limits).await.map_err(CountError::Failed)?.body;
        if read_count(outgoing.dialect, &count).is_none() {
            let what = "sent no token count.";
            let failure = Failure::unreadable(&backend.id, what, BackendWork::None);
            return Err(CountError::Failed(failure));
        }
        let mut response = response::json(200, count);
        response::mark_dropped(&mut response, &outgoing.dropped);
        response::mark(&mut response, BACKEND, backend.id.as_str());
        Ok(response)
    }

    fn time_left(&self) -> Duration {
        let RequestContext { arrival, snapshot, .. } = self.context;
        let elapsed = self.outbound.clock.now().since(arrival.begun);
        snapshot.limits.total_timeout.saturating_sub(elapsed)
    }
}
