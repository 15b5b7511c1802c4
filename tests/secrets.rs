//! Stores a marked key in every possible way, uses it in every possible way, and then searches for
//! it everywhere: files, outputs, answers of the gateway and the control API, events, process
//! arguments.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::path::Path;

use acceptance::{
    AgentSession, ControlClient, HomeVault, TestHome, TestServer, await_or_fail, json_body,
    loopback_address, post_chat, post_json, session_header,
};
use serde_json::{Value, json};
use test_support::{
    ChatText, MARKED_KEY, RawAnswer, RawClient, ReceivedRequest, Reply, ScriptedUpstream,
    leak_encodings, search_tree,
};
use tokio::sync::oneshot;

/// The middle of the marked key: a leak that is truncated or masked at its ends still contains it.
const MARKED_PART: &str = "7f3a9c51e2b84d06";

/// A prompt, which must not leak either.
const MARKED_PROMPT: &str = "canary-prompt-51c0ffee";

const JSON: &str = "content-type: application/json";

/// The backend's answer for each model; most repeat the key that was sent.
fn answer(request: &ReceivedRequest, elsewhere: std::net::SocketAddr) -> Reply {
    let sent = request.authorization().unwrap_or_default().replace("Bearer ", "");
    if request.path.ends_with("/service") {
        return Reply::echo_key(request).header("x-oauth-scopes", &sent);
    }
    let body = request.json();
    let Some(model) = body.get("model").and_then(Value::as_str) else {
        return Reply::models(&["good"]);
    };
    let text = ChatText { model, deltas: &["fine"], usage: Some((3, 1)) };
    let whole = |status: u16, code: &str| {
        let error = json!({"message": format!("bad key {sent} ({sent})"), "type": "invalid_request_error",
            "param": sent, "code": format!("{code}-{sent}")});
        Reply::json(status, &json!({"error": error})).header("x-request-id", &sent)
    };
    match model {
        "good" => Reply::chat(&text).header("x-request-id", &sent),
        "stream" => Reply::chat_stream(&text),
        "redirect" => Reply::redirect(elsewhere),
        "echo-400" => whole(400, "bad"),
        "echo-401" => Reply::echo_key(request),
        "echo-404" => whole(404, "none"),
        "echo-429" => whole(429, "slow").header("retry-after", &sent),
        "echo-500" => Reply::body(500, "text/plain", format!("stack trace: key={sent}")),
        "echo-200" => whole(200, "fine"),
        "echo-html" => Reply::body(200, "text/html", format!("<p>{sent}</p>")),
        "echo-event" => {
            let error = json!({"error": {"message": format!("key {sent}"), "code": sent}});
            // In mid-stream: after the role and the first text.
            let begun: String = text.events().into_iter().take(2).collect();
            Reply::sse([begun, format!("data: {error}\n\n")])
        }
        other => panic!("no such model: {other}"),
    }
}

const MODELS: [&str; 11] = [
    "good",
    "stream",
    "redirect",
    "echo-400",
    "echo-401",
    "echo-404",
    "echo-429",
    "echo-500",
    "echo-200",
    "echo-html",
    "echo-event",
];

/// All recorded bytes, with their place.
#[derive(Default)]
struct LeakRecorder(Vec<(String, Vec<u8>)>);

impl LeakRecorder {
    fn record(&mut self, place: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.0.push((place.into(), bytes.into()));
    }

    fn record_answer(&mut self, place: impl Into<String>, answer: &RawAnswer) {
        let heads: Vec<String> =
            answer.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        self.record(place, [heads.concat().as_bytes(), &answer.body].concat());
    }

    /// Fails with every place where `mark` was recorded in any encoding.
    #[track_caller]
    fn assert_never_recorded(&self, mark: &str) {
        let needles = leak_encodings(mark);
        let holds = |bytes: &[u8]| {
            let here = |needle: &Vec<u8>| bytes.windows(needle.len()).any(|part| part == needle);
            needles.iter().any(here)
        };
        let found: Vec<_> = self
            .0
            .iter()
            .filter(|(_, bytes)| holds(bytes))
            .map(|(place, bytes)| format!("{place}: {}", String::from_utf8_lossy(bytes)))
            .collect();
        assert!(found.is_empty(), "{mark} was heard:\n{}", found.join("\n"));
    }
}

#[track_caller]
fn assert_in_no_file(home: &TestHome, mark: &str) {
    assert_eq!(search_tree(home.path(), mark).expect("searched"), Vec::<std::path::PathBuf>::new());
}

