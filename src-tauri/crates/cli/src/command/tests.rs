//! Rendered answers are a contract with people and programs: each change shows as a diff of a
//! snapshot. Renderers take views, so the tests use fixed views and no engine.

use control::view::{
    AlertRuleView, BackendAnswerView, BackendAskPriceView, BackendPresetView, BackendTestView,
    BackendView, BudgetView, CacheView, ClientView, CostBasis, EndpointView, HealthReportView,
    KeyVerificationView, KeyView, LedgerMergePlanView, LedgerRestoredView, LedgerSalvageView,
    LedgerView, LocalHealthView, PinView, PlansView, PriceImportView, PricesView, ProfilesView,
    ReadinessRunView, RequestsView, RouteDecisionView, RoutesView, ServiceLevelsView, ServicesView,
    SessionLogsView, SettingsView, StatusView, UsageAdviceView, UsageAnomaliesView, UsageCrossView,
    UsageEfficiencyView, UsageExpensiveView, UsageFailuresView, UsageFilter, UsageForecastView,
    UsageHeatmapView, UsageLatencyView, UsageRecentView, UsageView,
};
use domain::Secret;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::console::tests::NOW;
use crate::console::{Console, ConsoleFormat, StreamPeer};
use crate::exit::{CommandError, Exit};
use crate::text::StyledText;

/// A name that a hostile upstream could send: clears the screen, starts a line, reverses text.
const HOSTILE: &str = "gpt\u{1b}[2J\n\u{202e}=evil";

pub(super) mod fixtures;

use fixtures::*;

fn view<V: DeserializeOwned>(fixture: Value) -> V {
    serde_json::from_value(fixture).expect("a fixture that fits its view")
}

/// The text as a person reads it, without styles and trailing blanks.
fn seen(text: &StyledText) -> String {
    let plain = anstream::adapter::strip_str(&text.to_string()).to_string();
    let rows: Vec<&str> = plain.lines().map(str::trim_end).collect();
    rows.join("\n")
}

macro_rules! check_seen {
    ($name:literal, $text:expr) => {{
        let shown = seen(&$text);
        assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown:?}");
        insta::assert_snapshot!($name, shown);
    }};
}

#[test]
fn status_for_people() {
    check_seen!("status", status::render_status(&view::<StatusView>(status_fixture())));
    let mut calm = status_fixture();
    calm["verdict"] = json!({"level": "ok", "sentence": "Everything works", "needs": []});
    calm["vault"] = json!({"kind": "keychain", "state": "ready", "hint": null,
        "keychain_missing": false, "file_exists": false, "set_by_environment": false});
    calm["gateway"] = json!({"state": "listening", "address": "http://127.0.0.1:4283",
        "port": 4283, "reason": null});
    calm["last_run"] = Value::Null;
    check_seen!("status_calm", status::render_status(&view::<StatusView>(calm)));
}

#[test]
fn status_tells_a_supervisor_whether_anything_can_answer() {
    let check = |total: u32, down: u32, disabled: u32, gateway: &str, runs: bool, exit: Exit| {
        let mut fixture = status_fixture();
        fixture["gateway"]["state"] = json!(gateway);
        fixture["backends"] = json!({"total": total, "up": 1, "down": down,
            "degraded": 0, "unknown": total - 1 - down - disabled, "disabled": disabled});
        let status: StatusView = view(fixture);
        assert_eq!(status::exit(&status, runs), exit, "{total} {down} {gateway} {runs}");
    };
    check(1, 0, 0, "listening", true, Exit::Success);
    check(3, 1, 0, "listening", true, Exit::Success);
    check(3, 2, 0, "listening", true, Exit::Negative);
    check(3, 1, 1, "listening", true, Exit::Negative);
    check(3, 0, 2, "listening", true, Exit::Success);
    check(3, 0, 0, "failed", true, Exit::Negative);
    check(3, 0, 0, "failed", false, Exit::Negative);
}

#[test]
fn keys_for_people() {
    let keys: Vec<KeyView> = view(keys_fixture());
    check_seen!("keys", keys::table(&keys, NOW));
    check_seen!("keys_none", keys::table(&Vec::new(), NOW));
    check_seen!("key_put_in", keys::render_stored_key("Stored", "in", &keys[0]));
    check_seen!("key_unbound", keys::render_stored_key("Replaced", "in", &keys[1]));
    let rejected = json!({"id": "up", "state": "rejected", "detail": "the provider said 401",
        "fix": "Replace the key."});
    check_seen!("key_verified", keys::render_verification(&view::<KeyVerificationView>(rejected)));
}

#[test]
fn backends_for_people() {
    let known: Vec<BackendView> = view(backends_fixture());
    check_seen!("backends", backends::table(&known));
    check_seen!("backend_added", backends::render_backend("Added", &known[1]));
    let presets: Vec<BackendPresetView> = view(presets_fixture());
    check_seen!("presets", backends::render_presets(&presets));
    let test: BackendTestView = view(backend_test_fixture());
    check_seen!("backend_tested", backends::render_test(&test));
    let price: BackendAskPriceView = view(backend_ask_price_fixture());
    check_seen!("backend_ask_price", backends::ask::render_price(&price));
    let none = BackendAskPriceView { models: Vec::new(), ..price };
    check_seen!("backend_ask_price_none", backends::ask::render_price(&none));
    check_seen!("backend_answered", backends::ask::render_answer(&view(backend_answer_fixture())));
    let failed = json!({"backend": "up", "model": "m", "outcome": "failed",
        "finding": "m did not answer.", "text": "", "first_token_ms": null, "elapsed_ms": 84.0,
        "input_tokens": null, "output_tokens": null, "cost_nano_usd": 0, "cost_basis": "not_billed",
        "failure": {"class": null, "cause": format!("up: {HOSTILE}"),
            "next_step": "Replace the key under Keys."}, "request": null});
    check_seen!("backend_not_answered", backends::ask::render_answer(&view(failed)));
}

