//! The MCP server as agents start it: `gatehouse mcp` on pipes, with and without a running Gatehouse.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use acceptance::{AgentSession, HomeVault, TestHome, await_or_fail, request_meta};
use serde_json::{Value, json};
use test_support::{MockProvider, PROVIDER_KEY, Reply, ScriptedUpstream};

/// The revisions with an `initialize` handshake, oldest first.
const REVISIONS: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

/// Each of its requests stands alone.
const REVISION_WITHOUT_HANDSHAKE: &str = "2026-07-28";

/// Fails unless `value` is as its tool's output schema says.
#[track_caller]
fn assert_fits(tool: &str, schema: &Value, value: &Value) {
    let validator = jsonschema::validator_for(schema).expect("a schema");
    let faults: Vec<String> = validator
        .iter_errors(value)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{tool}:\n{}\n{value}", faults.join("\n"));
}

/// What each tool that reads is asked for.
fn arguments(tool: &str) -> Value {
    match tool {
        "explain_route" => json!({"model": "up/good"}),
        "suggest_savings" | "forecast_cost" => json!({"zone": "utc"}),
        "find_anomalies" => json!({"zone": "utc", "days": 7}),
        "usage_latency" => json!({"range": "last_week", "zone": "utc", "group_by": "backend"}),
        "list_requests" => json!({"limit": 10}),
        "list_prices" => json!({"model": "", "owner": "", "limit": 5}),
        _ => json!({}),
    }
}

async fn allow(home: &TestHome, setting: &str) {
    home.gatehouse(&["settings", "set", setting, "true"]).run().await.expect_success();
}

#[tokio::test]
async fn every_revision_is_agreed_on_and_an_unknown_one_gets_the_newest() {
    let home = TestHome::new(HomeVault::Memory);
    for revision in REVISIONS {
        let (session, begun) = AgentSession::begin(&home, revision).await;
        assert_eq!(begun.pointer("/result/protocolVersion"), Some(&json!(revision)), "{begun}");
        assert_eq!(session.end().await, Some(0), "{revision}");
    }
    let (session, begun) = AgentSession::begin(&home, "2099-01-01").await;
    assert_eq!(begun.pointer("/result/protocolVersion"), Some(&json!("2025-11-25")));
    assert_eq!(session.end().await, Some(0));
}

#[tokio::test]
async fn the_revision_without_a_handshake_is_served_and_each_request_says_who_asks() {
    let home = TestHome::new(HomeVault::Memory);
    let mut session = AgentSession::start(&home);
    let meta = request_meta(REVISION_WITHOUT_HANDSHAKE);
    let found = session.request("server/discover", json!({"_meta": meta})).await;
    let versions = found.pointer("/result/supportedVersions").and_then(Value::as_array);
    assert!(versions.expect("a list").contains(&json!(REVISION_WITHOUT_HANDSHAKE)), "{found}");
    let listed = session.request("tools/list", json!({"_meta": meta})).await;
    let tools = listed.pointer("/result/tools").and_then(Value::as_array).expect("a list");
    let schema = tools.iter().find(|tool| tool.get("name") == Some(&json!("status")));
    let schema = schema.and_then(|tool| tool.get("outputSchema")).expect("a schema");
    let call =
        |tool: &str, arguments: Value| json!({"name": tool, "arguments": arguments, "_meta": meta});
    let status = session.request("tools/call", call("status", json!({}))).await;
    assert_fits("status", schema, status.pointer("/result/structuredContent").expect("a view"));
    let purge = call("purge_cache", json!({"what": {"kind": "everything"}}));
    let refused = session.request("tools/call", purge).await;
    assert_eq!(refused.pointer("/result/isError"), Some(&json!(true)), "{refused}");
    let silent = session.request("tools/call", json!({"name": "status", "arguments": {}})).await;
    assert_eq!(silent.pointer("/error/code"), Some(&json!(-32602)), "{silent}");
    assert_eq!(session.end().await, Some(0));
    let log = home.gatehouse(&["audit", "--by", "mcp", "--json"]).run().await.expect_success();
    assert_eq!(log.json().pointer("/entries/0/agent"), Some(&json!("acceptance")));
}

