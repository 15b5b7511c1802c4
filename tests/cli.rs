//! Acceptance tests of the command line: a user's first commands, the contract with scripts, and
//! two processes on one home.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod cli {
    pub(crate) mod backups;
    pub(crate) mod commands;
}

use std::collections::HashSet;
use std::path::PathBuf;

use acceptance::{HomeVault, ProgramResult, TestCall, TestHome, await_or_fail, post_chat};
use serde_json::{Value, json};
use test_support::{ReceivedRequest, Reply, ScriptedUpstream, search_tree};

const KEY: &str = "sk-test-0123456789abcdef";

/// A backend that lists one model, reports a cost, and accepts one key.
async fn upstream() -> ScriptedUpstream {
    ScriptedUpstream::start_with(|request| Some(answer(request))).await.expect("an upstream")
}

fn answer(request: &ReceivedRequest) -> Reply {
    if request.authorization() != Some(&format!("Bearer {KEY}")) {
        return Reply::echo_key(request);
    }
    if request.path == "/v1/models" {
        return Reply::models(&["gpt-4o-mini"]);
    }
    Reply::json(
        200,
        &json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini",
            "choices": [{"index": 0, "finish_reason": "stop",
                "message": {"role": "assistant", "content": "Hello."}}],
            // A cost in the response, as OpenRouter reports it.
            "usage": {"prompt_tokens": 1200, "completion_tokens": 340, "total_tokens": 1540,
                "cost": 0.001234},
        }),
    )
}

fn chat_request(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "hello there"}]})
}

async fn add_key_and_backend(home: &TestHome, upstream: &ScriptedUpstream) {
    let said =
        home.gatehouse(&["keys", "add", "up", "--stdin"]).stdin(KEY).run().await.expect_success();
    assert!(said.out.contains("…cdef") && !said.out.contains(KEY), "{}", said.out);
    let url = upstream.base_url();
    let add = ["backends", "add", "up", "--kind", "openai", "--base-url", &url, "--key", "up"];
    let said = home.gatehouse(&add).run().await.expect_success();
    assert!(said.out.contains(&url), "{}", said.out);
}

/// README: `gatehouse panel` prints a one-time link.
#[tokio::test]
async fn each_panel_link_is_a_new_one_that_works_once_whatever_was_printed_since() {
    let home = TestHome::new(HomeVault::Memory);
    let link = async || home.gatehouse(&["panel"]).run().await;
    let refused = link().await.expect_code(1);
    assert!(refused.err.contains("gatehouse serve --panel"), "{}", refused.err);
    let served = home.serve().await;
    let begin = format!("http://{}/#one-time=", served.control.address);
    let mut links = Vec::new();
    for _ in 0..3 {
        let said = link().await.expect_success();
        let one_time = said.out.strip_prefix(&begin).and_then(|rest| rest.strip_suffix('\n'));
        links.push(one_time.expect("one link and nothing else").to_owned());
    }
    let json = home.gatehouse(&["panel", "--json"]).run().await.expect_success().json();
    let last = json["panel"].as_str().and_then(|link| link.strip_prefix(&begin));
    links.push(last.expect("a link").to_owned());
    assert_eq!(links.iter().collect::<HashSet<_>>().len(), 4, "{links:?}");
    // A link that was not used stays valid beside newer ones.
    for one_time in &links {
        assert_eq!(served.control.exchange(one_time).await.status, 200);
        assert_eq!(served.control.exchange(one_time).await.status, 403, "it works once");
    }
    assert_eq!(served.stop().await, Some(0));
    let refused = link().await.expect_code(1);
    assert!(refused.err.contains("not running"), "{}", refused.err);
}

