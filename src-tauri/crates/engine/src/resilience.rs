//! Endpoint state beyond the request path: its upkeep, what probes teach it, and back tests on past
//! attempts.

mod backtest;
mod rules;

use std::collections::HashSet;
use std::time::Duration;

use ::resilience::{BreakerRules, EndpointStatus, ProbeOutcome};
use domain::{BackendId, CredentialId, Endpoint};
use endpoints::Verdict;
use monitor::HealthFinding;
use settings::Settings;

use crate::clocks::Clocks;
use crate::engine::Engine;
use crate::probe::BackendProbeReport;

pub use backtest::{BackTest, back_test};
pub use rules::{attempt_rules, breaker_rules, forced_closed_time, retry_budget_rules};

/// Interval of the background work, in milliseconds.
const TICK_MS: u64 = 1_000;
/// Ticks between two saves of all states. Limits what a killed process loses of the learnt values.
const TICKS_PER_SAVE: u64 = 60;
/// Ticks between two rounds of probes; longer than a probe takes.
const TICKS_PER_PROBE_ROUND: u64 = 15;

impl Engine {
    /// Endpoint state at this moment.
    #[must_use]
    pub fn endpoint_registry(&self) -> &endpoints::EndpointRegistry {
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
    pub fn endpoint_status(&self, endpoint: &Endpoint) -> EndpointStatus {
        self.parts.endpoint_registry.status(endpoint)
    }

    /// Breaker rules in force.
    #[must_use]
    pub fn breaker_rules(&self) -> BreakerRules {
        self.parts.snapshot.load().resilience.breaker
    }

    /// Forgets endpoints that are no longer in the settings.
    pub(crate) fn forget_unknown_endpoints(&self) {
        let known: HashSet<Endpoint> = self.configured_endpoints().into_iter().collect();
        self.parts.endpoint_registry.retain(|endpoint| known.contains(endpoint));
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
        let endpoint = Endpoint { backend: backend.clone(), credential: credential.cloned() };
        self.parts.endpoint_registry.report_probe(&endpoint, outcome);
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
                    engine.parts.endpoint_saver.save().await;
                }
                if look.is_multiple_of(TICKS_PER_PROBE_ROUND) {
                    engine.probe_silent_endpoints();
                }
            }
        });
    }

    fn probe_silent_endpoints(&self) {
        let silent: HashSet<BackendId> = self
            .parts
            .endpoint_registry
            .endpoints_due_for_probe()
            .into_iter()
            .map(|endpoint| endpoint.backend)
            .collect();
        silent.iter().for_each(|backend| self.request_probe(backend));
    }
}

fn configured_endpoints(settings: &Settings, mock: &BackendId) -> Vec<Endpoint> {
    let built_in = Endpoint { backend: mock.clone(), credential: None };
    let own = settings.backends.iter().flat_map(|(id, known)| {
        let endpoint = |credential| Endpoint { backend: id.clone(), credential };
        let keyed: Vec<_> =
            known.pool.credentials().map(|key| endpoint(Some(key.clone()))).collect();
        if keyed.is_empty() { vec![endpoint(None)] } else { keyed }
    });
    std::iter::once(built_in).chain(own).collect()
}

#[cfg(test)]
mod tests {
    use domain::{Moment, SeededEntropy, WallTime};
    use ledger::{
        AttemptRecord, NewRequest, Purpose, RequestOutcome, RequestQuery, Settlement, Timings,
    };
    use routing::RoutingSignals as _;

    use super::*;
    use crate::cache_upkeep::tests::{NOW, opened};

    #[tokio::test]
    async fn how_fast_a_backend_was_is_known_after_a_start() {
        let home = tempfile::tempdir().expect("a folder");
        let engine = opened(&home).await;
        let backend = BackendId::new("home").expect("a name");
        let endpoint = Endpoint { backend: backend.clone(), credential: None };
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
                backend: Some(endpoint.backend.clone()),
                attempts: vec![AttemptRecord::started(endpoint.clone(), "m", started)],
                timings: Timings { first_token, ..Timings::default() },
                ..Settlement::unfinished(request)
            }
        };
        for (days_ago, ms) in [(8, 9_000), (1, 300), (1, 200), (1, 100)] {
            engine.ledger().settle(settled(days_ago, ms)).await.expect("settled");
        }
        let _written = engine.ledger().requests(RequestQuery::newest(9)).await.expect("read");
        engine.parts.endpoint_saver.load_past_speeds().await.expect("recalled");
        let snapshot = engine.parts.snapshot.load_full();
        let price = snapshot.price();
        let inputs = engine.endpoint_registry().routing_inputs(&price);
        let known = inputs.first_token_ms(&backend, "m");
        drop(inputs);
        assert_eq!(known, Some(200));
        engine.stop().await;
    }

    /// Regression (R16): a change less than a second before a kill was lost.
    #[tokio::test]
    async fn a_change_is_kept_when_it_happens() {
        let home = tempfile::tempdir().expect("a folder");
        let engine = opened(&home).await;
        let endpoint = engine.configured_endpoints().remove(0);
        engine.endpoint_registry().force(&endpoint, ::resilience::BreakerOverride::Open, None);
        // No background task runs here that could save it later.
        let kept = engine.ledger().endpoint_states().await.expect("read");
        let state = kept.iter().find(|state| state.endpoint == endpoint).expect("a state");
        assert!(state.json.contains("\"forced\":{"), "{}", state.json);
        let all = ledger::TransitionQuery {
            backend: None,
            from: WallTime::from_unix_ms(0),
            to: WallTime::from_unix_ms(i64::MAX),
            limit: 9,
        };
        let transitions = engine.ledger().transitions(all).await.expect("read");
        assert_eq!(transitions.iter().filter(|it| it.endpoint == endpoint).count(), 1);
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