#[tokio::test]
async fn what_is_unknown_is_an_error_of_the_protocol() {
    let home = TestHome::new(HomeVault::Memory);
    let (mut session, _) = AgentSession::begin(&home, "2025-06-18").await;
    let unknown = session.request("no/such", json!({})).await;
    assert_eq!(unknown.pointer("/error/code"), Some(&json!(-32601)), "{unknown}");
    let unknown =
        session.request("tools/call", json!({"name": "keys_list", "arguments": {}})).await;
    assert_eq!(unknown.pointer("/error/code"), Some(&json!(-32602)), "{unknown}");
    for (method, params) in [
        ("tools/call", json!({"arguments": {}})),
        ("tools/call", json!({"name": "status", "arguments": []})),
        ("resources/read", json!({})),
    ] {
        let wrong = session.request(method, params).await;
        assert_eq!(wrong.pointer("/error/code"), Some(&json!(-32602)), "{method}: {wrong}");
    }
    let unknown = session.request("resources/read", json!({"uri": "gatehouse://keys"})).await;
    assert_eq!(unknown.pointer("/error/code"), Some(&json!(-32002)), "{unknown}");
    // An argument that is missing is for the agent to read and to mend.
    let missing = session.call("explain_route", json!({})).await;
    assert_eq!(missing.get("isError"), Some(&json!(true)));
    assert_eq!(missing.pointer("/content/0/text"), Some(&json!("model is missing")));
    // So is one that the tool does not know: another question would be answered.
    for (tool, arguments, said) in [
        (
            "status",
            json!({"full": true}),
            "full: there is no argument of this name\nIt takes none.",
        ),
        (
            "suggest_savings",
            json!({"zone": "utc", "rnge": "today"}),
            "rnge: there is no argument of this name\nKnown are: ",
        ),
        (
            "usage_summary",
            json!({"filter": {"modl": "m"}}),
            "filter.modl: there is no argument of this name\nKnown are: ",
        ),
    ] {
        let refused = session.call(tool, arguments).await;
        assert_eq!(refused.get("isError"), Some(&json!(true)), "{tool}: {refused}");
        let text = refused.pointer("/content/0/text").and_then(Value::as_str).unwrap_or_default();
        assert!(text.starts_with(said), "{tool}: {text}");
    }
}

#[tokio::test]
async fn every_tool_that_reads_answers_as_its_schema_says_with_and_without_an_owner() {
    let upstream = ScriptedUpstream::start_with(|_| Some(Reply::models(&["good"])));
    let (upstream, home) = (upstream.await.expect("an upstream"), TestHome::new(HomeVault::Memory));
    let url = upstream.base_url();
    let add = ["backends", "add", "up", "--kind", "openai-compatible", "--base-url", &url];
    home.gatehouse(&add).run().await.expect_success();
    for has_owner in [false, true] {
        let served = if has_owner { Some(home.serve().await) } else { None };
        let (mut session, _) = AgentSession::begin(&home, "2025-06-18").await;
        let listed = session.request("tools/list", json!({})).await;
        let tools =
            listed.pointer("/result/tools").and_then(Value::as_array).expect("tools").clone();
        let mut answered = 0;
        for tool in &tools {
            let name = tool.get("name").and_then(Value::as_str).expect("a name");
            if tool.pointer("/annotations/readOnlyHint") != Some(&json!(true)) {
                continue;
            }
            if name == "explain_request" {
                // It needs a request; the test of `ask` calls it.
                continue;
            }
            assert_fits(name, tool.get("inputSchema").expect("a schema"), &arguments(name));
            let result = session.call(name, arguments(name)).await;
            assert_eq!(result.get("isError"), Some(&json!(false)), "{name}: {result}");
            let view = result.get("structuredContent").expect("a structured result");
            assert_fits(name, tool.get("outputSchema").expect("a schema"), view);
            answered += 1;
        }
        assert!(answered >= 15, "{answered}");
        let state = session.call("status", json!({})).await;
        let state = state.pointer("/structuredContent/gateway/state").cloned();
        assert_eq!(state == Some(json!("listening")), has_owner, "{state:?}");
        assert_eq!(session.end().await, Some(0));
        if let Some(served) = served {
            assert_eq!(served.stop().await, Some(0));
        }
    }
}