/// A supervisor that reads the address and closes the pipe must not end the gateway.
#[tokio::test]
async fn a_gateway_goes_on_when_nobody_reads_its_output() {
    let home = TestHome::new(HomeVault::Memory);
    let serving = home.gatehouse(&["serve", "--port", "0"]).with_closed_stdout().run();
    let stopping = async {
        while home.gatehouse(&["status"]).run().await.code != Some(0) {}
        home.gatehouse(&["stop"]).run().await.expect_success();
    };
    let (served, ()) = tokio::join!(serving, await_or_fail("a gateway that answers", stopping));
    served.expect_success();
}

#[tokio::test]
async fn the_first_minutes_go_as_the_readme_says() {
    let (upstream, home) = (upstream().await, TestHome::new(HomeVault::File));
    add_key_and_backend(&home, &upstream).await;
    let added = home.gatehouse(&["clients", "add", "demo"]).run().await.expect_success();
    let token = added.out.strip_suffix('\n').expect("one line").to_owned();
    let is_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    assert!(token.starts_with("ghk_") && token.chars().all(is_token), "alone: {:?}", added.out);
    assert_eq!(added.err, "");
    let again = home.gatehouse(&["token", "demo"]).run().await.expect_success();
    assert_eq!((again.out.trim_end(), again.err.as_str()), (token.as_str(), ""));

    let served = home.serve().await;
    let answer = post_chat(served.gateway, &token, &chat_request("up/gpt-4o-mini")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["choices"][0]["message"]["content"], "Hello.");
    assert_eq!(answer.header("x-gatehouse-backend"), Some("up"));
    assert_eq!(answer.header("x-gatehouse-cost-usd"), Some("0.001234"));
    let id = answer.header("x-gatehouse-request-id").expect("an id").to_owned();
    let answer = post_chat(served.gateway, &token, &chat_request("mock/echo")).await;
    assert_eq!(answer.json()["choices"][0]["message"]["content"], "hello there");

    let by = |what| ["usage", "--json", "--since", "24h", "--by", what];
    let usage = home.gatehouse(&by("backend")).run().await.expect_success().json();
    let sums = |usage: &Value, key: &str| {
        let groups = usage["groups"].as_array().expect("groups").clone();
        groups.into_iter().find(|group| group["key"] == key).expect(key)["totals"].clone()
    };
    let up = sums(&usage, "up");
    assert_eq!((&up["requests"], &up["cost_nano_usd"]), (&json!(1), &json!(1_234_000)));
    assert_eq!((&up["input_tokens"], &up["output_tokens"]), (&json!(1200), &json!(340)));
    assert_eq!(usage["totals"]["requests"], 2);
    let usage = home.gatehouse(&by("client")).run().await.expect_success().json();
    assert_eq!(sums(&usage, "demo")["requests"], 2);

    let page = home.gatehouse(&["requests", "--json"]).run().await.expect_success().json();
    let rows = page["requests"].as_array().expect("rows");
    assert_eq!((rows.len(), &rows[0]["backend"]), (2, &json!("mock")));
    let told = |name: &str| &rows[1][name];
    assert_eq!((told("id"), told("client")), (&json!(id), &json!("demo")));
    assert_eq!((told("state"), told("cost_basis")), (&json!("complete"), &json!("reported")));
    assert_eq!((told("cost_nano_usd"), told("finish_reason")), (&json!(1_234_000), &json!("stop")));
    let said = home.gatehouse(&["status"]).run().await.expect_success();
    assert!(said.out.contains(&format!("{}", served.gateway)), "{}", said.out);
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test]
async fn a_check_answers_with_its_exit_code() {
    let (upstream, home) = (upstream().await, TestHome::new(HomeVault::Memory));
    let served = home.serve().await;
    add_key_and_backend(&home, &upstream).await;
    let said = home.gatehouse(&["check", "--json"]).run().await.expect_success();
    let run = said.json();
    assert_eq!((&run["verdict"], &run["state"]), (&json!("ready"), &json!("finished")), "{run}");
    let checked = |run: &Value, id: &str| {
        let checks = run["checks"].as_array().expect("checks").clone();
        checks.into_iter().find(|check| check["id"] == id).expect(id)
    };
    assert_eq!(checked(&run, "R-10/up")["state"], "pass");
    assert_eq!(checked(&run, "R-14b")["state"], "pass", "a stream through the whole gateway");
    let billed = upstream.requests().iter().filter(|seen| seen.method == "POST").count();
    assert_eq!(billed, 0, "a check never sends anything that is billed");

    // A key that the backend rejects.
    let wrong = "sk-test-fedcba9876543210";
    home.gatehouse(&["keys", "replace", "up", "--stdin"]).stdin(wrong).run().await.expect_code(2);
    let replace = ["keys", "replace", "up", "--untested", "--stdin"];
    home.gatehouse(&replace).stdin(wrong).run().await.expect_success();
    let said = home.gatehouse(&["check", "--json"]).run().await.expect_code(1);
    let run = said.json();
    assert_eq!(run["verdict"], "not_ready", "{run}");
    let rejected = checked(&run, "R-10/up");
    assert_eq!(rejected["state"], "fail");
    assert!(rejected["cause"].is_string() && rejected["fix"].is_string(), "{rejected}");
    let said = home.gatehouse(&["keys", "verify", "up"]).run().await.expect_code(1);
    assert!(!said.out.contains(wrong), "{}", said.out);
    drop(served);
}