/// The request for each operation, in the order of the operations' table. An unknown operation
/// fails the test, so that none is left out.
fn operation_request(operation: &str, base_url: &str) -> Value {
    let secret = json!(MARKED_KEY);
    match operation {
        "status"
        | "backends"
        | "presets"
        | "keys"
        | "clients"
        | "client_guides"
        | "currency"
        | "billing_cancel"
        | "settings"
        | "readiness"
        | "gateway_pause"
        | "gateway_resume"
        | "vault_check"
        | "settings_fix"
        | "settings_fix_undo"
        | "readiness_cancel"
        | "notification_test"
        | "playground"
        | "budgets"
        | "alerts"
        | "health"
        | "agent_access"
        | "service_levels"
        | "services"
        | "local_health"
        | "alert_rules"
        | "alert_channels"
        | "profiles"
        | "saved_views"
        | "plans"
        | "session_logs_import"
        | "session_logs_cancel"
        | "price_undo" => Value::Null,
        "budget_set" => json!({"id": "monthly", "limit_usd": "20", "period": "month",
            "scope": {"dimension": "backend", "name": "up"}}),
        "billing_fetch" => json!({"provider": "openai", "days": 7}),
        "billing_import" => json!({"provider": "openai", "file_name": "cost.csv",
            "text": "start_time_iso,amount_value\n2026-11-20,1\n"}),
        "billing_drift" => json!({"days": 30}),
        "alert_acknowledge" | "silence_remove" | "incident" => json!({"number": 1}),
        "alert_silence" => json!({"rule": "backend-down", "scope": "up", "reason": "",
            "until": 4_000_000_000_000_i64}),
        "alert_ladder_set" => json!({"step": "sound", "wait_secs": 600}),
        "alert_rule_backtest" => {
            json!({"numbers": {"rule": "backend-down", "hold_secs": 60}, "days": 7})
        }
        "alert_rule_set" | "alert_rule_preview" | "alert_rule_rehearse" => {
            json!({"rule": "backend-down", "delivery": "inbox", "hold_secs": 60})
        }
        "alert_channel_secret" => json!({"channel": "webhook",
            "secret": format!("{}/{MARKED_KEY}", base_url.trim_end_matches('/'))}),
        "alert_channel_test" => json!({"channel": "webhook"}),
        "alert_test_answer" => json!({"channel": "webhook", "is_seen": true}),
        "inbox" => json!({"limit": 50}),
        "audit_log" => json!({"limit": 200}),
        "inbox_read" => json!({"number": null}),
        "incident_note" => json!({"number": 1, "note": "seen"}),
        "budget_remove" => json!({"id": "monthly"}),
        "budget_backtest" => {
            json!({"budget": {"id": "monthly", "limit_usd": "20", "period": "month",
            "days": null, "reset_day": null, "reset_weekday": null, "scope": null, "action": null,
            "switch_to": null, "marks": null, "forecast": null, "refuse_unpriced": null},
            "last_days": 30})
        }
        "budget_allow" => json!({"id": "monthly", "usd": "5", "until": null}),
        "pins_list" => json!({"zone": "utc"}),
        "pin_save" => json!({"name": "spend", "measure": "cost", "range": "last_week",
            "filter": {"backend": "up"}}),
        "pin_delete" => json!({"name": "spend"}),
        "profile_set" => json!({"name": "work", "backends": ["up"]}),
        "profile_switch" => json!({"name": "work"}),
        "profile_remove" => json!({"name": "work"}),
        "saved_view_set" => json!({"name": "failed", "query": {"limit": 50, "backend": "up"}}),
        "request_query" => json!({"text": "status:5xx client:agent"}),
        "saved_view_remove" => json!({"name": "failed"}),
        "session_logs" => json!({"from": null, "group_by": "tool", "zone": "utc"}),
        "prices" => json!({"model": "", "owner": "", "limit": 10}),
        "price_set" => json!({"backend": "up", "model": "good", "rates": [
            {"meter": "input", "price": "1"}, {"meter": "output", "price": "2"}]}),
        "price_import" => json!({"kind": "text", "name": "pasted", "text": "{\"prices\": []}"}),
        "price_import_apply" => json!({"id": 1}),
        "backend_add" => json!({"id": "panel", "label": "", "kind": "openai-compatible",
            "base_url": base_url, "key": {"kind": "new", "secret": secret}, "models": [],
            "lacks": ["images"], "offers": ["responses"], "crossing": "strict"}),
        "backend_edit" => json!({"id": "panel", "label": "Panel", "kind": "openai-compatible",
            "base_url": base_url, "credential": "panel", "models": ["good"], "lacks": [],
            "offers": [], "crossing": "lenient"}),
        "backend_switch" => json!({"id": "panel", "enabled": true}),
        "backend_test" | "backend_remove" | "backend_ask_cancel" => json!({"id": "panel"}),
        "backend_ask_price" => json!({"id": "up", "model": null}),
        "backend_ask" => json!({"id": "up", "model": "echo-401", "accepted_nano_usd": null}),
        "service_set" => json!({"id": "store", "label": "", "kind": "http",
            "address": format!("{}/service", base_url.trim_end_matches('/')),
            "key": {"kind": "new", "secret": secret}, "required": true, "enabled": true,
            "private_network": false, "expects": {"method": "GET", "status": null,
            "contains": "", "key_header": "", "scopes": []}}),
        "service_test" | "service_remove" => json!({"id": "store"}),
        "key_add" => json!({"id": "second", "label": "", "secret": secret, "url": base_url}),
        "key_oauth_add" => json!({"id": "renewed", "label": "", "secret": secret,
            "url": base_url, "token_url": base_url, "client_id": "app-1",
            "grant": "refresh_token", "scope": null, "client_secret": secret}),
        "keys_scan" => json!({"known_files": true, "paths": [],
            "environment": [{"variable": "OPENAI_API_KEY", "secret": secret}]}),
        "keys_import" => json!({"scan": {"known_files": true, "paths": [],
            "environment": [{"variable": "OPENAI_API_KEY", "secret": secret}]}, "keys": [
            {"fingerprint": "0000000000000000", "name": "found", "add_backend": false}]}),
        "key_copies_plan" => json!({"scan": {"known_files": true, "paths": []},
            "fingerprints": ["0000000000000000"]}),
        "key_copies_remove" => json!({"scan": {"known_files": true, "paths": []},
            "fingerprints": ["0000000000000000"], "plan": ""}),
        "key_copies_removed" => Value::Null,
        "key_copies_restore" => json!({"id": "2026-11-25T08-00-00Z-001"}),
        "key_edit" => json!({"id": "second", "label": "Second",
            "expires_at": 4_000_000_000_000_i64, "note": "of the team"}),
        "key_replace" => json!({"id": "second", "secret": secret}),
        "key_retired_check" => json!({"id": "second"}),
        "key_verify" => json!({"id": "up"}),
        "key_remove" => json!({"id": "second"}),
        "vault_unlock" => json!({"passphrase": "correct-horse"}),
        "vault_set" => json!({"kind": "memory", "passphrase": null, "move_keys": true}),
        "vault_move" => json!({"from": "keychain", "passphrase": null}),
        "client_add" => json!({"id": "tool", "expires_in_days": 1,
            "scope": {"models": [], "backends": [], "routes": []}}),
        "client_edit" => json!({"id": "tool", "cache": "on", "priority": "background",
            "scope": {"models": ["gpt-*"], "backends": ["mock"], "routes": []},
            "limits": {"requests_per_minute": 60, "tokens_per_minute": null, "in_flight_max": 4},
            "mcp": true, "expires_at": null}),
        "client_switch" => json!({"id": "tool", "backend": "mock"}),
        "client_block" | "client_allow" => json!({"id": "tool"}),
        "clients_wiring" => json!({}),
        "client_check" => json!({"tool": "claude-code"}),
        "client_wiring_plan" => json!({"tool": "claude-code", "undo": false}),
        "client_wire" => json!({"tool": "claude-code"}),
        "client_unwire" => json!({"tool": "claude-code", "changed_keys": "refuse"}),
        "clients_unwire_all" => json!({"changed_keys": "refuse"}),
        "agent_programs" => json!({}),
        "agent_program_plan" => json!({"tool": "claude-code", "undo": false}),
        "agent_program_add" => json!({"tool": "claude-code"}),
        "agent_program_remove" => json!({"tool": "claude-code", "changed_keys": "refuse"}),
        "key_history" => json!({"id": "up"}),
        "client_revoke" | "client_restore" => json!({"id": "tool"}),
        "requests_export" | "requests_export_save" => json!({"query": {}, "format": "json"}),
        "statement" | "statement_save" => json!({"zone": "utc", "format": "html"}),
        "usage" => json!({"range": "last_week", "group_by": "credential", "zone": "utc",
            "compare": true}),
        "usage_cross" => json!({"period": {"range": "last_week", "zone": "utc"},
            "rows": "credential", "columns": "route"}),
        "usage_forecast" => json!({"zone": "utc"}),
        "usage_advice" => json!({"zone": "utc"}),
        "usage_anomalies" => json!({"zone": "utc", "days": 7}),
        "usage_anomaly_dismiss" | "usage_anomaly_restore" => {
            json!({"id": "cost@2026-11-21T14:00:00.000Z"})
        }
        "usage_efficiency" | "usage_expensive" | "usage_failures" => {
            json!({"range": "last_week", "zone": "utc"})
        }
        "usage_latency" => json!({"range": "last_week", "zone": "utc", "group_by": "backend"}),
        "usage_heatmap" => json!({"range": "last_week", "zone": "utc"}),
        "requests" => json!({"before": null, "limit": 500, "backend": null, "client": null}),
        "request_path" | "request_code" => json!({"id": format!("req_{:032x}", 1)}),
        "routes" | "accesses" | "health_tree" | "alert_ladder" | "usage_recent" => Value::Null,
        "route_set" => json!({"replaces": null, "id": "panel", "models": [], "clients": [],
            "projects": [], "policy": "ordered", "sticky_secs": null, "crossing": null,
            "weights": {"latency": 50, "cost": 30, "headroom": 20}, "cache": null, "enabled": true,
            "candidates": [{"backend": "up", "model": null, "weight": 1}]}),
        "route_remove" => json!({"id": "panel"}),
        "routes_order" => json!({"ids": []}),
        "route_explain" => route_request(),
        "route_simulate" => json!({"ask": route_request(), "draws": 10, "closed": ["up"]}),
        "access_force" => json!({"backend": "up", "credential": "up", "forced": "closed",
            "minutes": 1}),
        "access_reset" => json!({"backend": "up", "credential": "up"}),
        "health_timeline" => json!({"hours": 24}),
        "recent_events" => json!({"limit": 20}),
        "service_level_preview" | "service_level_set" => {
            json!({"target": "backend", "name": "up", "goal": "99.5"})
        }
        "breaker_timeline" => json!({"backend": "up", "hours": 24}),
        "breaker_backtest" => json!({"backend": null, "days": 7, "consecutive_failures": null,
            "failure_percent": null, "window_calls_min": null, "open_secs": null}),
        "cache" => json!({"range": "last_day", "zone": "utc"}),
        "cache_purge" => json!({"what": {"kind": "everything"}}),
        "config_export" => json!({"path": "nowhere"}),
        "config_import_plan" | "config_import" => json!({"path": "nowhere", "on_conflict": "skip"}),
        "secrets_export" => json!({"path": "nowhere", "passphrase": "correct-horse"}),
        "secrets_import" => json!({"path": "nowhere", "passphrase": "correct-horse",
            "on_conflict": "skip"}),
        "backups" | "backup_cancel" => Value::Null,
        "backup" | "backup_check" | "restore_plan" | "restore" => json!({"path": "nowhere"}),
        "ledger" | "ledger_backup" | "ledger_acknowledge" => Value::Null,
        "ledger_restore" => json!({"backup": null}),
        "ledger_export" | "ledger_merge" | "ledger_merge_plan" => json!({"path": "nowhere"}),
        "ledger_examine" | "ledger_repair" => json!({"file": null}),
        "readiness_start" => json!({"set": "full"}),
        "playground_send" | "playground_snippets" => json!({"model": "up/echo-401",
            "prompt": MARKED_PROMPT}),
        "playground_cancel" | "playground_raw" => json!({"run": format!("run_{:032x}", 1)}),
        other => panic!("say here what is sent to {other}"),
    }
}