#[tokio::test]
async fn between_calls_nothing_is_owned() {
    let home = TestHome::new(HomeVault::Memory);
    let (mut session, _) = AgentSession::begin(&home, "2025-06-18").await;
    let before = session.call("status", json!({})).await;
    assert_eq!(before.get("isError"), Some(&json!(false)), "{before}");
    let served = home.serve().await;
    let after = session.call("status", json!({})).await;
    let address = after.pointer("/structuredContent/gateway/address").and_then(Value::as_str);
    assert_eq!(address, Some(format!("http://{}", served.gateway).as_str()));
    assert_eq!(served.stop().await, Some(0));
    let alone = session.call("status", json!({})).await;
    assert_eq!(alone.get("isError"), Some(&json!(false)), "{alone}");
}

#[tokio::test]
async fn an_agent_may_read_and_check_and_nothing_else_unless_it_is_allowed() {
    let home = TestHome::new(HomeVault::Memory);
    let (mut session, _) = AgentSession::begin(&home, "2025-06-18").await;
    for (tool, arguments, setting) in [
        ("ask", json!({"models": ["mock/echo"], "prompt": "hi"}), "mcp_spend"),
        ("purge_cache", json!({"what": {"kind": "everything"}}), "mcp_change"),
        ("switch_backend", json!({"id": "mock", "enabled": false}), "mcp_change"),
        ("switch_client", json!({"id": "editor", "backend": "mock"}), "mcp_change"),
    ] {
        let refused = session.call(tool, arguments).await;
        assert_eq!(refused.get("isError"), Some(&json!(true)), "{tool}: {refused}");
        let said = refused.pointer("/content/0/text").and_then(Value::as_str).unwrap_or_default();
        assert!(said.contains(&format!("gatehouse settings set {setting} true")), "{tool}: {said}");
    }
    let checked = session.call("run_checks", json!({"set": "quick"})).await;
    assert_eq!(checked.pointer("/structuredContent/state"), Some(&json!("finished")), "{checked}");
    home.gatehouse(&["settings", "set", "mcp_checks", "false"]).run().await.expect_success();
    let refused = session.call("run_checks", json!({"set": "quick"})).await;
    assert_eq!(refused.get("isError"), Some(&json!(true)), "{refused}");
    allow(&home, "mcp_change").await;
    let purged = session.call("purge_cache", json!({"what": {"kind": "everything"}})).await;
    assert_eq!(purged.get("isError"), Some(&json!(false)), "{purged}");
}

/// Once for each tool, however often the agent tries.
#[tokio::test]
async fn what_an_agent_may_not_do_stands_in_the_audit_log_with_the_setting() {
    let home = TestHome::new(HomeVault::Memory);
    for has_owner in [false, true] {
        let served = if has_owner { Some(home.serve().await) } else { None };
        let (mut session, _) = AgentSession::begin(&home, "2025-06-18").await;
        for _ in 0..5 {
            for (tool, arguments) in [
                ("ask", json!({"models": ["mock/echo"], "prompt": "secret words"})),
                ("switch_backend", json!({"id": "mock", "enabled": false})),
            ] {
                let refused = session.call(tool, arguments).await;
                assert_eq!(refused.get("isError"), Some(&json!(true)), "{tool}: {refused}");
            }
        }
        assert_eq!(session.end().await, Some(0));
        let log = home.gatehouse(&["audit", "--by", "mcp", "--json"]).run().await;
        let log = log.expect_success().json();
        let told = |number: usize, field: &str| {
            log.pointer(&format!("/entries/{number}/{field}")).and_then(Value::as_str).unwrap_or("")
        };
        let entries: Vec<_> =
            (0..3).map(|number| (told(number, "operation"), told(number, "subject"))).collect();
        let expected =
            [("backend_switch", "mcp_change"), ("playground_send", "mcp_spend"), ("", "")];
        assert_eq!(entries, expected, "{log}");
        assert_eq!((told(0, "agent"), told(0, "outcome")), ("acceptance", "not_allowed"), "{log}");
        assert!(!log.to_string().contains("secret words"), "{log}");
        if let Some(served) = served {
            assert_eq!(served.stop().await, Some(0));
        }
    }
}

