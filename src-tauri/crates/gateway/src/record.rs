//! One request on its way: what it will be written down as, from its arrival to its one settlement.
//!
//! Whatever happens, a request is settled exactly once. One that is dropped on the way (the client
//! has gone, the program stops) settles itself as cancelled and waits for no commit.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::{BackendId, Clock, MicroUsd, Moment, WallTime};
use ledger::{
    Attempt, Cost, Ledger, LedgerError, NewRequest, Outcome, PriceBook, Provider, Settled,
    Settlement, Timings, UsageBasis,
};
use resilience::Happened;
use routing::{Candidate, Decision};
use wire::{AnswerFacts, UsageReading, UsageReport};

use crate::decided;
use crate::entrance::Place;
use crate::estimate;
use crate::event::{EventSink, GatewayEvent, Recorded, RequestSummary, Verdict};
use crate::failure::{Failure, Work};
use crate::live::Trial;
use crate::snapshot::Backend;

pub(crate) use self::cached::{Ending, Made, Told};

mod cached;

/// Where records go.
#[derive(Clone)]
pub(crate) struct Books {
    pub(crate) ledger: Ledger,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: Arc<dyn EventSink>,
}

/// How a request ended, to be written down and then announced.
struct Closed {
    settlement: Box<Settlement>,
    announcement: Announcement,
}

/// One request on its way.
pub(crate) struct Record {
    books: Arc<Books>,
    settlement: Option<Box<Settlement>>,
    verdict: Option<Verdict>,
    begun: Moment,
    pricing: Option<Pricing>,
    tried_since: Option<Moment>,
    /// How long the try at hand took to its first token.
    first_token: Option<Duration>,
    /// The try at hand, as the backend's state machines know it.
    trial: Option<Trial>,
    /// How long the next try was waited for.
    waited: Duration,
    /// The first candidate: a request that no backend was asked was meant for it.
    first_choice: Option<BackendId>,
    /// Who is told how the answer ends.
    told: Option<Told>,
    place: Place,
}

/// What the tokens of the try at hand cost.
struct Pricing {
    prices: Arc<PriceBook>,
    provider: Option<Provider>,
    backend: BackendId,
    model: String,
}

impl Record {
    pub(crate) fn new(
        books: &Arc<Books>,
        request: NewRequest,
        begun: Moment,
        bytes_in: usize,
        place: Place,
    ) -> Self {
        let queue = books.clock.now().since(begun);
        let settlement = Settlement {
            timings: Timings { queue: Some(queue), ..Timings::default() },
            bytes_in: u64::try_from(bytes_in).unwrap_or(u64::MAX),
            ..Settlement::begun(request)
        };
        Self {
            books: Arc::clone(books),
            settlement: Some(Box::new(settlement)),
            verdict: None,
            begun,
            pricing: None,
            tried_since: None,
            first_token: None,
            trial: None,
            waited: Duration::ZERO,
            first_choice: None,
            told: None,
            place,
        }
    }

    /// Queues the reservation. After an error nothing was queued and nothing will be.
    pub(crate) fn reserve(&mut self, decision: &Decision) -> Result<(), LedgerError> {
        self.first_choice = decision.candidates.first().map(|first| first.access.backend.clone());
        let Some(settlement) = &mut self.settlement else { return Ok(()) };
        settlement.explanation = Some(decision.explanation.clone());
        settlement.decision = decided::written(decision);
        let reserved = self.books.ledger.reserve(settlement.request.clone());
        if reserved.is_err() {
            self.settlement = None;
        }
        reserved
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.books.clock.now().since(self.begun)
    }

    /// The next try is waited for.
    pub(crate) fn waits(&mut self, wait: Duration) {
        self.waited = self.waited.saturating_add(wait);
    }

    /// Where the last try went is where the conversation stays for `stay`.
    pub(crate) fn stay(&self, conversation: u64, stay: Duration) {
        if let (Some(pricing), Some(trial)) = (&self.pricing, &self.trial) {
            trial.live().answered(conversation, &pricing.backend, &pricing.model, stay);
        }
    }

    /// A try was let in; it begins with [`Self::begin_try`].
    pub(crate) fn admitted(&mut self, trial: Trial) {
        self.trial = Some(trial);
    }