#[test]
fn routes_for_people() {
    let known: RoutesView = view(routes_fixture());
    check_seen!("routes", routes::table(&known));
    check_seen!("route_shown", routes::render_route(&known.routes[0]));
    let none = json!({"sentence": "No route is in use: a request goes by its model's name.",
        "routes": [], "unrouted_requests": 7});
    check_seen!("routes_none", routes::table(&view::<RoutesView>(none)));
    check_seen!(
        "route_explained",
        routes::render_decision(&view::<RouteDecisionView>(decision_fixture()))
    );
}

#[test]
fn clients_for_people() {
    let known: Vec<ClientView> = view(clients_fixture());
    check_seen!("clients", clients::table(&known, NOW));
    check_seen!("clients_none", clients::table(&Vec::new(), NOW));
    check_seen!("client_shown", clients::show::render_client(&known[1], NOW));
    let mut limited = clients_fixture()[2].clone();
    limited["scope"] = json!({"models": ["gpt-*", HOSTILE], "backends": ["openai"], "routes": []});
    limited["limits"]["requests_per_minute"] = json!(1_200);
    limited["own_budget"] = json!("stuck");
    let limited: ClientView = view(limited);
    check_seen!("client_shown_limited", clients::show::render_client(&limited, NOW));
    let metrics = ClientView { reads_metrics: true, ..limited };
    check_seen!("client_shown_metrics", clients::show::render_client(&metrics, NOW));
}

#[test]
fn pinned_figures_for_people() {
    check_seen!("pins", pins::table(&view::<Vec<PinView>>(pins_fixture())));
    check_seen!("pins_none", pins::table(&[]));
}

#[test]
fn profiles_for_people() {
    check_seen!("profiles", profiles::table(&view::<ProfilesView>(profiles_fixture())));
    let none = json!({"active": null, "profiles": [], "in_all": ["openai"]});
    check_seen!("profiles_none", profiles::table(&view::<ProfilesView>(none)));
}

#[test]
fn usage_for_people_and_spreadsheets() {
    let sums: UsageView = view(usage_fixture());
    check_seen!("usage", usage::table(&sums));
    insta::assert_snapshot!("usage_csv", usage::render_csv(&sums).expect("CSV"));
    let mut reported = usage_fixture();
    reported["basis"] = json!("Reported by the backend, for 92 % of requests");
    reported["finding"] = json!("gpt-5-mini: 80 % of $5.00 for 14 requests, 1 of them unreported");
    (reported["cost_basis"], reported["unpriced_word"]) = (json!("reported"), json!("unreported"));
    reported["unpriced"] = json!([]);
    check_seen!("usage_reported", usage::table(&view::<UsageView>(reported)));
    check_seen!("usage_compared", usage::table(&view::<UsageView>(usage_compared_fixture())));
    let crossed: UsageCrossView = view(usage_cross_fixture());
    check_seen!("usage_cross", usage::cross::table(&crossed));
    insta::assert_snapshot!("usage_cross_csv", usage::cross::csv(&crossed).expect("CSV"));
    check_seen!("usage_days", usage::day::table(&sums));
    insta::assert_snapshot!("usage_days_csv", usage::day::csv(&sums).expect("CSV"));
    let forecast: UsageForecastView = view(usage_forecast_fixture());
    check_seen!("usage_forecast", usage::forecast::text(&forecast));
    let latency: UsageLatencyView = view(usage_latency_fixture());
    check_seen!("usage_latency", usage::latency::text(&latency));
    let recent: UsageRecentView = view(usage_recent_fixture());
    check_seen!("usage_recent", usage::recent::recent_text(&recent));
    let failures: UsageFailuresView = view(usage_failures_fixture());
    check_seen!("usage_failures", usage::latency::failures_text(&failures));
    let heatmap: UsageHeatmapView = view(usage_heatmap_fixture());
    check_seen!("usage_heatmap", usage::heatmap::text(&heatmap));
    let expensive: UsageExpensiveView = view(usage_expensive_fixture());
    check_seen!("usage_expensive", usage::expensive::text(&expensive, NOW));
    let efficiency: UsageEfficiencyView = view(usage_efficiency_fixture());
    let by_client = usage::efficiency::SavingsGroupBy::Client;
    check_seen!("usage_savings", usage::efficiency::savings_text(&efficiency, by_client));
    check_seen!("usage_waste", usage::efficiency::waste_text(&efficiency));
    let advice: UsageAdviceView = view(usage_advice_fixture());
    check_seen!("usage_advice", usage::advice::text(&advice));
    let anomalies: UsageAnomaliesView = view(usage_anomalies_fixture());
    check_seen!("usage_anomalies", usage::anomalies::text(&anomalies));
    check_seen!("usage_meters", usage::meter::table(&sums));
    insta::assert_snapshot!("usage_meters_csv", usage::meter::csv(&sums).expect("CSV"));
}

