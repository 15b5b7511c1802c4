//! Takes a request through the real state machines: admission, routing, attempt plan, access,
//! backend queue. It does no I/O itself; it returns the actions as [`GatewayEffect`]s.
//!
//! The order is that of the product's gateway without its network, so that the interplay of the
//! state machines shown here holds there.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use domain::{BackendId, ClientId, Endpoint, Moment, RequestId};
use resilience::{
    AdaptiveLimit, AdaptiveRules, AdmissionOutcome, AdmissionQueue, AttemptContext, AttemptPlan,
    AttemptRules, AttemptStep, BreakerRules, CallOutcome, FailureWeight, LimitScope, Priority,
    RateLimits, RateRules, RatesReservation, RetryBudget, StopReason, Ticket,
};
use routing::{Needs, RouteTable, RoutingRequest};

use routing_inputs::SimulatedRoutingInputs;

use super::chance::Chance;
use super::replay::{PermitNumber, ReplayableEndpoints};
use super::upstream::AnswerOutcome;

mod routing_inputs;
mod sending;

/// Most concurrent requests.
pub(crate) const SLOTS: usize = 200;
/// Longest admission queue.
pub(crate) const QUEUE_MAX: usize = 300;
/// Longest queue of one backend.
const BACKEND_QUEUE_MAX: usize = 100;
/// Longest wait for a slot.
const QUEUE_WAIT_MAX: Duration = Duration::from_secs(30);
/// Deadline of a request.
pub(crate) const DEADLINE: Duration = Duration::from_secs(600);
/// Estimated tokens of a request.
const TOKENS_ESTIMATED: u32 = 1_000;

pub(crate) type CallId = u64;

/// A client's request.
#[derive(Debug, Clone)]
pub(crate) struct SimulatedRequest {
    pub(crate) client: ClientId,
    pub(crate) priority: Priority,
    pub(crate) model: &'static str,
    pub(crate) conversation: u64,
}

/// An action for the simulated world.
#[derive(Debug)]
pub(crate) enum GatewayEffect {
    /// The request has its candidates.
    Routed {
        call: CallId,
        candidates: Vec<Endpoint>,
    },
    /// The attempt plan chose this access.
    Decided {
        call: CallId,
        endpoint: Endpoint,
    },
    Send {
        call: CallId,
        endpoint: Endpoint,
        left: Duration,
    },
    Reported {
        call: CallId,
        endpoint: Endpoint,
        request: RequestId,
        happened: CallOutcome,
    },
    ResumeAt {
        call: CallId,
        at: Moment,
    },
    GiveUpAt {
        call: CallId,
        ticket: Ticket,
        at: Moment,
    },
    /// The wait for a slot at a backend timed out.
    GaveUp {
        call: CallId,
    },
    Ended {
        call: CallId,
        ending: SimulatedOutcome,
    },
}

/// The outcome for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SimulatedOutcome {
    Answered,
    CutInAnswer,
    Failed {
        stopped: StopReason,
        retry_after: Option<Duration>,
    },
    /// All slots and the queue were full, or the wait timed out.
    Busy {
        retry_after: Duration,
    },
    Cancelled,
}

#[derive(Debug)]
pub(crate) struct SimulatedGateway {
    table: RouteTable,
    pub(crate) recorded: ReplayableEndpoints,
    pub(crate) budget: RetryBudget,
    pub(crate) admission_queue: SlotQueue,
    pub(crate) backends: BTreeMap<BackendId, SimulatedBackend>,
    calls: BTreeMap<CallId, SimulatedCall>,
    pending_steps: VecDeque<(CallId, PendingStep)>,
    effects: Vec<GatewayEffect>,
    chance: Chance,
}

/// Concurrency slots, and the calls that wait for one.
#[derive(Debug)]
pub(crate) struct SlotQueue {
    pub(crate) admission: AdmissionQueue,
    waiting: BTreeMap<Ticket, CallId>,
}

#[derive(Debug)]
pub(crate) struct SimulatedBackend {
    pub(crate) gate: SlotQueue,
    pub(crate) adaptive: AdaptiveLimit,
    rates: RateLimits,
}

#[derive(Debug)]
struct SimulatedCall {
    ask: SimulatedRequest,
    began: Moment,
    request: RequestId,
    admission_ticket: Ticket,
    candidates: Vec<(Endpoint, String)>,
    attempts: AttemptPlan,
    place: usize,
    at: CallStage,
}

#[derive(Debug)]
enum CallStage {
    Admission,
    BackendQueue(Ticket),
    Pause,
    Backend { gate: Ticket, permit: PermitNumber, rates: RatesReservation },
    Running,
}

#[derive(Debug)]
enum PendingStep {
    Serve,
    Follow(AttemptStep),
    Placed(Ticket),
}

