//! Tests of single commands: parity with the panel, removal, errors, completions.

use acceptance::{HomeVault, TestHome, json_body, post_chat, post_json};
use serde_json::{Value, json};
use test_support::ScriptedUpstream;

use crate::{KEY, add_key_and_backend, chat_request, upstream};

#[tokio::test]
async fn what_the_panel_can_do_has_a_command() {
    let (upstream, home) = (upstream().await, TestHome::new(HomeVault::Memory));
    let served = home.serve().await;
    add_key_and_backend(&home, &upstream).await;
    let well =
        async |arguments: &[&str]| home.gatehouse(arguments).run().await.expect_success().out;
    well(&["routes", "add", "fast", "up/gpt-4o-mini", "mock/echo=3", "--policy", "weighted"]).await;
    well(&["route", "new", "slow", "mock/echo", "--model", "slow-*"]).await;
    well(&["routes", "move", "slow", "--first"]).await;
    well(&["routes", "edit", "fast", "--policy", "ordered", "--sticky-secs", "0"]).await;
    well(&["routes", "disable", "slow"]).await;
    let listed = home.gatehouse(&["routes", "ls", "--json"]).run().await.expect_success().json();
    let ids: Vec<&Value> = listed["routes"].as_array().expect("routes").iter().collect();
    let [slow, fast] = ids[..] else { panic!("two routes: {listed}") };
    assert_eq!((&slow["id"], &slow["enabled"]), (&json!("slow"), &json!(false)));
    assert_eq!((&fast["policy"], &fast["sticky_secs"]), (&json!("ordered"), &Value::Null));
    assert_eq!(fast["candidates"][1]["weight"], json!(3));
    assert!(well(&["routes", "simulate", "fast", "-n", "10"]).await.contains("100.0 %"));
    let models = well(&["models"]).await;
    assert!(models.contains("fast") && models.contains("mock/echo"), "{models}");

    well(&["config", "set", "port", "4284"]).await;
    assert_eq!(well(&["settings", "get", "gateway_port"]).await, "4284\n");
    let wrong = home.gatehouse(&["settings", "set", "port", "0"]).run().await.expect_code(2);
    assert!(wrong.err.starts_with("error: gateway_port: "), "{}", wrong.err);
    home.client("demo").await;
    let limits =
        ["--requests-per-minute", "60", "--allow-backend", "mock", "--allow-model", "mock/*"];
    let edited = well(&[&["clients", "edit", "demo"], &limits[..]].concat()).await;
    for fact in ["Requests per minute  60\n", "only mock/*\n", "only mock\n"] {
        assert!(edited.contains(fact), "{edited}");
    }
    let lifted = well(&["clients", "edit", "demo", "--allow-model", "all"]).await;
    assert!(lifted.contains("only mock\n") && !lifted.contains("only mock/*"), "{lifted}");
    assert!(well(&["clients", "show", "demo"]).await.contains("only mock\n"));
    well(&["backends", "timeline", "up"]).await;
    well(&["backends", "backtest", "--consecutive-failures", "3"]).await;
    let token = home.client("tool").await;
    let answer = post_chat(served.gateway, &token, &chat_request("fast")).await;
    let id = answer.header("x-gatehouse-request-id").expect("an id").to_owned();
    let shown = well(&["requests", "show", &id]).await;
    assert!(shown.contains("fast") && shown.contains("up"), "{shown}");
    let sent = home.gatehouse(&["notify", "test"]).run().await.expect_code(1);
    assert!(sent.out.contains("without a desktop"), "{}", sent.out);
    assert!(well(&["pause"]).await.starts_with("Paused."));
    let refused = post_chat(served.gateway, &token, &chat_request("fast")).await;
    assert_eq!((refused.status, refused.header("x-should-retry")), (503, Some("false")));
    assert!(refused.text().contains("The gateway is paused"), "{}", refused.text());
    assert!(well(&["status"]).await.contains("try: gatehouse resume"));
    well(&["resume"]).await;
    assert_eq!(post_chat(served.gateway, &token, &chat_request("fast")).await.status, 200);
    assert_eq!(well(&["version"]).await, well(&["--version"]).await);
    assert!(well(&["help", "keys"]).await.contains("Usage: gatehouse keys"));
    let stopped = home.gatehouse(&["stop"]).run().await.expect_success();
    assert_eq!(stopped.out, "Stopped.\n");
    assert_eq!(
        home.gatehouse(&["stop"]).run().await.expect_code(1).out,
        "Gatehouse is not running.\n"
    );
}