#[tokio::test]
async fn a_taken_port_is_named_and_never_another_one_used() {
    let other = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = other.local_addr().expect("an address").port().to_string();
    let home = TestHome::new(HomeVault::Memory);
    let said = home.gatehouse(&["serve", "--port", &port]).run().await.expect_code(1);
    assert!(said.err.contains(&format!("port {port} is in use")), "{}", said.err);
    assert!(said.err.contains("--port"), "{}", said.err);
    assert_eq!(said.out, "", "no address is announced");
    home.write_settings(&format!("[gateway]\nport = {port}\n"));
    let run = home.gatehouse(&["check", "--set", "quick", "--json"]).run().await.expect_code(1);
    assert_eq!(run.json()["verdict"], "not_ready");
}

#[tokio::test]
async fn a_second_process_asks_the_owner() {
    let home = TestHome::new(HomeVault::Memory);
    let served = home.serve().await;
    let status = home.gatehouse(&["status", "--json"]).run().await.expect_success().json();
    let address = format!("http://{}", served.gateway);
    assert_eq!(
        status["gateway"],
        json!({
            "state": "listening", "address": address, "port": served.gateway.port(), "reason": null,
        })
    );
    // The memory vault belongs to the owner process, so the token must come from it.
    let token = home.client("demo").await;
    assert_eq!(post_chat(served.gateway, &token, &chat_request("mock/echo")).await.status, 200);
    assert_eq!(
        home.gatehouse(&["token", "demo"]).run().await.expect_success().out.trim_end(),
        token
    );
    home.gatehouse(&["clients", "revoke", "demo"]).run().await.expect_success();
    let refused = post_chat(served.gateway, &token, &chat_request("mock/echo")).await;
    assert_eq!((refused.status, refused.header("x-should-retry")), (401, Some("false")));
    assert!(refused.text().contains("This token was revoked."), "{}", refused.text());

    let second = home.gatehouse(&["serve", "--port", "0"]).run().await.expect_code(1);
    assert!(second.err.contains(&format!("already running at {address}")), "{}", second.err);
    assert_eq!(second.out, "");
    // A killed server leaves nothing behind that blocks the next start.
    served.kill().await;
    let status = home.gatehouse(&["status", "--json"]).run().await.expect_code(1).json();
    assert_ne!(status["gateway"]["state"], "listening");
    assert_eq!(home.serve().await.stop().await, Some(0));
}