/// A request for a routing decision, which is not sent.
fn route_request() -> Value {
    json!({"model": "up/good", "client": null, "project": null, "tools": false, "vision": false,
        "json_schema": false, "input_tokens": 0})
}

/// Request bodies with the key in a wrong or unexpected place.
fn misplaced_key_bodies() -> Vec<Value> {
    vec![
        json!(MARKED_KEY),
        json!([MARKED_KEY]),
        json!({MARKED_KEY: MARKED_KEY}),
        json!({"id": {"key": MARKED_KEY}, "secret": 5}),
        json!({"id": "x", "label": 5, "secret": {"key": MARKED_KEY}, "url": [MARKED_KEY]}),
        json!({"id": "x", "label": "", "secret": format!("{MARKED_KEY}\n{MARKED_KEY}"), "url": null}),
        json!({"id": "x", "label": "", "secret": MARKED_KEY, "url": format!("http://{MARKED_KEY}@h/v1")}),
        json!({"id": "x", "label": "", "kind": MARKED_KEY, "base_url": MARKED_KEY,
            "key": {"kind": MARKED_KEY}, "models": MARKED_KEY, "lacks": [MARKED_KEY],
            "offers": MARKED_KEY, "crossing": MARKED_KEY}),
        json!({"id": "x", "label": "", "kind": "openai", "models": [], "lacks": [], "offers": [],
            "crossing": "strict", "key": {"kind": "none"},
            "base_url": format!("http://127.0.0.1:1/v1?key={MARKED_KEY}")}),
        json!({"id": "x", "label": "", "kind": "openai", "models": [], "lacks": [], "offers": [],
            "crossing": "strict", "key": {"kind": "none"},
            "base_url": format!("http://u:{MARKED_KEY}@127.0.0.1:1/v1")}),
        json!({"id": "x", "label": "", "kind": "http", "required": true, "enabled": true,
            "private_network": false, "key": {"kind": "keep"},
            "address": format!("https://u:{MARKED_KEY}@h/{MARKED_KEY}"),
            "expects": {"method": "GET", "status": null, "contains": MARKED_KEY,
            "key_header": MARKED_KEY, "scopes": [MARKED_KEY]}}),
        json!({"range": MARKED_KEY, "set": MARKED_KEY, "limit": MARKED_KEY}),
        json!({"passphrase": {"it": MARKED_KEY}}),
        json!({"caller": MARKED_KEY, "operation": MARKED_KEY, "limit": 1}),
        json!({"model": MARKED_KEY, "client": MARKED_KEY, "project": [MARKED_KEY], "closed": MARKED_KEY,
            "replaces": MARKED_KEY, "policy": MARKED_KEY, "candidates": MARKED_KEY, "ids": [MARKED_KEY]}),
    ]
}

