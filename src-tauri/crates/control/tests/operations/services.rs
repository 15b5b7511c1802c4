//! Services through the API: watched, down, told of, and with their keys bound to their addresses.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::time::Duration;

use control::view::*;
use control::{EngineConfig, ErrorCode};
use domain::{BackendId, ServiceId, WallTime};
use engine::Folders;
use ledger::{ObservedSubject, ObservedTimeRow};
use test_support::{ClosedPort, MARKED_KEY, ReceivedRequest, Reply, ScriptedUpstream};

use crate::resilience::ask_for;
use crate::world::{World, new_home, refused, secret};

/// An engine that checks nothing by itself.
async fn world() -> World {
    World::open(new_home(), |_| {}).await
}

/// A web service with this address, without a key.
fn web(address: &str) -> ServiceSet {
    ServiceSet {
        id: "store".to_owned(),
        label: "Store".to_owned(),
        kind: ServiceKind::Http,
        address: address.to_owned(),
        key: ServiceKey::None,
        required: true,
        enabled: true,
        private_network: false,
        expects: ServiceExpectationView::default(),
    }
}

fn with_key(address: &str) -> ServiceSet {
    ServiceSet { key: ServiceKey::New { secret: secret(MARKED_KEY) }, ..web(address) }
}

async fn test(world: &World) -> ServiceTestView {
    let req = ServiceRef { id: "store".to_owned() };
    control::service_test(&world.core, req).await.expect("tested")
}

async fn store(world: &World) -> ServiceView {
    let view = control::services(&world.core).await.expect("services");
    view.services.into_iter().next().expect("one")
}

/// The need of the verdict that is about the service.
async fn need(world: &World) -> Option<StatusIssueView> {
    let status = control::status(&world.core).await.expect("a status");
    status.verdict.needs.into_iter().find(|need| need.id == "service/store")
}

static IS_OFFLINE: AtomicBool = AtomicBool::new(false);