    /// The try that was let in never began.
    pub(crate) fn not_tried(&mut self) {
        self.trial = None;
    }

    /// A try at `backend` begins.
    pub(crate) fn begin_try(
        &mut self,
        candidate: &Candidate,
        to: &Backend,
        prices: &Arc<PriceBook>,
    ) {
        self.failed_over();
        self.tried_since = Some(self.books.clock.now());
        self.first_token = None;
        self.pricing = Some(Pricing {
            prices: Arc::clone(prices),
            provider: to.provider(),
            backend: to.id.clone(),
            model: candidate.model.clone(),
        });
        let started = self.books.clock.wall();
        let Some(settlement) = &mut self.settlement else { return };
        settlement.backend = Some(to.id.clone());
        settlement.credential.clone_from(&candidate.access.credential);
        // Unpriced until it is known better: the backend may be working, and a drop would leave it so.
        let mut attempt = Attempt::begun(candidate.access.clone(), &candidate.model, started);
        if to.provider() == Some(Provider::Mock) {
            attempt.cost = Cost::NotBilled;
        }
        attempt.waited = std::mem::take(&mut self.waited);
        settlement.attempts.push(attempt);
    }

    /// Tells of the try before, if one failed.
    fn failed_over(&mut self) {
        let Some(verdict) = self.verdict.take() else { return };
        let failed = self.settlement.as_ref().and_then(|settlement| settlement.attempts.last());
        let Some(failed) = failed else { return };
        self.books.events.emit(GatewayEvent::FailedOver {
            backend: failed.backend.clone(),
            credential: failed.credential.clone(),
            verdict,
            duration: failed.duration,
        });
    }

    /// How many tries were begun.
    pub(crate) fn tries(&self) -> usize {
        self.settlement.as_ref().map_or(0, |settlement| settlement.attempts.len())
    }

    /// Where the last try went.
    pub(crate) fn backend(&self) -> Option<&BackendId> {
        self.settlement.as_ref().and_then(|settlement| settlement.backend.as_ref())
    }

    /// The backend's first byte is there.
    pub(crate) fn first_byte(&mut self, status: u16) {
        let elapsed = self.elapsed();
        let Some(settlement) = &mut self.settlement else { return };
        settlement.timings.first_byte.get_or_insert(elapsed);
        if let Some(attempt) = settlement.attempts.last_mut() {
            attempt.http_status = Some(status);
        }
    }

    /// The first token of content is there.
    pub(crate) fn first_token(&mut self) {
        let elapsed = self.elapsed();
        let of_try = self.try_duration();
        if self.first_token.is_none()
            && let Some(trial) = &self.trial
        {
            trial.answering();
        }
        self.first_token.get_or_insert(of_try);
        if let Some(settlement) = &mut self.settlement {
            settlement.timings.first_token.get_or_insert(elapsed);
        }
    }

    /// Bytes on their way to the client.
    pub(crate) fn sent(&mut self, bytes: usize) {
        if let Some(settlement) = &mut self.settlement {
            let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
            settlement.bytes_out = settlement.bytes_out.saturating_add(bytes);
        }
    }

    /// The status the client gets.
    pub(crate) fn status(&mut self, status: u16) {
        if let Some(settlement) = &mut self.settlement {
            settlement.http_status = Some(status);
        }
    }

    /// What the answer said about itself, and what it therefore costs.
    /// `asked` is the request's body, for an estimate where the backend counted nothing.
    pub(crate) fn learn(&mut self, facts: &AnswerFacts, asked: &Bytes) {
        self.learned(facts, estimate::usage(facts, asked).as_ref());
    }

    /// As [`Self::learn`], of an answer that broke off.
    pub(crate) fn learn_partial(&mut self, facts: &AnswerFacts, asked: &Bytes) {
        self.learned(facts, estimate::partial_usage(facts, asked).as_ref());
    }

    fn learned(&mut self, facts: &AnswerFacts, usage: Option<&UsageReport>) {
        let Some(settlement) = &mut self.settlement else { return };
        settlement.model_billed.clone_from(&facts.model);
        settlement.finish_reason.clone_from(&facts.finish_reason);
        settlement.usage = usage.map(|report| report.tokens);
        settlement.usage_basis = usage.map(|report| basis(report.reading));
        settlement.usage_raw = usage.and_then(|report| report.raw.clone());
        let started = settlement.request.started;
        let Some(attempt) = settlement.attempts.last_mut() else { return };
        attempt.usage = settlement.usage;
        if let (Some(pricing), Some(usage)) = (&self.pricing, usage) {
            attempt.cost = pricing.cost(facts.model.as_deref(), usage, started);
        }
    }

