//! From a step of the attempt plan to a backend call and back: slot, rates and permit are taken in
//! this order and released in every case.

use domain::Moment;
use resilience::{
    Availability, Entered, Failure, FailureClass, Happened, RatesTaken, Step, Stopped, Ticket,
};

use super::{
    At, CallId, DEADLINE, Effect, Ending, Gateway, TOKENS_ESTIMATED, Todo, limit, waiting_place,
};
use crate::simulation::recorded::PermitNumber;
use crate::simulation::upstream::How;

impl Gateway {
    /// Requests a slot at the backend, unless its access is closed.
    pub(super) fn knock(&mut self, id: CallId, place: usize, now: Moment) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.place = place;
        call.at = At::Between;
        let (access, model) = &call.candidates[place];
        let availability = self.recorded.accesses.availability(access, model, now);
        let backend = self.backends.get_mut(&access.backend).expect("a known backend");
        if matches!(availability, Availability::Closed { .. }) {
            return self.not_admitted(id, place, now);
        }
        match backend.gate.admission.enter(call.ask.priority, now) {
            Entered::Place(gate) => self.placed(id, gate, now),
            Entered::Queued(gate) => {
                backend.gate.waiting.insert(gate, id);
                call.at = At::BackendGate(gate);
                self.wait_at_most(id, gate, now);
            }
            Entered::Full { .. } => self.not_admitted(id, place, now),
        }
    }

    /// Takes rates and permit after the slot was granted, and sends.
    pub(super) fn placed(&mut self, id: CallId, gate: Ticket, now: Moment) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let backend = &call.candidates[call.place].0.backend;
        let backend = self.backends.get_mut(backend).expect("a known backend");
        let Ok(rates) = backend.rates.try_take(TOKENS_ESTIMATED, now) else {
            self.leave_backend(id, gate, None, now);
            return self.not_admitted(id, waiting_place(&self.calls, id), now);
        };
        match self.recorded.admit(call.place, &call.candidates, now) {
            Some(permit) => self.send(id, gate, permit, rates, now),
            None => {
                backend.rates.give_back(rates, now);
                self.leave_backend(id, gate, None, now);
                self.not_admitted(id, waiting_place(&self.calls, id), now);
            }
        }
    }

    pub(super) fn send(
        &mut self,
        id: CallId,
        gate: Ticket,
        permit: PermitNumber,
        rates: RatesTaken,
        now: Moment,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.at = At::Backend { gate, permit, rates };
        let access = call.candidates[call.place].0.clone();
        let left = DEADLINE.saturating_sub(now.since(call.began));
        self.effects.push(Effect::Send { call: id, access, left });
    }

    pub(super) fn not_admitted(&mut self, id: CallId, place: usize, now: Moment) {
        let at = self.circumstances(id, now);
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.at = At::Between;
        let step = call.attempts.not_admitted(place, &mut self.budget, at);
        self.todo.push_back((id, Todo::Follow(step)));
    }

    pub(super) fn failed(&mut self, id: CallId, failure: Failure, now: Moment) {
        let at = self.circumstances(id, now);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let step = call.attempts.failed(call.place, failure, &mut self.budget, at);
        self.todo.push_back((id, Todo::Follow(step)));
    }

    /// Tries the last resort if all candidates are closed, else ends the request.
    pub(super) fn stop(&mut self, id: CallId, stopped: Stopped, now: Moment) {
        if stopped == Stopped::NoCandidates && self.last_chance(id, now) {
            return;
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        let pairs = call.candidates.iter().map(|(access, model)| (access, model.as_str()));
        let retry_after = self.recorded.accesses.nearest_reopen(pairs, now);
        self.end(id, Ending::Failed { stopped, retry_after }, now);
    }

    /// Sends to the candidate that would reopen first, if a trial is available.
    fn last_chance(&mut self, id: CallId, now: Moment) -> bool {
        let Some(call) = self.calls.get_mut(&id) else { return false };
        if call.attempts.made() > 0 {
            return false;
        }
        let nearest = self.recorded.admit_nearest(&call.candidates, now);
        let Some((place, permit)) = nearest else { return false };
        let trial = call.attempts.last_chance(place);
        assert_eq!(trial, Step::Try(place), "a request without attempts has its last chance");
        call.place = place;
        let backend = &call.candidates[place].0.backend;
        let backend = self.backends.get_mut(backend).expect("a known backend");
        let entered = backend.gate.admission.enter(call.ask.priority, now);
        let rates = backend.rates.try_take(TOKENS_ESTIMATED, now);
        match (entered, rates) {
            (Entered::Place(gate), Ok(rates)) => {
                self.send(id, gate, permit, rates, now);
                return true;
            }
            // Calls from before the breaker closed still hold the slots.
            (entered, rates) => {
                self.recorded.release(permit, now);
                let taken = rates.ok().map(|rates| (rates, 0));
                if let Entered::Place(gate) | Entered::Queued(gate) = entered {
                    self.leave_backend(id, gate, taken, now);
                }
            }
        }
        false
    }

    pub(super) fn report(
        &mut self,
        id: CallId,
        permit: PermitNumber,
        happened: Happened,
        now: Moment,
    ) {
        let Some(call) = self.calls.get(&id) else { return };
        let (access, _) = call.candidates[call.place].clone();
        let request = call.request;
        self.recorded.report(permit, happened, request, now, self.chance.unit());
        self.effects.push(Effect::Reported { call: id, access, request, happened });
    }

    pub(super) fn learn(&mut self, id: CallId, how: &How, now: Moment) {
        let Some(call) = self.calls.get(&id) else { return };
        let backend = &call.candidates[call.place].0.backend;
        let backend = self.backends.get_mut(backend).expect("a known backend");
        let in_flight = u32::try_from(backend.gate.admission.in_flight()).expect("few");
        match how {
            How::Whole { first_token, .. } => {
                backend.adaptive.on_success(Some(*first_token), in_flight, now);
            }
            How::Failed(failure)
                if matches!(
                    failure.class,
                    FailureClass::RateLimited | FailureClass::Overloaded
                ) =>
            {
                backend.adaptive.on_overload(in_flight, now);
            }
            _ => {}
        }
    }

    pub(super) fn leave_backend(
        &mut self,
        id: CallId,
        gate: Ticket,
        used: Option<(RatesTaken, u64)>,
        now: Moment,
    ) {
        let Some(call) = self.calls.get(&id) else { return };
        let backend = &call.candidates[call.place].0.backend;
        let backend = self.backends.get_mut(backend).expect("a known backend");
        if let Some((taken, tokens)) = used {
            backend.rates.settle(taken, tokens, now);
        }
        backend.gate.waiting.remove(&gate);
        let admission = &mut backend.gate.admission;
        // Resize before releasing the slot, or a smaller limit would admit one call too many.
        let mut called = admission.resize(limit(&backend.adaptive));
        called.extend(admission.leave(gate, now));
        for next in called {
            let waited = backend.gate.waiting.remove(&next).expect("whoever is called has waited");
            let waiting = self.calls.get_mut(&waited).expect("it is still inside");
            waiting.at = At::Between;
            self.todo.push_back((waited, Todo::Placed(next)));
        }
    }
}
