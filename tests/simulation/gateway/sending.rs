//! From a step of the attempt plan to a backend call and back.

use domain::Moment;
use endpoints::NotAdmitted;
use resilience::{AttemptFailure, Availability, CallOutcome, StopReason};

use super::{
    CallId, CallStage, DEADLINE, GatewayEffect, PendingStep, SimulatedGateway, SimulatedOutcome,
};
use crate::simulation::replay::AttemptNumber;

impl SimulatedGateway {
    /// Sends to a candidate, unless its access is closed or its backend busy.
    pub(super) fn try_candidate(&mut self, id: CallId, place: usize, now: Moment) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.place = place;
        call.at = CallStage::Running;
        let traffic = self.traffic[&call.candidates[place].endpoint.backend];
        let refused = match self.recorded.admit(place, &call.candidates, traffic, call.load(), now)
        {
            Ok(attempt) => return self.send(id, attempt, now),
            Err(refused) => refused,
        };
        match refused {
            NotAdmitted::Closed(Availability::Closed { .. }) => {}
            NotAdmitted::Closed(open) => panic!("refused although {open:?}"),
            NotAdmitted::Busy(busy) => {
                let endpoint = call.candidates[place].endpoint.clone();
                let wait = busy.wait;
                self.effects.push(GatewayEffect::BackendBusy { call: id, endpoint, wait });
            }
        }
        self.not_admitted(id, place, now);
    }

    /// Sends to the candidate that would reopen first, if a trial is available.
    pub(super) fn try_sole_trial(&mut self, id: CallId, now: Moment) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let traffic = &self.traffic;
        let limits = call.candidates.iter().map(|one| traffic[&one.endpoint.backend]).collect();
        match self.recorded.admit_sole_trial(&call.candidates, limits, call.load(), now) {
            Some((place, attempt)) => {
                call.attempts.start_sole_trial(place);
                call.place = place;
                self.send(id, attempt, now);
            }
            None => self.stop(id, StopReason::NoCandidates, now),
        }
    }

    fn send(&mut self, id: CallId, attempt: AttemptNumber, now: Moment) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.at = CallStage::Backend(attempt);
        let endpoint = call.candidates[call.place].endpoint.clone();
        let left = DEADLINE.saturating_sub(now.since(call.began));
        self.effects.push(GatewayEffect::Send { call: id, endpoint, left });
    }

    fn not_admitted(&mut self, id: CallId, place: usize, now: Moment) {
        let at = self.circumstances(id, now);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let budget = &mut self.recorded.at(now).budget();
        let step = call.attempts.next_after_rejection(place, budget, at);
        self.pending_steps.push_back((id, PendingStep::Follow(step)));
    }

    pub(super) fn failed(&mut self, id: CallId, failure: AttemptFailure, now: Moment) {
        let at = self.circumstances(id, now);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let budget = &mut self.recorded.at(now).budget();
        let step = call.attempts.next_after_failure(call.place, failure, budget, at);
        self.pending_steps.push_back((id, PendingStep::Follow(step)));
    }

    /// Ends the request without an answer.
    pub(super) fn stop(&mut self, id: CallId, stopped: StopReason, now: Moment) {
        let Some(call) = self.calls.get(&id) else { return };
        let retry_after = self.recorded.at(now).time_until_reopen(call.pairs());
        self.end(id, SimulatedOutcome::Failed { stopped, retry_after }, now);
    }

    pub(super) fn report(
        &mut self,
        id: CallId,
        attempt: AttemptNumber,
        happened: CallOutcome,
        tokens: u64,
        now: Moment,
    ) {
        let Some(call) = self.calls.get(&id) else { return };
        let endpoint = call.candidates[call.place].endpoint.clone();
        let request = call.request;
        self.recorded.report(attempt, happened, tokens, now);
        self.effects.push(GatewayEffect::Reported { call: id, endpoint, request, happened });
    }
}
