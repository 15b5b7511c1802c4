//! From a step of the attempt plan to a backend call and back: slot, rates and permit are taken in
//! this order and released in every case.

use domain::Moment;
use resilience::{
    AdmissionOutcome, AttemptFailure, AttemptStep, Availability, CallOutcome, FailureClass,
    RatesReservation, StopReason, Ticket,
};

use super::{
    CallId, CallStage, DEADLINE, GatewayEffect, PendingStep, SimulatedGateway, SimulatedOutcome,
    TOKENS_ESTIMATED, candidate_position, limit,
};
use crate::simulation::replay::PermitNumber;
use crate::simulation::upstream::AnswerOutcome;

impl SimulatedGateway {
    /// Requests a slot at the backend, unless its access is closed.
    pub(super) fn request_slot(&mut self, id: CallId, place: usize, now: Moment) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.place = place;
        call.at = CallStage::Running;
        let (endpoint, model) = &call.candidates[place];
        let availability = self.recorded.endpoints.availability(endpoint, model, now);
        let backend = self.backends.get_mut(&endpoint.backend).expect("a known backend");
        if matches!(availability, Availability::Closed { .. }) {
            return self.not_admitted(id, place, now);
        }
        match backend.gate.admission.request_slot(call.ask.priority, now) {
            AdmissionOutcome::Slot(gate) => self.slot_granted(id, gate, now),
            AdmissionOutcome::Queued(gate) => {
                backend.gate.waiting.insert(gate, id);
                call.at = CallStage::BackendQueue(gate);
                self.wait_at_most(id, gate, now);
            }
            AdmissionOutcome::Full { .. } => self.not_admitted(id, place, now),
        }
    }

    /// Takes rates and permit after the slot was granted, and sends.
    pub(super) fn slot_granted(&mut self, id: CallId, gate: Ticket, now: Moment) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let backend = &call.candidates[call.place].0.backend;
        let backend = self.backends.get_mut(backend).expect("a known backend");
        let Ok(rates) = backend.rates.try_take(TOKENS_ESTIMATED, now) else {
            self.leave_backend(id, gate, None, now);
            return self.not_admitted(id, candidate_position(&self.calls, id), now);
        };
        match self.recorded.admit(call.place, &call.candidates, now) {
            Some(permit) => self.send(id, gate, permit, rates, now),
            None => {
                backend.rates.refund(rates, now);
                self.leave_backend(id, gate, None, now);
                self.not_admitted(id, candidate_position(&self.calls, id), now);
            }
        }
    }

    pub(super) fn send(
        &mut self,
        id: CallId,
        gate: Ticket,
        permit: PermitNumber,
        rates: RatesReservation,
        now: Moment,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.at = CallStage::Backend { gate, permit, rates };
        let endpoint = call.candidates[call.place].0.clone();
        let left = DEADLINE.saturating_sub(now.since(call.began));
        self.effects.push(GatewayEffect::Send { call: id, endpoint, left });
    }

    pub(super) fn not_admitted(&mut self, id: CallId, place: usize, now: Moment) {
        let at = self.circumstances(id, now);
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.at = CallStage::Running;
        let step = call.attempts.next_after_rejection(place, &mut self.budget, at);
        self.pending_steps.push_back((id, PendingStep::Follow(step)));
    }

    pub(super) fn failed(&mut self, id: CallId, failure: AttemptFailure, now: Moment) {
        let at = self.circumstances(id, now);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let step = call.attempts.next_after_failure(call.place, failure, &mut self.budget, at);
        self.pending_steps.push_back((id, PendingStep::Follow(step)));
    }

    /// Tries the last resort if all candidates are closed, else ends the request.
    pub(super) fn stop(&mut self, id: CallId, stopped: StopReason, now: Moment) {
        if stopped == StopReason::NoCandidates && self.try_last_resort(id, now) {
            return;
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        let pairs = call.candidates.iter().map(|(endpoint, model)| (endpoint, model.as_str()));
        let retry_after = self.recorded.endpoints.time_until_reopen(pairs, now);
        self.end(id, SimulatedOutcome::Failed { stopped, retry_after }, now);
    }

    /// Sends to the candidate that would reopen first, if a trial is available.
    fn try_last_resort(&mut self, id: CallId, now: Moment) -> bool {
        let Some(call) = self.calls.get_mut(&id) else { return false };
        if call.attempts.attempts_made() > 0 {
            return false;
        }
        let nearest = self.recorded.admit_nearest(&call.candidates, now);
        let Some((place, permit)) = nearest else { return false };
        let trial = call.attempts.try_sole_trial(place);
        assert_eq!(
            trial,
            AttemptStep::Try(place),
            "a request without attempts has its last chance"
        );
        call.place = place;
        let backend = &call.candidates[place].0.backend;
        let backend = self.backends.get_mut(backend).expect("a known backend");
        let entered = backend.gate.admission.request_slot(call.ask.priority, now);
        let rates = backend.rates.try_take(TOKENS_ESTIMATED, now);
        match (entered, rates) {
            (AdmissionOutcome::Slot(gate), Ok(rates)) => {
                self.send(id, gate, permit, rates, now);
                return true;
            }
            // Calls from before the breaker closed still hold the slots.
            (entered, rates) => {
                self.recorded.release(permit, now);
                let taken = rates.ok().map(|rates| (rates, 0));
                if let AdmissionOutcome::Slot(gate) | AdmissionOutcome::Queued(gate) = entered {
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
        happened: CallOutcome,
        now: Moment,
    ) {
        let Some(call) = self.calls.get(&id) else { return };
        let (endpoint, _) = call.candidates[call.place].clone();
        let request = call.request;
        self.recorded.report(permit, happened, request, now, self.chance.unit());
        self.effects.push(GatewayEffect::Reported { call: id, endpoint, request, happened });
    }

    pub(super) fn learn(&mut self, id: CallId, how: &AnswerOutcome, now: Moment) {
        let Some(call) = self.calls.get(&id) else { return };
        let backend = &call.candidates[call.place].0.backend;
        let backend = self.backends.get_mut(backend).expect("a known backend");
        let in_flight = u32::try_from(backend.gate.admission.in_flight()).expect("few");
        match how {
            AnswerOutcome::Whole { first_token, .. } => {
                backend.adaptive.on_success(Some(*first_token), in_flight, now);
            }
            AnswerOutcome::Failed(failure)
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
        used: Option<(RatesReservation, u64)>,
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
        called.extend(admission.release(gate, now));
        for next in called {
            let waited = backend.gate.waiting.remove(&next).expect("whoever is called has waited");
            let waiting = self.calls.get_mut(&waited).expect("it is still inside");
            waiting.at = CallStage::Running;
            self.pending_steps.push_back((waited, PendingStep::Placed(next)));
        }
    }
}
