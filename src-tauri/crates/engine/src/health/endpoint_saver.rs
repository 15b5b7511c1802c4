//! Keeps the endpoint state across restarts: saved to the ledger, loaded at the start.
//!
//! The gateway changes states during a request and waits for nothing. Each transition is queued for
//! the ledger immediately, before the settlement of the request that caused it. So once a client
//! has seen the end of that request, a killed process does not lose the transition (unless the
//! ledger is behind). State without a transition, such as usual response times, is saved once a
//! minute.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use domain::{Clock, ClockReading, DAY_MS, Endpoint, Entropy, WallTime};
use endpoints::{EndpointRegistry, ResilienceRules, TransitionSink};
use ledger::{Ledger, LedgerError, StoredEndpointState, TransitionRecord};
use parking_lot::Mutex;
use resilience::{EndpointTransition, SavedEndpoint};

use crate::events::{EngineEvent, EventBus};
use crate::process::tasks::Tasks;

/// Maximum age of responses from which speeds are learnt at the start, in milliseconds: a week.
const SPEEDS_AGE_MS_MAX: i64 = 7 * DAY_MS;

/// Interval of the background work, in milliseconds.
const TICK_MS: u64 = 1_000;
/// Ticks between two saves of all states. Limits what a killed process loses of the learnt values.
const TICKS_PER_SAVE: u64 = 60;

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
    /// A registry that knows nothing yet, and its saver, which learns of every transition.
    pub(crate) fn with_registry(
        ledger: Ledger,
        clock: Arc<dyn Clock>,
        entropy: &dyn Entropy,
        events: EventBus,
    ) -> Arc<Self> {
        Arc::new_cyclic(|saver: &Weak<Self>| {
            let saver = saver.clone();
            let transitions: TransitionSink = Box::new(move |transitions| {
                if let Some(saver) = saver.upgrade() {
                    saver.record_transitions(&transitions);
                }
            });
            let rules = ResilienceRules::default();
            let registry = EndpointRegistry::new(&rules, Arc::clone(&clock), entropy, transitions);
            let (has_unsaved, save_order) = (AtomicBool::new(false), Mutex::default());
            Self { registry, ledger, clock, events, has_unsaved, save_order }
        })
    }

    pub(crate) fn registry(&self) -> Arc<EndpointRegistry> {
        Arc::clone(&self.registry)
    }

    /// Forgets endpoints that are no longer in the settings.
    pub(crate) fn retain(&self, known: &HashSet<Endpoint>) {
        self.registry.retain(|endpoint| known.contains(endpoint));
        self.mark_unsaved();
    }

    /// Spawns the tasks that load past response times, save learnt values, and apply transitions
    /// due by time alone, so that panels see them.
    pub(crate) fn spawn(self: &Arc<Self>, tasks: &Tasks) {
        // Without past response times the router would have to try every backend to learn its
        // speed.
        let saver = Arc::clone(self);
        tasks.spawn("speeds", async move {
            if let Err(error) = saver.load_past_speeds().await {
                tracing::warn!(
                    %error,
                    "past response times could not be read; they are measured again"
                );
            }
        });
        let (saver, ticks) = (Arc::clone(self), tasks.clone());
        tasks.spawn("endpoints", async move {
            for look in 1_u64.. {
                if !ticks.sleep(Duration::from_millis(TICK_MS)).await {
                    return;
                }
                saver.registry.apply_elapsed_time();
                if look.is_multiple_of(TICKS_PER_SAVE) {
                    saver.save().await;
                }
            }
        });
    }

    /// Marks that a request or probe may have taught something without a transition.
    pub(crate) fn mark_unsaved(&self) {
        self.has_unsaved.store(true, Ordering::Relaxed);
    }

    /// Logs, records and publishes transitions. Called during a request, so it only queues.
    fn record_transitions(&self, transitions: &[EndpointTransition]) {
        let clocks = ClockReading::read(&*self.clock);
        for transition in transitions {
            let EndpointTransition { endpoint, from, to, rule, .. } = transition;
            tracing::info!(%endpoint, %from, %to, %rule, "the breaker of a backend changed");
        }
        let changed: HashSet<&Endpoint> = transitions.iter().map(|it| &it.endpoint).collect();
        let written =
            transitions.iter().map(|transition| transition_record(transition, clocks)).collect();
        let noted = {
            let _in_order = self.save_order.lock();
            let states = saved_states(self.registry.save_some(&changed), self.clock.wall());
            self.ledger.record_endpoint_changes(written, states)
        };
        if let Err(error) = noted {
            tracing::warn!(%error, "breaker changes could not be saved");
        }
        self.events.send(EngineEvent::Endpoints);
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
                        "a saved breaker state could not be read"
                    );
                }
            }
        }
        Ok(())
    }

    /// Loads past response times from the ledger.
    async fn load_past_speeds(&self) -> Result<(), LedgerError> {
        let now = self.clock.wall();
        let since = now.minus_ms(SPEEDS_AGE_MS_MAX);
        for pace in self.ledger.model_latencies((since, now)).await? {
            self.registry.load_past_speed(&pace.backend, &pace.model, pace.first_token_p50);
        }
        Ok(())
    }

    /// Saves all states when the engine stops.
    pub(crate) async fn save_at_stop(&self) {
        self.registry.apply_elapsed_time();
        self.save().await;
    }

    async fn save(&self) {
        if !self.has_unsaved.swap(false, Ordering::Relaxed) {
            return;
        }
        let states = saved_states(self.registry.save(), self.clock.wall());
        if let Err(error) = self.ledger.save_endpoint_states(states).await {
            self.mark_unsaved();
            tracing::warn!(%error, "the breaker states could not be saved");
        }
    }
}

