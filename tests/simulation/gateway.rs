//! Takes a request through the real parts: admission queue, route table, attempt plan and
//! [`endpoints::EndpointRegistry`]. It does no I/O itself; it returns the actions as
//! [`GatewayEffect`]s.
//!
//! It carries out the steps of the plan as the product's `attempts` does, so that the interplay
//! shown here holds there.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use domain::{BackendId, ClientId, Endpoint, Moment, NanoUsd, RequestId, TokenUsage, WallTime};
use endpoints::{BackendTraffic, RequestLoad, TrafficRules};
use resilience::{
    AdmissionOutcome, AdmissionQueue, AttemptContext, AttemptPlan, AttemptRules, AttemptStep,
    CallOutcome, FailureWeight, LimitScope, Priority, RateRules, StopReason, Ticket,
};
use routing::{Candidate, Needs, RouteTable, RoutingRequest};

use super::chance::Chance;
use super::replay::{AttemptNumber, ReplayableRegistry};
use super::upstream::AnswerOutcome;

mod sending;

/// Most concurrent requests.
pub(crate) const SLOTS: usize = 200;
/// Longest admission queue.
pub(crate) const QUEUE_MAX: usize = 300;
/// Longest wait for a slot.
const QUEUE_WAIT_MAX: Duration = Duration::from_secs(30);
/// Deadline of a request.
pub(crate) const DEADLINE: Duration = Duration::from_secs(600);
/// Estimated tokens of a request.
const TOKENS_ESTIMATED: u32 = 1_000;

pub(crate) type CallId = u64;

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
    /// The limits of its backend had no room.
    BackendBusy {
        call: CallId,
        endpoint: Endpoint,
        /// `None` for the limit on concurrent calls.
        wait: Option<Duration>,
    },
    Ended {
        call: CallId,
        ending: SimulatedOutcome,
    },
}

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

pub(crate) struct SimulatedGateway {
    table: RouteTable,
    pub(crate) recorded: ReplayableRegistry,
    pub(crate) admission_queue: SlotQueue,
    pub(crate) traffic: BTreeMap<BackendId, BackendTraffic>,
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
struct SimulatedCall {
    ask: SimulatedRequest,
    began: Moment,
    request: RequestId,
    admission_ticket: Ticket,
    candidates: Vec<Candidate>,
    attempts: AttemptPlan,
    place: usize,
    at: CallStage,
}

#[derive(Debug)]
enum CallStage {
    Admission,
    Pause,
    Backend(AttemptNumber),
    Running,
}

#[derive(Debug)]
enum PendingStep {
    Serve,
    Follow(AttemptStep),
}

impl SimulatedGateway {
    pub(crate) fn new(table: RouteTable, rates: &[(&str, RateRules)], seed: u64) -> Self {
        let traffic = |(id, rates): &(&str, RateRules)| {
            let rules = TrafficRules { rates: *rates, in_flight_max: None };
            (BackendId::new(*id).expect("a name"), BackendTraffic { rules, is_mock: false })
        };
        Self {
            table,
            recorded: ReplayableRegistry::new(seed),
            admission_queue: SlotQueue::new(SLOTS, QUEUE_MAX),
            traffic: rates.iter().map(traffic).collect(),
            calls: BTreeMap::new(),
            pending_steps: VecDeque::new(),
            effects: Vec::new(),
            chance: Chance::new(seed),
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
        self.try_candidate(call, *place, now);
        self.run(now);
    }

    pub(crate) fn first_token_arrived(&mut self, call: CallId, now: Moment) {
        let Some(SimulatedCall { at: CallStage::Backend(attempt), .. }) = self.calls.get(&call)
        else {
            return;
        };
        self.recorded.answer_started(*attempt, now);
    }

    /// A sent call has ended; ignored if the request no longer waits for it.
    pub(crate) fn call_ended(&mut self, call: CallId, how: AnswerOutcome, now: Moment) {
        let Some(SimulatedCall { at, .. }) = self.calls.get_mut(&call) else { return };
        let CallStage::Backend(attempt) = std::mem::replace(at, CallStage::Running) else {
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
        self.report(call, attempt, happened, tokens, now);
        match how {
            AnswerOutcome::Whole { .. } => self.end(call, SimulatedOutcome::Answered, now),
            AnswerOutcome::CutInAnswer => self.end(call, SimulatedOutcome::CutInAnswer, now),
            AnswerOutcome::Failed(failure) => self.failed(call, failure, now),
        }
        self.run(now);
    }

    pub(crate) fn client_cancelled(&mut self, call: CallId, now: Moment) {
        let Some(SimulatedCall { at, .. }) = self.calls.get_mut(&call) else { return };
        match std::mem::replace(at, CallStage::Running) {
            CallStage::Backend(attempt) => {
                self.report(call, attempt, CallOutcome::Neutral, 50, now);
            }
            CallStage::Admission | CallStage::Pause | CallStage::Running => {}
        }
        self.end(call, SimulatedOutcome::Cancelled, now);
        self.run(now);
    }

    /// The wait for a slot timed out, if the request still waits for that slot.
    pub(crate) fn slot_wait_timed_out(&mut self, call: CallId, ticket: Ticket, now: Moment) {
        let Some(waiting) = self.calls.get(&call) else { return };
        if matches!(waiting.at, CallStage::Admission) && waiting.admission_ticket == ticket {
            self.end(call, SimulatedOutcome::Busy { retry_after: QUEUE_WAIT_MAX }, now);
        }
        self.run(now);
    }

    /// The program is killed and restarts: all requests are lost, the states of accesses are kept.
    pub(crate) fn restart(&mut self, now: Moment) {
        for call in std::mem::take(&mut self.calls).into_keys() {
            self.effects.push(GatewayEffect::Ended { call, ending: SimulatedOutcome::Cancelled });
        }
        self.admission_queue = SlotQueue::new(SLOTS, QUEUE_MAX);
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
            }
        }
    }

