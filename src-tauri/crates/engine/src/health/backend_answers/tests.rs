//! Which backends count as able to answer, and what alerts say of those that do not.

use std::sync::Arc;

use alerts::{AlertSeverity, Condition, Facts, conditions};
use domain::{Endpoint, ManualClock, RouteId};
use monitor::{HealthFinding, Observation, ObservationSource};
use resilience::{BreakerOverride, CallOutcome, LimitKind, LimitScope};
use settings::{BackendKind, RouteCandidateSettings, RouteSettings};

use super::*;
use crate::Engine;
use crate::alerts::measurements::tests::with_backend_and_keys;
use crate::alerts::rule_tunings::rule_tunings;
use crate::gateway::response_cache::tests::opened_at;
use crate::test_parts::{NOW, admitted_at, backend_settings};

struct World {
    engine: Engine,
    clock: Arc<ManualClock>,
    _home: tempfile::TempDir,
}

fn id(name: &str) -> BackendId {
    BackendId::new(name).expect("a name")
}

impl World {
    /// A route to the backend `up`, which has a key, and to `b`, which has none. Both answer.
    async fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::starting_at(NOW));
        let engine = opened_at(&home, clock.clone()).await;
        with_backend_and_keys(&engine).await;
        let added = engine.settings_editor().edit(|draft| {
            let other = backend_settings(BackendKind::OpenAiCompatible, "https://b.example/v1");
            draft.backends.insert(id("b"), other);
            let key = CredentialId::new("used").expect("a name");
            if let Some(up) = draft.backends.get_mut(&id("up")) {
                up.pool = settings::KeyPoolSettings::from_credential(Some(key));
            }
            let candidates = ["up", "b"].map(|name| RouteCandidateSettings {
                backend: id(name),
                model: None,
                weight: 100,
            });
            let route = RouteSettings::new(vec!["fast".to_owned()], candidates.into());
            draft.routes.insert(RouteId::new("fast").expect("a name"), route);
        });
        added.await.expect("added");
        let world = Self { engine, clock, _home: home };
        for name in ["up", "b"] {
            world.observe(name, HealthFinding::Answered, 2);
        }
        world
    }

    fn observe(&self, name: &str, finding: HealthFinding, times: usize) {
        for _ in 0..times {
            let (source, duration) = (ObservationSource::Probe, Duration::ZERO);
            let reason = "connection refused".to_owned();
            let observation = Observation { source, finding, reason, duration };
            self.engine.health_watch().observe(&id(name), observation);
        }
    }

    fn endpoint(&self, name: &str) -> Endpoint {
        let settings = self.engine.settings();
        let backend = id(name);
        let mut own = endpoints_of(&settings, self.engine.mock_id(), &backend);
        own.next().expect("an endpoint")
    }

    fn ends(&self, name: &str, outcome: CallOutcome) {
        let registry = &self.engine.parts.backends.registry;
        admitted_at(registry, self.endpoint(name)).expect("admitted").ended(outcome, 0);
    }

    fn can_answer(&self, name: &str) -> bool {
        self.engine.backend_states().can_answer(&self.engine.settings(), &id(name))
    }

    fn facts(&self) -> Facts {
        self.engine.parts.alerts.sources.facts(Vec::new())
    }

    /// What is an alert or would be.
    fn held(&self) -> Vec<Condition> {
        let tunings = rule_tunings(&self.engine.settings().alerts);
        let mut held = conditions(&self.facts(), &tunings).held;
        held.retain(|it| it.rule.row().group != alerts::AlertGroup::LocalApp);
        held
    }

    fn fingerprints(&self) -> Vec<String> {
        self.held().iter().map(|it| it.fingerprint.to_string()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_credit_is_an_alert_although_it_is_valid_and_its_backend_is_up() {
    let world = World::new().await;
    assert_eq!(world.fingerprints(), [] as [String; 0]);
    for (reason, what) in [
        (BlockReason::Unpaid, "The key used has no credit left"),
        (BlockReason::QuotaExhausted, "The key used has reached its spend limit"),
        (BlockReason::Forbidden, "The key used has no permission"),
    ] {
        world.ends("up", CallOutcome::Blocked(reason));
        assert!(!world.can_answer("up"));
        let held = world.held();
        let [alert] = held.as_slice() else { panic!("{held:?}") };
        assert_eq!(alert.fingerprint.to_string(), "key-blocked/used");
        assert_eq!((alert.title.as_str(), alert.severity), (what, AlertSeverity::High));
        world.engine.endpoint_registry().reset(&world.endpoint("up"));
    }
    // Nothing stands in for it any more.
    world.ends("up", CallOutcome::Blocked(BlockReason::Unpaid));
    world.observe("b", HealthFinding::Failed, 3);
    let held = world.held();
    let key = held.iter().find(|it| it.fingerprint.to_string() == "key-blocked/used");
    let key = key.expect("an alert");
    assert_eq!(key.severity, AlertSeverity::Critical);
    assert_eq!(key.detail, "The route fast has no other backend. Add credit or raise its limit.");
    world.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_answer_stands_in_for_nothing() {
    let world = World::new().await;
    world.observe("up", HealthFinding::Failed, 3);
    let severity = || {
        let held = world.held();
        let down = held.iter().find(|it| it.fingerprint.to_string() == "backend-down/up");
        down.expect("an alert").severity
    };
    assert_eq!(severity(), AlertSeverity::Medium, "b answers instead");
    let limited = |wait, kind| CallOutcome::RateLimited {
        scope: LimitScope::Endpoint,
        wait: Some(Duration::from_secs(wait)),
        kind,
    };
    let registry = world.engine.endpoint_registry();
    // A rate limit of a moment is no outage.
    world.ends("b", limited(30, LimitKind::Rate));
    assert!(world.can_answer("b"));
    assert_eq!(severity(), AlertSeverity::Medium);
    registry.reset(&world.endpoint("b"));

    world.ends("b", limited(7_200, LimitKind::DailyQuota));
    assert!(!world.can_answer("b"));
    assert_eq!(severity(), AlertSeverity::Critical);
    assert!(world.fingerprints().contains(&"route-dead/fast".to_owned()));
    registry.reset(&world.endpoint("b"));

    registry.force(&world.endpoint("b"), BreakerOverride::Open, None);
    assert_eq!(severity(), AlertSeverity::Critical, "the user holds it");
    registry.reset(&world.endpoint("b"));

    world.ends("b", CallOutcome::Blocked(BlockReason::Unpaid));
    assert_eq!(severity(), AlertSeverity::Critical);
    let told = world.fingerprints();
    assert!(told.contains(&"key-blocked/b".to_owned()), "it has no key: {told:?}");
    registry.reset(&world.endpoint("b"));

    world.ends("b", limited(7_200, LimitKind::DailyQuota));
    world.clock.advance(Duration::from_secs(7_200 - 61));
    assert!(!world.can_answer("b"));
    world.clock.advance(Duration::from_secs(1));
    assert!(world.can_answer("b"), "it is over in a moment");
    world.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_the_only_model_of_a_route_stops_the_route_and_no_backend() {
    let world = World::new().await;
    let states = world.engine.backend_states();
    let limit = |wait| CallOutcome::RateLimited {
        scope: LimitScope::Model,
        wait: Some(Duration::from_secs(wait)),
        kind: LimitKind::Rate,
    };
    let edit = world.engine.settings_editor().edit(|draft| {
        let route = draft.routes.get_mut(&RouteId::new("fast").expect("a name")).expect("a route");
        for candidate in &mut route.candidates {
            candidate.model = Some("m".to_owned());
        }
    });
    edit.await.expect("edited");
    let settings = world.engine.settings();
    let limited = || states.limited_routes(&settings);

    world.ends("up", limit(3_600));
    assert_eq!(limited(), [], "b answers instead");
    world.observe("b", HealthFinding::Failed, 3);
    assert_eq!(limited(), [], "the backend that is down is the one to tell of");
    let told = world.fingerprints();
    assert!(told.contains(&"route-dead/fast".to_owned()), "{told:?}");
    world.observe("b", HealthFinding::Answered, 2);

    world.ends("b", limit(30));
    assert!(limited()[0].is_brief, "{:?}", limited());
    assert_eq!(world.fingerprints(), [] as [String; 0], "a limit of a moment is no outage");
    world.engine.endpoint_registry().reset(&world.endpoint("b"));

    world.ends("b", limit(7_200));
    let [route] = limited().try_into().expect("one route");
    assert!(!route.is_brief);
    assert!(route.why.starts_with("m at ") && route.why.contains(" is rate limited until "));
    assert!(world.can_answer("up") && world.can_answer("b"), "other models are answered");
    let held = world.held();
    let [alert] = held.as_slice() else { panic!("{held:?}") };
    assert_eq!(alert.fingerprint.to_string(), "route-dead/fast");
    assert!(alert.detail.contains("is rate limited until"), "{}", alert.detail);

    world.clock.advance(Duration::from_secs(7_200));
    assert_eq!(limited(), []);
    world.engine.stop().await;
}