fn transition_record(transition: &EndpointTransition, clocks: ClockReading) -> TransitionRecord {
    TransitionRecord {
        at: clocks.wall_at(transition.at),
        endpoint: transition.endpoint.clone(),
        model: transition.model.clone(),
        from: transition.from.to_string(),
        to: transition.to.to_string(),
        rule: transition.rule.to_string(),
        evidence: transition.evidence.clone(),
        lasts: transition.until,
    }
}

fn saved_states(saved: Vec<SavedEndpoint>, at: WallTime) -> Vec<StoredEndpointState> {
    let state = |saved: SavedEndpoint| {
        let json = serde_json::to_string(&saved).ok()?;
        Some(StoredEndpointState { endpoint: saved.endpoint().clone(), saved: at, json })
    };
    saved.into_iter().filter_map(state).collect()
}

#[cfg(test)]
mod tests {
    use domain::SeededEntropy;
    use ledger::{
        AttemptRecord, NewRequest, Purpose, RequestOutcome, RequestQuery, Settlement, Timings,
    };
    use routing::RoutingSignals as _;

    use super::*;
    use crate::test_parts::{NOW, clock, ledger_in};

    fn saver_in(home: &tempfile::TempDir) -> Arc<EndpointSaver> {
        let entropy = SeededEntropy::new(5);
        EndpointSaver::with_registry(ledger_in(home), clock(), &entropy, EventBus::default())
    }

    fn home_endpoint() -> Endpoint {
        Endpoint { backend: domain::BackendId::new("home").expect("a name"), credential: None }
    }

    #[tokio::test]
    async fn how_fast_a_backend_was_is_known_after_a_start() {
        let home = tempfile::tempdir().expect("a folder");
        let saver = saver_in(&home);
        let endpoint = home_endpoint();
        let settled = |days_ago: i64, first_token_ms: u64| {
            let started = NOW.minus_ms(days_ago * DAY_MS);
            let request = NewRequest {
                id: domain::RequestId::generate(started, &SeededEntropy::new(first_token_ms)),
                started,
                client: domain::ClientId::new("codex").expect("a name"),
                project: None,
                route: "r".to_owned(),
                model_asked: "m".to_owned(),
                dialect: "openai-chat".to_owned(),
                streamed: true,
                purpose: Purpose::User,
            };
            let first_token = Some(Duration::from_millis(first_token_ms));
            Settlement {
                outcome: RequestOutcome::Complete,
                backend: Some(endpoint.backend.clone()),
                attempts: vec![AttemptRecord::started(endpoint.clone(), "m", started)],
                timings: Timings { first_token, ..Timings::default() },
                ..Settlement::unfinished(request)
            }
        };
        for (days_ago, ms) in [(8, 9_000), (1, 300), (1, 200), (1, 100)] {
            saver.ledger.settle(settled(days_ago, ms)).await.expect("settled");
        }
        let _written = saver.ledger.requests(RequestQuery::newest(9)).await.expect("read");
        saver.load_past_speeds().await.expect("recalled");
        let registry = saver.registry();
        let no_price = |_: &_, _: &_, _: &_, _| None;
        let inputs = registry.routing_inputs(&no_price);
        assert_eq!(inputs.first_token_ms(&endpoint.backend, "m"), Some(200));
    }

    /// Regression (R16): a change less than a second before a kill was lost.
    #[tokio::test]
    async fn a_change_is_kept_when_it_happens() {
        let home = tempfile::tempdir().expect("a folder");
        let saver = saver_in(&home);
        let endpoint = home_endpoint();
        saver.registry().force(&endpoint, resilience::BreakerOverride::Open, None);
        // No background task runs here that could save it later.
        let kept = saver.ledger.endpoint_states().await.expect("read");
        let state = kept.iter().find(|state| state.endpoint == endpoint).expect("a state");
        assert!(state.json.contains("\"forced\":{"), "{}", state.json);
        let all = ledger::TransitionQuery {
            backend: None,
            from: WallTime::from_unix_ms(0),
            to: WallTime::from_unix_ms(i64::MAX),
            limit: 9,
        };
        let transitions = saver.ledger.transitions(all).await.expect("read");
        assert_eq!(transitions.iter().filter(|it| it.endpoint == endpoint).count(), 1);
    }
}