#[test]
fn the_exchange_rate_is_printed_below_what_usage_says() {
    let mut usage = usage_fixture();
    let rate = "1 USD = 0.92 EUR (own rate, 2026-11-20)";
    usage["currency"]["finding"] = json!(rate);
    let sums: UsageView = view(usage);
    for text in [usage::table(&sums), usage::meter::table(&sums)] {
        let printed = anstream::adapter::strip_str(&text.to_string()).to_string();
        assert_eq!(printed.lines().nth(2), Some(rate), "{printed}");
    }
}

#[test]
fn what_was_billed_beside_what_was_computed() {
    let report = json!({"provider": "openai", "source": "csv", "days": 12, "lines": 40,
        "billed_nano_usd": 41_200_000_000_i64, "finding": "OpenAI billed $41.20 on 12 days. 2 problems.",
        "problems": [
            {"file": HOSTILE, "line": 4, "field": "amount_value", "problem": "\"=1+1\" is no amount"},
            {"file": "cost.csv", "line": 5, "field": "", "problem": "3 cells, but 5 columns"}]});
    check_seen!("billing_report", usage::reconcile::render_report(&view(report)));
    let day = |day: &str, billed: Option<i64>, percent: Option<f64>, reasons: &[&str]| {
        json!({"provider": "openai", "day": day, "computed_nano_usd": 4_000_000_000_i64,
            "state": if billed.is_some() { "reconciled" } else { "not_reconciled" },
            "billed_nano_usd": billed, "difference_percent": percent, "requests": 120,
            "is_marked": billed.is_some(),
            "difference_nano_usd": billed.map(|billed| billed - 4_000_000_000),
            "unpriced_requests": 2, "priced_percent": 98, "source": null, "fetched": null,
            "reasons": reasons, "lines": []})
    };
    let drift = json!({"finding": "OpenAI billed $4.10 and Gatehouse computed $4.00 on 1 reconciled day.",
        "levels": "Marked are differences of more than 0.5 % of the bill.", "providers": [],
        "days": [day("2026-11-20", None, None, &["2 requests have no price"]),
            day("2026-11-19", Some(4_100_000_000), Some(2.4), &["billed more than Gatehouse saw"]),
            day("2026-11-18", Some(0), None, &[])],
        "stated_finding": "openrouter states $4.20 and Gatehouse computes $4.10 for 120 of 126 answers (+2.4 %).",
        "stated": [
            {"backend": "openrouter", "model": "openai/gpt-6-luna", "answers": 120, "compared": 120,
             "stated_nano_usd": 4_200_000_000_i64, "computed_nano_usd": 4_100_000_000_i64,
             "difference_nano_usd": 100_000_000, "difference_percent": 2.4, "is_marked": true},
            {"backend": "openrouter", "model": "z-ai/glm-5.3", "answers": 6, "compared": 0,
             "stated_nano_usd": null, "computed_nano_usd": null, "difference_nano_usd": null,
             "difference_percent": null, "is_marked": false}]});
    check_seen!("billing_drift", usage::reconcile::render_drift(&view(drift)));
    let nothing = json!({"finding": "Nothing is reconciled.", "levels": "", "providers": [], "days": [],
        "stated_finding": null, "stated": []});
    check_seen!("billing_drift_none", usage::reconcile::render_drift(&view(nothing)));
}

#[test]
fn session_logs_for_people() {
    let logs: SessionLogsView = view(session_logs_fixture());
    check_seen!("session_logs", usage::session_logs::render_usage(&logs));
    check_seen!("session_logs_import", usage::session_logs::render_import(&logs));
    let mut none = session_logs_fixture();
    none["files"] = json!(0);
    none["import"]["skipped"] = json!([]);
    none["import"]["sentence"] = json!("No session logs found");
    let none = view::<SessionLogsView>(none);
    check_seen!("session_logs_none", usage::session_logs::render_import(&none));
}

#[test]
fn plans_for_people() {
    let plans: PlansView = view(plans_fixture());
    check_seen!("plans", usage::plans::render(&plans, NOW));
    let none = json!({"finding": "No tool has written down the limits of a plan in the last 8 days",
        "plans": [], "values": []});
    check_seen!("plans_none", usage::plans::render(&view(none), NOW));
}