#[tokio::test]
async fn a_broken_settings_file_is_reported_by_field_and_line_and_left_alone() {
    let home = TestHome::new(HomeVault::Memory);
    let broken = "[gateway]\nport = \"many\"\n\n[backends.up]\nkind = \"openai\"\n";
    home.write_settings(broken);
    let said = home.gatehouse(&["settings", "check"]).run().await.expect_code(1);
    assert!(said.out.contains("settings.toml:2: error: gateway.port: "), "{}", said.out);
    assert!(said.out.contains("backends.up.base_url"), "{}", said.out);
    let add = ["backends", "add", "b", "--kind", "openai", "--base-url", "http://127.0.0.1:9/v1"];
    let said = home.gatehouse(&add).run().await.expect_code(2);
    assert!(said.err.contains("line 2: gateway.port: "), "{}", said.err);
    assert!(said.err.contains("hint: `gatehouse settings check`"), "{}", said.err);
    assert_eq!(std::fs::read_to_string(home.settings()).expect("the file"), broken);
    // It still serves, so that the panel can show the problem.
    let served = home.serve().await;
    let status =
        home.gatehouse(&["settings", "show", "--json"]).run().await.expect_success().json();
    assert_eq!(status["valid"], false);
    assert_eq!(status["problems"][0]["path"], "gateway.port");
    drop(served);
}

#[tokio::test]
async fn wrong_usage_is_exit_code_2_and_says_which_field() {
    let home = TestHome::new(HomeVault::Memory);
    let refused = async |arguments: &[&str], names: &str| {
        let said: ProgramResult = home.gatehouse(arguments).run().await.expect_code(2);
        assert!(said.err.contains(names), "{arguments:?}: {}", said.err);
        assert_eq!(said.out, "", "{arguments:?}");
    };
    refused(&["frobnicate"], "frobnicate").await;
    refused(&["serve", "--port", "70000"], "--port").await;
    refused(&["backends", "add", "up"], "--base-url").await;
    let url = "http://169.254.169.254/v1";
    refused(&["backends", "add", "up", "--kind", "openai", "--base-url", url], "--base-url").await;
    refused(&["keys", "add", "a b", "--stdin"], "").await;
    refused(&["clients", "add", "!"], "name").await;
    let empty: TestCall = home.gatehouse(&["keys", "add", "up", "--stdin"]).stdin(" \n");
    assert!(empty.run().await.expect_code(2).err.contains("empty"));
    let missing = home.gatehouse(&["keys", "verify", "nobody"]).run().await.expect_code(1);
    assert!(missing.err.contains("nobody"), "{}", missing.err);

    let mut wrong = TestHome::new(HomeVault::Memory);
    wrong.set("GATEHOUSE_VAULT", "plain");
    let said = wrong.gatehouse(&["status"]).run().await.expect_code(2);
    assert!(said.err.contains("GATEHOUSE_VAULT"), "{}", said.err);
}

/// A person types switches and words, and knows nothing of the fields of a request.
#[tokio::test]
async fn an_error_names_only_what_its_command_takes() {
    let home = TestHome::new(HomeVault::Memory);
    let served = home.serve().await;
    for (arguments, words) in [
        (&["ask", "", "hi"][..], "error: no model is selected"),
        (&["ask", "mock/echo", " "], "error: the prompt is empty"),
        (&["ask", "mock/echo", "hi", "--temperature", "3"], "error: --temperature: "),
        (&["backends", "add", "gq", "--preset", "grog"], "error: there is no preset named grog"),
        (&["backends", "timeline", "a b"], "error: the name contains ' '"),
        (&["clients", "add", "x", "--allow-route", "a b"], "error: --allow-route: "),
        (&["clients", "add", "x", "--allow-backend", "mok"], "error: --allow-backend: there is no"),
        (&["clients", "add", "x", "--allow-model", "none"], "error: --allow-model: `none` is no"),
        (&["routes", "add", "fast", "no such"], "error: the name contains ' '"),
        (&["routes", "explain", "m", "--client", "a b"], "error: --client: "),
        (&["routes", "simulate", "m", "--down", "a b"], "error: --down: "),
        (&["requests", "--status", "abc"], "error: --status: "),
        (&["requests", "--min-cost", "much"], "error: --min-cost: "),
        (&["requests", "--view", "none"], "error: there is no view named none"),
        (&["requests", "show", "req_1"], "error: "),
    ] {
        let said = home.gatehouse(arguments).run().await;
        assert!(matches!(said.code, Some(1 | 2)), "{arguments:?}: {:?} {}", said.code, said.err);
        assert!(said.err.starts_with(words), "{arguments:?}: {}", said.err);
    }
    served.stop().await;
}

