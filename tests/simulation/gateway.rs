//! Takes a request through the real state machines: admission, routing, attempt plan, access,
//! backend queue. It does no I/O itself; it returns the actions as [`Effect`]s.
//!
//! The order is that of the product's gateway without its network, so that the interplay of the
//! state machines shown here holds there.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use domain::{Access, BackendId, ClientId, Moment, RequestId};
use resilience::{
    AdaptiveLimit, AdaptiveRules, Admission, AttemptRules, Attempts, BreakerRules, Circumstances,
    Entered, FailureWeight, Happened, LimitScope, Priority, RateLimits, RateRules, RatesTaken,
    RetryBudget, Step, Stopped, Ticket,
};
use routing::{Asking, Needs, RouteTable};

use known::Known;

use super::chance::Chance;
use super::recorded::{PermitNumber, Recorded};
use super::upstream::How;

mod known;
mod sending;

/// Most concurrent requests.
pub(crate) const PLACES: usize = 200;
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
pub(crate) struct Ask {
    pub(crate) client: ClientId,
    pub(crate) priority: Priority,
    pub(crate) model: &'static str,
    pub(crate) conversation: u64,
}

/// An action for the simulated world.
#[derive(Debug)]
pub(crate) enum Effect {
    /// The request has its candidates.
    Routed {
        call: CallId,
        candidates: Vec<Access>,
    },
    /// The attempt plan chose this access.
    Decided {
        call: CallId,
        access: Access,
    },
    Send {
        call: CallId,
        access: Access,
        left: Duration,
    },
    Reported {
        call: CallId,
        access: Access,
        request: RequestId,
        happened: Happened,
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
        ending: Ending,
    },
}

/// The outcome for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Answered,
    CutInAnswer,
    Failed {
        stopped: Stopped,
        retry_after: Option<Duration>,
    },
    /// All slots and the queue were full, or the wait timed out.
    Busy {
        retry_after: Duration,
    },
    Cancelled,
}

#[derive(Debug)]
pub(crate) struct Gateway {
    table: RouteTable,
    pub(crate) recorded: Recorded,
    pub(crate) budget: RetryBudget,
    pub(crate) door: Gate,
    pub(crate) backends: BTreeMap<BackendId, Backend>,
    calls: BTreeMap<CallId, Call>,
    todo: VecDeque<(CallId, Todo)>,
    effects: Vec<Effect>,
    chance: Chance,
}

/// Concurrency slots, and the calls that wait for one.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) admission: Admission,
    waiting: BTreeMap<Ticket, CallId>,
}

#[derive(Debug)]
pub(crate) struct Backend {
    pub(crate) gate: Gate,
    pub(crate) adaptive: AdaptiveLimit,
    rates: RateLimits,
}

#[derive(Debug)]
struct Call {
    ask: Ask,
    began: Moment,
    request: RequestId,
    door: Ticket,
    candidates: Vec<(Access, String)>,
    attempts: Attempts,
    place: usize,
    at: At,
}

#[derive(Debug)]
enum At {
    Door,
    BackendGate(Ticket),
    Pause,
    Backend { gate: Ticket, permit: PermitNumber, rates: RatesTaken },
    Between,
}

#[derive(Debug)]
enum Todo {
    Serve,
    Follow(Step),
    Placed(Ticket),
}

impl Gateway {
    pub(crate) fn new(table: RouteTable, rates: &[(&str, RateRules)], chance: Chance) -> Self {
        let limits = |id: &str, rules| (BackendId::new(id).expect("a name"), Backend::new(rules));
        Self {
            table,
            recorded: Recorded::new(BreakerRules::default()),
            budget: RetryBudget::default(),
            door: Gate::new(PLACES, QUEUE_MAX),
            backends: rates.iter().map(|(id, rules)| limits(id, *rules)).collect(),
            calls: BTreeMap::new(),
            todo: VecDeque::new(),
            effects: Vec::new(),
            chance,
        }
    }