    fn serve(&mut self, id: CallId, now: Moment) {
        let registry = self.recorded.at(now);
        registry.budget().count_request(now);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let asking = RoutingRequest {
            model: call.ask.model,
            client: &call.ask.client,
            switched_to: None,
            project: None,
            needs: Needs::default(),
            conversation: Some(call.ask.conversation),
        };
        let inputs = registry.routing_inputs(&no_price);
        let decision = self.table.choose(&asking, &inputs, &mut || self.chance.unit());
        drop(inputs);
        call.candidates = decision.expect("a route").candidates;
        call.attempts = AttemptPlan::new(AttemptRules::default(), call.pairs());
        call.at = CallStage::Running;
        let step = call.attempts.first_step();
        let candidates = call.candidates.iter().map(|one| one.endpoint.clone()).collect();
        self.effects.push(GatewayEffect::Routed { call: id, candidates });
        self.follow(id, step, now);
    }

    fn follow(&mut self, id: CallId, step: AttemptStep, now: Moment) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let AttemptStep::Try(place) | AttemptStep::TryAfter(place, _) = step {
            let endpoint = call.candidates[place].endpoint.clone();
            self.effects.push(GatewayEffect::Decided { call: id, endpoint });
        }
        match step {
            AttemptStep::Try(place) => self.try_candidate(id, place, now),
            AttemptStep::TryAfter(place, wait) => {
                (call.place, call.at) = (place, CallStage::Pause);
                self.effects.push(GatewayEffect::ResumeAt { call: id, at: now + wait });
            }
            AttemptStep::TrySoleTrial => self.try_sole_trial(id, now),
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

/// No policy of the worlds compares prices.
fn no_price(_: &BackendId, _: &str, _: &TokenUsage, _: WallTime) -> Option<NanoUsd> {
    None
}

impl SlotQueue {
    fn new(places: usize, queue_max: usize) -> Self {
        Self { admission: AdmissionQueue::new(places, queue_max), waiting: BTreeMap::new() }
    }
}

impl SimulatedCall {
    fn pairs(&self) -> impl Iterator<Item = (&Endpoint, &str)> {
        self.candidates.iter().map(|one| (&one.endpoint, one.model.as_str()))
    }

    const fn load(&self) -> RequestLoad {
        RequestLoad { request: self.request, tokens: TOKENS_ESTIMATED }
    }
}
