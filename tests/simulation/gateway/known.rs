//! The routing inputs: the current states of the state machines.

use std::collections::BTreeMap;

use domain::{Access, BackendId, Moment};
use resilience::{Admission, Availability};
use routing::{Available, Conditions, Needs};

use super::Backend;
use crate::simulation::recorded::Recorded;

/// The routing inputs at one moment.
pub(super) struct Known<'a> {
    pub(super) recorded: &'a Recorded,
    pub(super) backends: &'a BTreeMap<BackendId, Backend>,
    pub(super) now: Moment,
}

impl Conditions for Known<'_> {
    fn availability(&self, access: &Access, model: &str) -> Available {
        match self.recorded.accesses.availability(access, model, self.now) {
            Availability::Ready => Available::Ready,
            Availability::Ramp { percent } => Available::Ramp(percent),
            Availability::Trial => Available::Trial,
            Availability::Closed { .. } => Available::Closed { why: "closed".into() },
        }
    }

    fn first_token_ms(&self, _backend: &BackendId, _model: &str) -> Option<u32> {
        None
    }

    fn cost_micros(&self, _backend: &BackendId, _model: &str, _needs: &Needs) -> Option<u64> {
        None
    }

    fn in_flight(&self, backend: &BackendId) -> u32 {
        let gate = self.backends.get(backend).map(|backend| &backend.gate.admission);
        u32::try_from(gate.map_or(0, Admission::in_flight)).expect("few")
    }

    fn headroom_percent(&self, access: &Access) -> Option<u8> {
        self.backends.get(&access.backend)?.rates.headroom_percent(self.now)
    }

    fn stays_with(&self, _conversation: u64) -> Option<(BackendId, String)> {
        None
    }
}