#[tokio::test]
async fn keys_of_the_shell_are_found_also_where_another_shell_started_gatehouse() {
    let mut home = TestHome::new(HomeVault::File);
    let user = home.path().join("user");
    std::fs::create_dir_all(&user).expect("a folder");
    home.set("HOME", &user.display().to_string());
    home.set("MISTRAL_API_KEY", "CANARY0a1b2c3d4e5f6g7h8i9j0k1l");
    let served = home.serve().await;
    home.set("MISTRAL_API_KEY", "");
    home.set("GROQ_API_KEY", "gsk_CANARY0a1b2c3d4e5f6g7h");
    let found = home.gatehouse(&["keys", "scan", "--json"]).run().await.expect_success();
    let said = found.json();
    let keys = said["keys"].as_array().expect("keys");
    let variables: Vec<_> = keys.iter().map(|key| &key["variable"]).collect();
    assert_eq!(variables, ["GROQ_API_KEY"], "{said}");
    let done = home.gatehouse(&["keys", "scan", "--import", "--yes"]).run().await.expect_success();
    assert!(done.out.contains("Stored groq in the vault."), "{}", done.out);
    let shown = home.gatehouse(&["keys", "scan"]).run().await.expect_success();
    assert!(shown.out.contains("GROQ_API_KEY in this shell's environment"), "{}", shown.out);
    for said in [&found, &done, &shown] {
        assert!(!said.out.contains("CANARY") && !said.err.contains("CANARY"));
    }
    assert_eq!(search_tree(home.path(), "CANARY").expect("searched"), Vec::<PathBuf>::new());
    served.stop().await;
}

#[tokio::test]
async fn keys_in_plain_text_are_found_and_imported_without_being_shown() {
    let mut home = TestHome::new(HomeVault::File);
    let user = home.path().join("user");
    std::fs::create_dir_all(&user).expect("a folder");
    home.set("HOME", &user.display().to_string());
    let (path, profile) = (user.join(".zshrc"), "export GROQ_API_KEY=gsk_CANARY0a1b2c3d4e5f6g7h\n");
    private_files::write_atomic(&path, profile.as_bytes()).expect("written");
    let served = home.serve().await;
    let said = home.gatehouse(&["keys", "scan"]).run().await.expect_code(1);
    assert!(
        said.out.contains("~/.zshrc:1 GROQ_API_KEY") && said.out.contains("Zsh"),
        "{}",
        said.out
    );
    let asked = home.gatehouse(&["keys", "scan", "--import"]).run().await.expect_code(2);
    assert!(asked.err.contains("This stores 1 key in the vault: groq."), "{}", asked.err);
    let done = home.gatehouse(&["keys", "scan", "--import", "--yes"]).run().await.expect_success();
    assert!(done.out.contains("Stored groq in the vault."), "{}", done.out);
    let again = home.gatehouse(&["keys", "scan", "--json"]).run().await.expect_code(1).json();
    assert_eq!(again["keys"][0]["stored_as"], "groq");
    let none = home.gatehouse(&["keys", "scan", "--import", "--yes"]).run().await.expect_success();
    assert!(none.out.contains("are in the vault already"), "{}", none.out);
    for said in [&said, &asked, &done, &none] {
        assert!(!said.out.contains("CANARY") && !said.err.contains("CANARY"));
    }
    let found = search_tree(home.path(), "CANARY").expect("searched");
    assert_eq!(found, std::slice::from_ref(&path), "the key is in a file of ours");
    let kept = std::fs::read_to_string(path).expect("the profile");
    assert_eq!(kept, profile);
    served.stop().await;
}

