//! A gateway with a strict mock provider that acts as every kind of backend, for SDKs to call.

use std::net::SocketAddr;

use acceptance::{HomeVault, TestHome, TestServer};
use serde_json::Value;
use test_support::{MockProvider, PROVIDER_KEY};

use super::runner::{SdkLanguage, SdkRequest, SdkResult, SdkTarget};

/// The backend kinds served over HTTP; each is the name of a backend here.
pub(crate) const KINDS: [&str; 5] =
    ["openai", "openai-compatible", "anthropic", "gemini", "ollama"];

/// The key's name in the vault.
const KEY: &str = "provider";

/// The models used in requests, declared so that no listing is needed.
const MODELS: [&str; 11] = [
    "echo",
    "think",
    "system",
    "text-and-tool",
    "fault-400",
    "fault-401",
    "fault-429",
    "fault-500",
    "fault-529",
    "fault-cut",
    "fault-no-end",
];

/// A gateway with one backend of each kind; all use the same provider.
pub(crate) struct SdkFixture {
    home: TestHome,
    served: TestServer,
    pub(crate) token: String,
    pub(crate) provider: MockProvider,
}

impl SdkFixture {
    /// Starts it with backends of these kinds.
    pub(crate) async fn new(kinds: &[&str]) -> Self {
        let provider = MockProvider::start().await.expect("a provider");
        let home = TestHome::new(HomeVault::Memory);
        let served = home.serve().await;
        home.gatehouse(&["keys", "add", KEY, "--stdin"])
            .stdin(PROVIDER_KEY)
            .run()
            .await
            .expect_success();
        for kind in kinds {
            // A compatible server's address is used unchanged; the other kinds append their paths.
            let version = if *kind == "openai-compatible" { "/v1" } else { "" };
            let url = format!("{}{version}", provider.root());
            let mut add =
                vec!["backends", "add", kind, "--kind", kind, "--base-url", &url, "--key", KEY];
            for model in MODELS {
                add.extend(["--model", model]);
            }
            home.gatehouse(&add).run().await.expect_success();
        }
        let token = home.client("sdk").await;
        Self { home, served, token, provider }
    }

    /// Keeps all breakers of these backends closed: every failure must reach the SDK, not the error
    /// of an open breaker.
    pub(crate) async fn keep_breakers_closed(&self, kinds: &[&str]) {
        for kind in kinds {
            let count_only = ["backends", "force", kind, "--to", "monitor-only", "--until-reset"];
            self.home.gatehouse(&count_only).run().await.expect_success();
        }
    }

    pub(crate) fn gateway(&self) -> SocketAddr {
        self.served.gateway
    }

    pub(crate) fn target(&self) -> SdkTarget {
        let root = format!("http://{}", self.served.gateway);
        SdkTarget { root, token: self.token.clone() }
    }

    /// Lets SDKs send requests; `None` if they are not installed.
    pub(crate) async fn ask(
        &self,
        language: SdkLanguage,
        asked: &[SdkRequest],
    ) -> Option<Vec<SdkResult>> {
        language.ask(&self.target(), asked).await
    }

    /// The number of requests for this model at the provider, in any dialect.
    pub(crate) fn count_requests(&self, model: &str) -> usize {
        let path = format!("/models/{model}:");
        let names = |body: &Value| body.get("model").is_some_and(|name| name == model);
        let requests = self.provider.requests();
        let asked = requests.iter().filter(|one| one.path.contains(&path) || names(&one.json()));
        asked.count()
    }

    /// The ledger's rows for a backend.
    pub(crate) async fn ledger_rows(&self, backend: &str) -> Vec<Value> {
        let words = ["requests", "--json", "--limit", "500", "--backend", backend];
        let page = self.home.gatehouse(&words).run().await.expect_success().json();
        page.get("requests").and_then(Value::as_array).cloned().unwrap_or_default()
    }
}
