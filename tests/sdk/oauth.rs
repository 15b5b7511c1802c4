//! Keys of OAuth against a real token endpoint (oauthlib): access tokens are renewed before they end,
//! rotated refresh tokens are kept, and a revoked one is told. No token is in any file or output.

use std::path::PathBuf;

use acceptance::{HomeVault, TestHome, await_or_fail, post_chat};
use serde_json::{Value, json};
use test_support::{ChatText, Reply, ScriptedUpstream, leak_encodings, search_tree};

use super::python_server::PythonServer;

/// It has characters that a Basic header must encode.
const CLIENT_SECRET: &str = "client-secret+7f3a/9c51";
const REFRESH_TOKEN: &str = "refresh-token-51c0ffee0b77";
/// Short, so that the test sees it renewed.
const LIFE_SECS: &str = "8";

struct TokenServer {
    server: PythonServer,
    url: String,
    /// Everything that it issued.
    secrets: Vec<String>,
}

impl TokenServer {
    async fn start() -> Option<Self> {
        let arguments = [CLIENT_SECRET, REFRESH_TOKEN, LIFE_SECS];
        let server = PythonServer::start("oauth_server.py", &arguments).await?;
        let url = format!("http://127.0.0.1:{}/token", server.port);
        let secrets = vec![CLIENT_SECRET.to_owned(), REFRESH_TOKEN.to_owned()];
        Some(Self { server, url, secrets })
    }

    /// The next thing that it did, which is `wanted`.
    async fn event(&mut self, wanted: &str) -> Value {
        let event = self.server.event(wanted).await;
        let issued =
            ["access_token", "refresh_token"].map(|name| event.get(name).and_then(Value::as_str));
        self.secrets.extend(issued.into_iter().flatten().map(str::to_owned));
        event
    }

    async fn revoke(&mut self) {
        self.server.write_line("revoke").await;
        self.event("revoked").await;
    }
}

/// A server with chat completions, and a home whose backend for it uses the key `corp`.
async fn home_with_key(
    server: &TokenServer,
    grant: &[&str],
    secrets: &str,
) -> (TestHome, ScriptedUpstream) {
    let upstream = ScriptedUpstream::start_with(|request| {
        let text = ChatText { model: "gpt", deltas: &["fine"], usage: Some((3, 1)) };
        Some(match request.json().get("model") {
            None => Reply::models(&["gpt"]),
            Some(_) => Reply::chat(&text),
        })
    })
    .await
    .expect("a server");
    let home = TestHome::new(HomeVault::File);
    let url = upstream.base_url();
    let add = ["keys", "add", "corp", "--stdin", "--url", &url, "--oauth", &server.url];
    let all = [&add[..], &["--client-id", "app-1"], grant].concat();
    home.gatehouse(&all).stdin(secrets).run().await.expect_success();
    let backend = ["backends", "add", "corp", "--kind", "openai-compatible", "--base-url", &url];
    let all = [&backend[..], &["--key", "corp", "--model", "gpt"]].concat();
    home.gatehouse(&all).run().await.expect_success();
    (home, upstream)
}

/// What the last request to the upstream was authorised with.
fn last_authorization(upstream: &ScriptedUpstream) -> String {
    let requests = upstream.requests();
    let last = requests.iter().rev().find(|request| request.json().get("model").is_some());
    last.and_then(|request| request.authorization()).expect("a request").to_owned()
}

async fn key_state(home: &TestHome) -> Value {
    let keys = home.gatehouse(&["keys", "list", "--json"]).run().await.items();
    keys.get(0).expect("a key").clone()
}

#[tokio::test]
#[ignore = "needs oauthlib: `cargo xtask test --only sdk`"]
async fn an_access_token_is_renewed_before_it_ends_until_the_refresh_token_is_revoked() {
    let Some(mut server) = TokenServer::start().await else { return };
    let secrets = format!("{REFRESH_TOKEN}\n{CLIENT_SECRET}\n");
    let (home, upstream) = home_with_key(&server, &["--client-secret"], &secrets).await;
    // The command that added it exchanged it, in a process of its own.
    assert_eq!(server.event("issued").await["grant"], "refresh_token");
    let served = home.serve().await;
    let token = home.client("tool").await;
    let chat = json!({"model": "corp/gpt", "messages": [{"role": "user", "content": "hi"}]});
    let mut sent = Vec::new();
    for _ in 0..3 {
        // Each is issued for the last refresh token alone, and the first probe asks for one.
        let issued = server.event("issued").await;
        let access_token = issued["access_token"].as_str().expect("a token").to_owned();
        // It is in use as soon as the refresh token that came with it is stored.
        await_or_fail("a request with the new token", async {
            loop {
                let answer = post_chat(served.gateway, &token, &chat).await;
                assert_eq!(answer.status, 200, "{}", answer.text());
                if last_authorization(&upstream) == format!("Bearer {access_token}") {
                    return;
                }
            }
        })
        .await;
        sent.push(access_token);
    }
    sent.dedup();
    assert_eq!(sent.len(), 3, "{sent:?}");
    let key = key_state(&home).await;
    assert_eq!(key["state"], "valid", "{key}");
    assert!(key["oauth"]["access_expires_at"].is_i64(), "{key}");

    server.revoke().await;
    assert_eq!(server.event("refused").await["answer"]["error"], "invalid_grant");
    await_or_fail("a rejected key", async {
        while key_state(&home).await["state"] != "rejected" {}
    })
    .await;
    let key = key_state(&home).await;
    let reason = key["reason"].as_str().expect("a reason");
    assert!(reason.contains("invalid_grant") && reason.contains("sign in again"), "{reason}");
    served.stop().await;
    assert_nowhere(&home, &server);
}

#[tokio::test]
#[ignore = "needs oauthlib: `cargo xtask test --only sdk`"]
async fn client_credentials_are_exchanged_and_a_wrong_secret_is_not_stored() {
    let Some(mut server) = TokenServer::start().await else { return };
    let grant = ["--grant", "client_credentials", "--scope", "models.read"];
    let (home, upstream) = home_with_key(&server, &grant, CLIENT_SECRET).await;
    assert_eq!(server.event("issued").await["grant"], "client_credentials");
    let url = upstream.base_url();
    let add = ["keys", "add", "wrong", "--stdin", "--url", &url, "--oauth", &server.url];
    let all = [&add[..], &["--client-id", "app-1"], &grant].concat();
    let refused = home.gatehouse(&all).stdin("another-secret-0001").run().await;
    assert!(refused.err.contains("invalid_client"), "{}", refused.err);
    let keys = home.gatehouse(&["keys", "list", "--json"]).run().await.items();
    assert_eq!(keys.as_array().map(Vec::len), Some(1), "{keys}");
    assert_nowhere(&home, &server);
}

/// No secret and no token is in a file or in what a program printed.
fn assert_nowhere(home: &TestHome, server: &TokenServer) {
    assert!(server.secrets.len() >= 3);
    let transcript = home.transcript();
    for secret in &server.secrets {
        let files = search_tree(home.path(), secret).expect("searched");
        assert_eq!(files, Vec::<PathBuf>::new(), "{secret}");
        for needle in leak_encodings(secret) {
            let heard = transcript.windows(needle.len()).any(|part| part == needle.as_slice());
            assert!(!heard, "{secret} was printed");
        }
    }
}