#[tokio::test]
async fn every_json_answer_is_one_document_with_nothing_beside_it() {
    let (upstream, home) = (upstream().await, TestHome::new(HomeVault::Memory));
    let served = home.serve().await;
    add_key_and_backend(&home, &upstream).await;
    let written = home.path().join("written.json");
    let written = written.to_str().expect("a path");
    for arguments in [
        &["status"][..],
        &["keys", "list"],
        &["backends", "list"],
        &["backends", "presets"],
        &["backends", "test", "mock"],
        &["clients", "add", "demo"],
        &["clients", "list"],
        &["token", "demo"],
        &["usage"],
        &["usage", "expensive"],
        &["pins", "list"],
        &["audit"],
        &["requests"],
        &["requests", "views"],
        &["requests", "export"],
        &["requests", "export", "-o", written],
        &["usage", "statement"],
        &["usage", "statement", "-o", written],
        &["settings", "show"],
        &["settings", "check"],
        &["check", "--set", "quick"],
        &["clients", "revoke", "demo"],
    ] {
        let said = home.gatehouse(&[arguments, &["--json"]].concat()).run().await.expect_success();
        assert_eq!(said.json()["format_version"], 2, "{arguments:?}");
        assert!(said.out.ends_with('\n') && said.out.lines().count() == 1, "{arguments:?}");
        assert_eq!(said.err, "", "{arguments:?}");
        assert!(!said.out.contains('\u{1b}'), "no colours in a pipe: {arguments:?}");
    }
    drop(served);
}

#[tokio::test]
async fn a_prompt_is_answered_with_and_without_a_running_gateway() {
    let (upstream, home) = (upstream().await, TestHome::new(HomeVault::File));
    // A prompt uses a free port, so another program on the configured one does not matter.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its address").port();
    home.write_settings(&format!("version = 1\n\n[gateway]\nport = {port}\n"));
    add_key_and_backend(&home, &upstream).await;
    let said = home.gatehouse(&["ask", "mock/echo", "hello there"]).run().await.expect_success();
    assert_eq!((said.out.as_str(), said.err.as_str()), ("hello there\n", ""));
    let served = home.serve().await;
    let said =
        home.gatehouse(&["ask", "mock/echo"]).stdin("from a pipe").run().await.expect_success();
    assert_eq!(said.out, "from a pipe\n");
    let run =
        home.gatehouse(&["ask", "mock/echo", "x", "--json"]).run().await.expect_success().json();
    assert_eq!((&run["state"], &run["text"]), (&json!("complete"), &json!("x")));
    let refused = home.gatehouse(&["ask", "mock/fault-401", "x"]).run().await;
    assert_eq!((refused.code, refused.out.as_str()), (Some(1), ""));
    assert!(refused.err.contains("the mock rejects this key"), "{}", refused.err);
    let wrong = home.gatehouse(&["ask", "mock/echo", "x", "--temperature", "3"]).run().await;
    assert_eq!(wrong.code, Some(2), "{}", wrong.err);
    served.stop().await;
}

#[tokio::test]
async fn a_reader_that_leaves_early_is_no_fault() {
    let home = TestHome::new(HomeVault::Memory);
    let said = await_or_fail("a pipe", async {
        let program = acceptance::built_program("gatehouse");
        tokio::process::Command::new("/bin/sh")
            .args(["-c", "\"$0\" completions bash | true; \"$0\" status | head -c 1"])
            .arg(program)
            .env("GATEHOUSE_HOME", home.path())
            .env("GATEHOUSE_VAULT", "memory")
            .output()
            .await
            .expect("a shell")
    })
    .await;
    assert_eq!(String::from_utf8_lossy(&said.stderr), "");
}