#[tokio::test]
async fn what_an_agent_changes_stands_in_the_audit_log_with_its_name() {
    let home = TestHome::new(HomeVault::Memory);
    allow(&home, "mcp_change").await;
    for has_owner in [false, true] {
        let served = if has_owner { Some(home.serve().await) } else { None };
        let (mut session, _) = AgentSession::begin(&home, "2025-06-18").await;
        session.call("status", json!({})).await;
        let purged = session.call("purge_cache", json!({"what": {"kind": "everything"}})).await;
        assert_eq!(purged.get("isError"), Some(&json!(false)), "{purged}");
        assert_eq!(session.end().await, Some(0));
        let log = home.gatehouse(&["audit", "--by", "mcp", "--json"]).run().await;
        let log = log.expect_success().json();
        let entries = log.get("entries").and_then(Value::as_array).expect("entries").clone();
        assert_eq!(entries.len(), if has_owner { 2 } else { 1 }, "{log}");
        let newest = entries.first().expect("an entry");
        for (field, value) in
            [("agent", "acceptance"), ("operation", "cache_purge"), ("outcome", "done")]
        {
            assert_eq!(newest.get(field), Some(&json!(value)), "{newest}");
        }
        if let Some(served) = served {
            assert_eq!(served.stop().await, Some(0));
        }
    }
    let typed = home.gatehouse(&["audit", "--by", "command-line", "--json"]).run().await;
    let typed = typed.expect_success().json();
    assert_eq!(typed.pointer("/entries/0/operation"), Some(&json!("settings_edit")), "{typed}");
}

#[tokio::test]
async fn checks_tell_their_progress_to_who_asks() {
    let home = TestHome::new(HomeVault::Memory);
    let (mut session, _) = AgentSession::begin(&home, "2025-06-18").await;
    let params = json!({"name": "run_checks", "arguments": {}, "_meta": {"progressToken": "p"}});
    let ended = session.request("tools/call", params).await;
    assert_eq!(ended.pointer("/result/isError"), Some(&json!(false)), "{ended}");
    let told: Vec<f64> = session
        .notifications()
        .iter()
        .filter(|one| one.pointer("/params/progressToken") == Some(&json!("p")))
        .filter_map(|one| one.pointer("/params/progress")?.as_f64())
        .collect();
    assert!(!told.is_empty() && told.is_sorted_by(|one, next| one < next), "{told:?}");
}

