//! Every row of the menu, from views as the core gives them.

use serde_json::{Value, json};

use super::*;

fn need(id: &str, level: &str, title: &str, action: &Value) -> Value {
    json!({"id": id, "level": level, "title": title, "impact": "", "since": null, "action": action})
}

/// A status without issues: the gateway listens, and nothing was asked yet.
fn status() -> Value {
    json!({
        "version": "0.1.0", "now": 0, "started_at": 0,
        "verdict": {"level": "ok", "sentence": "Everything works", "needs": []},
        "gateway": {"state": "listening", "address": "http://127.0.0.1:4283", "port": 4283,
            "reason": null},
        "lowest_quota": null,
        "vault": {"kind": "file", "state": "ready", "hint": "", "keychain_missing": false,
            "file_exists": true, "set_by_environment": false},
        "backends": {"total": 1, "up": 1, "degraded": 0, "down": 0, "unknown": 0, "disabled": 0},
        "requests_in_flight": 0,
        "spend_today": {"cost_nano_usd": 0, "is_cost_unknown": false, "requests": 0, "unpriced_requests": 0},
        "first_steps": {"backend_added": true, "client_added": true, "request_seen": true,
            "checks_run": true},
        "last_run": null, "data_folder": "/h",
    })
}

/// `base` with the fields of `changes` in place of its own.
fn with(mut base: Value, changes: Value) -> Value {
    let (Value::Object(fields), Value::Object(changes)) = (&mut base, changes) else {
        panic!("two objects");
    };
    fields.extend(changes);
    base
}

fn view_of(status: Value) -> TrayView {
    TrayView {
        status: Some(serde_json::from_value(status).expect("a status")),
        ..TrayView::default()
    }
}

fn alert(number: u32, state: &str, title: &str) -> Value {
    json!({"number": number, "rule": "backend-down", "group": "backends", "severity": "high",
        "state": state, "scopes": ["groq"], "title": title, "detail": "", "path": "/backends/groq",
        "since": 0, "fired_at": 0, "acknowledged_at": null, "notified_at": null,
        "silenced_by": null, "silence_scope": null})
}

fn alerts(alerts: &[Value], silences: &[Value]) -> AlertsView {
    let view = json!({"alerts": alerts, "suppressed": [], "silences": silences, "unread": 0});
    serde_json::from_value(view).expect("alerts")
}

fn silence(number: u32, scope: Option<&str>, until: i64) -> Value {
    json!({"number": number, "rule": null, "scope": scope, "reason": "", "created_at": 0,
        "until": until})
}

fn route(id: &str, policy: &str, backends: &[(&str, &str)]) -> RouteView {
    let candidate = |(backend, state): &(&str, &str)| {
        json!({"backend": backend, "backend_label": backend.to_uppercase(), "model": null,
            "weight": 1, "accesses": [], "requests": 0, "share_percent": null,
            "availability": {"credential": null, "state": state, "percent": null, "why": "",
                "since": null, "until": null}})
    };
    let candidates: Vec<Value> = backends.iter().map(candidate).collect();
    let route = json!({"id": id, "models": [id], "clients": [], "projects": [], "policy": policy,
        "weights": {"latency": 50, "cost": 30, "headroom": 20}, "sticky_secs": null,
        "crossing": null, "cache": null, "enabled": true, "in_profile": true,
        "switched_clients": [], "candidates": candidates, "sentence": "", "broken": null, "requests": 0,
        "share_percent": null});
    serde_json::from_value(route).expect("a route")
}

fn budget(id: &str, spent: i64, state: &str, used_percent: u32) -> BudgetView {
    let budget = json!({"id": id, "state": state, "limit_nano_usd": 20_000_000_000_i64,
        "allowed_nano_usd": 0, "period": "month", "days": null, "reset_day": 1,
        "reset_weekday": null, "scope": null, "action": "tell", "switch_to": null, "marks": [],
        "forecast": false, "refuse_unpriced": false, "spent_nano_usd": spent,
        "reserved_nano_usd": 0, "slack_nano_usd": 0, "unbounded_requests": 0,
        "interrupted_nano_usd": 0, "interrupted_requests": 0, "from": 0, "until": 1,
        "used_percent": used_percent, "elapsed_percent": 0, "used_up_at": null,
        "refused_since": null, "unpriced_requests": 0, "allowances": [], "crossings": []});
    serde_json::from_value(budget).expect("a budget")
}

