//! Several keys of one backend: a problem with one key is not a problem of the backend.

use std::collections::HashMap;
use std::sync::Arc;

use control::view::*;
use parking_lot::Mutex;
use test_support::{ChatText, ReceivedRequest, Reply, ScriptedUpstream};

use crate::resilience::{ask, ask_for};
use crate::routes::{route, to};
use crate::world::{World, edit_request, secret, world};

pub(crate) const MAIN: &str = "sk-main-0123456789abcdef";
const SPARE: &str = "sk-spare-0123456789abcdef";

/// A backend `up` with the keys `up` and `spare`, used in that order.
pub(crate) struct KeyPoolFixture {
    pub(crate) world: World,
    pub(crate) upstream: ScriptedUpstream,
    /// The reply to each key that does not get the normal answer.
    replies: Arc<Mutex<HashMap<&'static str, Reply>>>,
}

pub(crate) async fn key_pool_fixture() -> KeyPoolFixture {
    let told: Arc<Mutex<HashMap<&'static str, Reply>>> = Arc::default();
    let replies = Arc::clone(&told);
    let upstream = ScriptedUpstream::start_with(move |received: &ReceivedRequest| {
        if received.path.ends_with("/models") {
            return Some(Reply::models(&["m-1"]));
        }
        let key = received.authorization()?.strip_prefix("Bearer ")?;
        let fine = ChatText { model: "m-1", deltas: &["yes"], usage: None };
        Some(replies.lock().get(key).cloned().unwrap_or_else(|| Reply::chat_stream(&fine)))
    });
    let upstream = upstream.await.expect("an upstream");
    let world = world().await;
    let spare = KeyAdd {
        id: "spare".to_owned(),
        label: String::new(),
        secret: secret(SPARE),
        url: Some(upstream.base_url()),
        billing: None,
    };
    control::key_add(&world.core, spare).await.expect("added");
    world.add_up(&upstream, BackendKey::New { secret: secret(MAIN) }).await;
    let member = |id: &str| PoolKeyView { credential: id.to_owned(), weight: 1 };
    let members = vec![member("up"), member("spare")];
    let edit = BackendEdit {
        credential: Some("up".to_owned()),
        pool: Some(KeyPoolView { order: PoolOrder::Ordered, members }),
        models: vec!["m-1".to_owned()],
        ..edit_request(&upstream)
    };
    control::backend_edit(&world.core, edit).await.expect("edited");
    KeyPoolFixture { world, upstream, replies: told }
}

impl KeyPoolFixture {
    pub(crate) fn set_reply(&self, key: &'static str, reply: Reply) {
        self.replies.lock().insert(key, reply);
    }

    async fn health(&self) -> HealthView {
        self.world.up().await.health
    }

    /// Tests the backend as a user does, until it is up.
    async fn check(&self) {
        for _ in 0..2 {
            let up = BackendRef { id: "up".to_owned() };
            assert!(control::backend_test(&self.world.core, up).await.expect("tested").passed);
        }
        assert_eq!(self.health().await.state, ShownHealth::Up);
    }

    async fn keys(&self) -> [KeyState; 2] {
        let keys = control::keys(&self.world.core).await.expect("keys");
        ["up", "spare"].map(|id| keys.iter().find(|key| key.id == id).expect("there").state)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_key_is_reported_although_another_key_answered() {
    let pool = key_pool_fixture().await;
    pool.check().await;
    pool.set_reply(MAIN, Reply::error(401, "x", "who"));
    ask(&pool.world.core).await;
    assert_eq!(pool.keys().await, [KeyState::Rejected, KeyState::Valid]);
    assert_eq!(pool.health().await.state, ShownHealth::Up);
    pool.world.core.stop().await;
}

/// No request fails, yet the backend is shown as down.
#[tokio::test(flavor = "multi_thread")]
async fn a_down_backend_is_reported_although_another_backend_answered() {
    let pool = key_pool_fixture().await;
    pool.check().await;
    pool.set_reply(MAIN, Reply::error(500, "x", "oh"));
    pool.set_reply(SPARE, Reply::error(500, "x", "oh"));
    let candidates = vec![to("up", Some("m-1"), 1), to("mock", Some("echo"), 1)];
    // Each request begins with the first candidate, although all belong to one conversation.
    let route = RouteEdit { sticky_secs: None, ..route("fast", candidates) };
    control::route_set(&pool.world.core, route).await.expect("set");
    for _ in 0..3 {
        ask_for(&pool.world.core, "fast").await;
    }
    let health = pool.health().await;
    assert_eq!(health.state, ShownHealth::Down, "{}", health.reason);
    assert!(health.reason.contains("an internal error"), "{}", health.reason);
    pool.world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_key_takes_its_backend_down_only_if_no_other_is_left() {
    let pool = key_pool_fixture().await;
    pool.check().await;
    // The first key must wait a minute and the second is rejected. That is no fault of the backend.
    pool.set_reply(MAIN, Reply::rate_limited(60));
    pool.set_reply(SPARE, Reply::error(401, "x", "who"));
    ask(&pool.world.core).await;
    let health = pool.health().await;
    assert_eq!(health.state, ShownHealth::Up, "{}", health.reason);
    assert_eq!(pool.keys().await, [KeyState::Valid, KeyState::Rejected]);
    // Now the first key is rejected too.
    let first = EndpointRef { backend: "up".to_owned(), credential: Some("up".to_owned()) };
    control::access_reset(&pool.world.core, first).await.expect("reset");
    pool.set_reply(MAIN, Reply::error(401, "x", "who"));
    ask(&pool.world.core).await;
    let health = pool.health().await;
    assert_eq!(health.state, ShownHealth::Down, "{}", health.reason);
    assert!(health.reason.contains("key was rejected"), "{}", health.reason);
    assert_eq!(pool.keys().await, [KeyState::Rejected; 2]);
    pool.world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_credit_is_an_issue_although_another_key_answers() {
    let pool = key_pool_fixture().await;
    pool.check().await;
    let needs = async || {
        let status = control::status(&pool.world.core).await.expect("a status");
        let needs = status.verdict.needs.into_iter();
        let own = needs.filter(|it| it.id.starts_with("key/") || it.id.starts_with("backend/"));
        own.map(|it| (it.level, it.title)).collect::<Vec<_>>()
    };
    assert_eq!(needs().await, []);
    pool.set_reply(MAIN, Reply::error(402, "insufficient_quota", "pay"));
    ask(&pool.world.core).await;
    let title = "The key up has no credit left; other keys answer instead".to_owned();
    assert_eq!(needs().await, [(VerdictLevel::Attention, title)]);
    // Without a key that answers, the backend is the one issue.
    pool.set_reply(SPARE, Reply::error(402, "insufficient_quota", "pay"));
    ask(&pool.world.core).await;
    let all = needs().await;
    let [(level, title)] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!(*level, VerdictLevel::Problem);
    assert!(title.starts_with("Upstream has no credit left: "), "{title}");
    pool.world.core.stop().await;
}
