//! The attempt loop of one request: asks one candidate after the other until one begins to answer.
//!
//! [`AttemptPlan`] decides which candidate is next, and when. Nothing reaches the client while the loop
//! runs.

use std::sync::Arc;
use std::time::Duration;

use domain::{BoundSecret, Endpoint};
use endpoints::{AdmittedAttempt, NotAdmitted};
use resilience::{AttemptContext, AttemptPlan, AttemptStep, Availability, FailureClass};
use routing::Candidate;

use self::reasons::FailureReasons;
use crate::event::GatewayEvent;
use crate::handle::accounting::RequestRecord;
use crate::handle::call::{AttemptTarget, Call, RoutedCall, TimeoutShare};
use crate::handle::context::RequestContext;
use crate::handle::failure::Failure;
use crate::handle::response::RetryAdvice;
use crate::limits::RETRY_AFTER_SECS_MAX;
use crate::outbound::Outbound;

pub(crate) mod open;
pub(crate) mod read;
pub(crate) mod reasons;
pub(crate) mod send;

/// Asks candidates until one begins to answer. Fails with the error for the client.
pub(crate) async fn run<C: Call>(
    outbound: &Outbound,
    routed: &RoutedCall<C>,
    record: &mut RequestRecord,
) -> Result<C::Opened, Failure> {
    let mut attempts = AttemptLoop { outbound, routed, record };
    tokio::select! {
        biased;
        outcome = attempts.run() => return outcome,
        () = routed.context.arrival.stopped.cancelled() => {}
    }
    let failure = Failure::stopped();
    record.attempt_failed(&failure);
    Err(failure)
}

/// Starts an attempt at `target`: reads its key, records and announces the attempt. Without the key it
/// fails, and no attempt has begun.
pub(crate) async fn begin(
    outbound: &Outbound,
    context: &RequestContext,
    target: AttemptTarget<'_>,
    record: &mut RequestRecord,
) -> Result<Option<Arc<BoundSecret>>, Failure> {
    let AttemptTarget { backend, candidate, .. } = target;
    let key = outbound.key(&candidate.endpoint).await?;
    record.begin_attempt(candidate, backend, &context.snapshot.prices);
    outbound.events.emit(GatewayEvent::RequestStarted {
        id: context.arrival.id,
        client: context.client.id.clone(),
        backend: backend.id.clone(),
    });
    Ok(key)
}

struct AttemptLoop<'a, C: Call> {
    outbound: &'a Outbound,
    routed: &'a RoutedCall<C>,
    record: &'a mut RequestRecord,
}

/// Why a candidate did not answer.
enum AttemptError {
    NotAttempted(Failure),
    Failed(Failure),
}

impl<'a, C: Call> AttemptLoop<'a, C> {
    async fn run(&mut self) -> Result<C::Opened, Failure> {
        let routed = self.routed;
        let mut reasons = FailureReasons::default();
        let mut plan = self.plan();
        let mut step = plan.first_step();
        loop {
            let (index, trial) = match step {
                AttemptStep::Try(index) => (index, None),
                AttemptStep::TryAfter(index, wait) => {
                    tokio::time::sleep(wait).await;
                    self.record.add_wait(wait);
                    (index, None)
                }
                AttemptStep::TrySoleTrial => {
                    let Some((index, trial)) = self.admit_sole_trial() else { break };
                    plan.start_sole_trial(index);
                    (index, Some(trial))
                }
                AttemptStep::Stop(_) => break,
            };
            let Some(candidate) = routed.decision.candidates.get(index) else { break };
            let outcome = match trial {
                Some((target, permit)) => {
                    reasons.remove(candidate);
                    self.attempt(target, permit).await
                }
                None => self.try_candidate(candidate).await,
            };
            let registry = &self.outbound.registry;
            step = match outcome {
                Ok(opened) => return Ok(opened),
                Err(AttemptError::NotAttempted(failure)) => {
                    reasons.add(candidate, failure);
                    let at = self.circumstances();
                    plan.next_after_rejection(index, &mut registry.budget(), at)
                }
                Err(AttemptError::Failed(failure)) => {
                    let planned = failure.for_plan();
                    reasons.add(candidate, failure);
                    let at = self.circumstances();
                    plan.next_after_failure(index, planned, &mut registry.budget(), at)
                }
            };
        }
        if plan.attempts_made() > 0 {
            return Err(reasons.into_failure());
        }
        let reopens = self.outbound.registry.time_until_reopen(self.candidates());
        Err(reasons.all_closed(reopens))
    }

    fn plan(&self) -> AttemptPlan {
        AttemptPlan::new(self.routed.context.attempt_rules(), self.candidates())
    }