#[tokio::test]
async fn two_models_are_compared_and_usage_is_reported_by_project() {
    let (upstream, home) = (upstream().await, TestHome::new(HomeVault::Memory));
    let served = home.serve().await;
    add_key_and_backend(&home, &upstream).await;
    let ask = ["ask", "mock/echo", "hello", "--compare", "up/gpt-4o-mini"];
    let said = home.gatehouse(&ask).run().await.expect_success().out;
    let (first, second) = said.split_once("up/gpt-4o-mini\n").expect("both");
    assert!(
        first.starts_with("mock/echo\nhello\n") && first.contains("mock answered in"),
        "{said}"
    );
    assert!(second.starts_with("Hello.\n") && second.contains("up answered in"), "{said}");
    let ask = ["ask", "mock/echo", "hello", "--compare", "mock/fault-500", "--json"];
    let runs = home.gatehouse(&ask).run().await.expect_code(1).items();
    assert_eq!((&runs[0]["text"], &runs[1]["http_status"]), (&json!("hello"), &json!(502)));

    let token = home.client("tool").await;
    let bearer = format!("authorization: Bearer {token}");
    let headers =
        ["content-type: application/json", bearer.as_str(), "x-gatehouse-project: website"];
    let body = json_body(&chat_request("mock/echo"));
    post_json(served.gateway, "/v1/chat/completions", &headers, &body).await;
    home.gatehouse(&["routes", "add", "fast", "mock/echo"]).run().await.expect_success();
    post_chat(served.gateway, &token, &chat_request("fast")).await;
    // A token for one project needs no header.
    let add = ["clients", "add", "Blog tool", "--project", "blog"];
    let token = home.gatehouse(&add).run().await.expect_success().out;
    post_chat(served.gateway, token.trim_end(), &chat_request("mock/echo")).await;
    let usage = home.gatehouse(&["usage", "--by", "project"]).run().await.expect_success().out;
    assert!(usage.contains("website") && usage.contains("No project"), "{usage}");
    assert!(usage.contains("blog"), "{usage}");
    let usage = home.gatehouse(&["usage", "--by", "route"]).run().await.expect_success().out;
    assert!(usage.contains("fast") && usage.contains("pinned"), "{usage}");
}

#[tokio::test]
async fn removing_says_what_breaks_and_a_script_has_to_say_yes() {
    let (upstream, home) = (upstream().await, TestHome::new(HomeVault::Memory));
    let _served = home.serve().await;
    add_key_and_backend(&home, &upstream).await;
    home.gatehouse(&["routes", "add", "fast", "up/gpt-4o-mini"]).run().await.expect_success();
    for what in [&["keys", "rm", "up"][..], &["backends", "del", "up"]] {
        let refused = home.gatehouse(what).run().await.expect_code(2);
        assert!(refused.err.contains("fast") && refused.err.contains("--yes"), "{}", refused.err);
    }
    let keys = home.gatehouse(&["keys", "list", "--json"]).run().await.expect_success().items();
    assert_eq!(keys[0]["used_by"], json!(["up"]), "nothing was removed");
    let said = home.gatehouse(&["backends", "remove", "up", "-y"]).run().await.expect_success();
    assert!(said.out.contains("Its key up stays in the vault."), "{}", said.out);
    home.gatehouse(&["keys", "remove", "up", "-y"]).run().await.expect_success();
    let url = upstream.base_url();
    let add = ["backends", "add", "bare", "--kind", "openai-compatible", "--base-url", &url];
    home.gatehouse(&add).run().await.expect_success();
    let said = home.gatehouse(&["backends", "remove", "bare", "-y"]).run().await.expect_success();
    assert!(!said.out.contains("key"), "it had none: {}", said.out);
}

#[tokio::test]
async fn a_vault_in_the_environment_is_said_to_have_no_effect_on_a_running_gateway() {
    let mut home = TestHome::new(HomeVault::Memory);
    let _served = home.serve().await;
    home.set("GATEHOUSE_VAULT", "file");
    let said = home.gatehouse(&["clients", "list"]).run().await.expect_success();
    assert!(said.err.contains("GATEHOUSE_VAULT=file has no effect"), "{}", said.err);
    assert!(said.err.contains("`gatehouse vault set file`"), "{}", said.err);
}

