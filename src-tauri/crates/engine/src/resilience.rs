//! Endpoint state beyond the request path: saved across restarts, recorded in the ledger, published
//! to panels, and back-tested on past attempts.
//!
//! The gateway changes states during a request and waits for nothing. Each transition is queued for
//! the ledger immediately, before the settlement of the request that caused it. So once a client
//! has seen the end of that request, a killed process does not lose the transition (unless the
//! ledger is behind). State without a transition, such as usual response times, is saved once a
//! minute.

mod backtest;
mod rules;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ::resilience::{BreakerRules, EndpointStatus, EndpointTransition, ProbeOutcome, SavedEndpoint};
use domain::{BackendId, CredentialId, Endpoint, Moment, WallTime};
use gateway::Verdict;
use ledger::{LedgerError, StoredEndpointState};
use monitor::HealthFinding;
use parking_lot::Mutex;
use settings::Settings;

use crate::engine::{Engine, EngineParts};
use crate::probe::BackendProbeReport;
use crate::topic::Topic;

pub use backtest::{BackTest, back_test};
pub use rules::{attempt_rules, breaker_rules, forced_closed_time, retry_budget_rules};

/// Interval of the background work, in milliseconds.
const TICK_MS: u64 = 1_000;
/// Ticks between two saves of all states. Limits what a killed process loses of the learnt values.
const TICKS_PER_SAVE: u64 = 60;
/// Ticks between two rounds of probes; longer than a probe takes.
const TICKS_PER_PROBE_ROUND: u64 = 15;
/// Maximum age of responses from which speeds are learnt at the start, in milliseconds: a week.
const SPEEDS_AGE_MS_MAX: i64 = 7 * 24 * 3_600_000;

/// Tracks which endpoint state is still to be saved to the ledger.
#[derive(Debug, Default)]
pub(crate) struct EndpointSaver {
    /// True if something was learnt since the last save.
    has_unsaved: AtomicBool,
    /// Held while states are read and queued, so that an older state never follows a newer one.
    save_order: Mutex<()>,
}

impl EndpointSaver {
    /// Marks that a request or probe may have taught something without a transition.
    pub(crate) fn mark_unsaved(&self) {
        self.has_unsaved.store(true, Ordering::Relaxed);
    }
}

/// Logs, records and publishes transitions. Called during a request, so it only queues.
pub(crate) fn record_transitions(parts: &EngineParts, transitions: &[EndpointTransition]) {
    let clocks = Clocks { now: parts.clock.now(), wall: parts.clock.wall() };
    for transition in transitions {
        let EndpointTransition { endpoint: access, from, to, rule, .. } = transition;
        tracing::info!(%access, %from, %to, %rule, "the circuit of a backend changed");
    }
    let changed: HashSet<&Endpoint> = transitions.iter().map(|it| &it.endpoint).collect();
    let written =
        transitions.iter().map(|transition| clocks.ledger_transition(transition)).collect();
    let noted = {
        let _in_order = parts.endpoint_saver.save_order.lock();
        let states = saved_states(parts.endpoint_registry.save_some(&changed), parts.clock.wall());
        parts.ledger.record_endpoint_changes(written, states)
    };
    if let Err(error) = noted {
        tracing::warn!(%error, "circuit changes could not be saved");
    }
    parts.events.send_changed(&[Topic::Endpoints, Topic::Routes, Topic::Backends, Topic::Status]);
}

/// Both clocks, read together, to convert between them.
#[derive(Debug, Clone, Copy)]
pub struct Clocks {
    pub now: Moment,
    pub wall: WallTime,
}

impl Clocks {
    /// Converts a point of the monotonic clock to the wall clock.
    #[must_use]
    pub fn wall_at(&self, moment: Moment) -> WallTime {
        let ms = |interval: Duration| i64::try_from(interval.as_millis()).unwrap_or(i64::MAX);
        let (ahead, behind) = (moment.since(self.now), self.now.since(moment));
        let at = self.wall.unix_ms().saturating_add(ms(ahead)).saturating_sub(ms(behind));
        WallTime::from_unix_ms(at)
    }

    fn ledger_transition(&self, transition: &EndpointTransition) -> ledger::TransitionRecord {
        ledger::TransitionRecord {
            at: self.wall_at(transition.at),
            endpoint: transition.endpoint.clone(),
            model: transition.model.clone(),
            from: transition.from.to_string(),
            to: transition.to.to_string(),
            rule: transition.rule.to_string(),
            evidence: transition.evidence.clone(),
            lasts: transition.until,
        }
    }
}

impl Engine {
    /// Endpoint state at this moment.
    #[must_use]
    pub fn endpoint_registry(&self) -> &gateway::EndpointRegistry {
        &self.parts.endpoint_registry
    }

