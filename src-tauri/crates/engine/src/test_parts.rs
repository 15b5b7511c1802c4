//! Parts from which tests build other parts, without a whole engine.

use std::sync::Arc;

use domain::{Clock, ManualClock, SeededEntropy, WallTime};
use endpoints::{EndpointRegistry, ResilienceRules};
use ledger::Ledger;
use tempfile::TempDir;

/// 2026-11-21, when the bundled prices are in force.
pub(crate) const NOW: WallTime = WallTime::from_unix_ms(1_795_248_000_000);

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(ManualClock::starting_at(NOW))
}

pub(crate) fn ledger_in(home: &TempDir) -> Ledger {
    Ledger::open(&home.path().join("ledger.sqlite")).expect("a ledger")
}

pub(crate) fn registry() -> Arc<EndpointRegistry> {
    let entropy = SeededEntropy::new(5);
    EndpointRegistry::new(&ResilienceRules::default(), clock(), &entropy, Box::new(|_| {}))
}
