//! What is shown after a start, before any probe has confirmed it.

use control::view::*;
use domain::HealthState;
use test_support::{ClosedPort, ReceivedRequest, Reply, ScriptedUpstream};

use crate::world::{World, add_request, world};

/// Adds a backend that answers the request for its models with `reply`, and waits until `state` is
/// reached and recorded. Returns the engine after a restart, which does not listen.
async fn restarted_in(
    state: ShownHealth,
    reply: impl Fn(&ReceivedRequest) -> Option<Reply> + Send + Sync + 'static,
) -> World {
    let world = world().await;
    let upstream = ScriptedUpstream::start_with(reply).await.expect("an upstream");
    let models = vec!["m-1".to_owned()];
    let add = BackendAdd { models, ..add_request(&upstream, BackendKey::None) };
    control::backend_add(&world.core, add).await.expect("added");
    while world.up().await.health.state != state {
        let test = BackendRef { id: "up".to_owned() };
        control::backend_test(&world.core, test).await.expect("tested");
    }
    // A separate task records the change.
    let is_written = async || {
        let rows = world.engine().ledger().health().await.expect("read");
        let written = if state == ShownHealth::Up { HealthState::Up } else { HealthState::Down };
        rows.iter().any(|row| row.backend.as_str() == "up" && row.state == written)
    };
    while !is_written().await {
        tokio::task::yield_now().await;
    }
    World::open(world.stop().await, |_| {}).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_was_down_is_shown_at_once_after_a_start() {
    let broken = |_: &ReceivedRequest| Some(Reply::error(500, "api_error", "broken"));
    let world = restarted_in(ShownHealth::Down, broken).await;
    let health = world.up().await.health;
    assert_eq!(health.state, ShownHealth::Unknown, "no probe has confirmed it");
    assert_eq!(health.last_known, Some(ShownHealth::Down));
    assert!(health.reason.starts_with("last known: down"), "{}", health.reason);
    let verdict = control::status(&world.core).await.expect("a status").verdict;
    let need = verdict.needs.into_iter().find(|need| need.id == "backend/up").expect("a need");
    assert_eq!(need.title, "Upstream was down when last checked");
    assert_eq!(need.level, VerdictLevel::Attention);
    assert!(need.since.is_some() && need.impact.ends_with("Checking again now."), "{need:?}");
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_was_up_is_unknown_until_it_is_confirmed() {
    let world = restarted_in(ShownHealth::Up, |_| Some(Reply::models(&["m-1"]))).await;
    let health = world.up().await.health;
    assert_eq!(health.state, ShownHealth::Unknown);
    assert_eq!(health.last_known, Some(ShownHealth::Up));
    let status = control::status(&world.core).await.expect("a status");
    assert_ne!(status.verdict.level, VerdictLevel::Ok);
    assert_eq!((status.backends.up, status.backends.unknown), (0, 2), "the mock and this one");
    world.core.stop().await;
}

/// A service that refuses, watched by an engine that listens, until its state is recorded.
async fn world_with_refusing_service(port: &ClosedPort) -> World {
    let world = world().await;
    control::service_set(&world.core, port_service(&port.addr().to_string())).await.expect("added");
    let is_written = async || {
        let rows = world.engine().ledger().service_health().await.expect("read");
        rows.iter().any(|row| row.state == HealthState::Down)
    };
    while !is_written().await {
        let test = ServiceRef { id: "db".to_owned() };
        control::service_test(&world.core, test).await.expect("tested");
    }
    world
}

fn port_service(address: &str) -> ServiceSet {
    ServiceSet {
        id: "db".to_owned(),
        label: "Database".to_owned(),
        kind: ServiceKind::Tcp,
        address: address.to_owned(),
        key: ServiceKey::None,
        required: true,
        enabled: true,
        private_network: false,
        expects: ServiceExpectationView::default(),
    }
}

async fn service(world: &World) -> ServiceView {
    let view = control::services(&world.core).await.expect("services");
    view.services.into_iter().next().expect("one")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_was_down_is_shown_as_last_known_after_a_start() {
    let port = ClosedPort::bind().expect("a port");
    let world = world_with_refusing_service(&port).await;
    let world = World::open(world.stop().await, |_| {}).await;
    let health = service(&world).await.health;
    assert_eq!(health.state, ShownHealth::Unknown, "no check has confirmed it");
    assert_eq!(health.last_known, Some(ShownHealth::Down));
    assert!(health.reason.starts_with("last known: down"), "{}", health.reason);
    let finding = control::services(&world.core).await.expect("services").finding;
    assert_eq!(finding, "1 of 1 service is not confirmed");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_known_of_another_address_is_not_shown_of_the_new_one() {
    let port = ClosedPort::bind().expect("a port");
    let world = world_with_refusing_service(&port).await;
    let home = world.stop().await;
    // Changed by an engine that does not watch, and so records nothing.
    let world = World::open(home, |_| {}).await;
    control::service_set(&world.core, port_service("127.0.0.1:9")).await.expect("changed");
    let world = World::open(world.stop().await, |_| {}).await;
    let health = service(&world).await.health;
    assert_eq!((health.last_known, health.reason.as_str()), (None, "not checked yet"));
}