impl SimulatedGateway {
    pub(crate) fn new(table: RouteTable, rates: &[(&str, RateRules)], chance: Chance) -> Self {
        let limits =
            |id: &str, rules| (BackendId::new(id).expect("a name"), SimulatedBackend::new(rules));
        Self {
            table,
            recorded: ReplayableEndpoints::new(BreakerRules::default()),
            budget: RetryBudget::default(),
            admission_queue: SlotQueue::new(SLOTS, QUEUE_MAX),
            backends: rates.iter().map(|(id, rules)| limits(id, *rules)).collect(),
            calls: BTreeMap::new(),
            pending_steps: VecDeque::new(),
            effects: Vec::new(),
            chance,
        }
    }

    /// Admits a new request.
    pub(crate) fn arrive(&mut self, call: CallId, ask: SimulatedRequest, now: Moment) {
        let entered = self.admission_queue.admission.request_slot(ask.priority, now);
        let (ticket, todo) = match entered {
            AdmissionOutcome::Slot(ticket) => (ticket, Some(PendingStep::Serve)),
            AdmissionOutcome::Queued(ticket) => (ticket, None),
            AdmissionOutcome::Full { retry_after } => {
                let ending = SimulatedOutcome::Busy { retry_after };
                return self.effects.push(GatewayEffect::Ended { call, ending });
            }
        };
        match todo {
            Some(todo) => self.pending_steps.push_back((call, todo)),
            None => self.wait_at_most(call, ticket, now),
        }
        if let AdmissionOutcome::Queued(ticket) = entered {
            self.admission_queue.waiting.insert(ticket, call);
        }
        let attempts = AttemptPlan::new(AttemptRules::default(), []);
        let request = self.chance.request_id();
        let (candidates, place, at) = (Vec::new(), 0, CallStage::Admission);
        let began = now;
        let fresh = SimulatedCall {
            ask,
            began,
            request,
            admission_ticket: ticket,
            candidates,
            attempts,
            place,
            at,
        };
        self.calls.insert(call, fresh);
        self.run(now);
    }

    /// The pause before a retry is over.
    pub(crate) fn resume(&mut self, call: CallId, now: Moment) {
        let Some(SimulatedCall { at: CallStage::Pause, place, .. }) = self.calls.get(&call) else {
            return;
        };
        self.request_slot(call, *place, now);
        self.run(now);
    }

    /// The first token has arrived.
    pub(crate) fn first_token_arrived(&mut self, call: CallId, now: Moment) {
        let Some(SimulatedCall { at: CallStage::Backend { permit, .. }, request, .. }) =
            self.calls.get(&call)
        else {
            return;
        };
        self.recorded.answering(*permit, *request, now);
    }

    /// A sent call has ended; ignored if the request no longer waits for it.
    pub(crate) fn call_ended(&mut self, call: CallId, how: AnswerOutcome, now: Moment) {
        let Some(SimulatedCall { at, .. }) = self.calls.get_mut(&call) else { return };
        let CallStage::Backend { gate, permit, rates } = std::mem::replace(at, CallStage::Running)
        else {
            panic!("an answer to what was not sent")
        };
        let (happened, tokens) = match how {
            AnswerOutcome::Whole { first_token, tokens } => {
                (CallOutcome::Success { first_token: Some(first_token) }, tokens)
            }
            AnswerOutcome::CutInAnswer => {
                (CallOutcome::Failure { weight: FailureWeight::Full, retry_after: None }, 150)
            }
            AnswerOutcome::Failed(failure) => (failure.call_outcome(LimitScope::Endpoint), 0),
        };
        self.report(call, permit, happened, now);
        self.learn(call, &how, now);
        self.leave_backend(call, gate, Some((rates, tokens)), now);
        match how {
            AnswerOutcome::Whole { .. } => self.end(call, SimulatedOutcome::Answered, now),
            AnswerOutcome::CutInAnswer => self.end(call, SimulatedOutcome::CutInAnswer, now),
            AnswerOutcome::Failed(failure) => self.failed(call, failure, now),
        }
        self.run(now);
    }

    /// The client cancels.
    pub(crate) fn client_cancelled(&mut self, call: CallId, now: Moment) {
        let Some(SimulatedCall { at, .. }) = self.calls.get_mut(&call) else { return };
        match std::mem::replace(at, CallStage::Running) {
            CallStage::Backend { gate, permit, rates } => {
                self.report(call, permit, CallOutcome::Neutral, now);
                self.leave_backend(call, gate, Some((rates, 50)), now);
            }
            CallStage::BackendQueue(gate) => self.leave_backend(call, gate, None, now),
            CallStage::Admission | CallStage::Pause | CallStage::Running => {}
        }
        self.end(call, SimulatedOutcome::Cancelled, now);
        self.run(now);
    }

    /// The wait for a slot timed out, if the request still waits for that slot.
    pub(crate) fn slot_wait_timed_out(&mut self, call: CallId, ticket: Ticket, now: Moment) {
        let Some(waiting) = self.calls.get(&call) else { return };
        match waiting.at {
            CallStage::Admission if waiting.admission_ticket == ticket => {
                self.end(call, SimulatedOutcome::Busy { retry_after: QUEUE_WAIT_MAX }, now);
            }
            CallStage::BackendQueue(gate) if gate == ticket => {
                self.effects.push(GatewayEffect::GaveUp { call });
                self.leave_backend(call, gate, None, now);
                self.not_admitted(call, candidate_position(&self.calls, call), now);
            }
            _ => {}
        }
        self.run(now);
    }