    fn candidates(&self) -> impl Iterator<Item = (&'a Endpoint, &'a str)> + use<'a, C> {
        let candidates = self.routed.decision.candidates.iter();
        candidates.map(|candidate| (&candidate.endpoint, candidate.model.as_str()))
    }

    fn circumstances(&self) -> AttemptContext {
        let total = self.routed.context.snapshot.limits.total_timeout;
        AttemptContext {
            now: self.outbound.clock.now(),
            left: total.saturating_sub(self.record.elapsed()),
            chance: self.outbound.registry.chance(),
        }
    }

    fn timeout_share(&self, candidate: &Candidate) -> TimeoutShare {
        let RoutedCall { context, decision, .. } = self.routed;
        let attempts_max = usize::from(context.attempt_rules().attempts_max);
        let later = decision.candidates.iter().skip_while(|it| !std::ptr::eq(*it, candidate));
        let mut others = later.filter(|it| it.endpoint.backend != candidate.endpoint.backend);
        if self.record.attempts() + 1 < attempts_max && others.next().is_some() {
            TimeoutShare::Half
        } else {
            TimeoutShare::All
        }
    }

    async fn try_candidate(&mut self, candidate: &Candidate) -> Result<C::Opened, AttemptError> {
        let RoutedCall { context, call, decision, .. } = self.routed;
        let reachable = self.outbound.reachable(&context.snapshot, candidate);
        let backend = reachable.map_err(AttemptError::NotAttempted)?;
        let load = call.facts().load(context);
        let admitted =
            self.outbound.registry.admit(candidate, &decision.candidates, backend.traffic(), load);
        let permit = admitted.map_err(|refused| {
            AttemptError::NotAttempted(match refused {
                NotAdmitted::Closed(closed) => {
                    Failure::closed(&candidate.endpoint, &closed, self.outbound.clock.now())
                }
                NotAdmitted::Busy(busy) => Failure::busy(&backend.id, &busy),
            })
        })?;
        let share = self.timeout_share(candidate);
        self.attempt(AttemptTarget { backend, candidate, share }, permit).await
    }

    async fn attempt(
        &mut self,
        target: AttemptTarget<'_>,
        permit: AdmittedAttempt,
    ) -> Result<C::Opened, AttemptError> {
        let attempts = self.record.attempts();
        self.record.attempt_admitted(permit);
        match C::attempt(self.routed, self.outbound, target, self.record).await {
            Ok(opened) => Ok(opened),
            Err(failure) if self.record.attempts() == attempts => {
                self.record.attempt_not_begun();
                Err(AttemptError::NotAttempted(failure))
            }
            Err(failure) => {
                let registry = &self.outbound.registry;
                let mut failure = match self.record.attempt_begun() {
                    Some(since) => {
                        failure.without_local_causes(registry, &target.backend.id, since)
                    }
                    None => failure,
                };
                self.record.attempt_failed(&failure);
                self.add_cooldown(&mut failure, target.candidate);
                Err(AttemptError::Failed(failure))
            }
        }
    }

    /// The index of the closed candidate that reopens first, and its attempt, if its breaker grants one
    /// although it is open.
    fn admit_sole_trial(&self) -> Option<(usize, (AttemptTarget<'a>, AdmittedAttempt))> {
        let RoutedCall { context, call, decision, .. } = self.routed;
        let reachable = |(index, candidate)| {
            let backend = self.outbound.reachable(&context.snapshot, candidate).ok()?;
            Some((index, AttemptTarget { backend, candidate, share: TimeoutShare::All }))
        };
        let targets: Vec<_> =
            decision.candidates.iter().enumerate().filter_map(reachable).collect();
        let limits: Vec<_> = targets
            .iter()
            .map(|(_, target)| (target.candidate, target.backend.traffic()))
            .collect();
        let load = call.facts().load(context);
        let (nearest, permit) = self.outbound.registry.admit_sole_trial(&limits, load)?;
        let (index, target) = *targets.get(nearest)?;
        Some((index, (target, permit)))
    }

    /// Tells the client to wait out the endpoint's cooldown after a rate limit for which the backend named
    /// no wait.
    fn add_cooldown(&self, failure: &mut Failure, candidate: &Candidate) {
        if failure.class != FailureClass::RateLimited
            || failure.refusal.retry != RetryAdvice::AsStatusSays
        {
            return;
        }
        let Candidate { endpoint, model, .. } = candidate;
        if let Availability::Closed { until: Some(until), .. } =
            self.outbound.registry.availability(endpoint, model)
        {
            let wait = until.since(self.outbound.clock.now());
            let longest = Duration::from_secs(RETRY_AFTER_SECS_MAX);
            failure.refusal.retry = RetryAdvice::After(wait.min(longest));
        }
    }
}