#[tokio::test]
async fn several_models_are_asked_at_once_and_none_waits_for_another() {
    let home = TestHome::new(HomeVault::Memory);
    allow(&home, "mcp_spend").await;
    for has_owner in [false, true] {
        let served = if has_owner { Some(home.serve().await) } else { None };
        let (mut session, _) = AgentSession::begin(&home, "2025-06-18").await;
        let listed = session.request("tools/list", json!({})).await;
        let tools = listed.pointer("/result/tools").and_then(Value::as_array).expect("tools");
        let tool =
            tools.iter().find(|tool| tool.get("name") == Some(&json!("ask"))).expect("ask").clone();
        let models = ["mock/slow", "mock/echo", "mock/fault-401"];
        let asked = json!({"models": models, "prompt": "Say gate.", "timeout_secs": 3});
        let result = session.call("ask", asked).await;
        let view = result.get("structuredContent").unwrap_or_else(|| panic!("{result}"));
        assert_fits("ask", tool.get("outputSchema").expect("a schema"), view);
        let answers = view.get("answers").and_then(Value::as_array).expect("answers");
        let outcomes: Vec<_> = answers.iter().map(|one| one.get("outcome").cloned()).collect();
        let expected = ["timed_out", "answered", "failed"].map(|word| Some(json!(word)));
        assert_eq!(outcomes, expected, "{view}");
        let echoed = answers.get(1).expect("an answer");
        assert!(echoed.get("text").and_then(Value::as_str).is_some_and(|it| it.contains("gate")));
        assert_eq!(echoed.get("backend"), Some(&json!("mock")));
        let tool = tools.iter().find(|tool| tool.get("name") == Some(&json!("explain_request")));
        let schema = tool.and_then(|tool| tool.get("outputSchema")).cloned().expect("a schema");
        let explained = session.call("explain_request", json!({"id": echoed.get("request")})).await;
        assert_eq!(explained.get("isError"), Some(&json!(false)), "{explained}");
        assert_fits(
            "explain_request",
            &schema,
            explained.get("structuredContent").expect("a view"),
        );
        // Usage and budgets can tell the agents' prompts apart.
        let usage = json!({"filter": {"project": "agents"}});
        let used = session.call("usage_summary", usage).await;
        let requests = used.pointer("/structuredContent/totals/requests").and_then(Value::as_u64);
        assert!(requests.is_some_and(|requests| requests >= 3), "{used}");
        assert_eq!(session.end().await, Some(0));
        if let Some(served) = served {
            assert_eq!(served.stop().await, Some(0));
        }
    }
}

