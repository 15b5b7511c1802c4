//! The routing inputs: the current states of the state machines.

use std::collections::BTreeMap;

use domain::{BackendId, Endpoint, Moment};
use resilience::{AdmissionQueue, Availability};
use routing::{CandidateAvailability, Needs, RoutingSignals};

use super::SimulatedBackend;
use crate::simulation::replay::ReplayableEndpoints;

/// The routing inputs at one moment.
pub(super) struct SimulatedRoutingInputs<'a> {
    pub(super) recorded: &'a ReplayableEndpoints,
    pub(super) backends: &'a BTreeMap<BackendId, SimulatedBackend>,
    pub(super) now: Moment,
}

impl RoutingSignals for SimulatedRoutingInputs<'_> {
    fn availability(&self, endpoint: &Endpoint, model: &str) -> CandidateAvailability {
        match self.recorded.endpoints.availability(endpoint, model, self.now) {
            Availability::Ready => CandidateAvailability::Ready,
            Availability::Ramp { percent } => CandidateAvailability::Ramp(percent),
            Availability::Trial => CandidateAvailability::Trial,
            Availability::Closed { .. } => {
                CandidateAvailability::Closed { reason: "closed".into() }
            }
        }
    }

    fn first_token_ms(&self, _backend: &BackendId, _model: &str) -> Option<u32> {
        None
    }

    fn cost_nanos(&self, _backend: &BackendId, _model: &str, _needs: &Needs) -> Option<u64> {
        None
    }

    fn in_flight(&self, backend: &BackendId) -> u32 {
        let gate = self.backends.get(backend).map(|backend| &backend.gate.admission);
        u32::try_from(gate.map_or(0, AdmissionQueue::in_flight)).expect("few")
    }

    fn headroom_percent(&self, endpoint: &Endpoint) -> Option<u8> {
        self.backends.get(&endpoint.backend)?.rates.headroom_percent(self.now)
    }

    fn last_answered_by(&self, _conversation: u64) -> Option<(BackendId, String)> {
        None
    }
}