#[test]
fn alerts_for_people() {
    let entry = json!({"number": 7, "rule": "backend-down", "severity": "critical",
        "scopes": ["openai"], "title": format!("{HOSTILE} is down"),
        "detail": "The route fast has no other backend. Connection refused.",
        "path": "/backends/openai", "since": NOW.0 - 120_000, "fired_at": NOW.0 - 120_000,
        "ended_at": null, "ending": null, "acknowledged_at": null, "notified_at": null,
        "is_read": false});
    let mut firing = entry.clone();
    for (field, value) in [
        ("group", json!("backends")),
        ("state", json!("firing")),
        ("silenced_by", Value::Null),
        ("silence_scope", json!("openai")),
    ] {
        firing[field] = value;
    }
    let silence = json!({"number": 3, "rule": null, "scope": "openai", "reason": "planned",
        "created_at": NOW.0, "until": NOW.0 + 3_600_000});
    let part = json!({"rule": "route-dead", "title": "The route fast has no backend",
        "by": "backend-down/openai"});
    let all = json!({"alerts": [firing], "suppressed": [part], "silences": [silence], "unread": 1});
    check_seen!("alerts", alerts::render_alerts(&view(all), NOW));
    let none = json!({"alerts": [], "suppressed": [], "silences": [], "unread": 0});
    check_seen!("alerts_none", alerts::render_alerts(&view(none), NOW));
    let inbox = json!({"entries": [entry], "unread": 1, "next": 7});
    check_seen!("alerts_inbox", alerts::render_inbox(&view(inbox), NOW));
    let event = json!({"at": NOW.0 - 120_000, "source": "alert", "text": "The alert fired."});
    let incident = json!({"alert": entry, "events": [event], "markdown": "# It",
        "failed": {"count": 12, "is_at_least": true, "backend": "openai"},
        "timeline": {"finding": "", "from": NOW.0, "to": NOW.0, "lanes": [], "markers": []}});
    check_seen!("alert_shown", alerts::render_incident(&view(incident.clone()), false, NOW));
    check_seen!("alert_markdown", alerts::render_incident(&view(incident), true, NOW));
    let mut rule = json!([{"rule": "backend-down", "group": "backends", "title": "Backend down",
        "condition": "Fires when a backend failed three times in a row.",
        "hold": {"value": 60, "default": 0, "min": 0, "max": 604_800, "unit": "s",
            "meaning": "How long it must hold before an alert fires."},
        "threshold": null, "minimum": null,
        "severity": {"value": "high", "default": "medium"}, "keep_secs": 120,
        "delivery": "notification", "fired_last_week": 2, "last_fired_at": NOW.0 - 60_000}]);
    let rules: Vec<AlertRuleView> = view(rule.clone());
    check_seen!("alert_rules", alert_rules::render_rules(&rules, NOW));
    check_seen!("alert_rule", alert_rules::render_rule(&rules[0], NOW));
    rule[0]["noise"] = json!({"sentence": "Fired 9 times in 7 days, and nobody acted on it. If it had \
            to hold for 10 min, 7 of them would not have fired.", "label": "Hold for 10 min",
        "change": {"rule": "backend-down", "hold_secs": 600}});
    let rules: Vec<AlertRuleView> = view(rule);
    check_seen!("alert_rules_noisy", alert_rules::render_rules(&rules, NOW));
    check_seen!("alert_rule_noisy", alert_rules::render_rule(&rules[0], NOW));
}

#[test]
fn the_ladder_for_people() {
    let step = |step: &str, is_on: bool, wait_secs: u32, text: &str| {
        json!({"step": step, "is_on": is_on, "from_severity": "high", "wait_secs": wait_secs,
            "text": text, "is_editable": true})
    };
    let ladder = json!({"sentence": "At once the inbox, after 10 min a sound. It ends when somebody \
            acknowledges.",
        "steps": [step("inbox", true, 0, "Every alert whose rule is not off."),
            step("sound", true, 600, "The notification again, with a sound."),
            step("mail", false, 0, "Off. Switch it on in the settings of mail.")]});
    check_seen!("alert_ladder", alert_ladder::render_ladder(&view(ladder)));
}

#[test]
fn trials_of_rules_for_people() {
    let firing = |minutes: i64, lasted: Option<i64>| {
        let from = NOW.0 - minutes * 60_000;
        let to = lasted.map(|lasted| from + lasted * 60_000);
        json!({"title": format!("{HOSTILE} is down"), "from": from, "to": to,
            "lasted_secs": lasted.unwrap_or(minutes) * 60})
    };
    let tested = json!({"from": NOW.0 - 604_800_000_i64, "to": NOW.0,
        "sentence": "Would have fired twice in 7 days, for 45 min in all; with the saved numbers: \
            once. In fact it fired once.",
        "notes": ["Nothing was watched for 2 d 4 h of that time, so nothing fires then."],
        "tried": [firing(300, Some(40)), firing(5, None)], "saved": [firing(300, Some(39))],
        "fired": [firing(300, Some(39))]});
    check_seen!("alert_backtest", alert_trials::render_backtest(&view(tested), NOW));
    let none = json!({"from": NOW.0 - 604_800_000_i64, "to": NOW.0,
        "sentence": "Too little is recorded to try this rule. In fact it did not fire in 7 days.",
        "notes": [], "tried": null, "saved": null, "fired": []});
    check_seen!("alert_backtest_none", alert_trials::render_backtest(&view(none), NOW));
    let step = |kind: &str, after: u32, text: &str, title: Value| {
        json!({"kind": kind, "after_secs": after, "text": text, "severity": null,
            "channel": null, "title": title, "body": null})
    };
    let played = json!({"sentence": "An entry of the inbox at once; a notification after 30 s.",
        "notes": [], "steps": [
            step("pending", 0, "The condition holds.", Value::Null),
            step("shown", 30, "The desktop shows a notification.",
                json!("Rehearsal: Example is down")),
            step("ended", 450, "The alert ends. Its entry stays in the inbox.", Value::Null)]});
    check_seen!("alert_rehearsal", alert_trials::render_rehearsal(&view(played)));
}

#[test]
fn health_for_people() {
    let report: HealthReportView = view(health_fixture());
    check_seen!("health", health::render_health(&report, NOW));
    let first = report.backends.first().expect("one");
    check_seen!("health_backend", health::render_backend_health(first, NOW));
    let none = json!({"finding": "No backend is in use", "is_offline": false, "backends": [],
        "services": {"finding": "No service is watched", "services": []}});
    check_seen!("health_none", health::render_health(&view(none), NOW));
    check_seen!("health_tree", health_tree::render_tree(&view(health_tree_fixture()), NOW));
    let timeline = view(health_timeline_fixture());
    check_seen!("health_timeline", health_tree::render_timeline(&timeline, NOW));
    let levels: ServiceLevelsView = view(service_levels_fixture());
    check_seen!("service_levels", slo::render_service_levels(&levels, NOW));
}

