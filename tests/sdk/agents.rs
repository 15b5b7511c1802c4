//! Judges of the MCP server, pinned in `agents/package-lock.json`: the protocol's public conformance
//! suite over HTTP, and the inspector's command line over both transports.
//!
//! Both pins are the newest that run on Node 20. The suite's server scenarios are those of 0.1.16.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use acceptance::{HomeVault, ProgramResult, TestHome, TestServer, await_or_fail, built_program};
use serde_json::Value;
use test_support::skip_unless_strict;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// Scenarios that judge the protocol itself.
const JUDGED: [&str; 6] = [
    "server-initialize",
    "ping",
    "tools-list",
    "resources-list",
    "server-sse-multiple-streams",
    "dns-rebinding-protection",
];

/// Scenarios that cannot pass, since they call what only a server made for the suite has.
const LEFT_OUT: [(&str, &[&str]); 4] = [
    (
        "tools with names of the suite, such as test_simple_text",
        &[
            "tools-call-simple-text",
            "tools-call-image",
            "tools-call-audio",
            "tools-call-embedded-resource",
            "tools-call-mixed-content",
            "tools-call-with-logging",
            "tools-call-error",
            "tools-call-with-progress",
            "tools-call-sampling",
            "tools-call-elicitation",
            "json-schema-2020-12",
            "elicitation-sep1034-defaults",
            "elicitation-sep1330-enums",
            "server-sse-polling",
        ],
    ),
    (
        "resources with names of the suite, such as test://static-text",
        &[
            "resources-read-text",
            "resources-read-binary",
            "resources-templates-read",
            "resources-subscribe",
            "resources-unsubscribe",
        ],
    ),
    (
        "prompts, which are not offered",
        &[
            "prompts-list",
            "prompts-get-simple",
            "prompts-get-with-args",
            "prompts-get-embedded-resource",
            "prompts-get-with-image",
        ],
    ),
    (
        "logging and completion, which are not offered",
        &["logging-set-level", "completion-complete"],
    ),
];

/// The installed judges, and a home with the client `editor`, which may use MCP over HTTP.
struct Judges {
    packages: PathBuf,
    home: TestHome,
}

impl Judges {
    /// None if they are not installed and not required.
    #[expect(clippy::disallowed_methods, reason = "the step that installs the judges says where")]
    fn new() -> Option<Self> {
        let Some(packages) = std::env::var_os("GATEHOUSE_SDK_AGENTS").map(PathBuf::from) else {
            skip_unless_strict(
                "GATEHOUSE_SDK_AGENTS is not set; run `cargo xtask test --only sdk`",
            );
            return None;
        };
        let mut home = TestHome::new(HomeVault::Memory);
        let folder = home.path().display().to_string();
        home.set("HOME", &folder);
        Some(Self { packages, home })
    }

    /// Starts the gateway and returns the client's token too.
    async fn serve(&self) -> (TestServer, String) {
        let served = self.home.serve().await;
        let token = self.home.client("editor").await;
        for call in [
            ["settings", "set", "mcp_http", "true"].as_slice(),
            &["clients", "edit", "editor", "--mcp", "true"],
        ] {
            self.home.gatehouse(call).run().await.expect_success();
        }
        (served, token)
    }

    fn script(&self, path: &str) -> String {
        self.packages.join("node_modules/@modelcontextprotocol").join(path).display().to_string()
    }

    async fn conformance(&self, arguments: &[&str]) -> ProgramResult {
        let script = self.script("conformance/dist/index.js");
        let all = [&[script.as_str()], arguments].concat();
        self.home.program("node", &all).run().await
    }

    /// The result of a method that the inspector calls.
    async fn inspect(&self, server: &[&str], method: &[&str]) -> Value {
        let script = self.script("inspector/cli/build/cli.js");
        let all = [&[script.as_str(), "--cli"], server, &["--method"], method].concat();
        let said = self.home.program("node", &all).run().await.expect_success();
        serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {}", said.out))
    }
}