#[tokio::test]
async fn a_program_gets_its_errors_as_json_and_a_person_the_nearest_name() {
    let home = TestHome::new(HomeVault::Memory);
    let _served = home.serve().await;
    let url = "http://127.0.0.1:9/v1";
    let add = ["backends", "add", "acme", "--kind", "openai", "--base-url", url];
    home.gatehouse(&add).run().await.expect_success();
    let told = home.gatehouse(&["--json", "backends", "test", "acmee"]).run().await.expect_code(1);
    let error: Value = serde_json::from_str(&told.err).expect("JSON");
    assert_eq!(
        error["error"],
        json!({"code": "not_found", "message": "there is no backend named acmee",
            "hint": "Did you mean acme?", "field": null, "exit_code": 1})
    );
    assert_eq!(told.out, "");
    let told = home.gatehouse(&["--json", "add", "key", "openai"]).run().await.expect_code(2);
    let error: Value = serde_json::from_str(&told.err).expect("JSON");
    assert_eq!(error["error"]["hint"], "Did you mean `gatehouse keys add openai`?");
    let refused = async |arguments: &[&str], code: i32, says: &str| {
        let told = home.gatehouse(arguments).run().await.expect_code(code);
        assert!(told.err.contains(says), "{arguments:?}: {}", told.err);
    };
    refused(&["add", "key", "openai"], 2, "gatehouse keys add openai").await;
    refused(&["list"], 2, "gatehouse backends list").await;
    refused(&["ask", "mock/ecko", "x"], 1, "Did you mean mock/echo?").await;
    refused(&["backends", "add", "groqq"], 2, "Did you mean groq?").await;
    refused(&["backends", "add", "groq"], 2, "gatehouse keys add groq").await;
    home.client("codex").await;
    let twice = home.gatehouse(&["clients", "add", "codex"]).run().await.expect_code(2);
    assert!(twice.err.starts_with("error: there is already a client named codex"), "{}", twice.err);
}

/// The shell scripts call the program at each press of Tab.
#[tokio::test]
async fn tab_knows_the_names_of_this_home() {
    let mut home = TestHome::new(HomeVault::Memory);
    let served = home.serve().await;
    let add =
        ["backends", "add", "acme", "--kind", "openai", "--base-url", "http://127.0.0.1:9/v1"];
    home.gatehouse(&add).run().await.expect_success();
    home.client("demo").await;
    home.set("COMPLETE", "fish");
    let offered = async |typed: &[&str]| {
        let words = [&["--", "gatehouse"][..], typed].concat();
        home.gatehouse(&words).run().await.expect_success().out
    };
    assert!(offered(&["backends", "test", ""]).await.contains("acme"));
    assert!(offered(&["token", ""]).await.contains("demo"));
    assert!(offered(&["ask", ""]).await.contains("mock/echo"));
    assert!(offered(&["backends", "add", "gro"]).await.contains("groq"));
    drop(served);
}

