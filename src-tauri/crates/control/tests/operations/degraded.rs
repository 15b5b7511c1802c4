//! A backend that fails often reads the same everywhere.

use std::sync::Arc;
use std::time::Duration;

use control::Core;
use control::view::*;
use domain::{BackendId, Clock, Endpoint, ManualClock, WallTime};
use ledger::{AttemptRecord, RequestOutcome, Settlement};

use crate::world::{World, config, lists_models, new_home};

/// 2026-11-21
const NOW: WallTime = WallTime::from_unix_ms(1_795_248_000_000);

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_fails_often_is_degraded_on_every_screen() {
    let home = new_home();
    let clock = Arc::new(ManualClock::starting_at(NOW));
    let mut config = config(&home);
    config.clock = clock.clone();
    let core = Core::open(config).await.expect("an engine");
    let (_, shown) = tokio::sync::mpsc::unbounded_channel();
    let world = World { home, core, shown };
    let upstream = lists_models().await;
    world.add_up(&upstream, BackendKey::None).await;
    for _ in 0..7 {
        let test = BackendRef { id: "up".to_owned() };
        control::backend_test(&world.core, test).await.expect("tested");
        clock.advance(Duration::from_secs(60));
    }
    for number in 0..10 {
        world.settle(answer(&world, number < 3)).await;
    }
    assert_eq!(world.up().await.health.state, ShownHealth::Up);

    world.engine().measure_again().await;
    let health = world.up().await.health;
    assert_eq!(
        (health.state, health.reason.as_str(), health.since),
        (
            ShownHealth::Degraded,
            "3 of 10 requests failed in half an hour",
            Some(clock.wall().into())
        )
    );
    let status = control::status(&world.core).await.expect("a status");
    let needs = &status.verdict.needs;
    let need = needs.iter().find(|need| need.id == "backend/up").expect("a need");
    assert_eq!(
        (need.level, need.title.as_str(), need.impact.as_str()),
        (
            VerdictLevel::Attention,
            "Upstream fails 3 of 10 requests",
            "3 of 10 requests failed in half an hour."
        )
    );
    assert_eq!((status.backends.up, status.backends.degraded), (0, 1), "the mock is not checked");
    let report = control::health(&world.core).await.expect("health");
    assert_eq!(report.finding, "1 of 1 backend is degraded");
    let tree = control::health_tree(&world.core).await.expect("a tree");
    let node = tree.nodes.iter().find(|node| node.id == "backend/up").expect("there");
    assert_eq!(node.state, DependencyState::Degraded);
    assert_eq!(node.reason, "3 of 10 requests failed in half an hour.");
    world.core.stop().await;
}

fn answer(world: &World, is_failure: bool) -> Settlement {
    let settled = world.answered("editor");
    let endpoint = Endpoint { backend: BackendId::new("up").expect("a name"), credential: None };
    let mut attempt = AttemptRecord::started(endpoint, "m", settled.request.started);
    let class = is_failure.then(|| "server".to_owned());
    attempt.class.clone_from(&class);
    attempt.error_class.clone_from(&class);
    let outcome = if is_failure { RequestOutcome::Failed } else { RequestOutcome::Complete };
    Settlement { outcome, error_class: class, attempts: vec![attempt], ..settled }
}