    /// Admits a new request.
    pub(crate) fn arrive(&mut self, call: CallId, ask: Ask, now: Moment) {
        let entered = self.door.admission.enter(ask.priority, now);
        let (door, todo) = match entered {
            Entered::Place(ticket) => (ticket, Some(Todo::Serve)),
            Entered::Queued(ticket) => (ticket, None),
            Entered::Full { retry_after } => {
                let ending = Ending::Busy { retry_after };
                return self.effects.push(Effect::Ended { call, ending });
            }
        };
        match todo {
            Some(todo) => self.todo.push_back((call, todo)),
            None => self.wait_at_most(call, door, now),
        }
        if let Entered::Queued(ticket) = entered {
            self.door.waiting.insert(ticket, call);
        }
        let attempts = Attempts::new(AttemptRules::default(), []);
        let request = self.chance.request_id();
        let (candidates, place, at) = (Vec::new(), 0, At::Door);
        let began = now;
        let fresh = Call { ask, began, request, door, candidates, attempts, place, at };
        self.calls.insert(call, fresh);
        self.run(now);
    }

    /// The pause before a retry is over.
    pub(crate) fn resume(&mut self, call: CallId, now: Moment) {
        let Some(Call { at: At::Pause, place, .. }) = self.calls.get(&call) else { return };
        self.knock(call, *place, now);
        self.run(now);
    }

    /// The first token has arrived.
    pub(crate) fn answering(&mut self, call: CallId, now: Moment) {
        let Some(Call { at: At::Backend { permit, .. }, request, .. }) = self.calls.get(&call)
        else {
            return;
        };
        self.recorded.answering(*permit, *request, now);
    }

    /// A sent call has ended; ignored if the request no longer waits for it.
    pub(crate) fn answered(&mut self, call: CallId, how: How, now: Moment) {
        let Some(Call { at, .. }) = self.calls.get_mut(&call) else { return };
        let At::Backend { gate, permit, rates } = std::mem::replace(at, At::Between) else {
            panic!("an answer to what was not sent")
        };
        let (happened, tokens) = match how {
            How::Whole { first_token, tokens } => {
                (Happened::Success { first_token: Some(first_token) }, tokens)
            }
            How::CutInAnswer => {
                (Happened::Failure { weight: FailureWeight::Full, retry_after: None }, 150)
            }
            How::Failed(failure) => (failure.happened(LimitScope::Access), 0),
        };
        self.report(call, permit, happened, now);
        self.learn(call, &how, now);
        self.leave_backend(call, gate, Some((rates, tokens)), now);
        match how {
            How::Whole { .. } => self.end(call, Ending::Answered, now),
            How::CutInAnswer => self.end(call, Ending::CutInAnswer, now),
            How::Failed(failure) => self.failed(call, failure, now),
        }
        self.run(now);
    }

    /// The client cancels.
    pub(crate) fn abandon(&mut self, call: CallId, now: Moment) {
        let Some(Call { at, .. }) = self.calls.get_mut(&call) else { return };
        match std::mem::replace(at, At::Between) {
            At::Backend { gate, permit, rates } => {
                self.report(call, permit, Happened::Nothing, now);
                self.leave_backend(call, gate, Some((rates, 50)), now);
            }
            At::BackendGate(gate) => self.leave_backend(call, gate, None, now),
            At::Door | At::Pause | At::Between => {}
        }
        self.end(call, Ending::Cancelled, now);
        self.run(now);
    }

    /// The wait for a slot timed out, if the request still waits for that slot.
    pub(crate) fn give_up(&mut self, call: CallId, ticket: Ticket, now: Moment) {
        let Some(waiting) = self.calls.get(&call) else { return };
        match waiting.at {
            At::Door if waiting.door == ticket => {
                self.end(call, Ending::Busy { retry_after: QUEUE_WAIT_MAX }, now);
            }
            At::BackendGate(gate) if gate == ticket => {
                self.effects.push(Effect::GaveUp { call });
                self.leave_backend(call, gate, None, now);
                self.not_admitted(call, waiting_place(&self.calls, call), now);
            }
            _ => {}
        }
        self.run(now);
    }