#[test]
fn services_for_people() {
    let services: ServicesView = view(services_fixture());
    check_seen!("services_list", services::table(&services, NOW));
    let first = services.services.first().expect("one");
    check_seen!("service_added", services::render_service("Watching", first));
    let none = json!({"finding": "No service is watched", "services": []});
    check_seen!("services_none", services::table(&view(none), NOW));
}

#[test]
fn the_audit_log_for_people() {
    let entry = |number: u32, caller: &str, agent: Value, outcome: &str| {
        json!({"number": number, "at": NOW.0 - 120_000, "caller": caller, "agent": agent,
            "agent_version": if agent.is_null() { Value::Null } else { json!("2.1.0") },
            "client": null, "confirmed": null,
            "operation": "backend_switch", "operation_label": "Backend switch",
            "subject": "openai", "outcome": outcome})
    };
    let mut wrong = entry(8, "window", Value::Null, "refused");
    wrong["subject"] = Value::Null;
    let mut by_token = entry(10, "mcp", json!("codex"), "done");
    by_token["client"] = json!("editor");
    by_token["confirmed"] = json!(true);
    let entries = [
        by_token,
        entry(9, "mcp", json!(HOSTILE), "done"),
        wrong,
        entry(7, "command-line", Value::Null, "failed"),
    ];
    let log = json!({"entries": entries, "next": 7});
    check_seen!("audit_log", audit::render(&view(log), NOW));
    check_seen!("audit_log_none", audit::render(&view(json!({"entries": [], "next": null})), NOW));
}

#[test]
fn budgets_for_people() {
    let scope = json!({"dimension": "client", "name": HOSTILE});
    let budget = |id: &str, spent: i64, used: u32, scope: &Value| {
        let state = match used {
            100.. => "used_up",
            80.. => "nearly_used_up",
            _ => "on_pace",
        };
        json!({"id": id, "state": state, "limit_nano_usd": 20_000_000_000_i64, "period": "month", "scope": scope,
            "spent_nano_usd": spent, "reserved_nano_usd": 0, "slack_nano_usd": 0,
            "unbounded_requests": 0, "interrupted_nano_usd": 0, "interrupted_requests": 0, "from": NOW.0 - 1_000,
            "until": NOW.0 + 864_000_000, "used_percent": used, "elapsed_percent": 60,
            "allowed_nano_usd": 0, "days": null, "reset_day": 1, "reset_weekday": null,
            "action": "stop", "switch_to": null, "marks": [50, 80, 95, 100], "forecast": true, "refuse_unpriced": false,
            "used_up_at": null, "refused_since": null, "unpriced_requests": 0, "allowances": [],
            "crossings": []})
    };
    let known = [
        budget("monthly", 4_100_000_000, 20, &Value::Null),
        budget("agent", 17_000_000_000, 85, &scope),
        budget("over", 20_000_000_000, 100, &Value::Null),
    ];
    let known: Vec<BudgetView> = view(json!(known));
    check_seen!("budgets", budgets::table(&known, NOW));
    check_seen!("budgets_none", budgets::table(&[], NOW));
    let tried = json!({
        "sentence": "In the last 30 days it would have refused 3 of 412 requests; these cost $1.20. \
            It would have been used up in 1 of 2 months with requests.",
        "caveat": "Each request counts with what it cost.",
        "from": NOW.0 - 30 * 86_400_000, "requests": 412, "refused": 3,
        "refused_nano_usd": 1_200_000_000, "first_refused": NOW.0 - 4 * 86_400_000,
        "spent_nano_usd": 18_800_000_000_i64, "unpriced_requests": 0, "periods": 2,
        "periods_used_up": 1
    });
    check_seen!("budget_backtest", budgets::backtest::render_backtest(&view(tried), NOW));
    let crossing = |kind: &str, percent: Option<u16>, ago: i64| {
        json!({"kind": kind, "percent": percent, "period_from": 0, "at": NOW.0 - ago,
            "spent_nano_usd": 4_000_000_000_i64, "limit_nano_usd": 5_000_000_000_i64})
    };
    let mut shown = budget("rolling", 4_100_000_000, 68, &Value::Null);
    shown["state"] = json!("ahead_of_pace");
    for (field, value) in [
        ("period", json!("rolling")),
        ("days", json!(30)),
        ("action", json!("switch")),
        ("switch_to", json!("cheap")),
        ("allowed_nano_usd", json!(5_000_000_000_i64)),
        ("unpriced_requests", json!(3)),
        ("reserved_nano_usd", json!(120_000_000)),
        ("slack_nano_usd", json!(800_000_000)),
        ("unbounded_requests", json!(1)),
        ("interrupted_nano_usd", json!(300_000_000)),
        ("interrupted_requests", json!(2)),
        ("used_up_at", json!(NOW.0 + 86_400_000)),
        (
            "allowances",
            json!([{"nano_usd": 5_000_000_000_i64, "at": NOW.0, "until": NOW.0 + 7_200_000}]),
        ),
        (
            "crossings",
            json!([crossing("refused", None, 60_000), crossing("spent", Some(80), 7_200_000)]),
        ),
    ] {
        shown[field] = value;
    }
    check_seen!("budget_shown", budgets::render_budget(&view(shown), NOW));
}

