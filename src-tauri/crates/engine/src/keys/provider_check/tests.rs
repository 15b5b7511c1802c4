//! What is asked of providers about keys that no backend uses, and what follows from the answers.

use async_trait::async_trait;
use domain::{ManualClock, Secret};
use gateway::{UpstreamFailure, UpstreamRequest, UpstreamResponse};
use parking_lot::Mutex;
use tempfile::TempDir;

use super::*;
use crate::Engine;
use crate::gateway::response_cache::tests::opened_at;
use crate::test_parts::{NOW, upstream_answer};

const SECRET: &str = "sk-secret-0001";
const LIST: &str = r#"{"object": "list", "data": [{"id": "m"}]}"#;

/// A provider with an answer for those with the key, and one for those without.
struct FakeProvider {
    with_key: (u16, &'static str),
    without: (u16, &'static str),
    /// What was asked at other places than model lists.
    about_key: (u16, &'static str),
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl Upstream for FakeProvider {
    async fn send(&self, request: UpstreamRequest) -> Result<UpstreamResponse, UpstreamFailure> {
        let key = request.key.is_some();
        self.asked.lock().push(format!("{} {} {key}", request.method, request.url));
        let is_list = request.url.path().ends_with("/models");
        let (status, text) = match (is_list, key) {
            (false, _) => self.about_key,
            (true, true) => self.with_key,
            (true, false) => self.without,
        };
        upstream_answer(status, text)
    }
}

struct Scene {
    engine: Engine,
    check: ProviderKeyCheck,
    provider: Arc<FakeProvider>,
    _home: TempDir,
}

fn id() -> CredentialId {
    CredentialId::new("stored").expect("a name")
}

/// A stored key that is bound to `origin`, and a provider that answers so.
async fn scene(origin: Option<&str>, provider: FakeProvider) -> Scene {
    let home = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(ManualClock::starting_at(NOW));
    let engine = opened_at(&home, Arc::clone(&clock)).await;
    let secret = Secret::parse(SECRET.to_owned()).expect("a secret");
    let origin = origin.map(|origin| origin.parse::<Origin>().expect("an origin"));
    engine.vault().put(&id(), BoundSecret::new(secret, origin)).await.expect("stored");
    let provider = Arc::new(provider);
    let parts = &engine.parts.provider_key_check;
    let check = ProviderKeyCheck {
        keys: Arc::clone(&parts.keys),
        network: provider.clone(),
        clock,
        events: parts.events.clone(),
    };
    Scene { engine, check, provider, _home: home }
}

fn answers(with_key: (u16, &'static str), without: (u16, &'static str)) -> FakeProvider {
    FakeProvider { with_key, without, about_key: (404, "{}"), asked: Mutex::default() }
}

impl Scene {
    async fn verdict(&self) -> Option<ProviderVerdict> {
        self.check.check(&id()).await.expect("the key is read")
    }

    fn state(&self) -> KeyState {
        self.engine.keys().status(&id()).state
    }

    fn asked(&self) -> Vec<String> {
        self.provider.asked.lock().clone()
    }
}

const REFUSED: (u16, &str) = (401, r#"{"error": {"message": "no", "code": "invalid_api_key"}}"#);

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_no_backend_uses_is_checked_at_its_providers_own_address() {
    let scene = scene(Some("https://api.openai.com"), answers((200, LIST), REFUSED)).await;
    let verdict = scene.verdict().await.expect("a provider");
    assert_eq!(verdict, ProviderVerdict { provider: "OpenAI", trial: KeyTrial::Accepted });
    assert_eq!(scene.state(), KeyState::Valid);
    let url = "GET https://api.openai.com/v1/models";
    assert_eq!(scene.asked(), [format!("{url} true"), format!("{url} false")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_key_is_told_and_one_that_could_not_be_asked_about_stays_unverified() {
    let rejected = scene(Some("https://api.openai.com"), answers(REFUSED, REFUSED)).await;
    let verdict = rejected.verdict().await.expect("a provider");
    let KeyTrial::Rejected(why) = verdict.trial else { panic!("rejected: {verdict:?}") };
    assert!(why.contains("401") && !why.contains("secret"), "{why}");
    assert_eq!(rejected.state(), KeyState::Rejected);

    let away = scene(Some("https://api.openai.com"), answers((0, ""), (0, ""))).await;
    let verdict = away.verdict().await.expect("a provider");
    assert!(matches!(verdict.trial, KeyTrial::Unknown(_)), "{verdict:?}");
    assert_eq!(away.state(), KeyState::Unverified);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_goes_to_no_host_but_that_of_a_known_provider_it_is_bound_to() {
    let others = [
        None,
        Some("https://api.openai.com.evil.example"),
        Some("http://127.0.0.1:11434"),
        Some("https://api.openai.com:8443"),
    ];
    for origin in others {
        let scene = scene(origin, answers((200, LIST), REFUSED)).await;
        assert_eq!(scene.verdict().await, None, "{origin:?}");
        assert_eq!(scene.asked(), Vec::<String>::new(), "{origin:?}");
        assert_eq!(scene.state(), KeyState::Unverified);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_open_to_anyone_decides_nothing() {
    let open = || answers((200, LIST), (200, LIST));
    let origin = Some("https://openrouter.ai");
    for (about_key, state) in [
        ((200, "{}"), KeyState::Valid),
        ((401, "{}"), KeyState::Rejected),
        ((500, "{}"), KeyState::Unverified),
    ] {
        let scene = scene(origin, FakeProvider { about_key, ..open() }).await;
        assert!(scene.verdict().await.is_some());
        assert_eq!(scene.state(), state);
        let asked = scene.asked();
        assert_eq!(
            asked.last().map(String::as_str),
            Some("GET https://openrouter.ai/api/v1/key true")
        );
    }
    let scene = scene(Some("https://api.groq.com"), open()).await;
    let verdict = scene.verdict().await.expect("a provider");
    assert!(matches!(verdict.trial, KeyTrial::Unknown(_)), "{verdict:?}");
    assert_eq!(scene.state(), KeyState::Unverified);
}
