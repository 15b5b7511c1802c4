//! The runs in memory.

use std::collections::VecDeque;

use domain::{BackendId, RunId};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::parameters::PromptSender;
use crate::run::{
    PLAYGROUND_RUNS_AT_ONCE_MAX, PLAYGROUND_RUNS_KEPT_MAX, PlaygroundError, PlaygroundRawExchange,
    PlaygroundRun,
};

/// Runs in memory, oldest first.
#[derive(Default)]
pub(crate) struct RunList(Mutex<VecDeque<RunSlot>>);

pub(crate) struct RunSlot {
    pub(crate) run: PlaygroundRun,
    pub(crate) raw: PlaygroundRawExchange,
    pub(crate) cancel: CancellationToken,
}

impl RunSlot {
    /// True for a running health check of this backend.
    fn checks_backend(&self, backend: Option<&str>) -> bool {
        backend.is_some() && self.run.state.is_running() && self.run.checked_backend() == backend
    }
}

impl PlaygroundRun {
    /// The backend that a health check asks.
    fn checked_backend(&self) -> Option<&str> {
        let model = Some(&self.model).filter(|_| self.sender == PromptSender::HealthCheck);
        model.and_then(|model| model.split_once('/')).map(|(backend, _)| backend)
    }
}

impl RunList {
    /// Adds a run, in the place of the oldest that has ended if there are many. One health check of a
    /// backend runs at a time.
    pub(crate) fn add(&self, slot: RunSlot) -> Result<(), PlaygroundError> {
        let mut places = self.0.lock();
        if places.iter().any(|place| place.checks_backend(slot.run.checked_backend())) {
            return Err(PlaygroundError::AlreadyAsked);
        }
        // Health checks and the user's runs do not take each other's places.
        let is_listed = slot.run.sender.is_listed();
        let peers = || places.iter().filter(|place| place.run.sender.is_listed() == is_listed);
        if peers().filter(|place| place.run.state.is_running()).count()
            >= PLAYGROUND_RUNS_AT_ONCE_MAX
        {
            return Err(PlaygroundError::TooManyRuns);
        }
        let oldest = peers().find(|place| !place.run.state.is_running()).map(|place| place.run.id);
        if let Some(oldest) = oldest.filter(|_| peers().count() >= PLAYGROUND_RUNS_KEPT_MAX) {
            places.retain(|place| place.run.id != oldest);
        }
        places.push_back(slot);
        Ok(())
    }

    /// Cancels a run: the gateway sees its client disconnect. Ended runs are not affected.
    pub(crate) fn cancel(&self, id: RunId) {
        let places = self.0.lock();
        if let Some(place) = places.iter().find(|place| place.run.id == id) {
            place.cancel.cancel();
        }
    }

    /// Cancels the health check of a backend, if one is running.
    pub(crate) fn cancel_health_check(&self, backend: &BackendId) {
        let places = self.0.lock();
        let wanted = |place: &&RunSlot| place.checks_backend(Some(backend.as_str()));
        places.iter().filter(wanted).for_each(|place| place.cancel.cancel());
    }

    pub(crate) fn remove(&self, id: RunId) {
        self.0.lock().retain(|place| place.run.id != id);
    }

    /// Listed runs in memory, oldest first.
    #[must_use]
    pub(crate) fn list(&self) -> Vec<PlaygroundRun> {
        let places = self.0.lock();
        let listed = places.iter().filter(|place| place.run.sender.is_listed());
        listed.map(|place| place.run.clone()).collect()
    }

    /// Raw request and response; `None` if the run is no longer kept.
    #[must_use]
    pub(crate) fn raw_exchange(&self, id: RunId) -> Option<PlaygroundRawExchange> {
        let places = self.0.lock();
        places.iter().find(|place| place.run.id == id).map(|place| place.raw.clone())
    }

    /// Applies `change` to a run; `None` if the run is no longer kept.
    pub(crate) fn update<T>(&self, id: RunId, change: impl FnOnce(&mut RunSlot) -> T) -> Option<T> {
        let mut places = self.0.lock();
        places.iter_mut().find(|place| place.run.id == id).map(change)
    }
}