/// Adds a client's token to the requests of a judge that cannot send one. Ends with its drop.
struct TokenProxy {
    _child: Child,
    address: SocketAddr,
}

impl TokenProxy {
    async fn start(packages: &Path, gateway: SocketAddr, token: &str) -> Self {
        let mut command = Command::new("node");
        command.arg(packages.join("token_proxy.mjs")).kill_on_drop(true);
        command.env("GATEWAY", gateway.to_string()).env("TOKEN", token).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the proxy starts");
        let stdout = child.stdout.take().expect("piped");
        let mut lines = BufReader::new(stdout).lines();
        let line = await_or_fail("the proxy's address", lines.next_line()).await.expect("a line");
        let address = line.as_deref().and_then(|line| line.parse().ok()).expect("an address");
        Self { _child: child, address }
    }
}

/// The names in the suite's list of server scenarios.
fn scenario_names(list: &str) -> Vec<&str> {
    let mut names: Vec<_> = list.lines().filter_map(|line| line.strip_prefix("  - ")).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
#[ignore = "needs the judges of agents/package-lock.json"]
async fn the_conformance_suite_finds_no_fault_in_the_server() {
    let Some(judges) = Judges::new() else { return };
    let listed = judges.conformance(&["list", "--server"]).await.expect_success();
    let left_out = LEFT_OUT.iter().flat_map(|(_, names)| names.iter().copied());
    let mut known: Vec<_> = JUDGED.into_iter().chain(left_out).collect();
    known.sort_unstable();
    assert_eq!(scenario_names(&listed.out), known, "each scenario is judged or left out");

    let (served, token) = judges.serve().await;
    let proxy = TokenProxy::start(&judges.packages, served.gateway, &token).await;
    let url = format!("http://{}/mcp", proxy.address);
    for scenario in JUDGED {
        let said = judges.conformance(&["server", "--url", &url, "--scenario", scenario]).await;
        assert_eq!(said.code, Some(0), "{scenario}: {}\n{}", said.out, said.err);
        assert!(said.out.contains(" 0 failed, 0 warnings"), "{scenario}: {}", said.out);
    }
    // A judge that passes everything judges nothing.
    let missing =
        judges.conformance(&["server", "--url", &url, "--scenario", "prompts-list"]).await;
    assert_eq!(missing.code, Some(1), "{}", missing.out);
    served.stop().await;
}

#[tokio::test]
#[ignore = "needs the judges of agents/package-lock.json"]
async fn the_inspector_lists_and_calls_over_both_transports() {
    let Some(judges) = Judges::new() else { return };
    let (served, token) = judges.serve().await;
    let program = built_program("gatehouse").display().to_string();
    let home = format!("GATEHOUSE_HOME={}", judges.home.path().display());
    let url = format!("http://{}/mcp", served.gateway);
    let header = format!("Authorization: Bearer {token}");
    let stdio = ["-e", &home, "-e", "GATEHOUSE_VAULT=memory", &program, "mcp"];
    let http = [url.as_str(), "--transport", "http", "--header", &header];
    let mut lists = Vec::new();
    for server in [stdio.as_slice(), &http] {
        let tools = judges.inspect(server, &["tools/list"]).await;
        let count = tools.pointer("/tools").and_then(Value::as_array).map_or(0, Vec::len);
        assert!(count >= 20, "{tools}");
        let resources = judges.inspect(server, &["resources/list"]).await;
        assert_eq!(resources.pointer("/resources/0/uri"), Some(&"gatehouse://status".into()));
        let status = judges.inspect(server, &["tools/call", "--tool-name", "status"]).await;
        let state = status.pointer("/structuredContent/gateway/state");
        assert_eq!(state, Some(&"listening".into()), "{status}");
        let read = ["resources/read", "--uri", "gatehouse://usage/today"];
        let usage = judges.inspect(server, &read).await;
        assert_eq!(usage.pointer("/contents/0/mimeType"), Some(&"application/json".into()));
        lists.push((tools, resources));
    }
    assert_eq!(lists[0], lists[1], "both transports offer the same");
    served.stop().await;
}
