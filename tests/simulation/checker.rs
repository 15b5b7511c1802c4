//! Checks the invariants after every event, from calls, answers and announcements only, never from
//! inside a state machine.
//!
//! The invariants: at most three attempts for a request; no call to an open breaker; no more trials
//! in half-open than allowed, and one at first; without an alternative a trial each second, whose
//! success ends the trials; no call with a blocked key or during a cooldown; no more concurrent
//! calls than slots; no failure while a healthy candidate exists; retries within the budget; almost
//! no calls once everything is open; evidence for every transition; at the end no waiting request,
//! nothing held, and the same states from the log alone.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use domain::{BackendId, CredentialId, Endpoint, Moment};
use resilience::{
    CallOutcome, EndpointTransition, ProbeOutcome, SOLE_TRIAL_AFTER, TransitionCause,
    TransitionState,
};

use super::gateway::{CallId, GatewayEffect, QUEUE_MAX, SLOTS, SimulatedGateway, SimulatedOutcome};
use super::observations::{ObservedAttempt, ObservedEndpoint, ObservedRequest};
use super::upstream::SimulatedUpstream;

/// Most attempts for a request.
const ATTEMPTS_MAX: usize = 3;
/// The share of a minute's requests that may be retried, and a constant on top.
const RETRY_BUDGET: (f64, f64) = (0.2, 3.0);
/// Most upstream calls for a request that found all breakers open.
const AMPLIFICATION_MAX: f64 = 1.2;