    /// What it costs as far as that is known.
    pub(crate) fn cost(&self) -> Option<MicroUsd> {
        let attempts = &self.settlement.as_ref()?.attempts;
        Cost::total(attempts.iter().map(|attempt| &attempt.cost)).amount()
    }

    /// The try at hand failed.
    pub(crate) fn failed_try(&mut self, failure: &Failure) {
        let duration = self.try_duration();
        self.verdict = Some(failure.verdict);
        if let Some(trial) = self.trial.take() {
            trial.ended(failure.happened(), self.tokens());
        }
        let Some(settlement) = &mut self.settlement else { return };
        if let Some(attempt) = settlement.attempts.last_mut() {
            if attempt.usage.is_none() && failure.work == Work::None {
                attempt.cost = Cost::NotBilled;
            }
            attempt.duration = duration;
            attempt.class = Some(failure.class.word().to_owned());
            attempt.owner = Some(failure.class.owner().word().to_owned());
            attempt.error_class = Some(failure.refusal.code.to_owned());
            attempt.http_status = failure.upstream_status.or(attempt.http_status);
            attempt.message = Some(failure.refusal.message.to_string());
        }
    }

    /// The answer is whole: writes it down. Returns once it is committed, or when the ledger has said that
    /// it is behind; the answer is the client's either way.
    pub(crate) async fn complete(&mut self) {
        let duration = self.try_duration();
        self.verdict = Some(Verdict::Success);
        if let Some(trial) = self.trial.take() {
            trial.ended(Happened::Success { first_token: self.first_token }, self.tokens());
        }
        if let Some(attempt) = self.settlement.as_mut().and_then(|s| s.attempts.last_mut()) {
            attempt.duration = duration;
        }
        self.settle(Outcome::Complete, None).await;
    }

    /// The client gets an error instead of an answer, or at the end of a part of one.
    pub(crate) async fn fail(&mut self, outcome: Outcome, failure: &Failure) {
        self.verdict.get_or_insert(failure.verdict);
        if let Some(settlement) = &mut self.settlement {
            settlement.error_message = Some(failure.refusal.message.to_string());
        }
        self.settle(outcome, Some(failure.refusal.code)).await;
    }

    /// Tokens used by the try at hand.
    fn tokens(&self) -> u64 {
        let usage = self.settlement.as_ref().and_then(|settlement| settlement.usage);
        usage.map_or(0, |usage| usage.input().saturating_add(usage.output()))
    }

    /// When the request came in.
    pub(crate) const fn begun(&self) -> Moment {
        self.begun
    }

    /// When the present try began.
    pub(crate) const fn tried_since(&self) -> Option<Moment> {
        self.tried_since
    }

    /// How long the present try takes so far.
    pub(crate) fn try_duration(&self) -> Duration {
        self.tried_since.map_or(Duration::ZERO, |since| self.books.clock.now().since(since))
    }

    async fn settle(&mut self, outcome: Outcome, error_class: Option<&'static str>) {
        self.tell(outcome, error_class);
        let Some(closed) = self.close(outcome, error_class) else { return };
        let Closed { settlement, mut announcement } = closed;
        let id = settlement.request.id;
        match self.books.ledger.settle(settlement).await {
            Ok(Settled::Committed) => announcement.recorded(),
            Ok(Settled::Queued) => {}
            Err(error) => {
                tracing::error!(%id, %error, "a request could not be recorded in the ledger");
            }
        }
    }

