//! The task that refreshes, on virtual time and a scripted token endpoint.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use domain::{Moment, OAuthGrant, Origin, Secret, SeededEntropy, SystemClock, TokenExchange};
use endpoints::ResilienceRules;
use futures_util::future::join_all;
use hyper::StatusCode;
use hyper::header::HeaderMap;
use settings::{CredentialSettings, OAuthSettings};
use tempfile::TempDir;
use vault::MemoryStore;

use super::*;
use crate::outbound::upstream::{KeyScrubber, UpstreamFailure, UpstreamRequest, UpstreamResponse};

const ENDPOINT: &str = "https://login.test/token";

/// A token endpoint with one answer after the other; the last one stays.
#[derive(Default)]
struct Endpoint {
    answers: Mutex<VecDeque<(u16, String)>>,
    bodies: Mutex<Vec<String>>,
    calls: AtomicUsize,
    delay: Duration,
}

#[async_trait]
impl Upstream for Endpoint {
    async fn send(&self, request: UpstreamRequest) -> Result<UpstreamResponse, UpstreamFailure> {
        assert_eq!(request.url.as_str(), ENDPOINT);
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.bodies.lock().push(String::from_utf8(request.body.to_vec()).expect("a form"));
        tokio::time::sleep(self.delay).await;
        let (status, text) = {
            let mut answers = self.answers.lock();
            match answers.len() {
                0 => return Err(UpstreamFailure::Connect),
                1 => answers.front().cloned().expect("one"),
                _ => answers.pop_front().expect("more"),
            }
        };
        let body = futures_util::stream::iter([Ok(Bytes::from(text))]).boxed();
        let status = StatusCode::from_u16(status).expect("a status");
        let (headers, scrubber) = (HeaderMap::new(), KeyScrubber::default());
        Ok(UpstreamResponse { status, headers, body, scrubber })
    }
}

struct Scene {
    tokens: Arc<AccessTokens>,
    endpoint: Arc<Endpoint>,
    vault: Vault,
    settings: Arc<SettingsStore>,
    stop: CancellationToken,
    _home: TempDir,
}

fn id() -> CredentialId {
    CredentialId::new("corp").expect("an id")
}

fn secret(text: &str) -> Secret {
    Secret::parse(text.to_owned()).expect("a secret")
}