/// A panel in a browser, with its session.
struct SignedInPanel {
    control: ControlClient,
    session: String,
}

impl SignedInPanel {
    async fn open(served: &TestServer, ears: &mut LeakRecorder) -> Self {
        let one_time = |text: &str| {
            let (_, rest) = text.split_once("#one-time=")?;
            rest.split_once('\n').map(|(token, _)| token.to_owned())
        };
        let text = served.wait_for_stdout(|text| one_time(text).is_some()).await;
        let control = served.control.clone();
        let answer = control.exchange(&one_time(&text).expect("an address")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        ears.record_answer("exchange", &answer);
        Self { control, session: session_header(&answer) }
    }

    async fn call(&self, operation: &str, request: &Value) -> RawAnswer {
        let origin = self.control.origin();
        let headers = [self.session.as_str(), &origin];
        self.control.send(operation, &headers, &json_body(request)).await
    }
}

/// Records the events until told to stop.
async fn record_events(control: ControlClient, stop: oneshot::Receiver<()>) -> Vec<u8> {
    let mut client = RawClient::connect(control.address).await.expect("connected");
    let (own, to) = (control.authorization(), control.address);
    let head = format!("GET /control/v1/events HTTP/1.1\r\nhost: {to}\r\n{own}\r\n\r\n");
    client.send(head.as_bytes()).await.expect("sent");
    let mut heard = Vec::new();
    let listening = async {
        while let Ok(piece) = client.read_some().await
            && !piece.is_empty()
        {
            heard.extend_from_slice(&piece);
        }
    };
    tokio::select! {
        () = listening => {}
        _ = stop => {}
    }
    heard
}

/// A `/proc` file of a process that others can see: its arguments, or its environment, which only
/// its owner can read.
fn read_proc_file(pid: u32, what: &str) -> Vec<u8> {
    match std::fs::read(Path::new("/proc").join(pid.to_string()).join(what)) {
        Ok(bytes) => bytes,
        // Permission denied is better still.
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Vec::new(),
        Err(_) if !cfg!(target_os = "linux") => Vec::new(),
        Err(error) => panic!("{what} of {pid}: {error}"),
    }
}

/// Types the key as a person does, and reads the process's arguments and environment while it
/// waits.
async fn type_key_in(home: &TestHome, ears: &mut LeakRecorder) {
    let call = home.gatehouse(&["keys", "add", "up", "--stdin"]);
    let said = call.run_with_stdin_watched(MARKED_KEY, |pid| {
        ears.record("arguments of keys add", read_proc_file(pid, "cmdline"));
        ears.record("environment of keys add", read_proc_file(pid, "environ"));
    });
    let said = said.await.expect_success();
    assert!(said.out.contains("…f05d"), "{}", said.out);
}

/// Imports the key from a tool's file of variables, valid and invalid, repeatedly.
async fn import_key(home: &TestHome) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::io::Write::write_all(
            &mut std::fs::File::create(&path).expect("a file"),
            text.as_bytes(),
        )
        .expect("written");
        path.display().to_string()
    };
    let good = file(".env", format!("# mine\nexport OPENAI_API_KEY='{MARKED_KEY}'\n"));
    let said = home.gatehouse(&["keys", "import", &good]).run().await.expect_success();
    assert!(said.out.contains("…f05d") && said.out.contains("api.openai.com"), "{}", said.out);
    let again = home.gatehouse(&["keys", "import", &good, "--json"]).run().await;
    assert_eq!(again.code, Some(1), "{}", again.out);
    let bad = file("bad", format!("OPENAI_API_KEY={MARKED_KEY} {MARKED_KEY}\n"));
    let refused = home.gatehouse(&["keys", "import", &bad]).run().await;
    assert_eq!(refused.code, Some(2), "{}", refused.out);
    home.gatehouse(&["keys", "remove", "openai", "--yes"]).run().await.expect_success();
}

