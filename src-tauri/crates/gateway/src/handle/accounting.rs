//! The ledger's record of one request, from its reservation to its settlement.
//!
//! A request is settled exactly once. A record that is dropped (the client has disconnected, the program
//! stops) settles itself as cancelled and does not wait for the commit.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::{BackendId, Clock, Moment, NanoUsd};
use endpoints::{AdmittedAttempt, KeyGeneration, Verdict};
use futures_util::future::BoxFuture;
use ledger::{
    AttemptRecord, BacklogReason, CommitStatus, Ledger, LedgerError, NewRequest, RequestOutcome,
    Settlement, StoppedLoop, Timings, UsageBasis,
};
use pricing::{AttemptCost, AttemptPricing, Cost, PriceBook};
use resilience::{CallOutcome, LoopDetection};
use routing::{Candidate, Decision};
use wire::{AnswerFacts, ErrorKind, UsageReading, UsageReport};

use crate::event::{EventSink, GatewayEvent, Recorded, RequestSummary};
use crate::handle::admission::SlotGuard;
use crate::handle::budget_guard::BudgetReservation;
use crate::handle::failure::{BackendWork, Failure};
use crate::snapshot::Backend;

use crate::handle::response::{Refusal, RetryAdvice};

pub(crate) use self::cache_outcome::{AnswerEnd, AnswerEndCell, AnswerRecord};

mod cache_outcome;
mod decision;
pub(crate) mod estimate;

/// `Retry-After` of a request that was refused because of the ledger, which retries its write within a
/// second.
const LEDGER_RETRY_AFTER: Duration = Duration::from_secs(5);

/// The ledger that requests are recorded in and the sink that they are announced to.
#[derive(Clone)]
pub(crate) struct Accounting {
    pub(crate) ledger: Ledger,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: Arc<dyn EventSink>,
}

/// A settlement to commit, and its announcement.
struct ClosedRecord {
    settlement: Box<Settlement>,
    announcement: Announcement,
    /// Held until the settlement is queued.
    budget: Option<BudgetReservation>,
}

pub(crate) struct RequestRecord {
    accounting: Arc<Accounting>,
    settlement: Option<Box<Settlement>>,
    verdict: Option<Verdict>,
    begun: Moment,
    pricing: Option<AttemptPricing>,
    attempt_begun: Option<Moment>,
    /// Time to the first token of the current attempt.
    first_token: Option<Duration>,
    attempt_permit: Option<AdmittedAttempt>,
    /// Of the secret that the current attempt is sent with.
    key_generation: KeyGeneration,
    /// Time waited before the next attempt.
    waited: Duration,
    /// The first candidate; a request that failed before any attempt is attributed to it.
    first_choice: Option<BackendId>,
    /// Set when the answer ends, if other requests share it.
    end_cell: Option<AnswerEndCell>,
    slot: SlotGuard,
    budget: Option<BudgetReservation>,
    /// The commit of what `budget` reserved.
    reserved: Option<BoxFuture<'static, Result<CommitStatus, LedgerError>>>,
}

impl RequestRecord {
    pub(crate) fn new(
        accounting: &Arc<Accounting>,
        request: NewRequest,
        begun: Moment,
        bytes_in: usize,
        slot: SlotGuard,
    ) -> Self {
        let queue = accounting.clock.now().since(begun);
        let settlement = Settlement {
            timings: Timings { queue: Some(queue), ..Timings::default() },
            bytes_in: u64::try_from(bytes_in).unwrap_or(u64::MAX),
            ..Settlement::unfinished(request)
        };
        Self {
            accounting: Arc::clone(accounting),
            settlement: Some(Box::new(settlement)),
            verdict: None,
            begun,
            pricing: None,
            attempt_begun: None,
            first_token: None,
            attempt_permit: None,
            key_generation: KeyGeneration::default(),
            waited: Duration::ZERO,
            first_choice: None,
            end_cell: None,
            slot,
            budget: None,
            reserved: None,
        }
    }

    /// Keeps what the budgets reserved until the request is settled.
    pub(crate) fn hold_budget(&mut self, reservation: Option<BudgetReservation>) {
        self.budget = reservation;
    }

    /// Queues the reservation. After an error nothing is queued and nothing will be settled.
    pub(crate) fn reserve(&mut self, decision: &Decision) -> Result<(), Refusal> {
        self.first_choice = decision.candidates.first().map(|first| first.endpoint.backend.clone());
        let Some(settlement) = &mut self.settlement else { return Ok(()) };
        // A budget may have sent the request to another route than the one first chosen.
        settlement.request.route.clone_from(&decision.route);
        settlement.explanation = Some(decision.explanation.clone());
        settlement.decision = decision::to_json(decision);
        let ledger = &self.accounting.ledger;
        let amounts = self.budget.as_ref().map(BudgetReservation::amounts).unwrap_or_default();
        let queued = match amounts.is_empty() {
            true => ledger.reserve(settlement.request.clone()),
            false => ledger
                .reserve_amounts(settlement.request.clone(), amounts)
                .map(|committed| self.reserved = Some(Box::pin(committed))),
        };
        queued.map_err(|error| {
            self.settlement = None;
            tracing::warn!(%error, "a request was refused because it could not be recorded");
            ledger_unavailable(&error)
        })
    }