    /// `None` if it was closed before.
    fn close(&mut self, outcome: Outcome, error_class: Option<&'static str>) -> Option<Closed> {
        let (total, tokens) = (self.elapsed(), self.tokens());
        let mut settlement = self.settlement.take()?;
        self.place.used(tokens);
        if let (Outcome::Complete | Outcome::Partial, Some(usage)) = (outcome, settlement.usage) {
            self.place.answered(usage.output());
        }
        settlement.outcome = outcome;
        settlement.ended = self.books.clock.wall();
        settlement.timings.total = Some(total);
        settlement.cost = Cost::total(settlement.attempts.iter().map(|attempt| &attempt.cost));
        settlement.error_class = error_class.map(str::to_owned);
        let verdict = settlement.backend.is_some().then_some(self.verdict).flatten();
        if outcome == Outcome::Failed && settlement.backend.is_none() {
            settlement.backend = self.first_choice.take();
        }
        let summary = summary(&settlement, verdict);
        let announcement =
            Announcement { events: Arc::clone(&self.books.events), summary: Some(summary) };
        Some(Closed { settlement, announcement })
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.verdict = Some(Verdict::Cancelled);
        let duration = self.try_duration();
        if let Some(attempt) = self.settlement.as_mut().and_then(|s| s.attempts.last_mut()) {
            attempt.duration = duration;
        }
        let Some(closed) = self.close(Outcome::Cancelled, None) else { return };
        let id = closed.settlement.request.id;
        if let Err(error) = self.books.ledger.settle_unawaited(closed.settlement) {
            tracing::error!(%id, %error, "a cancelled request could not be recorded in the ledger");
        }
    }
}

/// Announces a settled request exactly once, also when whoever waited for the ledger has gone.
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

fn summary(settlement: &Settlement, verdict: Option<Verdict>) -> RequestSummary {
    RequestSummary {
        id: settlement.request.id,
        client: settlement.request.client.clone(),
        purpose: settlement.request.purpose,
        model_asked: settlement.request.model_asked.clone(),
        backend: settlement.backend.clone(),
        credential: settlement.credential.clone(),
        outcome: settlement.outcome,
        verdict,
        http_status: settlement.http_status,
        cost: settlement.cost.clone(),
        usage: settlement.usage,
        timings: settlement.timings,
        recorded: Recorded::NotYet,
    }
}

impl Pricing {
    /// What the backend states, else tokens times price, else unknown. The mock bills nothing.
    fn cost(&self, billed: Option<&str>, usage: &UsageReport, at: WallTime) -> Cost {
        if self.provider == Some(Provider::Mock) {
            return Cost::NotBilled;
        }
        if let Some(amount) = usage.raw.as_deref().and_then(reported_cost) {
            return Cost::Reported(amount);
        }
        let find = |model: &str| self.prices.find(&self.backend, self.provider, model, at);
        let price = billed.and_then(find).or_else(|| find(&self.model));
        match price.and_then(|price| Some((price.cost(&usage.tokens)?, price.id.clone()))) {
            Some((amount, price_id)) => Cost::Computed { amount, price_id },
            None => Cost::Unpriced,
        }
    }
}

/// How a count is known, in the ledger's words.
const fn basis(reading: UsageReading) -> UsageBasis {
    match reading {
        UsageReading::AsReported => UsageBasis::Reported,
        UsageReading::Adjusted => UsageBasis::Adjusted,
        UsageReading::Estimated => UsageBasis::Estimated,
    }
}

/// OpenRouter's `usage.cost`, in dollars.
fn reported_cost(raw: &str) -> Option<MicroUsd> {
    #[derive(serde::Deserialize)]
    struct Reported {
        cost: Option<f64>,
    }
    let dollars = serde_json::from_str::<Reported>(raw).ok()?.cost?;
    let micros = (dollars * 1e6).round();
    // A million dollars for one request is a fault of the backend, not a price.
    let believable = (0.0..=1e12).contains(&micros);
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53, checked above")]
    believable.then(|| MicroUsd::new(micros as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stated_cost_is_read_in_dollars() {
        let cost = |raw| reported_cost(raw).map(MicroUsd::micros);
        assert_eq!(cost(r#"{"prompt_tokens":1,"cost":0.000142}"#), Some(142));
        assert_eq!(cost(r#"{"cost":1.4e-5}"#), Some(14));
        assert_eq!(cost(r#"{"cost":0}"#), Some(0));
        assert_eq!(cost(r#"{"prompt_tokens":1}"#), None);
        assert_eq!(cost(r#"{"cost":-1}"#), None);
        assert_eq!(cost(r#"{"cost":"1"}"#), None);
        assert_eq!(cost(r#"{"cost":1e300}"#), None);
    }
}