    /// Reads both clocks.
    #[must_use]
    pub fn clocks(&self) -> Clocks {
        Clocks { now: self.parts.clock.now(), wall: self.parts.clock.wall() }
    }

    /// All endpoints in the settings: the mock, then the backends in their order, each with its
    /// keys in their order.
    #[must_use]
    pub fn configured_endpoints(&self) -> Vec<Endpoint> {
        configured_endpoints(&self.settings(), &self.parts.mock)
    }

    #[must_use]
    pub fn endpoint_status(&self, access: &Endpoint) -> EndpointStatus {
        self.parts.endpoint_registry.status(access)
    }

    /// Breaker rules in force.
    #[must_use]
    pub fn breaker_rules(&self) -> BreakerRules {
        self.parts.snapshot.load().resilience.breaker
    }

    /// Loads the endpoint states saved before the restart.
    pub(crate) async fn restore_endpoints(&self) -> Result<(), LedgerError> {
        for state in self.parts.ledger.endpoint_states().await? {
            let since_ms = self.wall_time().unix_ms().saturating_sub(state.saved.unix_ms());
            let since = Duration::from_millis(u64::try_from(since_ms).unwrap_or(0));
            match serde_json::from_str::<SavedEndpoint>(&state.json) {
                Ok(saved) => self.parts.endpoint_registry.restore(vec![saved], since),
                Err(error) => {
                    tracing::warn!(
                        access = %state.endpoint, %error,
                        "a saved circuit state could not be read"
                    );
                }
            }
        }
        Ok(())
    }

    /// Loads past response times from the ledger.
    pub(crate) async fn load_past_speeds(&self) -> Result<(), LedgerError> {
        let since = self.wall_time().unix_ms().saturating_sub(SPEEDS_AGE_MS_MAX);
        for pace in self.parts.ledger.model_latencies(WallTime::from_unix_ms(since)).await? {
            self.parts.endpoint_registry.load_past_speed(
                &pace.backend,
                &pace.model,
                pace.first_token_p50,
            );
        }
        Ok(())
    }

    /// Forgets endpoints that are no longer in the settings.
    pub(crate) fn forget_unknown_endpoints(&self) {
        let known: HashSet<Endpoint> = self.configured_endpoints().into_iter().collect();
        self.parts.endpoint_registry.retain(|access| known.contains(access));
        self.parts.endpoint_saver.mark_unsaved();
    }

    /// Reports a probe to the endpoint's breaker, unless the result says nothing about the
    /// endpoint.
    pub(crate) fn report_probe(
        &self,
        backend: &BackendId,
        credential: Option<&CredentialId>,
        report: &gateway::UpstreamProbe,
    ) {
        let outcome = match &report.outcome {
            Ok(_) => ProbeOutcome::Passed,
            Err(failure) => match failure.verdict {
                Verdict::NotSent | Verdict::Cancelled => return,
                Verdict::BackendFailure(_) => ProbeOutcome::Failed,
                // The backend answers, whatever it says about the key.
                _ => ProbeOutcome::Passed,
            },
        };
        let access = Endpoint { backend: backend.clone(), credential: credential.cloned() };
        self.parts.endpoint_registry.report_probe(&access, outcome);
        self.parts.endpoint_saver.mark_unsaved();
    }

    /// After a probe requested by a person: unblocks the endpoints of keys that were accepted.
    pub(crate) fn lift_blocks_after_recheck(
        &self,
        backend: &BackendId,
        report: &BackendProbeReport,
    ) {
        let passed = report.keys.iter().filter(|key| key.finding == HealthFinding::Answered);
        for key in passed {
            let credential = Some(key.credential.clone());
            self.parts
                .endpoint_registry
                .lift_block_after_recheck(&Endpoint { backend: backend.clone(), credential });
        }
    }

    /// Spawns the task that saves learnt values, requests probes for silent endpoints, and applies
    /// transitions due by time alone, so that panels see them.
    pub(crate) fn spawn_endpoint_upkeep(&self) {
        let engine = self.clone();
        let stop = self.parts.tasks.stop_token();
        self.parts.tasks.spawn("accesses", async move {
            for look in 1_u64.. {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(Duration::from_millis(TICK_MS)) => {}
                }
                engine.parts.endpoint_registry.apply_elapsed_time();
                if look.is_multiple_of(TICKS_PER_SAVE) {
                    engine.save_endpoints().await;
                }
                if look.is_multiple_of(TICKS_PER_PROBE_ROUND) {
                    engine.probe_silent_endpoints();
                }
            }
        });
    }

    /// Saves all states when the engine stops.
    pub(crate) async fn save_endpoints_at_stop(&self) {
        self.parts.endpoint_registry.apply_elapsed_time();
        self.save_endpoints().await;
    }

    async fn save_endpoints(&self) {
        if !self.parts.endpoint_saver.has_unsaved.swap(false, Ordering::Relaxed) {
            return;
        }
        let states = saved_states(self.parts.endpoint_registry.save(), self.wall_time());
        if let Err(error) = self.parts.ledger.save_endpoint_states(states).await {
            self.parts.endpoint_saver.mark_unsaved();
            tracing::warn!(%error, "the circuit states could not be saved");
        }
    }

    fn probe_silent_endpoints(&self) {
        let silent: HashSet<BackendId> = self
            .parts
            .endpoint_registry
            .endpoints_due_for_probe()
            .into_iter()
            .map(|access| access.backend)
            .collect();
        silent.iter().for_each(|backend| self.request_probe(backend));
    }
}

