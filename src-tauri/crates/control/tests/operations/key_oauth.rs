//! Keys of OAuth: added with their first access token, used by probes, rejected with the remedy,
//! replaced. No secret is in the settings, and an edit of the settings redirects none.

use std::sync::Arc;

use control::view::*;
use parking_lot::Mutex;
use serde_json::json;
use test_support::{ReceivedRequest, Reply, ScriptedUpstream};

use crate::world::{World, add_request, secret, world};

const FIRST: &str = "refresh-of-this-test-0001";
const SECOND: &str = "refresh-of-this-test-0002";

/// A token endpoint that knows these refresh tokens, and a backend that knows its access tokens.
struct Provider {
    refresh_tokens: Arc<Mutex<Vec<&'static str>>>,
    endpoint: ScriptedUpstream,
    backend: ScriptedUpstream,
}

impl Provider {
    async fn start() -> Self {
        let refresh_tokens = Arc::new(Mutex::new(vec![FIRST]));
        let known = Arc::clone(&refresh_tokens);
        let endpoint = ScriptedUpstream::start_with(move |received: &ReceivedRequest| {
            let form = String::from_utf8_lossy(&received.body).into_owned();
            let is_known = known.lock().iter().any(|token| form.contains(token));
            let issued = json!({"access_token": "access-0001", "token_type": "Bearer",
                "expires_in": 3_600});
            Some(match is_known {
                true => Reply::json(200, &issued),
                false => Reply::json(400, &json!({"error": "invalid_grant"})),
            })
        });
        let backend = ScriptedUpstream::start_with(|received: &ReceivedRequest| {
            let is_known = received.header("authorization") == Some("Bearer access-0001");
            let refusal = || Reply::error(401, "invalid_api_key", "no such key");
            Some(if is_known { Reply::models(&["m-1"]) } else { refusal() })
        });
        Self {
            refresh_tokens,
            endpoint: endpoint.await.expect("an endpoint"),
            backend: backend.await.expect("a backend"),
        }
    }

    fn add(&self, refresh_token: &str) -> KeyOAuthAdd {
        KeyOAuthAdd {
            id: "corp".to_owned(),
            label: String::new(),
            secret: secret(refresh_token),
            url: None,
            token_url: self.endpoint.base_url(),
            client_id: "app-1".to_owned(),
            grant: OAuthGrant::RefreshToken,
            scope: Some("  models.read ".to_owned()),
            client_secret: Some(secret("client-of-this-test-01")),
        }
    }
}

async fn key(world: &World) -> KeyView {
    control::keys(&world.core).await.expect("keys").remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_added_with_its_first_access_token_and_bound_to_the_first_backend() {
    let provider = Provider::start().await;
    let world = world().await;
    let added = control::key_oauth_add(&world.core, provider.add(FIRST)).await.expect("added");
    let oauth = added.oauth.expect("how it is refreshed");
    assert_eq!((oauth.client_id.as_str(), oauth.scope.as_deref()), ("app-1", Some("models.read")));
    let life = oauth.access_expires_at.expect("a token").0 - oauth.refreshed_at.expect("one").0;
    assert_eq!((added.tail.as_deref(), added.origin, life), (Some("0001"), None, 3_600_000));

    let stored = BackendKey::Stored { id: "corp".to_owned() };
    control::backend_add(&world.core, add_request(&provider.backend, stored)).await.expect("added");
    let verified = control::key_verify(&world.core, KeyRef { id: "corp".to_owned() }).await;
    assert_eq!(verified.expect("asked").state, KeyState::Valid);
    let bound = key(&world).await.origin.expect("bound");
    assert!(provider.backend.base_url().starts_with(&bound), "{bound}");
    // The token of the unbound key was not sent; the one after the binding came from the endpoint.
    let received = provider.endpoint.requests();
    assert!(received.iter().all(|asked| {
        asked.header("authorization").is_some_and(|sent| sent.starts_with("Basic "))
    }));
    let home = world.stop().await;
    let file = std::fs::read_to_string(home.path().join("config/settings.toml")).expect("read");
    for mark in [FIRST, "client-of-this-test", "access-0001"] {
        assert!(!file.contains(mark), "{file}");
    }
    assert!(file.contains("client_id = \"app-1\""), "{file}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_secret_is_not_stored_and_replaces_none() {
    let provider = Provider::start().await;
    let world = world().await;
    let core = &world.core;
    let refused = control::key_oauth_add(core, provider.add(SECOND)).await.expect_err("rejected");
    assert_eq!(refused.field.as_deref(), Some("secret"));
    assert!(refused.message.contains("(invalid_grant); sign in again"), "{}", refused.message);
    assert!(control::keys(core).await.expect("keys").is_empty());

    control::key_oauth_add(core, provider.add(FIRST)).await.expect("added");
    let replace = || KeyReplace { id: "corp".to_owned(), secret: secret(SECOND), untested: false };
    control::key_replace(core, replace()).await.expect_err("rejected");
    let kept = key(&world).await;
    assert_eq!((kept.tail.as_deref(), kept.replaced_at), (Some("0001"), None));

    provider.refresh_tokens.lock().push(SECOND);
    let replaced = control::key_replace(core, replace()).await.expect("replaced");
    assert_eq!((replaced.tail.as_deref(), replaced.retired.is_none()), (Some("0002"), true));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_endpoint_that_is_down_is_no_reason_to_refuse_the_key() {
    let provider = Provider::start().await;
    let world = world().await;
    let down = KeyOAuthAdd { token_url: "http://127.0.0.1:1/t".to_owned(), ..provider.add(FIRST) };
    let added = control::key_oauth_add(&world.core, down).await.expect("added");
    assert_eq!(added.state, KeyState::Expired);
    let reason = added.reason.expect("a reason");
    assert!(reason.starts_with("the token endpoint 127.0.0.1 gave no token: "), "{reason}");
    let public = KeyOAuthAdd { token_url: "http://a.test/t".to_owned(), ..provider.add(FIRST) };
    let refused = control::key_oauth_add(&world.core, public).await.expect_err("no encryption");
    assert_eq!(refused.field.as_deref(), Some("id"), "the name is taken");
    let public = KeyOAuthAdd {
        id: "other".to_owned(),
        token_url: "http://a.test/t".to_owned(),
        ..provider.add(FIRST)
    };
    let refused = control::key_oauth_add(&world.core, public).await.expect_err("no encryption");
    assert_eq!(refused.field.as_deref(), Some("token_url"));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_asked_with_the_access_token_and_never_with_the_stored_secret() {
    let provider = Provider::start().await;
    let world = world().await;
    control::key_oauth_add(&world.core, provider.add(FIRST)).await.expect("added");
    let set = ServiceSet {
        id: "store".to_owned(),
        label: String::new(),
        kind: ServiceKind::Http,
        address: provider.backend.base_url(),
        key: ServiceKey::Stored { id: "corp".to_owned() },
        required: false,
        enabled: true,
        private_network: false,
        expects: ServiceExpectationView::default(),
    };
    control::service_set(&world.core, set).await.expect("added");
    let store = || ServiceRef { id: "store".to_owned() };
    let tested = control::service_test(&world.core, store()).await.expect("tested");
    assert!(tested.passed, "{}", tested.sentence);
    let sent = provider.backend.requests();
    assert!(!sent.is_empty());
    assert!(sent.iter().all(|asked| asked.header("authorization") == Some("Bearer access-0001")));
    world.stop().await;
}