    /// The program is killed and restarts: all requests are lost, the states of accesses are kept.
    pub(crate) fn restart(&mut self, now: Moment) {
        for call in std::mem::take(&mut self.calls).into_keys() {
            self.effects.push(GatewayEffect::Ended { call, ending: SimulatedOutcome::Cancelled });
        }
        self.admission_queue = SlotQueue::new(SLOTS, QUEUE_MAX);
        for backend in self.backends.values_mut() {
            backend.gate = SlotQueue::new(limit(&backend.adaptive), BACKEND_QUEUE_MAX);
        }
        self.budget = RetryBudget::default();
        self.recorded.restart(now);
    }

    pub(crate) fn take_effects(&mut self) -> Vec<GatewayEffect> {
        std::mem::take(&mut self.effects)
    }

    /// The number of admitted and queued requests.
    pub(crate) fn requests_in_flight(&self) -> usize {
        self.calls.len()
    }

    fn run(&mut self, now: Moment) {
        while let Some((call, todo)) = self.pending_steps.pop_front() {
            match todo {
                PendingStep::Serve => self.serve(call, now),
                PendingStep::Follow(step) => self.follow(call, step, now),
                PendingStep::Placed(gate) => self.slot_granted(call, gate, now),
            }
        }
    }

    fn serve(&mut self, id: CallId, now: Moment) {
        self.budget.count_request(now);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let asking = RoutingRequest {
            model: call.ask.model,
            client: &call.ask.client,
            switched_to: None,
            project: None,
            needs: Needs::default(),
            conversation: Some(call.ask.conversation),
        };
        let known =
            SimulatedRoutingInputs { recorded: &self.recorded, backends: &self.backends, now };
        let decision = self.table.choose(&asking, &known, &mut || self.chance.unit());
        let candidates = decision.expect("a route").candidates;
        call.candidates = candidates.into_iter().map(|one| (one.endpoint, one.model)).collect();
        let pairs = call.candidates.iter().map(|(endpoint, model)| (endpoint, model.as_str()));
        call.attempts = AttemptPlan::new(AttemptRules::default(), pairs);
        call.at = CallStage::Running;
        let step = call.attempts.first_step();
        let candidates = call.candidates.iter().map(|(endpoint, _)| endpoint.clone()).collect();
        self.effects.push(GatewayEffect::Routed { call: id, candidates });
        self.follow(id, step, now);
    }

    fn follow(&mut self, id: CallId, step: AttemptStep, now: Moment) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let AttemptStep::Try(place) | AttemptStep::TryAfter(place, _) = step {
            let endpoint = call.candidates[place].0.clone();
            self.effects.push(GatewayEffect::Decided { call: id, endpoint });
        }
        match step {
            AttemptStep::Try(place) => self.request_slot(id, place, now),
            AttemptStep::TryAfter(place, wait) => {
                (call.place, call.at) = (place, CallStage::Pause);
                self.effects.push(GatewayEffect::ResumeAt { call: id, at: now + wait });
            }
            AttemptStep::Stop(stopped) => self.stop(id, stopped, now),
        }
    }

    fn end(&mut self, id: CallId, ending: SimulatedOutcome, now: Moment) {
        let Some(call) = self.calls.remove(&id) else { return };
        self.admission_queue.waiting.remove(&call.admission_ticket);
        if let Some(next) = self.admission_queue.admission.release(call.admission_ticket, now) {
            let next =
                self.admission_queue.waiting.remove(&next).expect("whoever is called has waited");
            self.pending_steps.push_back((next, PendingStep::Serve));
        }
        self.effects.push(GatewayEffect::Ended { call: id, ending });
    }

    fn wait_at_most(&mut self, call: CallId, ticket: Ticket, now: Moment) {
        self.effects.push(GatewayEffect::GiveUpAt { call, ticket, at: now + QUEUE_WAIT_MAX });
    }

    fn circumstances(&self, id: CallId, now: Moment) -> AttemptContext {
        let began = self.calls.get(&id).map_or(now, |call| call.began);
        let left = DEADLINE.saturating_sub(now.since(began));
        AttemptContext { now, left, chance: self.chance.unit() }
    }
}

impl SlotQueue {
    fn new(places: usize, queue_max: usize) -> Self {
        Self { admission: AdmissionQueue::new(places, queue_max), waiting: BTreeMap::new() }
    }
}

impl SimulatedBackend {
    fn new(rules: RateRules) -> Self {
        let adaptive = AdaptiveLimit::new(AdaptiveRules::default());
        let gate = SlotQueue::new(limit(&adaptive), BACKEND_QUEUE_MAX);
        Self { gate, adaptive, rates: RateLimits::new(rules) }
    }
}

fn limit(adaptive: &AdaptiveLimit) -> usize {
    usize::try_from(adaptive.limit()).expect("a small number")
}

fn candidate_position(calls: &BTreeMap<CallId, SimulatedCall>, id: CallId) -> usize {
    calls.get(&id).map_or(0, |call| call.place)
}
