//! What is shown after a start, before any probe has confirmed it.

use control::Core;
use control::view::*;
use domain::HealthState;
use tempfile::TempDir;
use test_support::{ReceivedRequest, Reply, ScriptedUpstream};

use crate::engine_under_test::{open_core, serve_core};

async fn up(core: &Core) -> BackendView {
    let backends = control::backends(core).await.expect("backends");
    backends.into_iter().find(|backend| backend.id == "up").expect("up")
}

/// Adds a backend that answers the request for its models with `reply`, and waits until `state` is
/// reached and recorded.
async fn add_backend_until(
    core: &Core,
    state: HealthStateView,
    reply: impl Fn(&ReceivedRequest) -> Option<Reply> + Send + Sync + 'static,
) {
    let upstream = ScriptedUpstream::start_with(reply).await.expect("an upstream");
    let add = BackendAdd {
        id: "up".to_owned(),
        label: "Upstream".to_owned(),
        kind: BackendKind::OpenAiCompatible,
        base_url: upstream.base_url(),
        key: BackendKey::None,
        models: vec!["m-1".to_owned()],
        lacks: Vec::new(),
        offers: Vec::new(),
        crossing: TranslationMode::Strict,
    };
    control::backend_add(core, add).await.expect("added");
    while up(core).await.health.state != state {
        let test = BackendRef { id: "up".to_owned() };
        control::backend_test(core, test).await.expect("tested");
    }
    // A separate task records the change.
    let Core::Local(engine) = core else { panic!("nobody else has this folder") };
    let is_written = async || {
        let rows = engine.ledger().health().await.expect("read");
        let written =
            if state == HealthStateView::Up { HealthState::Up } else { HealthState::Down };
        rows.iter().any(|row| row.backend.as_str() == "up" && row.state == written)
    };
    while !is_written().await {
        tokio::task::yield_now().await;
    }
    core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_was_down_is_shown_at_once_after_a_start() {
    let home = TempDir::new().expect("a folder");
    let core = serve_core(&home, 31).await;
    add_backend_until(&core, HealthStateView::Down, |_| {
        Some(Reply::error(500, "api_error", "broken"))
    })
    .await;
    drop(core);

    let core = open_core(&home, 32).await;
    let health = up(&core).await.health;
    assert_eq!(health.state, HealthStateView::Unknown, "no probe has confirmed it");
    assert_eq!(health.last_known, Some(HealthStateView::Down));
    assert!(health.reason.starts_with("last known: down"), "{}", health.reason);
    let verdict = control::status(&core).await.expect("a status").verdict;
    let need = verdict.needs.into_iter().find(|need| need.id == "backend/up").expect("a need");
    assert_eq!(need.title, "Upstream was down when last checked");
    assert_eq!(need.level, VerdictLevel::Attention);
    assert!(need.since.is_some() && need.impact.ends_with("Checking again now."), "{need:?}");
    core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_was_up_is_unknown_until_it_is_confirmed() {
    let home = TempDir::new().expect("a folder");
    let core = serve_core(&home, 33).await;
    add_backend_until(&core, HealthStateView::Up, |_| Some(Reply::models(&["m-1"]))).await;
    drop(core);

    let core = open_core(&home, 34).await;
    let health = up(&core).await.health;
    assert_eq!(health.state, HealthStateView::Unknown);
    assert_eq!(health.last_known, Some(HealthStateView::Up));
    let status = control::status(&core).await.expect("a status");
    assert_ne!(status.verdict.level, VerdictLevel::Ok);
    assert_eq!((status.backends.up, status.backends.unknown), (0, 2), "the mock and this one");
    core.stop().await;
}
