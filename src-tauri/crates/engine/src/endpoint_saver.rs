//! Keeps the endpoint state across restarts: saved to the ledger, loaded at the start.
//!
//! The gateway changes states during a request and waits for nothing. Each transition is queued for
//! the ledger immediately, before the settlement of the request that caused it. So once a client
//! has seen the end of that request, a killed process does not lose the transition (unless the
//! ledger is behind). State without a transition, such as usual response times, is saved once a
//! minute.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ::resilience::{EndpointTransition, SavedEndpoint};
use domain::{Clock, Endpoint, WallTime};
use endpoints::EndpointRegistry;
use ledger::{Ledger, LedgerError, StoredEndpointState};
use parking_lot::Mutex;

use crate::clocks::Clocks;
use crate::events::EventBus;
use crate::topic::Topic;

/// Maximum age of responses from which speeds are learnt at the start, in milliseconds: a week.
const SPEEDS_AGE_MS_MAX: i64 = 7 * 24 * 3_600_000;

/// Saves endpoint state to the ledger, and loads it.
pub(crate) struct EndpointSaver {
    registry: Arc<EndpointRegistry>,
    ledger: Ledger,
    clock: Arc<dyn Clock>,
    events: EventBus,
    /// True if something was learnt since the last save.
    has_unsaved: AtomicBool,
    /// Held while states are read and queued, so that an older state never follows a newer one.
    save_order: Mutex<()>,
}

impl EndpointSaver {
    pub(crate) fn new(
        registry: Arc<EndpointRegistry>,
        ledger: Ledger,
        clock: Arc<dyn Clock>,
        events: EventBus,
    ) -> Self {
        let has_unsaved = AtomicBool::new(false);
        Self { registry, ledger, clock, events, has_unsaved, save_order: Mutex::default() }
    }

    /// Marks that a request or probe may have taught something without a transition.
    pub(crate) fn mark_unsaved(&self) {
        self.has_unsaved.store(true, Ordering::Relaxed);
    }

    /// Logs, records and publishes transitions. Called during a request, so it only queues.
    pub(crate) fn record_transitions(&self, transitions: &[EndpointTransition]) {
        let clocks = Clocks { now: self.clock.now(), wall: self.clock.wall() };
        for transition in transitions {
            let EndpointTransition { endpoint, from, to, rule, .. } = transition;
            tracing::info!(%endpoint, %from, %to, %rule, "the circuit of a backend changed");
        }
        let changed: HashSet<&Endpoint> = transitions.iter().map(|it| &it.endpoint).collect();
        let written =
            transitions.iter().map(|transition| clocks.ledger_transition(transition)).collect();
        let noted = {
            let _in_order = self.save_order.lock();
            let states = saved_states(self.registry.save_some(&changed), self.clock.wall());
            self.ledger.record_endpoint_changes(written, states)
        };
        if let Err(error) = noted {
            tracing::warn!(%error, "circuit changes could not be saved");
        }
        self.events.send_changed(&[
            Topic::Endpoints,
            Topic::Routes,
            Topic::Backends,
            Topic::Status,
        ]);
    }

    /// Loads the endpoint states saved before the restart.
    pub(crate) async fn restore(&self) -> Result<(), LedgerError> {
        for state in self.ledger.endpoint_states().await? {
            let since_ms = self.clock.wall().unix_ms().saturating_sub(state.saved.unix_ms());
            let since = Duration::from_millis(u64::try_from(since_ms).unwrap_or(0));
            match serde_json::from_str::<SavedEndpoint>(&state.json) {
                Ok(saved) => self.registry.restore(vec![saved], since),
                Err(error) => {
                    tracing::warn!(
                        endpoint = %state.endpoint, %error,
                        "a saved circuit state could not be read"
                    );
                }
            }
        }
        Ok(())
    }

    /// Loads past response times from the ledger.
    pub(crate) async fn load_past_speeds(&self) -> Result<(), LedgerError> {
        let since = self.clock.wall().unix_ms().saturating_sub(SPEEDS_AGE_MS_MAX);
        for pace in self.ledger.model_latencies(WallTime::from_unix_ms(since)).await? {
            self.registry.load_past_speed(&pace.backend, &pace.model, pace.first_token_p50);
        }
        Ok(())
    }

    /// Saves all states when the engine stops.
    pub(crate) async fn save_at_stop(&self) {
        self.registry.apply_elapsed_time();
        self.save().await;
    }

    pub(crate) async fn save(&self) {
        if !self.has_unsaved.swap(false, Ordering::Relaxed) {
            return;
        }
        let states = saved_states(self.registry.save(), self.clock.wall());
        if let Err(error) = self.ledger.save_endpoint_states(states).await {
            self.mark_unsaved();
            tracing::warn!(%error, "the circuit states could not be saved");
        }
    }
}

fn saved_states(saved: Vec<SavedEndpoint>, at: WallTime) -> Vec<StoredEndpointState> {
    let state = |saved: SavedEndpoint| {
        let json = serde_json::to_string(&saved).ok()?;
        Some(StoredEndpointState { endpoint: saved.endpoint().clone(), saved: at, json })
    };
    saved.into_iter().filter_map(state).collect()
}