/// Sends a tool's requests: good ones, and ones whose backend leaks the key.
async fn use_key(home: &TestHome, served: &TestServer, token: &str, ears: &mut LeakRecorder) {
    for model in MODELS {
        for stream in [false, true] {
            // Otherwise the open breaker would stop the requests.
            home.gatehouse(&["backends", "reset", "up"]).run().await.expect_success();
            let request = json!({"model": format!("up/{model}"), "stream": stream,
                "messages": [{"role": "user", "content": MARKED_PROMPT}]});
            let answer = post_chat(served.gateway, token, &request).await;
            let good = matches!(model, "good" | "stream");
            assert_eq!(answer.status == 200, good || model == "echo-event" && stream, "{model}");
            ears.record_answer(format!("answer of {model}, stream {stream}"), &answer);
        }
    }
    // A tool that sends the provider's key instead of its local token.
    let body = json_body(&json!({"model": "mock/echo", "messages": []}));
    for (path, headers) in [
        (
            "/v1/chat/completions",
            vec![JSON.to_owned(), format!("authorization: Bearer {MARKED_KEY}")],
        ),
        ("/v1/chat/completions", vec![JSON.to_owned(), format!("x-api-key: {MARKED_KEY}")]),
        (&format!("/v1/chat/completions?key={MARKED_KEY}"), vec![JSON.to_owned()]),
    ] {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let answer = post_json(served.gateway, path, &headers, &body).await;
        assert_eq!(answer.status, 401, "{}", answer.text());
        ears.record_answer(
            format!("refusal at {}", path.split('?').next().unwrap_or_default()),
            &answer,
        );
    }
}