    /// Waits until what budgets reserved is committed, or the ledger reports that it is behind, so that
    /// money spent after it survives a kill.
    pub(crate) async fn wait_until_reserved(&mut self) {
        let Some(committed) = self.reserved.take() else { return };
        if let Err(error) = committed.await {
            tracing::warn!(%error, "what a budget reserved could not be recorded");
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.accounting.clock.now().since(self.begun)
    }

    /// Adds to the time waited before the next attempt.
    pub(crate) fn add_wait(&mut self, wait: Duration) {
        self.waited = self.waited.saturating_add(wait);
    }

    /// Keeps the conversation at the backend of the last attempt for `stay`.
    pub(crate) fn keep_conversation(&self, conversation: u64, stay: Duration) {
        if let Some(attempt) = &self.attempt_permit {
            attempt.keep_conversation(conversation, stay);
        }
    }

    /// Holds the permit of an attempt, which starts with [`Self::begin_attempt`].
    pub(crate) fn attempt_admitted(&mut self, attempt_permit: AdmittedAttempt) {
        self.attempt_permit = Some(attempt_permit);
    }

    /// Releases the permit of an attempt that did not start.
    pub(crate) fn attempt_not_begun(&mut self) {
        self.attempt_permit = None;
    }

    /// Starts an attempt at `to`.
    pub(crate) fn begin_attempt(
        &mut self,
        candidate: &Candidate,
        to: &Backend,
        prices: &Arc<PriceBook>,
    ) {
        self.failed_over();
        let permit = self.attempt_permit.as_ref();
        self.key_generation = permit.map(AdmittedAttempt::key_generation).unwrap_or_default();
        self.attempt_begun = Some(self.accounting.clock.now());
        self.first_token = None;
        let pricing = AttemptPricing {
            prices: Arc::clone(prices),
            provider: to.provider(),
            backend: to.id.clone(),
            model: candidate.model.clone(),
        };
        let cost_without_usage = pricing.without_usage();
        self.pricing = Some(pricing);
        let started = self.accounting.clock.wall();
        let Some(settlement) = &mut self.settlement else { return };
        settlement.backend = Some(to.id.clone());
        settlement.credential.clone_from(&candidate.endpoint.credential);
        // An earlier attempt's, which another model may have answered.
        settlement.model_billed = None;
        let mut attempt =
            AttemptRecord::started(candidate.endpoint.clone(), &candidate.model, started);
        attempt.set_cost(cost_without_usage);
        if let (Some(budget), Some(failed)) = (&mut self.budget, settlement.attempts.last()) {
            budget.cover_next_attempt(&failed.cost);
        }
        attempt.waited = std::mem::take(&mut self.waited);
        settlement.attempts.push(attempt);
    }

    /// Announces that the previous attempt failed, if it did.
    fn failed_over(&mut self) {
        let Some(verdict) = self.verdict.take() else { return };
        let failed = self.settlement.as_ref().and_then(|settlement| settlement.attempts.last());
        let Some(failed) = failed else { return };
        self.accounting.events.emit(GatewayEvent::FailedOver {
            backend: failed.backend.clone(),
            credential: failed.credential.clone(),
            key_generation: self.key_generation,
            verdict,
            duration: failed.duration,
        });
    }

    /// The number of attempts started.
    pub(crate) fn attempts(&self) -> usize {
        self.settlement.as_ref().map_or(0, |settlement| settlement.attempts.len())
    }

    /// The backend of the last attempt.
    pub(crate) fn backend(&self) -> Option<&BackendId> {
        self.settlement.as_ref().and_then(|settlement| settlement.backend.as_ref())
    }

    /// Records the arrival of the backend's first byte.
    pub(crate) fn first_byte(&mut self, status: u16) {
        let elapsed = self.elapsed();
        let Some(settlement) = &mut self.settlement else { return };
        settlement.timings.first_byte.get_or_insert(elapsed);
        if let Some(attempt) = settlement.attempts.last_mut() {
            attempt.http_status = Some(status);
        }
    }

    /// Records the arrival of the first content.
    pub(crate) fn first_token(&mut self) {
        let elapsed = self.elapsed();
        let in_attempt = self.attempt_duration();
        if self.first_token.is_none()
            && let Some(attempt_permit) = &self.attempt_permit
        {
            attempt_permit.answer_started();
        }
        self.first_token.get_or_insert(in_attempt);
        if let Some(settlement) = &mut self.settlement {
            settlement.timings.first_token.get_or_insert(elapsed);
        }
    }

    pub(crate) fn add_bytes_out(&mut self, bytes: usize) {
        if let Some(settlement) = &mut self.settlement {
            let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
            settlement.bytes_out = settlement.bytes_out.saturating_add(bytes);
        }
    }

    /// Sets the status that is sent to the client.
    pub(crate) fn set_status(&mut self, status: u16) {
        if let Some(settlement) = &mut self.settlement {
            settlement.http_status = Some(status);
        }
    }

    /// Records model, usage and cost of a complete answer. `request_body` is the request's body, for an estimate
    /// where the backend reported no usage.
    pub(crate) fn record_facts(&mut self, facts: &AnswerFacts, request_body: &Bytes) {
        self.set_facts(facts, estimate::usage(facts, request_body).as_ref());
    }

    /// As [`Self::record_facts`], for an answer that broke off.
    pub(crate) fn record_partial_facts(&mut self, facts: &AnswerFacts, request_body: &Bytes) {
        self.set_facts(facts, estimate::partial_usage(facts, request_body).as_ref());
    }

    fn set_facts(&mut self, facts: &AnswerFacts, usage: Option<&UsageReport>) {
        let Some(settlement) = &mut self.settlement else { return };
        settlement.model_billed.clone_from(&facts.model);
        settlement.finish_reason.clone_from(&facts.finish_reason);
        settlement.usage = usage.map(UsageReport::tokens);
        settlement.usage_basis = usage.map(|report| basis(report.reading));
        settlement.usage_raw = usage.and_then(|report| report.raw.clone());
        let started = settlement.request.started;
        let Some(attempt) = settlement.attempts.last_mut() else { return };
        attempt.usage = settlement.usage;
        if let (Some(pricing), Some(usage)) = (&self.pricing, usage) {
            attempt.set_cost(pricing.cost(&usage.usage, facts.model.as_deref(), started));
        }
    }

    /// The known cost of all attempts.
    pub(crate) fn cost(&self) -> Option<NanoUsd> {
        let attempts = &self.settlement.as_ref()?.attempts;
        Cost::total(attempts.iter().map(|attempt| &attempt.cost)).amount()
    }

    /// Records the failure of the current attempt.
    pub(crate) fn attempt_failed(&mut self, failure: &Failure) {
        let duration = self.attempt_duration();
        self.verdict = Some(failure.verdict);
        if let Some(attempt_permit) = self.attempt_permit.take() {
            attempt_permit.ended(failure.happened(), self.tokens());
        }
        let Some(settlement) = &mut self.settlement else { return };
        if let Some(attempt) = settlement.attempts.last_mut() {
            if attempt.usage.is_none() && failure.work == BackendWork::None {
                attempt.set_cost(AttemptCost::not_billed());
            }
            attempt.duration = duration;
            attempt.class = Some(failure.class.word().to_owned());
            attempt.owner = Some(failure.class.owner().word().to_owned());
            attempt.error_class = Some(failure.refusal.code.to_owned());
            attempt.http_status = failure.upstream_status.or(attempt.http_status);
            attempt.message = Some(failure.refusal.message.to_string());
        }
    }

    /// Settles a complete answer. Returns once it is committed, or when the ledger reports that it is
    /// behind; the answer may be delivered either way.
    pub(crate) async fn complete(&mut self) {
        let duration = self.attempt_duration();
        self.verdict = Some(Verdict::Success);
        if let Some(attempt_permit) = self.attempt_permit.take() {
            attempt_permit
                .ended(CallOutcome::Success { first_token: self.first_token }, self.tokens());
        }
        if let Some(attempt) = self.settlement.as_mut().and_then(|s| s.attempts.last_mut()) {
            attempt.duration = duration;
        }
        self.settle(RequestOutcome::Complete, None).await;
    }

    /// Settles a request whose client gets an error instead of an answer, or after a part of one.
    pub(crate) async fn fail(&mut self, outcome: RequestOutcome, failure: &Failure) {
        self.verdict.get_or_insert(failure.verdict);
        if let Some(settlement) = &mut self.settlement {
            settlement.error_message = Some(failure.refusal.message.to_string());
        }
        self.settle(outcome, Some(failure.refusal.code)).await;
    }

    /// Tokens used by the current attempt.
    fn tokens(&self) -> u64 {
        let usage = self.settlement.as_ref().and_then(|settlement| settlement.usage);
        usage.map_or(0, |usage| usage.input().saturating_add(usage.output()))
    }

    pub(crate) const fn begun(&self) -> Moment {
        self.begun
    }

    /// The start of the current attempt.
    pub(crate) const fn attempt_begun(&self) -> Option<Moment> {
        self.attempt_begun
    }

    /// The age of the current attempt.
    pub(crate) fn attempt_duration(&self) -> Duration {
        self.attempt_begun.map_or(Duration::ZERO, |since| self.accounting.clock.now().since(since))
    }

    async fn settle(&mut self, outcome: RequestOutcome, error_class: Option<&'static str>) {
        self.announce_end(outcome, error_class);
        let Some(closed) = self.close(outcome, error_class) else { return };
        let ClosedRecord { settlement, mut announcement, budget } = closed;
        let id = settlement.request.id;
        let commit = self.accounting.ledger.settle(settlement);
        drop(budget);
        match commit.await {
            Ok(CommitStatus::Committed) => announcement.recorded(),
            Ok(CommitStatus::Queued) => {}
            Err(error) => {
                tracing::error!(%id, %error, "a request could not be recorded in the ledger");
            }
        }
    }

    /// Writes down that the runaway guard stopped the conversation, for those who look later.
    fn note_loop(&self, detection: LoopDetection, request: &NewRequest) {
        if detection == LoopDetection::NoLoop {
            return;
        }
        let (request, client) = (request.id, request.client.clone());
        let stopped = StoppedLoop { request, client, at: self.accounting.clock.wall() };
        if let Err(error) = self.accounting.ledger.record_loop(stopped) {
            tracing::warn!(%error, "a stopped conversation could not be recorded in the ledger");
        }
    }

    /// Makes the settlement final; `None` if the request is already settled.
    fn close(
        &mut self,
        outcome: RequestOutcome,
        error_class: Option<&'static str>,
    ) -> Option<ClosedRecord> {
        let (total, tokens) = (self.elapsed(), self.tokens());
        let mut settlement = self.settlement.take()?;
        self.slot.used(tokens);
        if let (RequestOutcome::Complete | RequestOutcome::Partial, Some(usage)) =
            (outcome, settlement.usage)
        {
            self.note_loop(self.slot.answered(usage.output()), &settlement.request);
        }
        settlement.outcome = outcome;
        settlement.ended = self.accounting.clock.wall();
        settlement.timings.total = Some(total);
        settlement.cost = Cost::total(settlement.attempts.iter().map(|attempt| &attempt.cost));
        settlement.error_class = error_class.map(str::to_owned);
        let mut budget = self.budget.take();
        if let Some(reservation) = &mut budget {
            reservation.settle(&settlement);
        }
        let verdict = settlement.backend.is_some().then_some(self.verdict).flatten();
        if outcome == RequestOutcome::Failed && settlement.backend.is_none() {
            settlement.backend = self.first_choice.take();
        }
        let summary = RequestSummary::new(&settlement, verdict, self.key_generation);
        let announcement =
            Announcement { events: Arc::clone(&self.accounting.events), summary: Some(summary) };
        Some(ClosedRecord { settlement, announcement, budget })
    }
}

impl Drop for RequestRecord {
    fn drop(&mut self) {
        self.verdict = Some(Verdict::Cancelled);
        let duration = self.attempt_duration();
        if let Some(attempt) = self.settlement.as_mut().and_then(|s| s.attempts.last_mut()) {
            attempt.duration = duration;
        }
        let Some(closed) = self.close(RequestOutcome::Cancelled, None) else { return };
        let id = closed.settlement.request.id;
        // `closed` keeps the budget's reservation until its end.
        if let Err(error) = self.accounting.ledger.settle_unawaited(closed.settlement) {
            tracing::error!(%id, %error, "a cancelled request could not be recorded in the ledger");
        }
    }
}

/// Announces a settled request exactly once, even if its future is dropped while it waits for the ledger.
struct Announcement {
    events: Arc<dyn EventSink>,
    summary: Option<RequestSummary>,
}

impl Announcement {
    fn recorded(&mut self) {
        if let Some(summary) = &mut self.summary {
            summary.recorded = Recorded::Yes;
        }
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        if let Some(summary) = self.summary.take() {
            self.events.emit(GatewayEvent::RequestSettled(Box::new(summary)));
        }
    }
}

const fn basis(reading: UsageReading) -> UsageBasis {
    match reading {
        UsageReading::AsReported => UsageBasis::Reported,
        UsageReading::Adjusted => UsageBasis::Adjusted,
        UsageReading::Estimated => UsageBasis::Estimated,
    }
}

fn ledger_unavailable(error: &LedgerError) -> Refusal {
    let reason = match error {
        LedgerError::Closed => "Gatehouse is stopping.",
        refusal => BacklogReason::from(refusal).sentence(),
    };
    let message =
        format!("Gatehouse cannot write its ledger, so the request was not sent. {reason}");
    Refusal::new(503, ErrorKind::Api, "ledger_unavailable", message)
        .retry(RetryAdvice::After(LEDGER_RETRY_AFTER))
}
