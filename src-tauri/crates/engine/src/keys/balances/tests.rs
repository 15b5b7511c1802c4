//! What is asked of a provider, and what is known from its answers.

use async_trait::async_trait;
use domain::{BackendId, BoundSecret, ManualClock, Secret};
use gateway::{UpstreamFailure, UpstreamRequest, UpstreamResponse};
use pricing::Cost;
use settings::{BackendKind, Settings};
use tempfile::TempDir;

use super::*;
use crate::Engine;
use crate::alerts::measurements::tests::{answered, settle};
use crate::gateway::response_cache::tests::opened_at;
use crate::test_parts::{NOW, backend_settings, credential_settings, upstream_answer};

const KEY: &str = "used";
const SECRET: &str = "sk-or-secret-0001";
const CENT: i64 = 10_000_000;

/// A provider with an answer; it is called once a time.
#[derive(Default)]
struct FakeProvider {
    answer: Mutex<(u16, String)>,
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl Upstream for FakeProvider {
    async fn send(&self, request: UpstreamRequest) -> Result<UpstreamResponse, UpstreamFailure> {
        let key = request.key.expect("a key");
        assert_eq!(key.parts().0, &Secret::parse(SECRET.to_owned()).expect("a secret"));
        assert!(request.carrier == KeyCarrier::Bearer && request.body.is_empty());
        self.asked.lock().push(format!("{} {}", request.method, request.url));
        let (status, text) = self.answer.lock().clone();
        upstream_answer(status, text)
    }
}

struct Scene {
    engine: Engine,
    balances: KeyBalances,
    provider: Arc<FakeProvider>,
    clock: Arc<ManualClock>,
    _home: TempDir,
}

fn id() -> CredentialId {
    CredentialId::new(KEY).expect("a name")
}

/// A backend at `base_url` whose key is 40 days old, and its provider.
async fn scene(base_url: &str) -> Scene {
    let home = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(ManualClock::starting_at(NOW));
    let engine = opened_at(&home, Arc::clone(&clock)).await;
    let mut backend = backend_settings(BackendKind::OpenAiCompatible, base_url);
    let origin = Origin::from_url(&backend.base_url).ok();
    backend.pool = settings::KeyPoolSettings::from_credential(Some(id()));
    let secret = Secret::parse(SECRET.to_owned()).expect("a secret");
    engine.vault().put(&id(), BoundSecret::new(secret, origin.clone())).await.expect("stored");
    let created = NOW.minus_ms(40 * DAY_MS);
    let known = credential_settings(origin, created);
    let add = move |draft: &mut Settings| {
        draft.credentials.insert(id(), known);
        draft.backends.insert(BackendId::new("up").expect("a name"), backend);
    };
    engine.settings_editor().edit(add).await.expect("added");
    let provider = Arc::new(FakeProvider::default());
    let parts = &engine.parts.key_balances;
    let balances = KeyBalances {
        settings: Arc::clone(&parts.settings),
        keys: Arc::clone(&parts.keys),
        vault: parts.vault.clone(),
        network: provider.clone(),
        ledger: parts.ledger.clone(),
        health: Arc::clone(&parts.health),
        clock: clock.clone(),
        events: parts.events.clone(),
        known: Mutex::default(),
    };
    Scene { engine, balances, provider, clock, _home: home }
}

impl Scene {
    fn known(&self) -> Option<KeyBalance> {
        self.balances.balances().remove(&id()).flatten()
    }

    /// What is known after the provider was asked, a quarter of an hour after the last time.
    async fn ask(&self, status: u16, body: &str) -> KeyBalance {
        *self.provider.answer.lock() = (status, body.to_owned());
        self.clock.advance(ASKED_EVERY);
        self.balances.ask_due().await;
        self.known().expect("it was asked")
    }
}

/// What is not expected there, with what must not be repeated.
const ECHO: &str = r#"{"balance_infos": "account 4711 with sk-or-secret-0001"}"#;

const DEEPSEEK: &str = r#"{"is_available": true, "balance_infos":
    [{"currency": "USD", "total_balance": "1.20", "granted_balance": "0", "topped_up_balance": "1.20"}]}"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_pace_is_that_of_the_last_week_and_an_unknown_cost_leaves_it_unknown() {
    let scene = scene("https://api.deepseek.com").await;
    let told = scene.ask(200, DEEPSEEK).await.reading.expect("a reading");
    assert_eq!(told.amount(ShownCurrency::USD), "$1.20");
    assert_eq!(told.days_left, None, "there are no requests yet");
    // 3 dollars in the week, 40 cents a day and more; what was before does not count.
    let requests = [
        answered(1, 20 * 86_400, cost(900), 100),
        answered(2, 5 * 86_400, cost(200), 100),
        answered(3, 3_600, cost(100), 100),
    ];
    settle(&scene.engine, requests).await;
    let told = scene.ask(200, DEEPSEEK).await.reading.expect("a reading");
    assert_eq!(told.days_left, Some(2));
    settle(&scene.engine, [answered(4, 60, Cost::Unpriced, 100)]).await;
    let told = scene.ask(200, DEEPSEEK).await.reading.expect("a reading");
    assert_eq!(told.days_left, None, "some of it may have cost anything");
    let asked = scene.provider.asked.lock().clone();
    assert_eq!(asked, vec!["GET https://api.deepseek.com/user/balance"; 3]);
}

