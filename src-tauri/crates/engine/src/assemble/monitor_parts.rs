//! The monitor of backends and that of services, with the interval of the settings.

use std::sync::Arc;
use std::time::Duration;

use domain::Entropy;
use monitor::{Monitor, WatchedId};

use crate::engine::BaseParts;

pub(super) fn monitor<Id: WatchedId>(base: &BaseParts) -> Monitor<Id> {
    let interval = Duration::from_secs(base.settings.current().health.interval_secs);
    Monitor::new(interval, Box::new(SharedEntropy(Arc::clone(&base.entropy))))
}

/// Shares one entropy source between several owners.
struct SharedEntropy(Arc<dyn Entropy>);

impl Entropy for SharedEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}