/// The independent checker of a run.
#[derive(Debug)]
pub(crate) struct InvariantChecker {
    seed: u64,
    now: Moment,
    calls: BTreeMap<CallId, ObservedRequest>,
    endpoints: BTreeMap<Endpoint, ObservedEndpoint>,
    in_flight: BTreeMap<BackendId, usize>,
    answered: BTreeMap<BackendId, u32>,
    served: VecDeque<Moment>,
    repeated: VecDeque<Moment>,
    /// Announced in this event; their evidence is checked when its calls are known.
    openings: Vec<EndpointTransition>,
    pub(crate) totals: RunTotals,
    /// A hash of all events: two runs that differ anywhere differ here.
    pub(crate) history: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RunTotals {
    pub(crate) requests: u64,
    pub(crate) answered: u64,
    pub(crate) failed: u64,
    pub(crate) cut: u64,
    /// Requests that got no slot in time, or met a backend without room.
    pub(crate) busy: u64,
    pub(crate) cancelled: u64,
    pub(crate) sent: u64,
    /// Attempts that met a 429.
    pub(crate) rate_limited: u64,
    pub(crate) repeated: u64,
    pub(crate) trips: u64,
    pub(crate) recoveries: u64,
    /// Open periods cut short because there was no alternative.
    pub(crate) forced_trials: u64,
    /// Requests that found every candidate's breaker open, and the calls sent for them.
    pub(crate) all_open: u64,
    pub(crate) sent_all_open: u64,
}

impl InvariantChecker {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            now: Moment::default(),
            calls: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            answered: BTreeMap::new(),
            served: VecDeque::new(),
            repeated: VecDeque::new(),
            openings: Vec::new(),
            totals: RunTotals::default(),
            history: 0,
        }
    }

    pub(crate) fn request_begins(&mut self, call: CallId, now: Moment) {
        self.totals.requests += 1;
        self.calls.insert(call, ObservedRequest::new(now));
    }

    /// Records an announced transition.
    pub(crate) fn changed(&mut self, transition: EndpointTransition) {
        let EndpointTransition { endpoint, from, to, rule, evidence, at, model, until } =
            transition;
        let book = self.endpoints.entry(endpoint.clone()).or_default();
        if let Err(wrong) = book.record_transition(from, to, at) {
            self.fail_invariant(&format!("{endpoint}: {wrong}"));
        }
        if rule == TransitionCause::NothingElse {
            self.totals.forced_trials += 1;
            self.endpoints.entry(endpoint.clone()).or_default().cut_short = Some(at);
        }
        let tripped = to == TransitionState::Open && from != TransitionState::HalfOpen;
        self.totals.trips += u64::from(tripped);
        self.totals.recoveries += u64::from(to == TransitionState::Closed);
        self.hash_line(&format!("{endpoint} {from} {to} {rule} {at:?}"));
        if to == TransitionState::Open {
            self.openings.push(EndpointTransition {
                endpoint,
                model,
                from,
                to,
                rule,
                evidence,
                at,
                until,
            });
        }
    }

    /// Checks that an opening has its evidence: as many failed or slow calls of this access as its
    /// rule requires.
    fn opened(&mut self, transition: &EndpointTransition) {
        let EndpointTransition { endpoint, rule, evidence, .. } = transition;
        let book = self.endpoints.entry(endpoint.clone()).or_default();
        let forgotten = std::mem::take(&mut book.forgotten);
        let least = match rule {
            TransitionCause::FailuresInARow if forgotten => 1,
            TransitionCause::FailuresInARow => 3,
            TransitionCause::FailureRate | TransitionCause::SlowRate => 5,
            _ => 0,
        };
        let counted = &self.endpoints[endpoint].counted;
        let known = evidence.iter().filter(|id| counted.contains(id)).count();
        self.assert_invariant(known >= least && known == evidence.len(), || {
            format!("{endpoint} opened by {rule} with {known} of {}", evidence.len())
        });
    }

    /// Records an effect of the gateway.
    pub(crate) fn saw(
        &mut self,
        effect: &GatewayEffect,
        gateway: &SimulatedGateway,
        upstreams: &BTreeMap<BackendId, SimulatedUpstream>,
        now: Moment,
    ) {
        self.now = now;
        match effect {
            GatewayEffect::Routed { call, candidates } => self.routed(*call, candidates),
            GatewayEffect::Send { call, endpoint, .. } => self.sent(*call, endpoint, gateway),
            GatewayEffect::Reported { call, endpoint, request, happened } => {
                *self.in_flight.entry(endpoint.backend.clone()).or_default() -= 1;
                let seen = self.calls.get_mut(call).expect("a request that is inside");
                let sent = seen.sent.last_mut().expect("an answer to something");
                sent.outcome = Some(*happened);
                let limited = matches!(happened, CallOutcome::RateLimited { .. });
                self.totals.rate_limited += u64::from(limited);
                if matches!(happened, CallOutcome::Success { .. }) {
                    *self.answered.entry(endpoint.backend.clone()).or_default() += 1;
                }
                let sole = sent.sole;
                let book = self.endpoints.entry(endpoint.clone()).or_default();
                book.record_outcome(*call, *request, *happened, sent.key, now);
                let (half_open, openings) =
                    (book.state == TransitionState::HalfOpen, book.openings);
                let succeeded = matches!(happened, CallOutcome::Success { .. });
                self.assert_invariant(!(succeeded && half_open && sole == Some(openings)), || {
                    format!("{endpoint} answered its sole trial and is still half-open")
                });
            }
            GatewayEffect::Ended { call, ending } => self.ended(*call, *ending, upstreams),
            GatewayEffect::Decided { call, endpoint } => {
                if self.calls[call].repeats_failure(endpoint) {
                    self.totals.repeated += 1;
                    self.repetition();
                }
            }
            GatewayEffect::BackendBusy { call, endpoint, wait } => {
                let seen = self.calls.get_mut(call).expect("a request that is inside");
                seen.busy.push(endpoint.clone());
                let room = self.room(&endpoint.backend, gateway);
                self.assert_invariant(wait.is_some() || room == 0, || {
                    format!("{endpoint} is called full with room for {room}")
                });
            }
            GatewayEffect::ResumeAt { .. } | GatewayEffect::GiveUpAt { .. } => {}
        }
    }

    pub(crate) fn probed(&mut self, endpoint: &Endpoint, outcome: ProbeOutcome) {
        let book = self.endpoints.entry(endpoint.clone()).or_default();
        if outcome == ProbeOutcome::Passed && book.state == TransitionState::HalfOpen {
            book.successes += 1;
        }
    }

    pub(crate) fn key_replaced(&mut self, credential: &CredentialId, now: Moment) {
        for (endpoint, book) in &mut self.endpoints {
            if endpoint.credential.as_ref() == Some(credential) {
                book.key_replaced(now);
            }
        }
    }

    /// The program was killed and restarted: the budget is new, and all calls are cut off.
    pub(crate) fn restarted(&mut self) {
        self.in_flight.clear();
        self.served.clear();
        self.repeated.clear();
        for book in self.endpoints.values_mut() {
            book.trials.clear();
            book.forgotten = true;
        }
    }

    /// Checks all invariants; call it after each event.
    pub(crate) fn check(&mut self, gateway: &SimulatedGateway, now: Moment) {
        self.now = now;
        for opening in std::mem::take(&mut self.openings) {
            self.opened(&opening);
        }
        let admission = &gateway.admission_queue.admission;
        let (inside, queued) = (admission.in_flight(), admission.queued());
        self.assert_invariant(inside <= SLOTS && queued <= QUEUE_MAX, || {
            format!("{inside} inside and {queued} waiting")
        });
        self.assert_invariant(inside + queued == gateway.requests_in_flight(), || {
            format!(
                "{} requests for {inside} places and {queued} waiting",
                gateway.requests_in_flight()
            )
        });
        let mut all = 0;
        for id in gateway.traffic.keys() {
            let (held, _) = gateway.recorded.at(now).load(id);
            let out = self.in_flight.get(id).copied().unwrap_or(0);
            all += out;
            self.assert_invariant(held as usize == out, || {
                format!("{id}: {held} in flight for {out} calls")
            });
        }
        let attempts = gateway.recorded.attempts_in_flight();
        self.assert_invariant(attempts == all, || format!("{attempts} attempts for {all} calls"));
    }

    /// Checks the end of a run, when nothing is pending.
    pub(crate) fn end(&mut self, gateway: &SimulatedGateway, now: Moment) {
        self.now = now;
        self.assert_invariant(gateway.requests_in_flight() == 0 && self.calls.is_empty(), || {
            "left inside".to_owned()
        });
        let RunTotals { all_open, sent_all_open, .. } = self.totals;
        #[expect(clippy::cast_precision_loss, reason = "counts of a day")]
        let allowed = all_open as f64 * AMPLIFICATION_MAX + 2.0;
        #[expect(clippy::cast_precision_loss, reason = "counts of a day")]
        let within = sent_all_open as f64 <= allowed;
        self.assert_invariant(within, || {
            format!("{sent_all_open} calls for {all_open} with all open")
        });
        let again = gateway.recorded.replay();
        for endpoint in self.endpoints.keys() {
            let live = gateway.recorded.at(now).status(endpoint);
            let again = again.at(now).status(endpoint);
            self.assert_invariant(live == again, || {
                format!("{endpoint}: {live:?} became {again:?}")
            });
        }
    }

    /// The share of answers that came from a backend, in percent.
    pub(crate) fn answered_percent(&self, backend: &str) -> f64 {
        let all: u32 = self.answered.values().sum();
        let own = self.answered.iter().find(|(id, _)| id.as_str() == backend);
        f64::from(own.map_or(0, |(_, own)| *own)) * 100.0 / f64::from(all)
    }

    fn routed(&mut self, call: CallId, candidates: &[Endpoint]) {
        let now = self.now;
        self.served.push_back(now);
        let books = &self.endpoints;
        let known = |endpoint: &Endpoint| books.get(endpoint);
        let available =
            |endpoint: &&Endpoint| known(endpoint).is_none_or(|book| book.available(now));
        let is_open = |endpoint: &Endpoint| known(endpoint).is_some_and(|book| book.is_open(now));
        let seen = self.calls.get_mut(&call).expect("a request that is inside");
        seen.routed = now;
        seen.available = candidates.iter().filter(available).cloned().collect();
        seen.candidates = candidates.to_vec();
        seen.all_open = candidates.iter().all(is_open);
        // A trial that began with this request counts as one in progress.
        let book = |endpoint| books.get(endpoint).filter(|book| book.admits_nothing(now));
        let closed: Vec<_> = candidates.iter().filter_map(book).collect();
        let busy = closed.iter().any(|book| !book.trials.is_empty());
        let fresh = closed.iter().any(|book| {
            book.state == TransitionState::Open && now.since(book.opened) < SOLE_TRIAL_AFTER
        });
        let only_open =
            |endpoint: &&Endpoint| known(endpoint).is_some_and(|book| book.is_only_open(now));
        let triable = candidates.iter().find(only_open);
        if closed.len() == candidates.len() && !busy && !fresh {
            seen.trial = triable.cloned();
        }
        self.totals.all_open += u64::from(seen.all_open);
    }

    fn sent(&mut self, call: CallId, endpoint: &Endpoint, gateway: &SimulatedGateway) {
        let now = self.now;
        let book = self.endpoints.entry(endpoint.clone()).or_default();
        let (allowed, key, openings) = (book.record_send(call, now), book.key, book.openings);
        let is_trial = book.state == TransitionState::HalfOpen;
        let seen = self.calls.get_mut(&call).expect("a request that is inside");
        let is_closed = |other: &Endpoint| {
            other == endpoint
                || self.endpoints.get(other).is_some_and(|book| book.admits_nothing(now))
        };
        let is_sole = is_trial && seen.candidates.iter().all(is_closed);
        let sole = is_sole.then_some(openings);
        seen.sent.push(ObservedAttempt { endpoint: endpoint.clone(), key, outcome: None, sole });
        let (attempts, all_open) = (seen.sent.len(), seen.all_open);
        let in_flight = self.in_flight.entry(endpoint.backend.clone()).or_default();
        *in_flight += 1;
        let in_flight = *in_flight;
        let limit = limit(&endpoint.backend, gateway, now);
        self.totals.sent += 1;
        self.totals.sent_all_open += u64::from(all_open);
        if let Err(wrong) = allowed {
            self.fail_invariant(&format!("request {call} was sent to {endpoint}: {wrong}"));
        }
        self.assert_invariant(attempts <= ATTEMPTS_MAX, || {
            format!("request {call}: {attempts} attempts")
        });
        self.assert_invariant(in_flight <= limit, || {
            format!("{endpoint}: {in_flight} at once, {limit} allowed")
        });
        self.hash_line(&format!("{call} to {endpoint} {now:?}"));
    }

    /// The calls that the limit of a backend has room for.
    fn room(&self, backend: &BackendId, gateway: &SimulatedGateway) -> usize {
        let in_flight = self.in_flight.get(backend).copied().unwrap_or(0);
        limit(backend, gateway, self.now).saturating_sub(in_flight)
    }

    fn repetition(&mut self) {
        let now = self.now;
        self.repeated.push_back(now);
        for moments in [&mut self.repeated, &mut self.served] {
            while moments.front().is_some_and(|at| now.since(*at) > Duration::from_secs(60)) {
                moments.pop_front();
            }
        }
        let (repeated, served) = (self.repeated.len(), self.served.len());
        #[expect(clippy::cast_precision_loss, reason = "counts of a minute")]
        let within = repeated as f64 <= served as f64 * RETRY_BUDGET.0 + RETRY_BUDGET.1;
        self.assert_invariant(within, || format!("{repeated} repetitions for {served} requests"));
    }

    fn ended(
        &mut self,
        call: CallId,
        ending: SimulatedOutcome,
        upstreams: &BTreeMap<BackendId, SimulatedUpstream>,
    ) {
        let seen = self.calls.remove(&call).expect("a request that is inside");
        let totals = &mut self.totals;
        match ending {
            SimulatedOutcome::Answered => totals.answered += 1,
            SimulatedOutcome::CutInAnswer => totals.cut += 1,
            SimulatedOutcome::Cancelled => totals.cancelled += 1,
            SimulatedOutcome::Busy { .. } => totals.busy += 1,
            SimulatedOutcome::Failed { stopped, .. } => {
                match seen.busy.is_empty() {
                    true => totals.failed += 1,
                    false => totals.busy += 1,
                }
                if let (Some(endpoint), true) = (&seen.trial, seen.sent.is_empty()) {
                    let began = seen.began;
                    self.fail_invariant(&format!(
                        "request {call} of {began:?} was not sent ({stopped}) although {endpoint} owed it a trial"
                    ));
                }
                let had_room = |endpoint: &&Endpoint| !seen.busy.contains(endpoint);
                let well = seen.available.iter().filter(had_room).find(|endpoint| {
                    let upstream = &upstreams[&endpoint.backend];
                    let steady = self.endpoints.get(endpoint);
                    upstream.was_healthy(endpoint, seen.began, self.now)
                        && steady.is_none_or(|book| book.unavailable < Some(seen.routed))
                });
                if let Some(well) = well {
                    let sent: Vec<_> =
                        seen.sent.iter().map(|sent| (&sent.endpoint, sent.outcome)).collect();
                    let began = seen.began;
                    self.fail_invariant(&format!(
                        "request {call} of {began:?} failed ({stopped}) although {well} was well; sent: {sent:?}"
                    ));
                }
            }
        }
        self.hash_line(&format!("{call} {ending:?}"));
    }

    fn assert_invariant(&self, promise: bool, otherwise: impl FnOnce() -> String) {
        if !promise {
            self.fail_invariant(&otherwise());
        }
    }

    fn fail_invariant(&self, what: &str) {
        let (seed, at) = (self.seed, Duration::from_micros(self.now.as_micros()));
        panic!(
            "at {at:?}: {what}\nThe same again: SIMULATION_SEED={seed} cargo nextest run -p acceptance --test simulation"
        );
    }

    fn hash_line(&mut self, line: &str) {
        // FNV-1a, 64 bits.
        for byte in line.bytes() {
            self.history = (self.history ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// The calls that a backend may have at once, as learnt from its answers.
fn limit(backend: &BackendId, gateway: &SimulatedGateway, now: Moment) -> usize {
    let (_, limit) = gateway.recorded.at(now).load(backend);
    limit.map_or(usize::MAX, |limit| usize::try_from(limit).expect("a small number"))
}