/// Calls every operation as the panel and as the command line, with valid and invalid bodies.
async fn call_everything(panel: &SignedInPanel, base_url: &str, ears: &mut LeakRecorder) {
    let values = panel.call("settings", &Value::Null).await.json();
    for operation in control::OPERATIONS.iter().map(|row| row.name) {
        let request = match operation {
            "settings_edit" => values.get("values").cloned().expect("values"),
            other => operation_request(other, base_url),
        };
        let answer = panel.call(operation, &request).await;
        let may_refuse = matches!(
            operation,
            "settings_fix"
                | "settings_fix_undo"
                | "billing_fetch"
                | "notification_test"
                | "vault_unlock"
                | "vault_move"
                | "playground_raw"
                | "request_path"
                | "request_code"
                | "key_retired_check"
                | "key_copies_plan"
                | "key_copies_remove"
                | "key_copies_restore"
                | "alert_acknowledge"
                | "alert_test_answer"
                | "alert_silence"
                | "silence_remove"
                | "incident"
                | "incident_note"
                | "price_import"
                | "price_import_apply"
                | "price_undo"
                | "session_logs_cancel"
                | "ledger_export"
                | "ledger_merge"
                | "ledger_merge_plan"
                | "backup"
                | "config_export"
                | "config_import_plan"
                | "config_import"
                | "secrets_export"
                | "secrets_import"
                | "backup_check"
                | "restore_plan"
                | "restore"
        );
        assert!(answer.status == 200 || may_refuse, "{operation}: {}", answer.text());
        ears.record_answer(format!("{operation} of the panel"), &answer);
        for body in misplaced_key_bodies() {
            let answer = panel.control.call(operation, &body).await;
            ears.record_answer(format!("{operation} with {body}"), &answer);
        }
        let cut = json_body(&request);
        let cut = cut.get(..cut.len() / 2).unwrap_or_default();
        let own = panel.control.authorization();
        ears.record_answer(operation, &panel.control.send(operation, &[&own], cut).await);
    }
}

/// Calls every tool of the MCP server, with everything allowed, with good and with misplaced
/// arguments.
async fn call_every_tool(home: &TestHome, ears: &mut LeakRecorder) {
    for setting in ["mcp_spend", "mcp_change"] {
        home.gatehouse(&["settings", "set", setting, "true"]).run().await.expect_success();
    }
    let (mut session, _) = AgentSession::begin(home, "2025-06-18").await;
    let mut answered = 0;
    for tool in control::agent_tools() {
        let request = match tool.name {
            "ask" => json!({"models": ["up/good", "up/echo-401", "up/echo-500", "up/echo-event"],
                "prompt": MARKED_PROMPT}),
            "switch_backend" => json!({"id": "up", "enabled": true}),
            _ => match operation_request(tool.operation, "") {
                Value::Null => json!({}),
                request => request,
            },
        };
        let params = json!({"name": tool.name, "arguments": request});
        let answer = session.request("tools/call", params).await;
        answered += usize::from(answer.pointer("/result/structuredContent").is_some());
        ears.record(format!("tool {}", tool.name), answer.to_string());
        for body in misplaced_key_bodies().into_iter().filter(Value::is_object) {
            let params = json!({"name": tool.name, "arguments": body});
            let answer = session.request("tools/call", params).await;
            ears.record(format!("tool {} with {body}", tool.name), answer.to_string());
        }
    }
    assert!(answered >= 20, "{answered} tools returned a view");
    let params = json!({"name": MARKED_KEY, "arguments": {}});
    ears.record("no such tool", session.request("tools/call", params).await.to_string());
    let params = json!({"uri": format!("gatehouse://{MARKED_KEY}")});
    ears.record("no such resource", session.request("resources/read", params).await.to_string());
    let unknown = session.request(MARKED_KEY, json!({"key": MARKED_KEY})).await;
    ears.record("no such method", unknown.to_string());
    for uri in ["gatehouse://status", "gatehouse://usage/today", "gatehouse://checks/last"] {
        let read = session.request("resources/read", json!({"uri": uri})).await;
        ears.record(uri, read.to_string());
    }
}