#[tokio::test]
async fn a_client_is_switched_and_blocked_and_both_survive_a_restart() {
    let (upstream, home) = (upstream().await, TestHome::new(HomeVault::Memory));
    let served = home.serve().await;
    add_key_and_backend(&home, &upstream).await;
    let well =
        async |arguments: &[&str]| home.gatehouse(arguments).run().await.expect_success().out;
    well(&["routes", "add", "fast", "mock/echo"]).await;
    let token = home.client("editor").await;
    let told = well(&["clients", "switch", "editor", "--route", "fast"]).await;
    assert!(told.contains("`gatehouse clients switch editor --reset` undoes it"), "{told}");
    let answer = post_chat(served.gateway, &token, &chat_request("up/gpt-4o-mini")).await;
    assert_eq!((answer.status, answer.header("x-gatehouse-backend")), (200, Some("mock")));
    assert_eq!(answer.header("x-gatehouse-route"), Some("fast"));
    let id = answer.header("x-gatehouse-request-id").expect("an id").to_owned();
    let shown = well(&["requests", "show", &id]).await;
    assert!(shown.contains("editor is switched to the route fast"), "{shown}");
    let explained = well(&["routes", "explain", "gpt-4o-mini", "--client", "editor"]).await;
    assert!(explained.contains("editor is switched to the route fast"), "{explained}");
    let listed = well(&["clients", "switch", "editor"]).await;
    assert!(listed.contains("--backend up") && listed.contains("--route fast"), "{listed}");

    let wrong = home.gatehouse(&["clients", "switch", "editor", "--backend", "upp"]).run().await;
    assert!(wrong.expect_code(1).err.contains("Did you mean up?"));
    well(&["clients", "switch", "editor", "--backend", "mock"]).await;
    let bearer = format!("authorization: Bearer {token}");
    let agent = "user-agent: claude-cli/2.1.3 (external, cli)";
    let headers = [bearer.as_str(), "content-type: application/json", agent];
    let body = json_body(&chat_request("echo"));
    let answer = post_json(served.gateway, "/v1/chat/completions", &headers, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let blocked = well(&["clients", "block", "editor"]).await;
    assert!(blocked.contains("`gatehouse clients allow editor`"), "{blocked}");
    assert_eq!(served.stop().await, Some(0));

    let served = home.serve().await;
    let listed = home.gatehouse(&["clients", "list", "--json"]).run().await.expect_success();
    let program = json!({"name": "claude-cli", "version": "2.1.3"});
    assert_eq!(listed.items()[0]["program"], program, "{}", listed.out);
    let refused = post_chat(served.gateway, &token, &chat_request("gpt-4o-mini")).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert!(refused.text().contains("`gatehouse clients allow editor`"), "{}", refused.text());
    let refusals = async || {
        let listed = home.gatehouse(&["clients", "list", "--json"]).run().await.expect_success();
        listed.items()[0]["refused"].clone()
    };
    assert_eq!(refusals().await["count"], 1);
    well(&["clients", "allow", "editor"]).await;
    assert_eq!(refusals().await, Value::Null);
    let missing = post_chat(served.gateway, &token, &chat_request("gpt-4o-mini")).await;
    assert_eq!(missing.status, 404, "{}", missing.text());
    assert!(missing.text().contains("switched to the backend mock"), "{}", missing.text());
    well(&["clients", "switch", "editor", "--reset"]).await;
    let answer = post_chat(served.gateway, &token, &chat_request("up/gpt-4o-mini")).await;
    assert_eq!(answer.header("x-gatehouse-backend"), Some("up"), "{}", answer.text());

    let log = home.gatehouse(&["audit", "--json"]).run().await.expect_success().json();
    let entries = log["entries"].as_array().expect("entries");
    let is_told = |operation: &str| {
        entries.iter().any(|entry| entry["operation"] == operation && entry["subject"] == "editor")
    };
    for operation in ["client_switch", "client_block", "client_allow"] {
        assert!(is_told(operation), "{operation}: {log}");
    }
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test]
async fn a_repair_of_the_settings_is_shown_made_and_undone_byte_for_byte() {
    let home = TestHome::new(HomeVault::Memory);
    let broken = "# mine\n[gatway] # the door\nprot = \"4300\"\n";
    let read = || std::fs::read_to_string(home.settings()).expect("the file");
    home.write_settings(broken);
    let nothing = home.gatehouse(&["settings", "fix", "--undo"]).run().await.expect_code(3);
    assert!(nothing.err.contains("no repair"), "{}", nothing.err);
    let asked = home.gatehouse(&["settings", "fix"]).run().await.expect_code(2);
    assert!(asked.err.contains("+port = 4300") && asked.err.contains("--yes"), "{}", asked.err);
    assert_eq!(read(), broken);

    let fixed = home.gatehouse(&["settings", "fix", "--yes"]).run().await.expect_success();
    assert!(fixed.out.contains("gatehouse settings fix --undo"), "{}", fixed.out);
    let repaired = read();
    assert_eq!(repaired, "# mine\n[gateway] # the door\nport = 4300\n");
    home.gatehouse(&["settings", "fix", "--undo"]).run().await.expect_success();
    assert_eq!(read(), broken, "byte for byte");
    home.gatehouse(&["settings", "fix", "--undo"]).run().await.expect_code(3);

    // What was changed since stays.
    home.gatehouse(&["settings", "fix", "--yes"]).run().await.expect_success();
    let edited = repaired.replace("4300", "4301");
    home.write_settings(&edited);
    let refused = home.gatehouse(&["settings", "fix", "--undo"]).run().await.expect_code(3);
    assert!(refused.err.contains("has changed in the meantime"), "{}", refused.err);
    assert_eq!(read(), edited);
}

#[tokio::test]
async fn requests_go_where_the_profile_leads_before_and_after_a_switch() {
    let (work, private, home) =
        (upstream().await, upstream().await, TestHome::new(HomeVault::Memory));
    let served = home.serve().await;
    let well = async |arguments: &[&str]| {
        home.gatehouse(arguments).stdin(KEY).run().await.expect_success();
    };
    for (id, upstream) in [("work", &work), ("private", &private)] {
        well(&["keys", "add", id, "--stdin"]).await;
        let url = upstream.base_url();
        let kind = ["--kind", "openai", "--base-url", &url, "--key", id];
        well(&[&["backends", "add", id][..], &kind].concat()).await;
        well(&["profiles", "set", id, "--backend", id]).await;
    }
    well(&["routes", "add", "fast", "work/gpt-4o-mini", "private/gpt-4o-mini"]).await;
    let token = home.client("editor").await;
    let posted = |upstream: &ScriptedUpstream| {
        upstream.requests().iter().filter(|seen| seen.method == "POST").count()
    };
    for (profile, expected) in [("work", (1, 0)), ("private", (1, 1)), ("work", (2, 1))] {
        well(&["profiles", "use", profile]).await;
        let answer = post_chat(served.gateway, &token, &chat_request("fast")).await;
        let backend = answer.header("x-gatehouse-backend").map(str::to_owned);
        assert_eq!((answer.status, backend.as_deref()), (200, Some(profile)), "{}", answer.text());
        assert_eq!((posted(&work), posted(&private)), expected, "{profile}");
    }
    assert_eq!(served.stop().await, Some(0));
}