#[tokio::test]
async fn a_cancelled_prompt_is_stopped_and_the_session_goes_on() {
    let home = TestHome::new(HomeVault::Memory);
    allow(&home, "mcp_spend").await;
    let served = home.serve().await;
    let (mut session, _) = AgentSession::begin(&home, "2025-06-18").await;
    let asked = json!({"name": "ask", "arguments": {"models": ["mock/slow"], "prompt": "hi"}});
    let id = session.send_request("tools/call", asked).await;
    let in_flight =
        |status: &Value| status.pointer("/structuredContent/requests_in_flight").cloned();
    let begun =
        async { while in_flight(&session.call("status", json!({})).await) != Some(json!(1)) {} };
    await_or_fail("the prompt is sent", begun).await;
    session.notify("notifications/cancelled", json!({"requestId": id})).await;
    let stopped =
        async { while in_flight(&session.call("status", json!({})).await) != Some(json!(0)) {} };
    await_or_fail("the prompt is stopped", stopped).await;
    assert_eq!(session.end().await, Some(0));
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test]
async fn a_prompt_is_stopped_once_its_agent_has_gone() {
    let home = TestHome::new(HomeVault::Memory);
    allow(&home, "mcp_spend").await;
    let served = home.serve().await;
    let (mut other, _) = AgentSession::begin(&home, "2025-06-18").await;
    let in_flight =
        |status: &Value| status.pointer("/structuredContent/requests_in_flight").cloned();
    for is_terminated in [false, true] {
        let (mut session, _) = AgentSession::begin(&home, "2025-06-18").await;
        let asked = json!({"name": "ask", "arguments": {"models": ["mock/slow"], "prompt": "hi"}});
        session.send_request("tools/call", asked).await;
        let begun =
            async { while in_flight(&other.call("status", json!({})).await) != Some(json!(1)) {} };
        await_or_fail("the prompt is sent", begun).await;
        match is_terminated {
            false => assert_eq!(session.end().await, Some(0)),
            true => assert_eq!(session.terminate().await, Some(0)),
        }
        let left = in_flight(&other.call("status", json!({})).await);
        assert_eq!(left, Some(json!(0)), "it ended before its session did: {is_terminated}");
    }
    assert_eq!(other.end().await, Some(0));
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test]
async fn a_model_of_every_kind_of_backend_is_asked_by_its_name() {
    let home = TestHome::new(HomeVault::File);
    allow(&home, "mcp_spend").await;
    let served = home.serve().await;
    let mut models = vec!["mock/echo".to_owned()];
    let mut providers = Vec::new();
    for (kind, path) in [
        ("openai", "/v1"),
        ("openai-compatible", "/v1"),
        ("anthropic", ""),
        ("gemini", ""),
        ("ollama", ""),
    ] {
        let provider = MockProvider::start().await.expect("a provider");
        let url = format!("{}{path}", provider.root());
        let key = home.gatehouse(&["keys", "add", kind, "--stdin", "--url", &url]);
        key.stdin(PROVIDER_KEY).run().await.expect_success();
        let add = ["backends", "add", kind, "--kind", kind, "--base-url", &url, "--key", kind];
        home.gatehouse(&add).run().await.expect_success();
        models.push(format!("{kind}/echo"));
        providers.push(provider);
    }
    let kinds: Vec<_> = models.iter().filter_map(|name| name.split('/').next()).collect();
    for kind in domain::BackendKind::ALL {
        assert!(kinds.contains(&kind.word()), "{kind} has a provider here");
    }
    let (mut session, _) = AgentSession::begin(&home, "2025-06-18").await;
    for model in &models {
        let asked = json!({"models": [model], "prompt": "Say gate.", "timeout_secs": 30});
        let result = session.call("ask", asked).await;
        let answer = result.pointer("/structuredContent/answers/0").cloned();
        let answer = answer.unwrap_or_else(|| panic!("{model}: {result}"));
        assert_eq!(answer.get("outcome"), Some(&json!("answered")), "{model}: {answer}");
        assert_eq!(answer.get("backend"), model.split('/').next().map(|id| json!(id)).as_ref());
        let text = answer.get("text").and_then(Value::as_str).unwrap_or_default();
        assert!(text.contains("gate"), "{model}: {answer}");
    }
    for provider in &providers {
        assert_eq!(provider.refusals(), Vec::<String>::new());
    }
    assert_eq!(session.end().await, Some(0));
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test]
async fn resources_are_the_views_of_their_tools() {
    let home = TestHome::new(HomeVault::Memory);
    let (mut session, _) = AgentSession::begin(&home, "2025-06-18").await;
    let listed = session.request("resources/list", json!({})).await;
    let listed = listed.pointer("/result/resources").and_then(Value::as_array).expect("resources");
    let uris: Vec<&str> = listed.iter().filter_map(|one| one.get("uri")?.as_str()).collect();
    assert_eq!(uris, ["gatehouse://status", "gatehouse://usage/today", "gatehouse://checks/last"]);
    for (uri, field) in uris.into_iter().zip(["verdict", "totals", "history"]) {
        let read = session.request("resources/read", json!({"uri": uri})).await;
        let text = read.pointer("/result/contents/0/text").and_then(Value::as_str);
        let view: Value = serde_json::from_str(text.unwrap_or_default()).expect("JSON");
        assert!(view.get(field).is_some(), "{uri}: {view}");
    }
}

/// The newest entry of the audit log of agents.
async fn newest_change(home: &TestHome) -> Value {
    let log = ["audit", "--by", "mcp", "--limit", "1", "--json"];
    let log = home.gatehouse(&log).run().await.expect_success().json();
    log.pointer("/entries/0").cloned().unwrap_or(Value::Null)
}