    /// The program is killed and restarts: all requests are lost, the states of accesses are kept.
    pub(crate) fn restart(&mut self, now: Moment) {
        for call in std::mem::take(&mut self.calls).into_keys() {
            self.effects.push(Effect::Ended { call, ending: Ending::Cancelled });
        }
        self.door = Gate::new(PLACES, QUEUE_MAX);
        for backend in self.backends.values_mut() {
            backend.gate = Gate::new(limit(&backend.adaptive), BACKEND_QUEUE_MAX);
        }
        self.budget = RetryBudget::default();
        self.recorded.restart(now);
    }

    pub(crate) fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// The number of admitted and queued requests.
    pub(crate) fn inside(&self) -> usize {
        self.calls.len()
    }

    fn run(&mut self, now: Moment) {
        while let Some((call, todo)) = self.todo.pop_front() {
            match todo {
                Todo::Serve => self.serve(call, now),
                Todo::Follow(step) => self.follow(call, step, now),
                Todo::Placed(gate) => self.placed(call, gate, now),
            }
        }
    }

    fn serve(&mut self, id: CallId, now: Moment) {
        self.budget.request(now);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let asking = Asking {
            model: call.ask.model,
            client: &call.ask.client,
            project: None,
            needs: Needs::default(),
            conversation: Some(call.ask.conversation),
        };
        let known = Known { recorded: &self.recorded, backends: &self.backends, now };
        let decision = self.table.choose(&asking, &known, &mut || self.chance.unit());
        let candidates = decision.expect("a route").candidates;
        call.candidates = candidates.into_iter().map(|one| (one.access, one.model)).collect();
        let pairs = call.candidates.iter().map(|(access, model)| (access, model.as_str()));
        call.attempts = Attempts::new(AttemptRules::default(), pairs);
        call.at = At::Between;
        let step = call.attempts.begin();
        let candidates = call.candidates.iter().map(|(access, _)| access.clone()).collect();
        self.effects.push(Effect::Routed { call: id, candidates });
        self.follow(id, step, now);
    }

    fn follow(&mut self, id: CallId, step: Step, now: Moment) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let Step::Try(place) | Step::TryAfter(place, _) = step {
            let access = call.candidates[place].0.clone();
            self.effects.push(Effect::Decided { call: id, access });
        }
        match step {
            Step::Try(place) => self.knock(id, place, now),
            Step::TryAfter(place, wait) => {
                (call.place, call.at) = (place, At::Pause);
                self.effects.push(Effect::ResumeAt { call: id, at: now + wait });
            }
            Step::Stop(stopped) => self.stop(id, stopped, now),
        }
    }

    fn end(&mut self, id: CallId, ending: Ending, now: Moment) {
        let Some(call) = self.calls.remove(&id) else { return };
        self.door.waiting.remove(&call.door);
        if let Some(next) = self.door.admission.leave(call.door, now) {
            let next = self.door.waiting.remove(&next).expect("whoever is called has waited");
            self.todo.push_back((next, Todo::Serve));
        }
        self.effects.push(Effect::Ended { call: id, ending });
    }

    fn wait_at_most(&mut self, call: CallId, ticket: Ticket, now: Moment) {
        self.effects.push(Effect::GiveUpAt { call, ticket, at: now + QUEUE_WAIT_MAX });
    }

    fn circumstances(&self, id: CallId, now: Moment) -> Circumstances {
        let began = self.calls.get(&id).map_or(now, |call| call.began);
        let left = DEADLINE.saturating_sub(now.since(began));
        Circumstances { now, left, chance: self.chance.unit() }
    }
}

impl Gate {
    fn new(places: usize, queue_max: usize) -> Self {
        Self { admission: Admission::new(places, queue_max), waiting: BTreeMap::new() }
    }
}

impl Backend {
    fn new(rules: RateRules) -> Self {
        let adaptive = AdaptiveLimit::new(AdaptiveRules::default());
        let gate = Gate::new(limit(&adaptive), BACKEND_QUEUE_MAX);
        Self { gate, adaptive, rates: RateLimits::new(rules) }
    }
}

fn limit(adaptive: &AdaptiveLimit) -> usize {
    usize::try_from(adaptive.limit()).expect("a small number")
}

fn waiting_place(calls: &BTreeMap<CallId, Call>, id: CallId) -> usize {
    calls.get(&id).map_or(0, |call| call.place)
}