#[test]
fn prices_for_people() {
    check_seen!("prices", prices::render_list(&view::<PricesView>(prices_fixture())));
    let preview = json!({"id": 1, "format": "litellm", "sentence": "1 price change, 1 new, 3 as they are.",
        "changed": 1, "new": 1, "same": 3, "foreign": 0,
        "differences": [
            {"owner": "openai", "model": "gpt-4.1", "changes": ["input $2.00 → $2.50 (+25 %)"], "is_new": false},
            {"owner": "groq", "model": HOSTILE, "changes": ["input $0.20"], "is_new": true}],
        "problems": [{"line": 12, "row": "groq/whisper", "field": "input_cost_per_second",
            "problem": "“free” is no price"}],
        "problems_found": 1});
    check_seen!("prices_preview", prices::render_preview(&view::<PriceImportView>(preview)));
}

#[test]
fn no_cell_of_a_csv_is_a_formula() {
    for name in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\r=x", "\n=x"] {
        let mut fixture = usage_fixture();
        fixture["groups"][0]["key"] = json!(name);
        fixture["groups"][0]["label"] = json!(name);
        let csv = usage::render_csv(&view::<UsageView>(fixture)).expect("CSV");
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let row = reader.records().next().expect("a row").expect("CSV");
        for cell in row.iter().take(2) {
            assert!(cell.starts_with('\''), "{cell:?}");
            assert!(!cell.contains(char::is_control), "{cell:?}");
        }
    }
}

#[test]
fn requests_for_people() {
    check_seen!("requests", requests::table(&view::<RequestsView>(requests_fixture()), NOW));
    let none = json!({"requests": [], "next": null});
    check_seen!("requests_none", requests::table(&view::<RequestsView>(none), NOW));
    let remarks = |looked_back_to: Value, no_longer_kept: Value| {
        let page = json!({"requests": [], "next": null, "looked_back_to": looked_back_to,
            "no_longer_kept": no_longer_kept});
        requests::remarks(&view::<RequestsView>(page), NOW).map(|text| seen(&text))
    };
    assert_eq!(remarks(Value::Null, Value::Null), None);
    let both = remarks(json!(NOW.0 - 7_200_000), json!("Older ones are no longer kept."));
    let expected =
        "Looked back to 2 h ago; older requests may match.\nOlder ones are no longer kept.";
    assert_eq!(both.as_deref(), Some(expected));
}

#[test]
fn the_cache_for_people() {
    check_seen!("cache", cache::render_status(&view::<CacheView>(cache_fixture())));
    let mut off = cache_fixture();
    off["sentence"] = json!("The cache is switched off.");
    (off["hits"], off["hit_percent"], off["advice"]) = (json!(0), Value::Null, Value::Null);
    off["bypasses"] = json!([]);
    check_seen!("cache_off", cache::render_status(&view::<CacheView>(off)));
}

#[test]
fn accesses_for_people() {
    let accesses: Vec<EndpointView> = view(endpoints_fixture());
    check_seen!("accesses", backends::endpoint::table(&accesses, NOW));
}

#[test]
fn settings_for_people() {
    let broken: SettingsView = view(settings_fixture());
    check_seen!("settings_broken", settings::render_check(&broken));
    check_seen!("settings_shown", settings::render_settings(&broken));
    assert_eq!(settings::validity_exit(&broken), Exit::Negative);
    let mut good = settings_fixture();
    good["valid"] = json!(true);
    good["problems"] = json!([]);
    good["proposed_fix"] = Value::Null;
    let good: SettingsView = view(good);
    check_seen!("settings_good", settings::render_check(&good));
    assert_eq!(settings::validity_exit(&good), Exit::Success);
}

#[test]
fn a_run_for_people_and_its_exit_code() {
    let run: ReadinessRunView = view(run_fixture());
    check_seen!("run_every_check", check::render_report(&run, check::ReportDetail::EveryCheck));
    check_seen!("run_findings", check::render_report(&run, check::ReportDetail::Findings));
    let exit = |verdict: Value| {
        let mut fixture = run_fixture();
        fixture["verdict"] = verdict;
        check::exit(&view::<ReadinessRunView>(fixture))
    };
    assert_eq!(exit(json!("ready")), Exit::Success);
    assert_eq!(exit(json!("ready_with_warnings")), Exit::Success);
    assert_eq!(exit(json!("not_ready")), Exit::Negative);
    assert_eq!(exit(Value::Null), Exit::Negative);
}