#[tokio::test]
async fn a_key_is_nowhere_but_in_the_vault_and_on_its_way_to_its_own_host() {
    let thief = ScriptedUpstream::start([]).await.expect("an upstream");
    let elsewhere = thief.addr();
    let upstream = ScriptedUpstream::start_with(move |request| Some(answer(request, elsewhere)));
    let upstream = upstream.await.expect("an upstream");
    let (url, mut ears) = (upstream.base_url(), LeakRecorder::default());

    // In memory, since an encrypted file takes a second per change; the next test uses one.
    let mut home = TestHome::new(HomeVault::Memory);
    home.set("GATEHOUSE_LOG", "trace");
    // A home folder of a user with Claude Code, so that nothing of the developer is looked at.
    home.set("HOME", &home.path().join("user").display().to_string());
    std::fs::create_dir_all(home.path().join("user/.claude")).expect("a tool's folder");
    let served = home.serve_with(&["--panel"]).await;
    type_key_in(&home, &mut ears).await;
    import_key(&home).await;
    let add = ["backends", "add", "up", "--kind", "openai", "--base-url", &url, "--key", "up"];
    home.gatehouse(&add).run().await.expect_success();
    ears.record("arguments of serve", read_proc_file(served.pid(), "cmdline"));
    ears.record("environment of serve", read_proc_file(served.pid(), "environ"));
    let (stop, stopped) = oneshot::channel();
    let events = record_events(served.control.clone(), stopped);
    let work = async {
        let token = home.client("demo").await;
        use_key(&home, &served, &token, &mut ears).await;
        let panel = SignedInPanel::open(&served, &mut ears).await;
        call_everything(&panel, &url, &mut ears).await;
        for words in [
            &["keys", "verify", "up"][..],
            &["keys", "list", "--json"],
            &["backends", "test", "up"],
            &["backends", "list"],
            &["check", "--json"],
            &["requests", "--json"],
            &["usage", "--json", "--by", "key"],
            &["settings", "show", "--json"],
            &["status", "--json"],
        ] {
            // The transcript records their output.
            home.gatehouse(words).run().await;
        }
        Box::pin(call_every_tool(&home, &mut ears)).await;
        // Search while all files are open and the write-ahead log is full.
        assert_in_no_file(&home, MARKED_KEY);
        let replace = home.gatehouse(&["keys", "replace", "up", "--stdin"]);
        replace.stdin(MARKED_KEY).run().await.expect_success();
        home.gatehouse(&["keys", "remove", "up", "--yes"]).run().await.expect_success();
        // Without its key the backend gets no request.
        let before = upstream.requests().len();
        let request = json!({"model": "up/good", "messages": [{"role": "user", "content": "x"}]});
        let answer = post_chat(served.gateway, &token, &request).await;
        ears.record_answer("answer without the key", &answer);
        let after = upstream.requests();
        let sent = after.iter().skip(before).filter(|seen| seen.authorization().is_some());
        assert_eq!(sent.count(), 0);
        drop(stop);
    };
    let (heard, ()) = tokio::join!(events, work);
    assert!(heard.windows(8).any(|part| part == b"\"changed"), "events were heard");
    ears.record("events", heard);
    assert_eq!(served.stop().await, Some(0));
    ears.record("outputs", home.transcript());

    // Prove that the key was stored and used; otherwise the test would prove nothing.
    let bearer = format!("Bearer {MARKED_KEY}");
    let requests = upstream.requests();
    let with_key = requests.iter().filter(|seen| seen.authorization() == Some(&bearer)).count();
    assert!(with_key >= MODELS.len() * 2, "{with_key}");
    assert_eq!(thief.requests().len(), 0, "a redirect is not followed");
    let log = search_tree(&home.path().join("state"), "gateway").expect("searched");
    assert!(!log.is_empty(), "there is a log, and the search finds what is in it");

    for mark in [MARKED_KEY, MARKED_PART] {
        ears.assert_never_recorded(mark);
        assert_in_no_file(&home, mark);
    }
    assert_in_no_file(&home, MARKED_PROMPT);
}

#[tokio::test]
async fn a_key_of_the_environment_stays_there() {
    let upstream = ScriptedUpstream::start_with(|_| Some(Reply::models(&["good"])));
    let upstream = upstream.await.expect("an upstream");
    let mut home = TestHome::new(HomeVault::Env);
    home.set("OPENAI_API_KEY", MARKED_KEY);
    home.set("GATEHOUSE_LOG", "trace");
    let served = home.serve().await;
    let keys = home.gatehouse(&["keys", "list", "--json"]).run().await.expect_success().items();
    let key = keys.get(0).expect("a key");
    assert_eq!(key.get("read_only"), Some(&json!(true)), "{key}");
    assert_eq!(key.get("tail"), Some(&json!("f05d")), "{key}");
    assert_eq!(key.get("origin"), Some(&json!("https://api.openai.com:443")), "{key}");
    // The key is bound to its vendor's host and may not be used for another.
    let url = upstream.base_url();
    let add = ["backends", "add", "b", "--kind", "openai", "--base-url", &url, "--key", "openai"];
    let said = home.gatehouse(&add).run().await;
    assert_ne!(said.code, Some(0), "{}", said.out);
    let control = &served.control;
    let add = json!({"id": "c", "label": "", "kind": "openai", "base_url": url, "models": [],
        "key": {"kind": "new", "secret": MARKED_KEY}});
    let refused = control.call("backend_add", &add).await;
    assert_ne!(refused.status, 200, "nothing can be written into the environment");
    for words in [&["status"][..], &["check", "--json"], &["keys", "verify", "openai"]] {
        home.gatehouse(words).run().await;
    }
    served.stop().await;
    let mut ears = LeakRecorder::default();
    ears.record_answer("backend_add", &refused);
    ears.record("outputs", home.transcript());
    for mark in [MARKED_KEY, MARKED_PART] {
        ears.assert_never_recorded(mark);
        assert_in_no_file(&home, mark);
    }
    let with_key = upstream.requests().into_iter().filter(|seen| seen.authorization().is_some());
    assert_eq!(with_key.count(), 0, "{:?}", upstream.requests());
}