fn cost(cents: i64) -> Cost {
    Cost::Reported(NanoUsd::new(cents * CENT))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_question_says_why_and_keeps_what_was_told() {
    let scene = scene("https://api.deepseek.com").await;
    assert_eq!(scene.known(), None, "it was not asked yet");
    let failed = scene.ask(403, "account 4711 of Jane").await;
    assert_eq!(failed.problem.as_deref(), Some("this key may not ask for it"));
    assert!(failed.reading.is_none());
    let told = scene.ask(200, DEEPSEEK).await;
    assert!(told.reading.is_some() && told.problem.is_none());
    for (status, body) in
        [(0, ""), (500, "account 4711"), (302, ""), (200, "{\"account\": 4711}"), (200, ECHO)]
    {
        let failed = scene.ask(status, body).await;
        assert_eq!(failed.reading, told.reading, "{status}");
        let problem = failed.problem.expect("a problem");
        assert!(
            !problem.is_empty() && !problem.contains("4711") && !problem.contains(SECRET),
            "{problem}"
        );
    }
    let too_long = format!("{{\"balance_infos\": \"{}\"}}", "x".repeat(ANSWER_BYTES_MAX));
    assert!(scene.ask(200, &too_long).await.problem.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_asked_every_quarter_of_an_hour_and_at_once_with_a_new_secret() {
    let scene = scene("https://openrouter.ai/api/v1").await;
    let unlimited = r#"{"data": {"limit_remaining": null}}"#;
    let known = scene.ask(200, unlimited).await;
    assert_eq!(known, KeyBalance::default(), "the key has no limit");
    scene.clock.advance(ASKED_EVERY - Duration::from_secs(1));
    scene.balances.ask_due().await;
    assert_eq!(scene.provider.asked.lock().len(), 1, "it is not due");
    let replaced = |draft: &mut Settings| {
        draft.credentials.get_mut(&id()).expect("a key").replaced = Some(NOW);
    };
    scene.engine.settings_editor().edit(replaced).await.expect("edited");
    scene.balances.ask_due().await;
    // Another vault may have another key of the name.
    scene.balances.keys.forget(&id());
    assert_eq!(scene.known(), None);
    scene.balances.ask_due().await;
    assert_eq!(scene.known(), Some(KeyBalance::default()));
    assert_eq!(*scene.provider.asked.lock(), ["GET https://openrouter.ai/api/v1/key"; 3]);
    let off = |draft: &mut Settings| {
        draft.backends.values_mut().for_each(|backend| backend.enabled = false);
    };
    scene.engine.settings_editor().edit(off).await.expect("edited");
    scene.balances.ask_due().await;
    assert_eq!(scene.known(), None, "nothing is said of a key out of use");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_providers_are_not_asked() {
    let scene = scene("https://api.openai.com/v1").await;
    scene.balances.ask_due().await;
    assert_eq!(scene.known(), None);
    assert!(scene.provider.asked.lock().is_empty());
}

#[tokio::test]
async fn what_a_key_may_do_is_kept_and_no_balance_is_missed_where_none_is_told() {
    let scene = scene("https://api.x.ai/v1").await;
    let known = scene.ask(200, r#"{"acls": ["api-key:model:*"]}"#).await;
    let permissions = Some(KeyPermissions::Granted(vec!["api-key:model:*".to_owned()]));
    let expected = KeyBalance { permissions, ..KeyBalance::default() };
    assert_eq!(known, expected);
    assert_eq!(*scene.provider.asked.lock(), ["GET https://api.x.ai/v1/api-key"]);
    for unanswered in [403, 500, 0] {
        let known = scene.ask(unanswered, "").await;
        assert_eq!(known, expected, "it stays, and no balance is missing");
    }
    assert_eq!(scene.ask(401, "").await, KeyBalance::default(), "a rejected key may do nothing");
}