#[test]
fn programs_get_the_view_as_it_is() {
    fn check<V: DeserializeOwned + Serialize>(fixture: &Value) {
        for peer in [StreamPeer::Other, StreamPeer::Terminal] {
            let (mut console, answers, _) = Console::for_test(ConsoleFormat::Json, peer);
            console
                .print_view(&view::<V>(fixture.clone()), |_| StyledText::new())
                .expect("written");
            let printed = answers.text();
            assert!(!printed.contains(['\u{1b}', '\u{202e}']), "{printed:?}");
            let mut back: Value = serde_json::from_str(&printed).expect("JSON");
            let document = back.as_object_mut().expect("an object");
            assert_eq!(document.shift_remove("format_version"), Some(json!(2)));
            let view = if fixture.is_array() { &back["items"] } else { &back };
            assert_eq!(view, fixture);
        }
    }
    check::<StatusView>(&status_fixture());
    check::<Vec<KeyView>>(&keys_fixture());
    check::<Vec<BackendView>>(&backends_fixture());
    check::<Vec<BackendPresetView>>(&presets_fixture());
    check::<BackendTestView>(&backend_test_fixture());
    check::<BackendAskPriceView>(&backend_ask_price_fixture());
    check::<BackendAnswerView>(&backend_answer_fixture());
    check::<Vec<ClientView>>(&clients_fixture());
    check::<UsageView>(&usage_compared_fixture());
    check::<UsageCrossView>(&usage_cross_fixture());
    check::<Vec<PinView>>(&pins_fixture());
    check::<ProfilesView>(&profiles_fixture());
    check::<ServicesView>(&services_fixture());
    check::<UsageExpensiveView>(&usage_expensive_fixture());
    check::<UsageForecastView>(&usage_forecast_fixture());
    check::<UsageHeatmapView>(&usage_heatmap_fixture());
    check::<UsageLatencyView>(&usage_latency_fixture());
    check::<UsageFailuresView>(&usage_failures_fixture());
    check::<UsageRecentView>(&usage_recent_fixture());
    check::<UsageAdviceView>(&usage_advice_fixture());
    check::<UsageAnomaliesView>(&usage_anomalies_fixture());
    check::<UsageEfficiencyView>(&usage_efficiency_fixture());
    check::<SessionLogsView>(&session_logs_fixture());
    check::<PlansView>(&plans_fixture());
    check::<RequestsView>(&requests_fixture());
    check::<CacheView>(&cache_fixture());
    check::<Vec<EndpointView>>(&endpoints_fixture());
    check::<SettingsView>(&settings_fixture());
    check::<ReadinessRunView>(&run_fixture());
}

#[test]
fn formats_that_contradict_each_other_are_wrong_usage() {
    let refused = |outcome: Result<(), CommandError>| outcome.map_err(|failure| failure.exit());
    let usage = |named, global| refused(usage::choose_usage_format(named, global).map(drop));
    assert_eq!(usage(Some(usage::UsageFormat::Csv), ConsoleFormat::Json), Err(Exit::Usage));
    assert_eq!(usage(Some(usage::UsageFormat::Json), ConsoleFormat::Json), Ok(()));
    assert_eq!(usage(Some(usage::UsageFormat::Csv), ConsoleFormat::Text), Ok(()));
    let meters = |filter: &UsageFilter, basis| refused(usage::meter::check(filter, basis));
    assert_eq!(meters(&UsageFilter::default(), CostBasis::Known), Ok(()));
    assert_eq!(meters(&UsageFilter::default(), CostBasis::Reported), Err(Exit::Usage));
    let of_project = UsageFilter { project: Some(String::new()), ..UsageFilter::default() };
    assert_eq!(meters(&of_project, CostBasis::Known), Err(Exit::Usage));
    let check = |named, global| refused(check::choose_check_format(named, global).map(drop));
    assert_eq!(check(Some(check::CheckFormat::Text), ConsoleFormat::Json), Err(Exit::Usage));
    assert_eq!(check(None, ConsoleFormat::Json), Ok(()));
}

#[test]
fn a_token_is_printed_and_nothing_else() {
    let secret = Secret::parse("ghk_0123456789abcdef".to_owned()).expect("a token");
    let printed = |format| {
        let (mut console, answers, remarks) = Console::for_test(format, StreamPeer::Other);
        token::print_token("demo", &secret, &mut console).expect("printed");
        assert_eq!(remarks.text(), "");
        answers.text()
    };
    assert_eq!(printed(ConsoleFormat::Text), "ghk_0123456789abcdef\n");
    assert_eq!(
        printed(ConsoleFormat::Json),
        "{\"format_version\":2,\"client\":\"demo\",\"token\":\"ghk_0123456789abcdef\"}\n"
    );
}

#[test]
fn none_is_no_project_of_a_new_client_nor_of_one_that_exists() {
    assert_eq!(clients::project_name("none".to_owned()), None);
    assert_eq!(clients::project_name("website".to_owned()).as_deref(), Some("website"));
}

#[test]
fn the_panels_address_is_printed_and_nothing_else() {
    let address = "http://127.0.0.1:1/#one-time=t";
    let printed = |format| {
        let (mut console, answers, _) = Console::for_test(format, StreamPeer::Other);
        panel::print_address(address, &mut console).expect("printed");
        answers.text()
    };
    assert_eq!(printed(ConsoleFormat::Text), format!("{address}\n"));
    assert_eq!(
        printed(ConsoleFormat::Json),
        format!("{{\"format_version\":2,\"panel\":\"{address}\"}}\n")
    );
}

#[test]
fn addresses_are_announced_a_line_each() {
    let (gateway, panel) = ("http://127.0.0.1:4283", "http://127.0.0.1:1/#one-time=t");
    let told = |format, panel| {
        let (mut console, answers, _) = Console::for_test(format, StreamPeer::Other);
        crate::serve::announce(Some(gateway), panel, &mut console).expect("told");
        answers.text()
    };
    assert_eq!(told(ConsoleFormat::Text, None), "● gateway listening on http://127.0.0.1:4283\n");
    assert_eq!(
        told(ConsoleFormat::Text, Some(panel)),
        "● gateway listening on http://127.0.0.1:4283\n\
         ● panel (one-time link): http://127.0.0.1:1/#one-time=t\n"
    );
    assert_eq!(
        told(ConsoleFormat::Json, None),
        "{\"format_version\":2,\"gateway\":\"http://127.0.0.1:4283\",\"panel\":null}\n"
    );
}