/// The rows as text: the id of each item after its label, rows of submenus indented.
fn text(view: &TrayView) -> Vec<String> {
    let mut lines = Vec::new();
    write_rows(&menu_rows(view, TimeZoneChoice::Utc), "", &mut lines);
    lines
}

fn write_rows(rows: &[TrayRow], indent: &str, lines: &mut Vec<String>) {
    for row in rows {
        lines.push(match row {
            TrayRow::Note(label) => format!("{indent}{label}"),
            TrayRow::Item(command, label) => format!("{indent}{label} [{command}]"),
            TrayRow::Choice { command, label, is_chosen } => {
                let mark = if *is_chosen { "x" } else { " " };
                format!("{indent}({mark}) {label} [{command}]")
            }
            TrayRow::Submenu(label, _) => format!("{indent}{label} >"),
            TrayRow::Line => format!("{indent}-"),
        });
        if let TrayRow::Submenu(_, rows) = row {
            write_rows(rows, &format!("{indent}  "), lines);
        }
    }
}

/// The first row with these words; fails if there is none.
fn row_with(view: &TrayView, words: &str) -> String {
    let rows = text(view);
    let found = rows.iter().find(|row| row.contains(words)).cloned();
    found.unwrap_or_else(|| panic!("no row says {words:?}: {rows:#?}"))
}

#[test]
fn before_the_core_has_told_anything_the_menu_opens_and_quits() {
    let expected =
        ["Gatehouse is starting", "-", "Open Gatehouse [open]", "Quit [quit]"].map(str::to_owned);
    assert_eq!(text(&TrayView::default()), expected);
}

#[test]
fn a_quiet_day_has_every_command() {
    let expected = [
        "Everything works (port 4283)",
        "-",
        "No requests today [page|/usage]",
        "-",
        "Pause gateway [pause]",
        "Run checks [checks]",
        "Copy base URL http://127.0.0.1:4283 [copy-address]",
        "Quiet for 1 hour [quiet]",
        "-",
        "Open Gatehouse [open]",
        "Quit [quit]",
    ];
    assert_eq!(text(&view_of(status())), expected.map(str::to_owned));
}

#[test]
fn the_first_row_tells_the_state_and_the_port() {
    let gateway = |state: &str| {
        json!({"gateway": {"state": state, "address": "http://127.0.0.1:9", "port": 9,
            "reason": null}})
    };
    let paused = json!({"verdict": {"level": "attention", "sentence": "Not ready: the gateway is \
        paused", "needs": []}});
    let paused = view_of(with(with(status(), gateway("paused")), paused));
    assert_eq!(text(&paused)[0], "Not ready: the gateway is paused (port 9)");
    assert_eq!(row_with(&paused, "gateway ["), "Resume gateway [resume]");

    let silent = text(&view_of(with(status(), gateway("silent"))));
    assert_eq!(silent[0], "Gateway not answering (port 9)");
    assert!(silent.iter().any(|row| row.ends_with("[copy-address]")), "{silent:?}");

    let mut failed = view_of(with(status(), gateway("failed")));
    let rows = text(&failed);
    assert_eq!(rows[0], "Gateway not running (port 9)");
    let useless = ["pause", "resume", "copy-address"].map(|id| format!("[{id}]"));
    assert!(!rows.iter().any(|row| useless.iter().any(|id| row.ends_with(id))), "{rows:?}");

    failed.is_stale = true;
    assert_eq!(text(&failed)[0], "Not connected. Last known: Gateway not running (port 9)");
}

#[test]
fn what_needs_the_user_opens_its_page() {
    let backend = json!({"kind": "open_backend", "id": "groq"});
    let down = need("backend/groq", "problem", "Groq is down", &backend);
    let full =
        need("ledger/full", "problem", "The ledger is full", &json!({"kind": "open_ledger"}));
    let told = |needs: &[&Value]| {
        let verdict = json!({"level": "problem", "sentence": "Not ready", "needs": needs});
        text(&view_of(with(status(), json!({"verdict": verdict}))))
    };
    assert_eq!(told(&[&down])[1], "Groq is down [page|/backends/groq]");
    let two = told(&[&down, &full]);
    assert_eq!(two[1], "2 things need you >");
    assert_eq!(two[2], "  Groq is down [page|/backends/groq]");
    assert_eq!(two[3], "  The ledger is full [page|/settings?part=Ledger]");
    // The core names five at most, and counts the others in its sentence alone.
    assert_eq!(told(&[&down; 5])[1], "5 or more things need you >");
}

