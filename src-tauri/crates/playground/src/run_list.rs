//! The runs in memory.

use std::collections::VecDeque;

use domain::RunId;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

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

impl RunList {
    /// Adds a run, in the place of the oldest that has ended if there are many.
    pub(crate) fn add(&self, slot: RunSlot) -> Result<(), PlaygroundError> {
        let mut places = self.0.lock();
        let going = places.iter().filter(|place| place.run.state.is_running()).count();
        if going >= PLAYGROUND_RUNS_AT_ONCE_MAX {
            return Err(PlaygroundError::TooManyRuns);
        }
        if places.len() >= PLAYGROUND_RUNS_KEPT_MAX
            && let Some(oldest) = places.iter().position(|place| !place.run.state.is_running())
        {
            places.remove(oldest);
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

    /// Runs in memory, oldest first.
    #[must_use]
    pub(crate) fn list(&self) -> Vec<PlaygroundRun> {
        self.0.lock().iter().map(|place| place.run.clone()).collect()
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