fn issued(token: &str, life_secs: u64) -> (u16, String) {
    (200, format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":{life_secs}}}"#))
}

/// A key with a refresh token, at an endpoint with these answers.
async fn scene(answers: Vec<(u16, String)>, delay: Duration) -> Scene {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let vault = Vault::new(Arc::new(MemoryStore::new()), Arc::clone(&clock));
    let origin = |text: &str| text.parse::<Origin>().expect("an origin");
    let exchange = TokenExchange { endpoint: origin(ENDPOINT), client_secret: None };
    let stored =
        BoundSecret::exchanged(secret("refresh-0001"), Some(origin("https://api.test")), exchange);
    vault.put(&id(), stored).await.expect("stored");
    let home = TempDir::new().expect("a folder");
    let settings = Arc::new(SettingsStore::open(home.path().join("s.toml")).expect("settings"));
    refresh_at(&settings, ENDPOINT);
    let registry = EndpointRegistry::new(
        &ResilienceRules::default(),
        Arc::clone(&clock),
        &SeededEntropy::new(5),
        Box::new(|_| {}),
    );
    let endpoint =
        Arc::new(Endpoint { answers: Mutex::new(answers.into()), delay, ..Endpoint::default() });
    let tokens = Arc::new(AccessTokens::new(
        vault.clone(),
        endpoint.clone(),
        clock,
        Arc::clone(&settings),
        registry,
    ));
    let stop = CancellationToken::new();
    let (running, stopped) = (Arc::clone(&tokens), stop.clone());
    #[expect(clippy::disallowed_methods, reason = "the engine's task, in a test")]
    tokio::spawn(running.keep_fresh(stopped, Box::new(|| {})));
    Scene { tokens, endpoint, vault, settings, stop, _home: home }
}

/// Names the token endpoint of the key in the settings.
fn refresh_at(settings: &SettingsStore, url: &str) {
    let client = OAuthSettings {
        token_url: url.parse().expect("a URL"),
        client_id: "app-1".to_owned(),
        grant: OAuthGrant::RefreshToken,
        scope: Some("models.read".to_owned()),
    };
    let known = CredentialSettings {
        label: "Corp".to_owned(),
        origin: None,
        tail: None,
        created: WallTime::from_unix_ms(0),
        replaced: None,
        expires: None,
        note: None,
        billing: None,
        oauth: Some(client),
    };
    let edited = settings.edit(|draft| {
        draft.credentials.insert(id(), known);
        Ok::<_, std::convert::Infallible>(())
    });
    edited.expect("edited");
}

impl Scene {
    /// The access token that a request would send.
    async fn sent(&self) -> Result<String, KeyError> {
        let key = self.tokens.key(&id()).await?;
        let origin = "https://api.test".parse().expect("an origin");
        Ok(key.for_origin(&origin).expect("bound to the backend").expose().to_owned())
    }

    fn waited_since(&self, begun: Moment) -> Duration {
        self.tokens.clock.now().since(begun)
    }

    fn calls(&self) -> usize {
        self.endpoint.calls.load(Ordering::SeqCst)
    }

    async fn stored(&self) -> String {
        self.vault.get(&id()).await.expect("stored").parts().0.expose().to_owned()
    }
}

const SLOW: Duration = Duration::from_secs(3);

#[tokio::test(start_paused = true)]
async fn fifty_requests_wait_for_one_refresh_and_a_token_is_renewed_before_it_ends() {
    let answers = vec![issued("access-0001", 100), issued("access-0002", 100)];
    let scene = scene(answers, SLOW).await;
    let asked = join_all((0..50).map(|_| scene.sent())).await;
    assert!(asked.iter().all(|sent| sent.as_deref().is_ok_and(|token| token == "access-0001")));
    assert_eq!(scene.calls(), 1);
    let body = scene.endpoint.bodies.lock()[0].clone();
    for field in ["grant_type=refresh_token", "refresh_token=refresh-0001", "client_id=app-1"] {
        assert!(body.contains(field), "{body}");
    }
    // Each second of the first token's life, and beyond: no request waits, none gets an old one.
    for second in 0..110_u64 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let begun = scene.tokens.clock.now();
        let token = scene.sent().await.expect("a token");
        assert_eq!(scene.waited_since(begun), Duration::ZERO, "second {second} waited");
        let is_renewed = token == "access-0002";
        assert!(is_renewed || second < 81, "second {second}: {token}");
        assert!(!is_renewed || second >= 74, "second {second}: {token}");
    }
    assert_eq!(scene.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_rotated_refresh_token_is_in_the_vault_before_its_access_token_is_sent() {
    let rotated = r#"{"access_token":"access-0001","token_type":"bearer","expires_in":100,
        "refresh_token":"refresh-0002"}"#;
    let answers = vec![(200, rotated.to_owned()), issued("access-0002", 100)];
    let scene = scene(answers, Duration::ZERO).await;
    assert_eq!(scene.sent().await.expect("a token"), "access-0001");
    assert_eq!(scene.stored().await, "refresh-0002");
    tokio::time::sleep(Duration::from_secs(85)).await;
    assert_eq!(scene.sent().await.expect("a token"), "access-0002");
    assert!(scene.endpoint.bodies.lock()[1].contains("refresh_token=refresh-0002"));
    assert_eq!(scene.stored().await, "refresh-0002", "one that is not replaced stays");
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_the_attempt_under_way_and_its_rotated_token_is_stored() {
    let rotated = r#"{"access_token":"access-0001","token_type":"bearer",
        "refresh_token":"refresh-0002"}"#;
    let scene = scene(vec![(200, rotated.to_owned())], SLOW).await;
    let waiting = tokio::time::timeout(Duration::from_secs(1), scene.sent()).await;
    assert!(waiting.is_err(), "the request went away");
    scene.stop.cancel();
    tokio::time::sleep(SLOW).await;
    assert_eq!(scene.stored().await, "refresh-0002");
}

#[tokio::test(start_paused = true)]
async fn a_rejected_refresh_token_is_told_with_the_remedy_and_not_asked_again() {
    let why = r#"{"error":"invalid_grant","error_description":"refresh-0001 was revoked"}"#;
    let answers = vec![(400, why.to_owned()), issued("access-0001", 100)];
    let scene = scene(answers, Duration::ZERO).await;
    let KeyError::Rejected(why) = scene.sent().await.expect_err("rejected") else {
        panic!("not as a rejection")
    };
    assert_eq!(
        why,
        "the token endpoint login.test refuses (invalid_grant: [removed] was revoked); sign in \
         again and replace the key with the new refresh token"
    );
    tokio::time::sleep(Duration::from_secs(7_200)).await;
    assert!(matches!(scene.sent().await, Err(KeyError::Rejected(_))));
    assert_eq!(scene.calls(), 1);
    assert!(scene.tokens.status(&id()).expect("known").is_rejected);
    // The user has put another one in.
    scene.tokens.forget(&id());
    assert_eq!(scene.sent().await.expect("a token"), "access-0001");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_down_fails_requests_at_once_until_it_is_back() {
    let scene = scene(Vec::new(), Duration::ZERO).await;
    let KeyError::Expired(why) = scene.sent().await.expect_err("down") else {
        panic!("not as expired")
    };
    assert!(why.starts_with("the token endpoint login.test gave no token: "), "{why}");
    let begun = scene.tokens.clock.now();
    assert!(scene.sent().await.is_err());
    assert_eq!(scene.waited_since(begun), Duration::ZERO);
    scene.endpoint.answers.lock().push_back(issued("access-0001", 100));
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(scene.sent().await.expect("a token"), "access-0001");
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_no_longer_than_the_limit_for_an_endpoint_that_hangs() {
    let scene = scene(vec![issued("access-0001", 100)], Duration::from_secs(60)).await;
    let begun = scene.tokens.clock.now();
    assert!(matches!(scene.sent().await, Err(KeyError::Expired(_))));
    let waited = scene.waited_since(begun);
    assert!(waited >= token_endpoint::TOKEN_ENDPOINT_TIMEOUT, "{waited:?}");
    assert!(waited < ACCESS_TOKEN_WAIT_MAX, "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_no_token_pass_and_are_told_by_their_status() {
    for (answer, told) in [
        ((500, "oops".to_owned()), "answered with status 500"),
        ((302, String::new()), "answered with status 302"),
        ((503, r#"{"error":"temporarily_unavailable"}"#.to_owned()), "answered with status 503"),
        ((400, r#"{"error":"slow_down"}"#.to_owned()), "refuses (slow_down)"),
        ((200, "{}".to_owned()), "something that is not a token"),
        (issued(&"k".repeat(domain::ACCESS_TOKEN_BYTES_MAX + 1), 9), "cannot be used"),
    ] {
        let scene = scene(vec![answer], Duration::ZERO).await;
        let KeyError::Expired(why) = scene.sent().await.expect_err("no token") else {
            panic!("{told}: not as temporary")
        };
        assert!(why.contains(told), "{why}");
    }
    let mac = r#"{"access_token":"a","token_type":"mac"}"#.to_owned();
    let scene = scene(vec![(200, mac)], Duration::ZERO).await;
    assert!(matches!(scene.sent().await, Err(KeyError::Rejected(_))));
}

#[tokio::test(start_paused = true)]
async fn the_secret_goes_to_the_endpoint_that_the_vault_names_and_nowhere_else() {
    let scene = scene(vec![issued("access-0001", 100)], Duration::ZERO).await;
    refresh_at(&scene.settings, "https://evil.test/token");
    let KeyError::Rejected(why) = scene.sent().await.expect_err("refused") else {
        panic!("not as a rejection")
    };
    assert!(why.contains("locked to https://login.test:443"), "{why}");
    assert_eq!(scene.calls(), 0);
}