/// The panel has the same table for its buttons.
#[test]
fn pages_are_those_of_the_panels_buttons() {
    let panel = include_str!("../../../../ui/src/lib/action.ts");
    let kinds = [
        "open_backend",
        "open_key",
        "open_route",
        "open_routing",
        "add_backend",
        "add_client",
        "find_keys",
        "run_checks",
        "open_readiness",
        "open_health",
        "resume_gateway",
        "open_settings",
        "open_ledger",
        "open_budgets",
        "open_prices",
        "open_clients",
        "open_alert_channels",
        "open_budget",
    ];
    assert_eq!(panel.matches("case \"").count(), kinds.len(), "the panel has other actions");
    for kind in kinds {
        for id in ["x", "vault"] {
            let need = need(id, "problem", "", &json!({"kind": kind, "id": "ID"}));
            let need: StatusIssueView = serde_json::from_value(need).expect("an issue");
            let page = page_of(&need).replace("ID", "${encodeURIComponent(action.id)}");
            let (_, rest) = panel.split_once(&format!("case \"{kind}\"")).expect(kind);
            let case = rest.split("case \"").next().unwrap_or_default();
            let quoted = ['"', '`'].map(|mark| format!("path: {mark}{page}{mark}"));
            assert!(quoted.iter().any(|path| case.contains(path)), "{kind} leads to {page}");
        }
    }
}

#[test]
fn an_incident_opens_its_page_unless_an_issue_says_the_same() {
    let mut view = view_of(status());
    let pending = alert(1, "pending", "Mistral is slow");
    view.alerts = Some(alerts(&[alert(7, "firing", "Groq is down"), pending.clone()], &[]));
    assert_eq!(row_with(&view, "Incident"), "Incident: Groq is down [page|/alerts/7]");
    assert_eq!(view.open_incidents(), 1);

    let issue = need(
        "x",
        "problem",
        "Groq is down: nothing else can answer",
        &json!({"kind": "open_health"}),
    );
    let verdict = json!({"level": "problem", "sentence": "Groq is down", "needs": [issue]});
    let alerts_before = view.alerts.take();
    view = view_of(with(status(), json!({"verdict": verdict})));
    view.alerts = alerts_before;
    assert!(!text(&view).iter().any(|row| row.starts_with("Incident")), "said twice");

    view = view_of(status());
    view.alerts = Some(alerts(&[pending], &[]));
    assert!(!text(&view).iter().any(|row| row.starts_with("Incident")), "it is only pending");
    assert_eq!(view.open_incidents(), 0);
}

#[test]
fn spend_is_true_or_says_that_it_is_unknown() {
    let told = |nano: i64, requests: u64, unpriced: u64| {
        let is_cost_unknown =
            domain::is_cost_unknown(domain::NanoUsd::new(nano), requests, unpriced);
        let spend = json!({"cost_nano_usd": nano, "is_cost_unknown": is_cost_unknown,
            "requests": requests, "unpriced_requests": unpriced});
        let rows = text(&view_of(with(status(), json!({"spend_today": spend}))));
        rows[2].replace(" [page|/usage]", "")
    };
    assert_eq!(told(0, 0, 0), "No requests today");
    assert_eq!(told(1_234_000_000, 9, 0), "Spend today: $1.23");
    assert_eq!(told(1_234_000_000, 9, 3), "Spend today: $1.23, 3 unpriced");
    assert_eq!(told(0, 3, 3), "Spend today: unknown (3 requests without a price)");
    assert_eq!(told(0, 3, 0), "Spend today: $0.00", "local backends cost nothing");
    assert_eq!(
        told(1_234_000_000, 3, 3),
        "Spend today: $1.23, 3 unpriced",
        "of each a part is known"
    );
}