fn saved_states(saved: Vec<SavedEndpoint>, at: WallTime) -> Vec<StoredEndpointState> {
    let state = |saved: SavedEndpoint| {
        let json = serde_json::to_string(&saved).ok()?;
        Some(StoredEndpointState { endpoint: saved.access().clone(), saved: at, json })
    };
    saved.into_iter().filter_map(state).collect()
}

fn configured_endpoints(settings: &Settings, mock: &BackendId) -> Vec<Endpoint> {
    let built_in = Endpoint { backend: mock.clone(), credential: None };
    let own = settings.backends.iter().flat_map(|(id, known)| {
        let access = |credential| Endpoint { backend: id.clone(), credential };
        let keyed: Vec<_> = known.pool.credentials().map(|key| access(Some(key.clone()))).collect();
        if keyed.is_empty() { vec![access(None)] } else { keyed }
    });
    std::iter::once(built_in).chain(own).collect()
}

#[cfg(test)]
mod tests {
    use domain::SeededEntropy;
    use ledger::{
        AttemptRecord, NewRequest, Purpose, RequestOutcome, RequestQuery, Settlement, Timings,
    };
    use routing::RoutingSignals as _;

    use super::*;
    use crate::response_cache::tests::{NOW, opened};

    #[tokio::test]
    async fn how_fast_a_backend_was_is_known_after_a_start() {
        let home = tempfile::tempdir().expect("a folder");
        let engine = opened(&home).await;
        let backend = BackendId::new("home").expect("a name");
        let access = Endpoint { backend: backend.clone(), credential: None };
        let settled = |days_ago: i64, first_token_ms: u64| {
            let started = WallTime::from_unix_ms(NOW.unix_ms() - days_ago * 24 * 3_600_000);
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
                backend: Some(access.backend.clone()),
                attempts: vec![AttemptRecord::started(access.clone(), "m", started)],
                timings: Timings { first_token, ..Timings::default() },
                ..Settlement::unfinished(request)
            }
        };
        for (days_ago, ms) in [(8, 9_000), (1, 300), (1, 200), (1, 100)] {
            engine.ledger().settle(settled(days_ago, ms)).await.expect("settled");
        }
        let _written = engine.ledger().requests(RequestQuery::newest(9)).await.expect("read");
        engine.load_past_speeds().await.expect("recalled");
        let snapshot = engine.parts.snapshot.load_full();
        let known =
            engine.endpoint_registry().routing_inputs(&snapshot).first_token_ms(&backend, "m");
        assert_eq!(known, Some(200));
        engine.stop().await;
    }

    /// Regression (R16): a change less than a second before a kill was lost.
    #[tokio::test]
    async fn a_change_is_kept_when_it_happens() {
        let home = tempfile::tempdir().expect("a folder");
        let engine = opened(&home).await;
        let access = engine.configured_endpoints().remove(0);
        engine.endpoint_registry().force(&access, ::resilience::BreakerOverride::Open, None);
        // No background task runs here that could save it later.
        let kept = engine.ledger().endpoint_states().await.expect("read");
        let state = kept.iter().find(|state| state.endpoint == access).expect("a state");
        assert!(state.json.contains("\"forced\":{"), "{}", state.json);
        let all = ledger::TransitionQuery {
            backend: None,
            from: WallTime::from_unix_ms(0),
            to: WallTime::from_unix_ms(i64::MAX),
            limit: 9,
        };
        let transitions = engine.ledger().transitions(all).await.expect("read");
        assert_eq!(transitions.iter().filter(|it| it.endpoint == access).count(), 1);
        engine.stop().await;
    }

    #[test]
    fn a_point_on_one_clock_is_a_point_on_the_other() {
        let clocks =
            Clocks { now: Moment::from_secs(100), wall: WallTime::from_unix_ms(1_000_000) };
        let at = |secs| clocks.wall_at(Moment::from_secs(secs)).unix_ms();
        assert_eq!((at(100), at(160), at(40)), (1_000_000, 1_060_000, 940_000));
    }
}