/// What the tree says of the nodes with these ids; `None` for one that it does not have.
async fn tree_states<const N: usize>(
    world: &World,
    ids: [&str; N],
) -> [Option<DependencyState>; N] {
    let nodes = control::health_tree(&world.core).await.expect("a tree").nodes;
    ids.map(|id| nodes.iter().find(|node| node.id == id).map(|node| node.state))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_node_of_the_tree_follows_what_was_observed() {
    use DependencyState::{Degraded, Down, Off, Offline, Unknown, Up};
    let by_flag: fn(&mut EngineConfig) = |config| {
        config.is_offline = || IS_OFFLINE.load(Ordering::SeqCst);
    };
    let world = World::open(new_home(), by_flag).await;
    let core = &world.core;
    let status = Arc::new(AtomicU16::new(200));
    let told = Arc::clone(&status);
    let upstream = ScriptedUpstream::start_with(move |request: &ReceivedRequest| {
        Some(match (request.method.as_str(), request.path.ends_with("/models")) {
            ("POST", _) => Reply::rate_limited(60),
            (_, true) => Reply::models(&["m-1", "m-2"]),
            _ => Reply::body(told.load(Ordering::SeqCst), "text/plain", "well"),
        })
    });
    let upstream = upstream.await.expect("an upstream");
    world.add_up(&upstream, BackendKey::New { secret: secret(MARKED_KEY) }).await;
    control::service_set(core, web(&upstream.base_url())).await.expect("added");
    let far = ServiceSet {
        id: "far".to_owned(),
        enabled: false,
        required: false,
        ..web("https://far.example")
    };
    control::service_set(core, far).await.expect("added");

    let host = format!("provider/{}", upstream.addr());
    let checked = [host.as_str(), "backend/up", "key/up/up", "models/up", "service/store"];
    assert_eq!(tree_states(&world, checked).await, [Some(Unknown); 5], "nothing was asked");
    for _ in 0..2 {
        let up = BackendRef { id: "up".to_owned() };
        assert!(control::backend_test(core, up).await.expect("tested").passed);
        assert!(test(&world).await.passed);
    }
    assert_eq!(tree_states(&world, checked).await, [Some(Up); 5]);
    let nodes = control::health_tree(core).await.expect("a tree").nodes;
    let service = |id: &str| {
        let node = nodes.iter().find(|node| node.id == id).expect("there");
        (node.parent.as_deref(), node.required)
    };
    assert_eq!(service("service/store"), (Some("machine"), Some(true)));
    assert_eq!(service("service/far"), (Some("network"), Some(false)));
    assert!(nodes.iter().all(|it| it.required.is_none() || it.kind == DependencyKind::Service));

    status.store(500, Ordering::SeqCst);
    for _ in 0..3 {
        assert!(!test(&world).await.passed);
    }
    let local = ["service/store", "service/far", "vault", "ledger", "machine"];
    let [store, far, vault, ledger, machine] = tree_states(&world, local).await;
    assert_eq!((store, far), (Some(Down), Some(Off)));
    assert_eq!((vault, ledger, machine), (Some(Up), Some(Up), Some(Degraded)));

    assert_eq!(tree_states(&world, ["gateway", "model/up/m-1"]).await, [Some(Degraded), None]);
    control::serve(world.engine(), |_| None).await.expect("serving");
    ask_for(core, "up/m-1").await;
    assert_eq!(tree_states(&world, ["gateway", "model/up/m-1"]).await, [Some(Up), Some(Degraded)]);

    assert_eq!(tree_states(&world, ["network", "settings"]).await, [Some(Up); 2]);
    IS_OFFLINE.store(true, Ordering::SeqCst);
    let file = Folders::resolve(Some(world.home.path())).expect("folders").settings_file();
    private_files::write_atomic(&file, b"gateway = 7").expect("written");
    world.engine().settings_editor().reload().await.expect("read");
    let states = tree_states(&world, ["network", "settings"]).await;
    assert_eq!(states, [Some(Offline), Some(Down)]);
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_settles_fails_stops_the_verdict_and_recovers() {
    let world = world().await;
    let status = Arc::new(AtomicU16::new(200));
    let told = Arc::clone(&status);
    let upstream = ScriptedUpstream::start_with(move |_| {
        Some(Reply::body(told.load(Ordering::SeqCst), "text/plain", "all is well"))
    });
    let upstream = upstream.await.expect("an upstream");
    let expects = ServiceExpectationView { contains: "is well".to_owned(), ..Default::default() };
    let set = ServiceSet { expects, ..web(&upstream.base_url()) };
    let added = control::service_set(&world.core, set).await.expect("added");
    assert_eq!(added.health.reason, "not checked yet");

    assert!(test(&world).await.passed);
    let health = store(&world).await.health;
    assert_eq!(
        (health.state, health.reason.as_str()),
        (ShownHealth::Unknown, "1 of 2 answers in a row")
    );
    test(&world).await;
    let health = store(&world).await.health;
    assert_eq!(health.state, ShownHealth::Up);
    assert!(health.since.is_some() && health.last_checked.is_some());
    assert!(need(&world).await.is_none());

    status.store(503, Ordering::SeqCst);
    let failed = test(&world).await;
    assert_eq!(
        (failed.passed, failed.sentence.as_str()),
        (false, "It answers with status 503, not 200 to 299.")
    );
    assert_eq!(
        store(&world).await.health.reason,
        "1 of 3 failures in a row: it answers with status 503, not 200 to 299"
    );
    test(&world).await;
    test(&world).await;
    let view = control::services(&world.core).await.expect("services");
    assert_eq!(view.finding, "1 of 1 service is down");
    let down = need(&world).await.expect("a need");
    assert_eq!(
        (down.level, down.title.as_str()),
        (VerdictLevel::Problem, "The required service Store is down")
    );
    let optional = ServiceSet { required: false, ..web(&upstream.base_url()) };
    control::service_set(&world.core, optional).await.expect("changed");
    assert!(need(&world).await.is_none(), "optional services stop nothing");

    status.store(200, Ordering::SeqCst);
    test(&world).await;
    test(&world).await;
    assert_eq!(store(&world).await.health.state, ShownHealth::Up);
    let gone = ServiceRef { id: "store".to_owned() };
    control::service_remove(&world.core, gone).await.expect("removed");
    assert!(control::services(&world.core).await.expect("services").services.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_goes_to_its_own_address_in_its_own_header_and_nowhere_else() {
    let world = world().await;
    let thief = ScriptedUpstream::start([]).await.expect("an upstream");
    let to = thief.addr();
    let upstream = ScriptedUpstream::start_with(move |request| {
        Some(match request.path.as_str() {
            "/v1/away" => Reply::redirect(to),
            "/v1/no" => Reply::echo_key(request),
            _ => Reply::body(204, "text/plain", ""),
        })
    });
    let upstream = upstream.await.expect("an upstream");
    let address = upstream.base_url();
    let key_header = "x-store-key".to_owned();
    let set = with_key(&address);
    let expects = ServiceExpectationView { key_header, ..Default::default() };
    control::service_set(&world.core, ServiceSet { expects, ..set }).await.expect("added");
    assert!(test(&world).await.passed);
    let sent = upstream.requests();
    let header = |name: &str| {
        sent[0].headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    };
    assert_eq!((header("x-store-key"), header("authorization")), (Some(MARKED_KEY), None));

    let kept = ServiceSet { key: ServiceKey::Keep, ..web(&format!("http://{to}/")) };
    refused(control::service_set(&world.core, kept).await, ErrorCode::InvalidInput, Some("key"));
    let away = ServiceSet { key: ServiceKey::Keep, ..web(&format!("{address}/away")) };
    control::service_set(&world.core, away).await.expect("the same origin");
    assert!(test(&world).await.sentence.contains("redirects are not followed"));
    assert_eq!(thief.requests().len(), 0);

    let rejected = ServiceSet { key: ServiceKey::Keep, ..web(&format!("{address}/no")) };
    control::service_set(&world.core, rejected).await.expect("changed");
    let told = test(&world).await;
    assert!(!told.passed && !format!("{told:?}").contains(MARKED_KEY), "{told:?}");
    let health = store(&world).await.health;
    assert_eq!(health.state, ShownHealth::Down);
    assert!(health.reason.starts_with("the key was rejected"), "{}", health.reason);
    let keys = control::keys(&world.core).await.expect("keys");
    assert_eq!((keys[0].id.as_str(), keys[0].state), ("store", KeyState::Rejected));
    assert_eq!(keys[0].dependents.services, ["store"]);
    control::key_remove(&world.core, KeyRef { id: "store".to_owned() }).await.expect("removed");
    assert_eq!(store(&world).await.credential, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_github_tells_whose_it_is_and_what_it_lacks() {
    let world = world().await;
    let upstream = ScriptedUpstream::start_with(|request| {
        assert_eq!(request.path, "/v1/user");
        let user = serde_json::json!({"login": "octo-dev", "id": 1});
        Some(
            Reply::json(200, &user)
                .header("x-oauth-scopes", "repo, gist")
                .header("github-authentication-token-expiration", "2026-12-01 12:00:00 UTC"),
        )
    });
    let upstream = upstream.await.expect("an upstream");
    let scopes = |names: &[&str]| ServiceExpectationView {
        scopes: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Default::default()
    };
    let kind = ServiceKind::Github;
    let bare = ServiceSet { kind, ..web(&upstream.base_url()) };
    refused(control::service_set(&world.core, bare).await, ErrorCode::InvalidInput, Some("key"));
    let set =
        ServiceSet { kind, expects: scopes(&["repo:status"]), ..with_key(&upstream.base_url()) };
    control::service_set(&world.core, set).await.expect("added");
    assert_eq!(test(&world).await.sentence, "The token signs in as octo-dev, with repo, gist.");
    let account = store(&world).await.account.expect("an account");
    assert_eq!(account.expires_at, Some(UnixMs(1_796_126_400_000)));
    assert!(account.missing.is_empty());

    let key = ServiceKey::Keep;
    let more = ServiceSet {
        kind,
        key,
        expects: scopes(&["repo", "read:org"]),
        ..web(&upstream.base_url())
    };
    control::service_set(&world.core, more).await.expect("changed");
    let told = test(&world).await;
    assert_eq!(
        (told.passed, told.sentence.as_str()),
        (false, "The token of octo-dev lacks the scope read:org.")
    );
    assert_eq!(store(&world).await.account.expect("an account").missing, ["read:org"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_is_reached_or_not_and_wrong_addresses_are_refused_at_their_field() {
    let world = world().await;
    let upstream = ScriptedUpstream::start([]).await.expect("an upstream");
    let tcp = |address: &str| ServiceSet { kind: ServiceKind::Tcp, ..web(address) };
    let open = tcp(&upstream.addr().to_string());
    control::service_set(&world.core, open).await.expect("added");
    assert!(test(&world).await.passed);
    let closed = ClosedPort::bind().expect("a port");
    control::service_set(&world.core, tcp(&closed.addr().to_string())).await.expect("changed");
    let told = test(&world).await;
    assert!(!told.passed && told.sentence.starts_with("It cannot be reached"), "{}", told.sentence);
    for address in
        ["169.254.169.254:80", "db.example.com", "metadata.google.internal:80", "", "a b"]
    {
        let set = control::service_set(&world.core, tcp(address)).await;
        refused(set, ErrorCode::InvalidInput, Some("address"));
    }
    let status = ServiceExpectationView { status: Some(200), ..Default::default() };
    let misplaced = ServiceSet { expects: status, ..tcp("127.0.0.1:1") };
    let set = control::service_set(&world.core, misplaced).await;
    refused(set, ErrorCode::InvalidInput, Some("status"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_has_its_availability_and_none_of_a_backend_with_its_name() {
    let world = world().await;
    let added = control::service_set(&world.core, web("https://store.test/")).await.expect("added");
    assert_eq!(added.availability[0].sentence, "not observed");
    let row = |subject, good: u64, bad: u64| ObservedTimeRow {
        subject,
        slot: WallTime::from_unix_ms(world.engine().clock().wall().unix_ms() - 3_600_000),
        width: Duration::from_secs(3_600),
        good: Duration::from_secs(good),
        bad: Duration::from_secs(bad),
    };
    let own = ObservedSubject::Service(ServiceId::new("store").expect("a name"));
    let other = ObservedSubject::Backend(BackendId::new("store").expect("a name"));
    let rows = vec![row(own, 3_240, 360), row(other, 0, 1_800)];
    world.engine().ledger().add_observed_time(rows, Vec::new()).await.expect("stored");
    let view = store(&world).await;
    assert_eq!(view.availability[0].sentence, "90.00 % of 60 min observed");
    let minutes: (u32, u32) = view
        .strip
        .iter()
        .fold((0, 0), |(seen, down), day| (seen + day.observed_minutes, down + day.down_minutes));
    assert_eq!((view.strip.len(), minutes), (90, (60, 6)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_in_which_a_watched_service_was_down_is_counted() {
    let world = world().await.serving().await;
    let status = Arc::new(AtomicU16::new(200));
    let told = Arc::clone(&status);
    let upstream = ScriptedUpstream::start_with(move |_| {
        Some(Reply::body(told.load(Ordering::SeqCst), "text/plain", ""))
    });
    let upstream = upstream.await.expect("an upstream");
    control::service_set(&world.core, web(&upstream.base_url())).await.expect("added");
    let own = ObservedSubject::Service(ServiceId::new("store").expect("a name"));
    let is_counted = async || {
        let levels = world.engine().service_levels();
        let rows = levels.observed_since(WallTime::from_unix_ms(0)).await.expect("read");
        rows.iter().any(|row| row.subject == own && !row.bad.is_zero() && !row.good.is_zero())
    };
    // Each change of state ends a step of the observer.
    while !is_counted().await {
        for (code, state) in [(200, ShownHealth::Up), (503, ShownHealth::Down)] {
            status.store(code, Ordering::SeqCst);
            while store(&world).await.health.state != state {
                test(&world).await;
            }
        }
    }
    world.core.stop().await;
}

/// The old key of a service is asked about as that of a backend is.
#[tokio::test(flavor = "multi_thread")]
async fn the_service_itself_is_asked_whether_a_replaced_key_still_works() {
    let world = world().await;
    let core = &world.core;
    let revoked = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&revoked);
    let upstream = ScriptedUpstream::start_with(move |request: &ReceivedRequest| {
        let is_old = request.authorization().is_some_and(|sent| sent.ends_with(MARKED_KEY));
        let status = if is_old && told.load(Ordering::SeqCst) { 401 } else { 200 };
        Some(Reply::body(status, "text/plain", "well"))
    });
    let upstream = upstream.await.expect("an upstream");
    control::service_set(core, with_key(&upstream.base_url())).await.expect("added");
    let id = control::keys(core).await.expect("keys")[0].id.clone();
    let replace = KeyReplace { id: id.clone(), secret: secret("sk-another-0002"), untested: false };
    control::key_replace(core, replace).await.expect("replaced");
    let check = async || control::key_retired_check(core, KeyRef { id: id.clone() }).await;
    let still = check().await.expect("asked");
    assert_eq!(still.state, RetiredKeyState::Accepted, "{}", still.sentence);
    revoked.store(true, Ordering::SeqCst);
    let gone = check().await.expect("asked");
    assert_eq!(
        (gone.state, gone.sentence.as_str()),
        (RetiredKeyState::Rejected, "store rejects the old key.")
    );
}