#[test]
fn budgets_and_the_lowest_quota_stand_below_the_spend() {
    let quota = json!({"lowest_quota": {"backend": "groq", "backend_label": "Groq",
        "limit": "input tokens", "left_percent": 7}});
    let mut view = view_of(with(status(), quota));
    view.budgets = vec![
        budget("small", 1_000_000_000, "on_pace", 5),
        budget("all", 20_000_000_000, "refusing", 100),
        budget("team", 9_000_000_000, "ahead_of_pace", 45),
        budget("never-shown", 0, "on_pace", 0),
    ];
    let rows = text(&view);
    assert_eq!(rows[3], "Budget all: $20.00 of $20.00, refuses requests [page|/budgets]");
    assert_eq!(rows[4], "Budget team: $9.00 of $20.00, ahead of pace [page|/budgets]");
    assert_eq!(rows[5], "Budget small: $1.00 of $20.00 [page|/budgets]");
    assert_eq!(rows[6], "Lowest quota: 7 % of input tokens left at Groq [page|/backends/groq]");
}

#[test]
fn a_route_in_order_has_its_first_backend_checked() {
    let mut view = view_of(status());
    let two = [("openai", "ready"), ("groq", "open")];
    let off = RouteView { enabled: false, ..route("off", "ordered", &two) };
    let other = RouteView { in_profile: false, ..route("other", "ordered", &two) };
    view.routes = vec![
        route("fast", "ordered", &two),
        route("cheap", "cheapest", &two),
        route("lone", "ordered", &two[..1]),
        off,
        other,
    ];
    let rows = text(&view);
    let at = rows.iter().position(|row| row == "First backend of a route >").expect("routes");
    let expected = [
        "  fast: OPENAI >",
        "    (x) OPENAI [put-first|fast|openai]",
        "    ( ) GROQ (failing) [put-first|fast|groq]",
        "Pause gateway [pause]",
    ];
    assert_eq!(rows[at + 1..at + 5], expected.map(str::to_owned));
}

fn client(id: &str, seen_at: Option<i64>, expired: bool, targets: &[Value]) -> ClientView {
    let client = json!({"id": id, "state": "active", "created_at": 0, "expires_at": null, "expired": expired,
        "blocked": id == "stuck", "refused": null, "program": null,
        "seen_at": seen_at, "last_month": {"cost_nano_usd": 0, "is_cost_unknown": false, "requests": 0,
        "unpriced_requests": 0}, "limits": {"requests_per_minute": null,
        "tokens_per_minute": null, "in_flight_max": null}, "cache": null,
        "priority": "interactive", "scope": {"models": [], "backends": [], "routes": []},
        "targets": targets, "mcp": false, "reads_metrics": false, "snippets": [],
        "own_budget": null, "other_budgets": []});
    serde_json::from_value(client).expect("a client")
}

fn target(backend: Option<&str>, route: Option<&str>, label: &str, current: bool) -> Value {
    json!({"backend": backend, "route": route, "label": label, "current": current,
        "unavailable": null})
}

#[test]
fn a_client_has_its_targets_with_the_current_one_checked() {
    let rules = |current| target(None, None, "Routing rules", current);
    let groq = |current| target(Some("groq"), None, "Groq", current);
    let route = |current| target(None, Some("fast"), "Route fast", current);
    let off = with(groq(true), json!({"unavailable": "is switched off"}));
    let mut view = view_of(status());
    view.clients = vec![
        client("zed", None, false, &[rules(false), off]),
        client("codex", Some(5), false, &[rules(false), groq(false), route(true)]),
        client("expired", Some(9), true, &[rules(true), groq(false)]),
        client("metrics", Some(9), false, &[]),
        client("stuck", Some(1), false, &[rules(true)]),
    ];
    let rows = text(&view);
    let at = rows.iter().position(|row| row == "Clients >").expect("clients");
    let expected = [
        "  codex: Route fast >",
        "    ( ) Routing rules [switch-client|codex]",
        "    ( ) Groq [switch-client|codex|backend|groq]",
        "    (x) Route fast [switch-client|codex|route|fast]",
        "    -",
        "    Block its requests [block-client|codex]",
        "  stuck: blocked >",
        "    (x) Routing rules [switch-client|stuck]",
        "    -",
        "    Allow again [allow-client|stuck]",
        "  zed: Groq >",
        "    ( ) Routing rules [switch-client|zed]",
        "    (x) Groq (is switched off) [switch-client|zed|backend|groq]",
        "    -",
        "    Block its requests [block-client|zed]",
        "  -",
        "  Disconnect all tools [page|/clients?disconnect=all]",
        "Pause gateway [pause]",
    ];
    assert_eq!(rows[at + 1..at + 19], expected.map(str::to_owned));
}

