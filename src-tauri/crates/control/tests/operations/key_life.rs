//! The life of a key: replaced by one that its provider accepts, the old one watched until it is
//! revoked, and an end that is told in time.

use std::sync::{Arc, OnceLock};

use control::view::*;
use control::{Core, ErrorCode};
use domain::{BackendId, CredentialId, Endpoint};
use ledger::TransitionRecord;
use parking_lot::Mutex;
use test_support::{ReceivedRequest, Reply, ScriptedUpstream};

use crate::alerts::wait_for;
use crate::world::{World, add_request, new_home, secret, world};

const FIRST: &str = "sk-first-of-this-test-0001";
const SECOND: &str = "sk-second-of-this-test-0002";

async fn key(core: &Core) -> KeyView {
    let keys = control::keys(core).await.expect("keys");
    keys.into_iter().find(|key| key.id == "up").expect("the key")
}

fn replace_with(text: &str) -> KeyReplace {
    KeyReplace { id: "up".to_owned(), secret: secret(text), untested: false }
}

fn named() -> KeyRef {
    KeyRef { id: "up".to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_key_replaces_none_and_an_old_one_is_watched_until_it_is_revoked() {
    let accepted = Arc::new(Mutex::new(vec![FIRST]));
    let known = Arc::clone(&accepted);
    let upstream = ScriptedUpstream::start_with(move |received: &ReceivedRequest| {
        let sent = received.header("authorization").unwrap_or_default();
        let is_known = known.lock().iter().any(|key| sent.ends_with(key));
        let refusal = || Reply::error(401, "invalid_api_key", "no such key");
        Some(if is_known { Reply::models(&["m-1"]) } else { refusal() })
    });
    let upstream = upstream.await.expect("an upstream");
    let world = world().await;
    let core = &world.core;
    let new = BackendKey::New { secret: secret(FIRST) };
    control::backend_add(core, add_request(&upstream, new)).await.expect("added");
    let missing = control::key_retired_check(core, named()).await.expect_err("nothing replaced");
    assert_eq!(missing.code, ErrorCode::NotFound);

    let refused = control::key_replace(core, replace_with(SECOND)).await.expect_err("rejected");
    assert_eq!(refused.field.as_deref(), Some("secret"));
    assert!(refused.message.contains("so the old one stays: up"), "{}", refused.message);
    let kept = key(core).await;
    assert_eq!((kept.tail.as_deref(), kept.replaced_at), (Some("0001"), None));

    accepted.lock().push(SECOND);
    let replaced = control::key_replace(core, replace_with(SECOND)).await.expect("replaced");
    assert_eq!(replaced.tail.as_deref(), Some("0002"));
    assert_eq!(replaced.retired.and_then(|old| old.tail).as_deref(), Some("0001"));
    let check = control::key_retired_check(core, named()).await.expect("asked");
    assert_eq!(check.state, RetiredKeyState::Accepted, "{}", check.sentence);

    accepted.lock().retain(|key| *key == SECOND);
    let check = control::key_retired_check(core, named()).await.expect("asked");
    assert_eq!(
        (check.state, check.sentence.as_str()),
        (RetiredKeyState::Rejected, "up rejects the old key.")
    );
    assert!(key(core).await.retired.is_none(), "what is revoked is forgotten");
    assert_eq!(key(core).await.state, KeyState::Valid, "the new key is untouched by the checks");

    // As a request finds the key rejected and a later check accepted; another key's is not told.
    let step = |key: &str, from: &str, to: &str, rule: &str| TransitionRecord {
        at: world.engine().clock().wall(),
        endpoint: Endpoint {
            backend: BackendId::new("up").expect("an id"),
            credential: CredentialId::new(key).ok(),
        },
        model: None,
        from: from.to_owned(),
        to: to.to_owned(),
        rule: rule.to_owned(),
        evidence: Vec::new(),
        lasts: None,
    };
    for step in [
        step("up", "ready", "blocked", "key-rejected"),
        step("other", "ready", "blocked", "unpaid"),
        step("up", "blocked", "ready", "recheck-passed"),
    ] {
        world.engine().ledger().record_endpoint_changes(vec![step], Vec::new()).expect("queued");
    }
    let found = control::key_history(core, named()).await.expect("a history");
    assert!(found.is_whole);
    let told: Vec<_> =
        found.events.into_iter().rev().map(|event| (event.event, event.sentence)).collect();
    let expected = [
        (KeyEvent::Added, "Added."),
        (KeyEvent::Replaced, "Replaced."),
        (KeyEvent::Rejected, "Not accepted at up: the provider rejected the key."),
        (KeyEvent::Accepted, "Accepted again at up: a check succeeded."),
    ];
    assert_eq!(told, expected.map(|(event, sentence)| (event, sentence.to_owned())));
    let unknown = KeyRef { id: "none".to_owned() };
    let refused = control::key_history(core, unknown).await.expect_err("unknown");
    assert_eq!(refused.code, ErrorCode::NotFound);
    core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_began_with_the_old_key_says_nothing_of_the_new_one() {
    let replacing: Arc<OnceLock<Core>> = Arc::default();
    let known = Arc::clone(&replacing);
    // Rejects the first key, but only after it was replaced.
    let upstream = ScriptedUpstream::start_with(move |received: &ReceivedRequest| {
        let sent = received.header("authorization").unwrap_or_default();
        if let (true, Some(core)) = (sent.ends_with(FIRST), known.get()) {
            let replace = KeyReplace { untested: true, ..replace_with(SECOND) };
            let replaced = control::key_replace(core, replace);
            let runtime = tokio::runtime::Handle::current();
            tokio::task::block_in_place(|| runtime.block_on(replaced)).expect("replaced");
            return Some(Reply::error(401, "invalid_api_key", "no such key"));
        }
        Some(Reply::models(&["m-1"]))
    });
    let upstream = upstream.await.expect("an upstream");
    // Nobody else asks the backend: the engine does not serve.
    let world = World::open(new_home(), |_| {}).await;
    let core = &world.core;
    let new = BackendKey::New { secret: secret(FIRST) };
    control::backend_add(core, add_request(&upstream, new)).await.expect("added");
    replacing.set(core.clone()).expect("set once");
    let checked = control::key_verify(core, named()).await.expect("checked");
    assert_eq!(checked.state, KeyState::Unverified, "{}", checked.detail);
    assert!(checked.detail.contains("was replaced while it was checked"), "{}", checked.detail);
    let now = key(core).await;
    assert_eq!((now.state, now.tail.as_deref()), (KeyState::Unverified, Some("0002")));
    let found = control::key_history(core, named()).await.expect("a history");
    let told: Vec<_> = found.events.into_iter().rev().map(|event| event.event).collect();
    assert_eq!(told, [KeyEvent::Added, KeyEvent::Replaced]);
    let checked = control::key_verify(core, named()).await.expect("checked");
    assert_eq!(checked.state, KeyState::Valid, "{}", checked.detail);
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_checks_meet_is_in_a_keys_history_once_for_each_change() {
    let is_accepted = Arc::new(Mutex::new(true));
    let known = Arc::clone(&is_accepted);
    let upstream = ScriptedUpstream::start_with(move |_: &ReceivedRequest| {
        let refusal = || Reply::error(401, "invalid_api_key", "no such key");
        Some(if *known.lock() { Reply::models(&["m-1"]) } else { refusal() })
    });
    let upstream = upstream.await.expect("an upstream");
    let world = world().await;
    let core = &world.core;
    let new = BackendKey::New { secret: secret(FIRST) };
    control::backend_add(core, add_request(&upstream, new)).await.expect("added");
    let told = async || {
        let found = control::key_history(core, named()).await.expect("a history");
        assert!(found.is_whole);
        let tell = |event: KeyEventView| (event.event, event.sentence);
        found.events.into_iter().rev().map(tell).collect::<Vec<_>>()
    };
    let check = async |accepted: bool| {
        *is_accepted.lock() = accepted;
        let id = BackendRef { id: "up".to_owned() };
        control::backend_test(core, id).await.expect("tested");
    };
    let mut expected = vec![(KeyEvent::Added, "Added.".to_owned())];
    check(true).await;
    assert_eq!(told().await, expected, "an accepted key is no news");

    let rejected = "Not accepted at up: the provider rejected the key in a check.";
    expected.push((KeyEvent::Rejected, rejected.to_owned()));
    for _ in 0..3 {
        check(false).await;
        assert_eq!(told().await, expected);
    }
    expected.push((KeyEvent::Accepted, "Accepted again at up: a check succeeded.".to_owned()));
    for _ in 0..3 {
        check(true).await;
        assert_eq!(told().await, expected);
    }
    check(false).await;
    expected.push((KeyEvent::Rejected, rejected.to_owned()));
    assert_eq!(told().await, expected);

    let replace = KeyReplace { untested: true, ..replace_with(SECOND) };
    control::key_replace(core, replace).await.expect("replaced");
    check(false).await;
    expected.push((KeyEvent::Replaced, "Replaced.".to_owned()));
    expected.push((KeyEvent::Rejected, rejected.to_owned()));
    assert_eq!(told().await, expected, "the new key is rejected anew");
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_is_kept_told_in_time_and_gone_with_the_key_that_had_it() {
    let world = world().await;
    let core = &world.core;
    let add = KeyAdd {
        id: "up".to_owned(),
        label: String::new(),
        secret: secret(FIRST),
        url: Some("http://127.0.0.1:1/v1".to_owned()),
        billing: None,
    };
    control::key_add(core, add).await.expect("added");
    assert_eq!(key(core).await.notices, []);
    let now = control::status(core).await.expect("status").now;
    let expires_at = Some(UnixMs(now.0 + 5 * 86_400_000));
    let edit = |note: &str| KeyEdit {
        id: "up".to_owned(),
        label: "Upstream".to_owned(),
        expires_at,
        note: Some(note.to_owned()),
    };
    let edited = control::key_edit(core, edit(" of the team\n")).await.expect("edited");
    assert_eq!(edited.note.as_deref(), Some("of the team"));
    assert_eq!((edited.label.as_str(), edited.expires_at), ("Upstream", expires_at));
    assert_eq!(edited.notices.first().map(|it| it.notice), Some(KeyNotice::ExpiresSoon));

    let told = wait_for("the alert", async || {
        let all = control::alerts(core).await.expect("alerts").alerts;
        all.into_iter().find(|alert| alert.rule == AlertRule::KeyExpiry && alert.number.is_some())
    });
    let told = told.await;
    assert!(told.title.starts_with("The key up expires in "), "{}", told.title);
    assert_eq!((told.severity, told.notified_at), (AlertSeverity::Low, None));

    let twin = KeyAdd {
        id: "twin".to_owned(),
        label: String::new(),
        secret: secret(FIRST),
        url: Some("http://127.0.0.1:1/v1".to_owned()),
        billing: None,
    };
    control::key_add(core, twin).await.expect("added");
    let notices = key(core).await.notices;
    assert_eq!(notices.last().map(|it| it.sentence.as_str()), Some("It is the same key as twin."));

    control::key_replace(core, replace_with(SECOND)).await.expect("nobody can be asked");
    let replaced = key(core).await;
    assert_eq!((replaced.expires_at, replaced.notices), (None, vec![]));
    assert_eq!(replaced.note.as_deref(), Some("of the team"), "the note is about the name");
    let edit = |note: &str| KeyEdit { expires_at: None, ..edit(note) };
    let full = "n".repeat(settings::KEY_NOTE_CHARS_MAX);
    control::key_edit(core, edit(&full)).await.expect("as long as it may be");
    for wrong in [format!("{full}n"), format!("the old one was {FIRST}")] {
        let refused = control::key_edit(core, edit(&wrong)).await.expect_err("refused");
        assert_eq!(refused.field.as_deref(), Some("note"));
        assert!(!refused.to_string().contains(FIRST), "{refused}");
    }
    assert_eq!(control::key_edit(core, edit(" ")).await.expect("removed").note, None);
    wait_for("its end", async || {
        let all = control::alerts(core).await.expect("alerts").alerts;
        all.iter().all(|alert| alert.rule != AlertRule::KeyExpiry).then_some(())
    })
    .await;
    let unknown =
        KeyEdit { id: "none".to_owned(), label: String::new(), expires_at: None, note: None };
    let refused = control::key_edit(core, unknown).await.expect_err("unknown");
    assert_eq!(refused.code, ErrorCode::NotFound);
    core.stop().await;
}

#[tokio::test]
async fn of_a_key_without_a_backend_its_provider_is_named_and_nobody_else_is_asked() {
    let world = world().await;
    let core = &world.core;
    for (id, url) in [
        ("known", Some("https://api.groq.com/openai/v1")),
        ("here", Some("http://127.0.0.1:1/v1")),
        ("unbound", None),
    ] {
        let (id, label, url) = (id.to_owned(), String::new(), url.map(str::to_owned));
        let add = KeyAdd { id, label, secret: secret(FIRST), url, billing: None };
        control::key_add(core, add).await.expect("added");
    }
    let admin = KeyAdd {
        id: "admin".to_owned(),
        label: String::new(),
        secret: secret(SECOND),
        url: None,
        billing: Some(BillingProvider::OpenAi),
    };
    control::key_add(core, admin).await.expect("added");
    let keys = control::keys(core).await.expect("keys");
    let of = |id: &str| keys.iter().find(|key| key.id == id).expect("a key").provider.clone();
    assert_eq!(of("known").as_deref(), Some("Groq"));
    assert_eq!((of("here"), of("unbound"), of("admin")), (None, None, None));
    for id in ["here", "unbound"] {
        let told = control::key_verify(core, KeyRef { id: id.to_owned() }).await.expect("told");
        assert_eq!(told.state, KeyState::Unverified);
        assert!(told.detail.contains("bound to no host of a known provider"), "{}", told.detail);
    }
}