#[test]
fn every_shell_gets_a_script_and_the_manual_names_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (mut console, answers, _) = Console::for_test(ConsoleFormat::Text, StreamPeer::Other);
        completions::print_script(&completions::completions_for_shell(shell), &mut console)
            .expect("printed");
        assert!(answers.text().contains("gatehouse"), "{shell}");
    }
    let (mut console, answers, _) = Console::for_test(ConsoleFormat::Text, StreamPeer::Other);
    crate::arguments::generated::print_man(&mut console).expect("printed");
    let page = answers.text();
    for command in ["serve", "status", "check", "keys", "backends", "clients", "usage", "cache"] {
        assert!(page.contains(command), "{command}");
    }
}

fn ledger_fixture() -> Value {
    json!({
        "state": "refusing", "waiting_records": 1_200,
        "problems": [
            {"id": "ledger/disk-full", "level": "problem", "title": "The ledger cannot be written",
             "detail": "The disk is full. Free some space.", "since": NOW.0 - 4_000},
            {"id": "ledger/backup", "level": "attention", "title": "The ledger could not be backed up",
             "detail": "the disk is full. Older backups are kept.", "since": null}
        ],
        "incident": null,
        "path": "/data/ledger.sqlite", "bytes": 4_321_280, "backup_folder": "/data/backups",
        "backups": [{"name": "ledger-2026-11-21T08-00-00Z.sqlite", "at": NOW.0 - 7_200_000,
                     "bytes": 4_198_400}],
        "kept_files": ["ledger.sqlite.kept-damaged-2026-11-20T08-00-00Z"],
        "performance": performance_fixture(),
        "devices": [{"name": "laptop", "requests": 1_204, "merged": NOW.0 - 86_400_000}]
    })
}

fn performance_fixture() -> Value {
    json!({
        "log_bytes": 412_032, "check": {"at": NOW.0 - 7_200_000, "is_sound": true},
        "last_backup": NOW.0 - 7_200_000, "reads": 18_240, "waited_reads": 31,
        "longest_wait_ms": 214.0, "slow_limit_ms": 100.0, "slow_count": 4,
        "slow_statements": [
            {"text": "SELECT count(*) FROM requests WHERE model = ?1", "count": 4,
             "worst_ms": 412.0, "plan": ["SCAN requests"]}
        ]
    })
}

#[test]
fn this_machine_for_people() {
    let chart = |measure: &str, label: &str, latest: Value, is_beyond: bool| {
        json!({"measure": measure, "unit": "percent", "label": label, "latest": latest,
            "extreme": latest, "values": [null], "limit": null, "is_beyond": is_beyond})
    };
    let start = |ready_ms: f64, is_slow: bool| {
        json!({"at": NOW.0 - 7_200_000, "version": "0.1.0", "ready_ms": ready_ms,
            "is_slow": is_slow, "finding": "Longest stage: opening the ledger, 1240 ms",
            "stages": [{"stage": "ledger", "meaning": "opening the ledger", "ms": 1_240.0}],
            "first_probe_ms": 1_600.0, "panel_ms": null})
    };
    let local: LocalHealthView = view(json!({
        "finding": "Memory of this machine: 90 %", "points": [NOW.0],
        "charts": [chart("app_processor", "Processor of Gatehouse", Value::Null, false),
            chart("machine_memory", "Memory of this machine", json!("90 %"), true)],
        "ledger": performance_fixture(), "starts": [start(1_300.0, true), start(60.0, false)],
        "machine": [
            {"fact": "system", "label": "System", "value": "Debian GNU/Linux 12, x86_64"},
            {"fact": "power", "label": "Power", "value": null}],
    }));
    check_seen!("health_local", health::local::render_local(&local, NOW));
}

#[test]
fn the_ledger_for_people() {
    check_seen!("ledger", ledger::render_status(&view::<LedgerView>(ledger_fixture()), NOW));
    let mut sound = ledger_fixture();
    sound["problems"] = json!([]);
    sound["performance"] = json!({
        "log_bytes": 0, "check": null, "last_backup": null, "reads": 3, "waited_reads": 0,
        "longest_wait_ms": 0.0, "slow_limit_ms": 100.0, "slow_count": 0, "slow_statements": []
    });
    check_seen!("ledger_sound", ledger::render_status(&view::<LedgerView>(sound), NOW));
    let salvage = view::<LedgerSalvageView>(json!({
        "file": "ledger.sqlite.kept-damaged", "requests": 4_571, "requests_before": 4_636,
        "attempts": 4_718, "sums": 1_204, "other_rows": 388, "damaged_tables": ["requests"]
    }));
    insta::assert_snapshot!("ledger_plan", ledger::describe_repair_plan(&salvage));
    let restored = view::<LedgerRestoredView>(json!({
        "from": "ledger-2026-11-20T08-00-00Z.sqlite", "requests": 4_702, "added": 66,
        "kept": "ledger.sqlite.kept-before-restore",
        "skipped": [{"name": "ledger-2026-11-21T08-00-00Z.sqlite", "reason": "it is malformed"}]
    }));
    check_seen!("ledger_restored", ledger::render_restored(&restored));
    let plan = view::<LedgerMergePlanView>(json!({
        "device": "laptop", "added": 1_204, "first": NOW.0 - 9 * 86_400_000, "last": NOW.0 - 7_200_000,
        "known": 88, "replaced": 2, "unfinished": 1
    }));
    check_seen!("ledger_merge_plan", ledger::render_merge_plan(&plan, NOW));
}