#[test]
fn tools_can_be_disconnected_also_where_no_client_can_be_switched() {
    let mut view = view_of(status());
    let all = "  Disconnect all tools [page|/clients?disconnect=all]".to_owned();
    assert!(!text(&view).contains(&all), "there is no client");
    view.clients = vec![client("expired", Some(9), true, &[])];
    let rows = text(&view);
    let at = rows.iter().position(|row| row == "Clients >").expect("clients");
    assert_eq!(rows[at + 1], all);
}

#[test]
fn many_clients_and_targets_have_an_end_and_the_current_target_stays() {
    let mut targets = vec![target(None, None, "Routing rules", false)];
    targets.extend((0..30).map(|number| {
        let id = format!("b{number}");
        target(Some(&id), None, &id, number == 29)
    }));
    let mut view = view_of(status());
    let clients = (0..20).map(|number| client(&format!("c{number}"), None, false, &targets));
    view.clients = clients.collect();
    let rows = text(&view);
    let of_first = |row: &&String| row.contains("[switch-client|c0|") || row.ends_with("|c0]");
    assert_eq!(rows.iter().filter(of_first).count(), TARGETS_MAX + 2, "with its block");
    assert!(rows.contains(&"    (x) b29 [switch-client|c0|backend|b29]".to_owned()));
    assert!(rows.contains(&"    More targets [page|/clients/c0]".to_owned()));
    assert!(rows.contains(&"  More clients [page|/clients]".to_owned()));
}

#[test]
fn long_lists_and_labels_have_an_end() {
    let mut view = view_of(status());
    let names: Vec<String> = (0..20).map(|number| format!("b{number}")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "ready")).collect();
    view.routes = (0..20).map(|number| route(&format!("r{number}"), "ordered", &many)).collect();
    view.refusal = Some(format!("The route was not changed: {}", "/long".repeat(100)));
    let rows = text(&view);
    assert_eq!(rows.iter().filter(|row| row.contains("[put-first|r0|")).count(), CANDIDATES_MAX);
    assert_eq!(rows.iter().filter(|row| row.starts_with("  r")).count(), ROUTES_MAX);
    assert!(rows.contains(&"  More routes [page|/routing]".to_owned()));
    assert!(rows.contains(&"    More backends [page|/routing/r0]".to_owned()));
    assert!(
        rows[1].starts_with("The route was not changed: /long") && rows[1].ends_with('…'),
        "{}",
        rows[1]
    );
    assert!(rows[1].chars().count() <= LABEL_CHARS_MAX);
}

#[test]
fn quiet_shows_its_end_and_can_be_ended() {
    const HOUR_MS: i64 = 3_600_000;
    let told = |silences: &[Value]| {
        let mut view = view_of(status());
        view.alerts = Some(alerts(&[], silences));
        row_with(&view, "uiet")
    };
    assert_eq!(told(&[silence(1, Some("groq"), HOUR_MS)]), "Quiet for 1 hour [quiet]");
    assert_eq!(told(&[silence(1, None, 0)]), "Quiet for 1 hour [quiet]", "it is over");
    assert_eq!(
        told(&[silence(1, None, HOUR_MS), silence(2, None, HOUR_MS * 3 / 2)]),
        "Quiet until 01:30: show notifications again [end-quiet]"
    );
}

#[test]
fn every_item_is_read_back_and_none_stands_twice() {
    let mut view = view_of(status());
    let two = [("openai", "ready"), ("groq", "ready")];
    view.routes = vec![route("fast", "ordered", &two), route("slow", "ordered", &two)];
    let targets = [target(None, None, "", true), target(Some("fast"), None, "", false)];
    view.clients = vec![client("a", None, false, &targets), client("b", None, false, &targets)];
    let mut ids = Vec::new();
    collect_ids(&menu_rows(&view, TimeZoneChoice::Utc), &mut ids);
    assert!(ids.len() > 8, "{ids:?}");
    for id in &ids {
        assert_eq!(TrayCommand::from_id(id).map(|command| command.to_string()).as_ref(), Some(id));
        assert_eq!(ids.iter().filter(|other| *other == id).count(), 1, "{id}");
    }
}

fn collect_ids(rows: &[TrayRow], ids: &mut Vec<String>) {
    for row in rows {
        match row {
            TrayRow::Item(command, _) | TrayRow::Choice { command, .. } => {
                ids.push(command.to_string());
            }
            TrayRow::Submenu(_, rows) => collect_ids(rows, ids),
            TrayRow::Note(_) | TrayRow::Line => {}
        }
    }
}