#[cfg(unix)]
#[tokio::test]
async fn no_file_is_for_anyone_else_and_none_holds_a_key_in_clear() {
    use std::os::unix::fs::PermissionsExt as _;
    let upstream =
        ScriptedUpstream::start_with(|request| Some(answer(request, loopback_address(1))));
    let (upstream, home) = (upstream.await.expect("an upstream"), TestHome::new(HomeVault::File));
    home.gatehouse_with_open_umask(&["keys", "add", "up", "--stdin"])
        .stdin(MARKED_KEY)
        .run()
        .await
        .expect_success();
    let url = upstream.base_url();
    let add = ["backends", "add", "up", "--kind", "openai", "--base-url", &url, "--key", "up"];
    home.gatehouse_with_open_umask(&add).run().await.expect_success();
    let serve = home.gatehouse_with_open_umask(&["serve", "--port", "0"]);
    let served = serve.serve(home.path().to_owned()).await;
    let token = home
        .gatehouse_with_open_umask(&["clients", "add", "demo"])
        .run()
        .await
        .expect_success()
        .out;
    let request = json!({"model": "up/good", "messages": [{"role": "user", "content": "x"}]});
    assert_eq!(post_chat(served.gateway, token.trim_end(), &request).await.status, 200);
    home.gatehouse_with_open_umask(&["check", "--set", "quick"]).run().await.expect_success();

    let mut open = Vec::new();
    let mut folders = vec![home.path().to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let metadata = path.symlink_metadata().expect("metadata");
            let mode = metadata.permissions().mode() & 0o7777;
            let wanted = if metadata.is_dir() { 0o700 } else { 0o600 };
            if mode != wanted {
                open.push(format!("{mode:o} {}", path.display()));
            }
            if metadata.is_dir() {
                folders.push(path);
            } else {
                files += 1;
            }
        }
    }
    assert!(files >= 6, "settings, vault, ledger, lock, note and log: {files}");
    assert_eq!(open, Vec::<String>::new());
    assert!(home.path().join("data/vault.age").is_file());
    for secret in [MARKED_KEY, MARKED_PART, token.trim_end()] {
        assert_in_no_file(&home, secret);
    }
    await_or_fail("its end", served.stop()).await;
}

/// Counts `mark` in the writable memory of a process; `None` without permission.
#[cfg(target_os = "linux")]
fn copies_in_memory(pid: u32, mark: &str) -> Option<usize> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let of = |file: &str| Path::new("/proc").join(pid.to_string()).join(file);
    let maps = std::fs::read_to_string(of("maps")).ok()?;
    let mut memory = std::fs::File::open(of("mem")).ok()?;
    let mut found = 0;
    for map in maps.lines().filter(|map| map.contains(" rw")) {
        let (range, _) = map.split_once(' ').expect("a range");
        let (start, end) = range.split_once('-').expect("two addresses");
        let [start, end] = [start, end].map(|text| u64::from_str_radix(text, 16).expect("hex"));
        let mut bytes = vec![0; usize::try_from(end - start).expect("fits")];
        memory.seek(SeekFrom::Start(start)).expect("an address");
        // Memory that was unmapped meanwhile holds nothing.
        if memory.read_exact(&mut bytes).is_ok() {
            found += memchr::memmem::find_iter(&bytes, mark).count();
        }
    }
    Some(found)
}

/// S14: every copy is zeroed when it is freed, including copies made by libraries.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn s14_a_key_that_was_removed_is_nowhere_in_memory() {
    let upstream =
        ScriptedUpstream::start_with(|request| Some(answer(request, loopback_address(1))));
    let (upstream, home) = (upstream.await.expect("an upstream"), TestHome::new(HomeVault::File));
    home.gatehouse(&["keys", "add", "up", "--stdin"])
        .stdin(MARKED_KEY)
        .run()
        .await
        .expect_success();
    let url = upstream.base_url();
    let add = ["backends", "add", "up", "--kind", "openai", "--base-url", &url, "--key", "up"];
    home.gatehouse(&add).run().await.expect_success();
    let (served, token) = (home.serve().await, home.client("demo").await);
    for model in ["good", "stream", "echo-401"] {
        let request = json!({"model": format!("up/{model}"), "stream": model == "stream",
            "messages": [{"role": "user", "content": "x"}]});
        post_chat(served.gateway, &token, &request).await;
    }
    let pid = served.pid();
    let look = || async move {
        let looked = tokio::task::spawn_blocking(move || copies_in_memory(pid, MARKED_PART)).await;
        looked.expect("looked")
    };
    let Some(in_use) = look().await else {
        return test_support::skip_test("this user may not look into another process");
    };
    assert!(in_use > 0, "a key in use is in memory, so this look sees nothing");

    home.gatehouse(&["backends", "remove", "up", "--yes"]).run().await.expect_success();
    home.gatehouse(&["keys", "remove", "up", "--yes"]).run().await.expect_success();
    // Open connections hold the bytes they sent last; they end with the backend.
    drop(upstream);
    let gone = async { while look().await != Some(0) {} };
    await_or_fail("a removed key to be gone from memory", gone).await;
}