#[tokio::test]
async fn a_change_is_asked_about_where_a_person_can_answer_and_the_answer_is_logged() {
    let home = TestHome::new(HomeVault::Memory);
    let served = home.serve().await;
    let everything = json!({"what": {"kind": "everything"}});
    let questions = |session: &AgentSession| {
        let is_question = |one: &&Value| one["method"] == "elicitation/create";
        let asked = session.notifications().iter().filter(is_question);
        let text = |one: &Value| one["params"]["message"].as_str().unwrap_or_default().to_owned();
        asked.map(text).collect::<Vec<_>>()
    };
    let mut session = AgentSession::begin_with_person(&home, "2025-06-18", "accept").await;
    session.call("purge_cache", everything.clone()).await;
    assert_eq!(questions(&session), Vec::<String>::new(), "what is off is not asked about");
    allow(&home, "mcp_change").await;
    session.call("status", json!({})).await;
    assert_eq!(questions(&session), Vec::<String>::new(), "what reads is not asked about");
    let done = session.call("purge_cache", everything.clone()).await;
    assert_eq!(done["isError"], json!(false), "{done}");
    let [asked] = &questions(&session)[..] else { panic!("one question") };
    assert!(asked.starts_with("acceptance wants to change something in Gatehouse."), "{asked}");
    assert!(asked.contains("Purge cache: {") && asked.contains("everything"), "{asked}");
    let entry = newest_change(&home).await;
    assert_eq!((&entry["outcome"], &entry["confirmed"]), (&json!("done"), &json!(true)), "{entry}");

    for answer in ["decline", "cancel"] {
        let mut session = AgentSession::begin_with_person(&home, "2025-11-25", answer).await;
        let refused = session.call("purge_cache", everything.clone()).await;
        assert_eq!(refused["isError"], json!(true), "{refused}");
        let entry = newest_change(&home).await;
        let told = (&entry["outcome"], &entry["confirmed"]);
        assert_eq!(told, (&json!("not_allowed"), &json!(false)), "{answer}: {entry}");
        assert_eq!(session.end().await, Some(0));
    }

    // A program that cannot ask: the setting decides.
    let (mut silent, _) = AgentSession::begin(&home, "2025-06-18").await;
    let done = silent.call("purge_cache", everything).await;
    assert_eq!(done["isError"], json!(false), "{done}");
    let entry = newest_change(&home).await;
    assert_eq!((&entry["outcome"], &entry["confirmed"]), (&json!("done"), &Value::Null), "{entry}");
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test]
async fn without_a_session_the_question_is_the_answer_and_the_call_is_repeated() {
    let home = TestHome::new(HomeVault::Memory);
    let served = home.serve().await;
    allow(&home, "mcp_change").await;
    let mut session = AgentSession::start(&home);
    let mut meta = request_meta(REVISION_WITHOUT_HANDSHAKE);
    meta["io.modelcontextprotocol/clientCapabilities"] = json!({"elicitation": {"form": {}}});
    let mut call = json!({"name": "purge_cache", "_meta": meta,
        "arguments": {"what": {"kind": "everything"}}});
    let asked = session.request("tools/call", call.clone()).await;
    assert_eq!(asked["result"]["resultType"], json!("input_required"), "{asked}");
    let question = asked["result"]["inputRequests"]["confirm"]["params"]["message"].as_str();
    assert!(question.is_some_and(|text| text.contains("Purge cache")), "{asked}");
    assert_eq!(newest_change(&home).await, Value::Null, "nothing was done");
    // Not to a question that was not asked, about another call or a second time.
    let is_asked = |answer: &Value| answer["result"]["resultType"] == json!("input_required");
    call["inputResponses"] = json!({"confirm": {"action": "accept"}});
    let again = session.request("tools/call", call.clone()).await;
    assert!(is_asked(&again), "{again}");
    let mut other = call.clone();
    other["requestState"] = again["result"]["requestState"].clone();
    other["arguments"] = json!({"what": {"kind": "response", "id": "1"}});
    let again = session.request("tools/call", other).await;
    assert!(is_asked(&again), "{again}");
    assert_eq!(newest_change(&home).await, Value::Null, "nothing was done");
    for (action, is_error) in [("decline", true), ("accept", false)] {
        call["inputResponses"] = Value::Null;
        call["requestState"] = Value::Null;
        let asked = session.request("tools/call", call.clone()).await;
        call["inputResponses"] = json!({"confirm": {"action": action}});
        call["requestState"] = asked["result"]["requestState"].clone();
        let ended = session.request("tools/call", call.clone()).await;
        assert_eq!(ended["result"]["isError"], json!(is_error), "{ended}");
        let entry = newest_change(&home).await;
        assert_eq!(entry["confirmed"], json!(!is_error), "{action}: {entry}");
        let again = session.request("tools/call", call.clone()).await;
        assert!(is_asked(&again), "{action}: {again}");
    }
    assert_eq!(session.end().await, Some(0));
    assert_eq!(served.stop().await, Some(0));
}
