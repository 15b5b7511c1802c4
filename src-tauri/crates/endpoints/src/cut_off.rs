//! Backends that cannot be reached because the network is down.

use std::collections::HashSet;
use std::time::Duration;

use domain::{BackendId, Moment};

/// Failures this long before the network was found to be down may be its own: finding out takes as
/// long as hosts that do not answer are waited for.
pub(crate) const NETWORK_DOUBT: Duration = Duration::from_secs(60);

/// The latest outage of the network.
#[derive(Debug, Default)]
pub(crate) struct CutOff {
    backends: HashSet<BackendId>,
    found: Option<Moment>,
    /// When it was over; `None` while it lasts.
    over: Option<Moment>,
}

/// An outage that is over.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PastOutage {
    pub(crate) backends: HashSet<BackendId>,
    /// From here on it may explain failures.
    pub(crate) doubtful: Moment,
}

impl CutOff {
    /// Takes in which backends are cut off; `None` if the network works. Returns the outage that ends
    /// with this.
    pub(crate) fn set(
        &mut self,
        cut_off: Option<HashSet<BackendId>>,
        now: Moment,
    ) -> Option<PastOutage> {
        let lasts = self.found.is_some() && self.over.is_none();
        match cut_off {
            Some(backends) => {
                if !lasts {
                    (self.found, self.over) = (Some(now), None);
                }
                self.backends = backends;
                None
            }
            None if lasts => {
                self.over = Some(now);
                let doubtful = self.found? - NETWORK_DOUBT;
                Some(PastOutage { backends: self.backends.clone(), doubtful })
            }
            None => None,
        }
    }

    /// True if `backend` was cut off at any time since `since`.
    pub(crate) fn has_cut_off(&self, backend: &BackendId, since: Moment) -> bool {
        self.found.is_some()
            && self.over.is_none_or(|over| over >= since)
            && self.backends.contains(backend)
    }
}
