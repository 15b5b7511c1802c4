//! One fixture of each view, with the hard cases: unknown values, missing prices, hostile names.

use serde_json::{Value, json};

use super::{HOSTILE, NOW};

fn ago(secs: i64) -> i64 {
    NOW.0 - secs * 1_000
}

fn is_unknown(cost: i64, counted: u64, unpriced: u64) -> bool {
    domain::is_cost_unknown(domain::NanoUsd::new(cost), counted, unpriced)
}

fn spend(cost: i64, requests: u64, unpriced: u64) -> Value {
    json!({"cost_nano_usd": cost, "is_cost_unknown": is_unknown(cost, requests, unpriced),
        "requests": requests, "unpriced_requests": unpriced})
}

pub(super) fn status_fixture() -> Value {
    json!({
        "version": "0.1.0", "now": NOW.0, "started_at": ago(7_300),
        "verdict": {"level": "problem", "sentence": "2 things need you", "needs": [
            {"id": "b", "level": "problem", "title": "openai is down",
             "impact": format!("it said {HOSTILE}"), "since": ago(180),
             "action": {"kind": "open_backend", "id": "openai"}},
            {"id": "vault", "level": "attention", "title": "The vault is locked",
             "impact": "no request can use a key", "since": null,
             "action": {"kind": "open_settings"}},
        ]},
        "gateway": {"state": "failed", "address": "http://127.0.0.1:4283", "port": 4283,
            "reason": "port 4283 is in use"},
        "lowest_quota": null,
        "vault": {"kind": "file", "state": "locked", "hint": "Enter the passphrase.",
            "keychain_missing": false, "file_exists": true, "set_by_environment": false},
        "backends": {"total": 5, "up": 2, "degraded": 1, "down": 1, "unknown": 0, "disabled": 1},
        "requests_in_flight": 3,
        "spend_today": spend(4_100_000_000, 1_234, 2),
        "first_steps": {"backend_added": true, "client_added": true, "request_seen": true,
            "checks_run": true},
        "last_run": {"id": "run_1", "set": "full", "ended_at": ago(3_600), "verdict": "not_ready",
            "sentence": "Not ready, 6.0 of 10", "score_tenths": 60},
        "telemetry": {"sent": 240, "dropped": 12, "failing_since": ago(90),
            "sentence": "the collector takes nothing: it cannot be reached; 240 requests sent, 12 dropped"},
        "data_folder": "/home/dev/.local/share/gatehouse",
    })
}

pub(super) fn keys_fixture() -> Value {
    json!([
        {"id": "openai", "label": "OpenAI", "tail": "cdef", "origin": "https://api.openai.com:443",
         "created_at": ago(86_400), "replaced_at": null, "state": "rejected",
         "reason": "the provider rejected it", "verified_at": ago(60), "used_at": ago(90),
         "used_by": ["openai", "spare"],
         "dependents": {"backends": ["openai", "spare"], "routes": ["fast", "main"],
            "broken_routes": ["fast"], "clients": ["codex"], "services": [], "cache_server": true},
         "storage": "keychain", "billing": null, "expires_at": null, "note": null, "oauth": null, "keys_url": null, "provider": null, "retired": null,
         "permissions": {"sentence": "It may ask models, with a limit of $100.00", "manages_keys": false},
         "balance": {"left": "$4.12", "sentence": "$4.12 left, for 3 days at the pace of the last week",
            "read_at": ago(60), "days_left": 3, "is_used_up": false},
         "notices": [{"notice": "old", "sentence": "It has been in use for 91 days."}],
         "read_only": false,
         "last_month": spend(12_000_000_000, 40, 0)},
        {"id": "new", "label": "new", "tail": null, "origin": null, "created_at": ago(5),
         "replaced_at": null, "state": "unverified", "reason": null, "verified_at": null,
         "used_at": null, "used_by": [],
         "dependents": {"backends": [], "routes": [], "broken_routes": [], "clients": [], "services": [], "cache_server": false},
         "storage": "file", "billing": null, "expires_at": null, "note": null, "oauth": null, "balance": null, "permissions": null, "notices": [], "keys_url": null, "provider": null, "retired": null,
         "read_only": false,
         "last_month": spend(0, 0, 0)},
    ])
}

pub(super) fn backends_fixture() -> Value {
    let idle = vec![0; 24];
    json!([
        {"id": "mock", "label": "Mock", "kind": "mock", "base_url": null, "enabled": true, "in_profile": true,
         "built_in": true, "credential": null,
         "health": {"state": "up", "reason": "", "since": null, "last_checked": null,
            "probe_ms": null, "last_known": null},
         "models": [{"id": "echo", "price": null}], "declared_models": [],
         "lacks": [], "offers": [], "crossing": "strict",
         "pool": {"order": "ordered", "members": []},
         "dependents": {"backends": [], "routes": [], "broken_routes": [], "clients": [], "services": [], "cache_server": false},
         "limits": {"requests_per_minute": null, "tokens_per_minute": null, "in_flight_max": null},
         "last_day": {"spend": spend(0, 2, 2), "failed": 0, "requests_per_hour": idle, "failed_per_hour": [],
            "first_token_ms": 2}},
        {"id": "openai", "label": "OpenAI", "kind": "openai",
         "base_url": "https://api.openai.com/v1", "enabled": true, "in_profile": true, "built_in": false,
         "credential": "openai",
         "health": {"state": "down", "reason": format!("said {HOSTILE}"), "since": ago(60),
            "last_checked": ago(5), "probe_ms": 120, "last_known": null},
         "models": [], "declared_models": [],
         "lacks": [], "offers": [], "crossing": "strict",
         "pool": {"order": "ordered", "members": []},
         "dependents": {"backends": [], "routes": [], "broken_routes": [], "clients": [], "services": [], "cache_server": false},
         "limits": {"requests_per_minute": null, "tokens_per_minute": null, "in_flight_max": null},
         "last_day": {"spend": spend(4_100_000_000, 12, 0), "failed": 3, "requests_per_hour": idle, "failed_per_hour": [],
            "first_token_ms": null}},
        {"id": "claude", "label": "Claude", "kind": "anthropic",
         "base_url": "https://api.anthropic.com", "enabled": true, "in_profile": true, "built_in": false,
         "credential": "claude",
         "health": {"state": "degraded", "reason": "first token 4.2 s, usually 0.9 s", "since": ago(60),
            "last_checked": ago(5), "probe_ms": 90, "last_known": null},
         "models": [], "declared_models": [],
         "lacks": [], "offers": [], "crossing": "strict",
         "pool": {"order": "ordered", "members": []},
         "dependents": {"backends": [], "routes": [], "broken_routes": [], "clients": [], "services": [], "cache_server": false},
         "limits": {"requests_per_minute": null, "tokens_per_minute": null, "in_flight_max": null},
         "last_day": {"spend": spend(1_200_000_000, 24, 0), "failed": 0, "requests_per_hour": idle, "failed_per_hour": [],
            "first_token_ms": 3_900}},
        {"id": "spare", "label": "Spare", "kind": "openai-compatible",
         "base_url": "http://127.0.0.1:11434/v1", "enabled": false, "in_profile": true, "built_in": false,
         "credential": null,
         "health": {"state": "disabled", "reason": "switched off by you", "since": null,
            "last_checked": null, "probe_ms": null, "last_known": null},
         "models": [], "declared_models": [],
         "lacks": ["stream-usage", "images"], "offers": ["responses"], "crossing": "lenient",
         "pool": {"order": "ordered", "members": []},
         "dependents": {"backends": [], "routes": [], "broken_routes": [], "clients": [], "services": [], "cache_server": false},
         "limits": {"requests_per_minute": null, "tokens_per_minute": null, "in_flight_max": null},
         "last_day": {"spend": spend(0, 0, 0), "failed": 0, "requests_per_hour": idle, "failed_per_hour": [],
            "first_token_ms": null}},
    ])
}

pub(super) fn presets_fixture() -> Value {
    json!([
        {"id": "openai", "label": "OpenAI", "kind": "openai",
         "base_url": "https://api.openai.com/v1", "key_prefix": "sk-",
         "docs_url": "https://platform.openai.com/docs",
         "keys_url": "https://platform.openai.com/api-keys", "local": false,
         "lacks": [], "offers": []},
        {"id": "ollama", "label": "Ollama", "kind": "ollama",
         "base_url": "http://127.0.0.1:11434", "key_prefix": null,
         "docs_url": "https://ollama.com", "keys_url": null, "local": true, "lacks": [], "offers": []},
    ])
}

pub(super) fn backend_test_fixture() -> Value {
    json!({"id": "openai", "passed": false, "steps": [
        {"title": "Connect", "state": "pass", "detail": "connected", "fix": null,
         "duration_ms": 40},
        {"title": "Key", "state": "fail", "detail": format!("401: {HOSTILE}"),
         "fix": "Replace the key.", "duration_ms": null},
        {"title": "Models", "state": "skipped", "detail": "skipped, because an earlier step failed", "fix": null,
         "duration_ms": null},
    ]})
}

pub(super) fn backend_ask_price_fixture() -> Value {
    json!({"backend": "openai", "label": "OpenAI", "prompt": "Reply with the word OK.",
        "output_tokens_max": 256, "time_limit_secs": 120, "models": [
        {"id": "gpt-4.1-mini", "in_routes": true, "cost_nano_usd_max": 435_200,
         "price": "At most $0.0005"},
        {"id": "gpt-9", "in_routes": false, "cost_nano_usd_max": null, "price": "Price unknown"},
    ]})
}

pub(super) fn backend_answer_fixture() -> Value {
    json!({"backend": "openai", "model": "gpt-4.1-mini", "outcome": "answered",
        "finding": "gpt-4.1-mini answered in 804 ms, first token 612 ms.",
        "text": format!("OK\n{HOSTILE}"), "first_token_ms": 612.0, "elapsed_ms": 804.0,
        "input_tokens": 13, "output_tokens": 2, "cost_nano_usd": 8_400,
        "cost_basis": "computed", "failure": null, "request": "req_0001"})
}

pub(super) fn clients_fixture() -> Value {
    let target = |backend: Option<&str>, route: Option<&str>, label: &str, current: bool| {
        let unavailable = route.filter(|_| current).map(|_| "is switched off");
        json!({"backend": backend, "route": route, "label": label, "current": current,
            "unavailable": unavailable})
    };
    let state = |id: &str, expired: bool, seen_at: Option<i64>| match (id, expired, seen_at) {
        ("stuck", ..) => "blocked",
        (_, true, _) => "expired",
        (_, _, None) => "unused",
        _ => "active",
    };
    let client = |id: &str, expires_at: Option<i64>, expired: bool, seen_at: Option<i64>| {
        json!({"id": id, "state": state(id, expired, seen_at), "created_at": ago(86_400 * 3), "expires_at": expires_at,
            "expired": expired, "blocked": id == "stuck", "seen_at": seen_at,
            "refused": (id == "stuck").then(|| json!({"count": 1_204, "last_at": ago(5)})),
            "program": seen_at.map(|_| json!({"name": "codex_cli_rs", "version": (id != "old").then_some("0.40.0")})),
            "limits": {"requests_per_minute": null, "tokens_per_minute": null, "in_flight_max": null},
         "cache": null, "priority": "interactive", "mcp": false, "reads_metrics": false,
         "project": (id == "aider").then_some("website"),
         "scope": {"models": [], "backends": [], "routes": []},
         "targets": [target(None, None, "Routing rules", id != "codex"), target(Some("openai"), None, "OpenAI", false),
             target(None, Some("fast"), "Route fast", id == "codex")], "last_month": spend(1_000_000, 2, 0),
            "snippets": [{"title": "curl", "code": "curl …"}],
            "own_budget": null, "other_budgets": []})
    };
    json!([
        client("aider", None, false, None),
        client("codex", Some(ago(-86_400 * 30)), false, Some(ago(42))),
        client("stuck", None, false, Some(ago(60))),
        client("old", Some(ago(86_400)), true, Some(ago(86_400 * 2))),
    ])
}

fn totals(cost: i64, requests: u64, unpriced: u64, failed: u64) -> Value {
    let priced_percent = (requests.saturating_sub(unpriced) * 100).checked_div(requests);
    let is_cost_unknown = is_unknown(cost, requests, unpriced);
    json!({"cost_nano_usd": cost, "requests": requests, "unpriced_requests": unpriced,
        "priced_percent": priced_percent, "is_cost_unknown": is_cost_unknown,
        "failed_requests": failed, "input_tokens": 1_234_567, "cache_read_tokens": 1_000,
        "output_tokens": 45_678, "reasoning_tokens": 12, "retries": 3, "wasted_nano_usd": 90_000_000,
        "saved_nano_usd": 250_000_000, "cache_hits": 4, "cache_misses": 6})
}

pub(super) fn plans_fixture() -> Value {
    let window = |label: &str, state: &str, used: Option<f64>, resets_at: i64| {
        json!({"label": label, "state": state, "used_percent": used,
            "elapsed_percent": used.map(|_| 40.0), "resets_at": resets_at,
            "read_at": NOW.0 - 240_000,
            "runs_out_at": (state == "runs_out").then_some(NOW.0 + 3_600_000)})
    };
    let hour_ms = 3_600_000;
    json!({"finding": "Codex CLI (plus): at this pace the window of 5 hours is used up early",
        "plans": [
            {"tool": "codex", "label": "Codex CLI (plus)", "read_at": NOW.0 - 240_000, "windows": [
                window("5 hours", "runs_out", Some(99.9), NOW.0 + 2 * hour_ms),
                window("7 days", "lasts", Some(31.0), NOW.0 + 64 * hour_ms)]},
            {"tool": "codex", "label": format!("Codex CLI (plus), {HOSTILE}"),
                "read_at": NOW.0 - 6 * hour_ms,
                "windows": [window("5 hours", "started_again", None, NOW.0 - hour_ms)]}],
        "values": [
            {"tool": "claude-code", "tool_name": "Claude Code", "answers": 8_412,
                "value_nano_usd": 214_730_000_000_u64, "is_value_unknown": false, "unpriced_answers": 3},
            {"tool": "opencode", "tool_name": "OpenCode", "answers": 96, "value_nano_usd": 0,
                "is_value_unknown": true, "unpriced_answers": 96}]})
}

pub(super) fn session_logs_fixture() -> Value {
    let totals = |value: i64, answers: u64, unpriced: u64, measured: u64| {
        json!({"answers": answers, "input_tokens": 1_234_567, "cache_read_tokens": 1_000_000,
            "output_tokens": 45_678, "value_nano_usd": value, "unpriced_answers": unpriced,
            "is_value_unknown": is_unknown(value, answers, unpriced),
            "stated_nano_usd": 0, "measured_answers": measured})
    };
    let import = json!({"state": "finished", "started_at": ago(9), "ended_at": ago(1),
        "files": 1_200, "unchanged_files": 1_190, "done_files": 1_200, "answers": 31,
        "measured_answers": 2, "problems": 13, "sentence": "31 answers in 1,200 files",
        "skipped": [{"path": "/home/dev/.claude/projects/out", "line": null, "field": "",
            "what": "is a link, which is not followed"}]});
    let problem = |line: Value, field: &str| json!({"path": HOSTILE, "line": line, "field": field, "what": "is negative (-5)"});
    json!({
        "import": import,
        "finding": "1,234 answers from session logs, worth $41.20 at list prices",
        "totals": totals(41_200_000_000, 1_234, 12, 2),
        "groups": [
            {"key": "claude-code", "label": "Claude Code", "totals": totals(41_200_000_000, 1_222, 0, 2)},
            {"key": HOSTILE, "label": HOSTILE, "totals": totals(0, 12, 12, 0)},
        ],
        "files": 1_200,
        "problems": [problem(json!(7), "message.usage.output_tokens"), problem(Value::Null, "")],
        "problems_total": 13,
        "places": [{"tool": "codex", "tool_name": "Codex CLI", "path": "/home/dev/.codex/sessions"}],
    })
}

fn segment(cost: i64, requests: u64, tokens: u64) -> Value {
    partly_priced(cost, requests, 0, tokens)
}

fn partly_priced(cost: i64, requests: u64, unpriced: u64, tokens: u64) -> Value {
    json!({"cost_nano_usd": cost, "is_cost_unknown": is_unknown(cost, requests, unpriced),
        "requests": requests, "unpriced_requests": unpriced, "tokens": tokens})
}

pub(super) fn usage_fixture() -> Value {
    json!({
        "from": ago(86_400), "to": NOW.0, "zone": "UTC",
        "finding": "gpt-5-mini took 80 % of $5.00 over 12 requests",
        "basis": "Stated by the backend, else computed; 92 % of requests priced",
        "cost_basis": "known", "unpriced_word": "unpriced",
        "currency": {"code": "USD", "rate": "1", "minor_digits": 2, "has_symbol": true,
                     "source": null, "source_url": null, "as_of": null, "is_own": false,
                     "finding": null},
        "totals": totals(5_000_000_000, 14, 1, 2),
        "groups": [
            {"kind": "named", "key": "gpt-5-mini", "label": "gpt-5-mini", "totals": totals(4_000_000_000, 10, 0, 2),
             "cost_share_percent": 80, "previous": null, "cost_change_percent": null},
            {"kind": "named", "key": HOSTILE, "label": HOSTILE, "totals": totals(1_000_000_000, 3, 1, 0),
             "cost_share_percent": 20, "previous": null, "cost_change_percent": null},
            {"kind": "named", "key": "=cmd", "label": "=cmd", "totals": totals(0, 1, 1, 0),
             "cost_share_percent": null, "previous": null, "cost_change_percent": null},
        ],
        "series": [
            {"kind": "named", "key": "gpt-5-mini", "label": "gpt-5-mini"},
            {"kind": "named", "key": HOSTILE, "label": HOSTILE},
            {"kind": "named", "key": "=cmd", "label": "=cmd"},
        ],
        "buckets": [{"start": ago(3_600), "label": "07:00", "segments": [
            segment(4_000_000_000, 10, 5), segment(1_000_000_000, 3, 5),
            partly_priced(0, 1, 1, 5),
        ], "total": partly_priced(5_000_000_000, 14, 1, 15)},
        {"start": ago(7_200), "label": "06:00", "segments": [
            segment(0, 0, 0), segment(0, 0, 0), partly_priced(0, 2, 2, 5),
        ], "total": partly_priced(0, 2, 2, 5)}],
        "meters": [
            {"meter": "input", "label": "Input", "unit": "tokens", "quantity": 1_234_567,
             "cost_nano_usd": 4_000_000_000_i64, "unpriced_quantity": 0, "is_cost_unknown": false, "cost_share_percent": 80},
            {"meter": "input_audio", "label": "Input audio", "unit": "tokens", "quantity": 70,
             "cost_nano_usd": 0, "unpriced_quantity": 70, "is_cost_unknown": true, "cost_share_percent": null},
            {"meter": "web_search", "label": "Web search", "unit": "calls", "quantity": 100,
             "cost_nano_usd": 1_000_000_160_i64, "unpriced_quantity": 20, "is_cost_unknown": false, "cost_share_percent": 20},
        ],
        "previous": null,
        "unpriced": [
            {"model": "=cmd", "backend": "home", "backend_label": HOSTILE, "requests": 1,
             "why": {"reason": "no_price",
                     "sentence": "No price is known for this model at this backend.",
                     "missing": {"meter": null, "tier": "standard", "region": null}}},
            {"model": HOSTILE, "backend": null, "backend_label": null, "requests": 1, "why": null},
        ],
    })
}

/// [`usage_fixture`], beside the period before.
pub(super) fn usage_compared_fixture() -> Value {
    let mut usage = usage_fixture();
    usage["previous"] = json!({"from": ago(172_800), "to": ago(86_400), "label": "the day before",
        "totals": totals(4_000_000_000, 9, 0, 0), "cost_change_percent": 25,
        "requests_change_percent": 56});
    usage["groups"][0]["previous"] = totals(4_400_000_000, 9, 0, 0);
    usage["groups"][0]["cost_change_percent"] = json!(-9);
    for group in [1, 2] {
        usage["groups"][group]["previous"] = totals(0, 0, 0, 0);
    }
    usage
}

pub(super) fn usage_forecast_fixture() -> Value {
    let day = |label: &str, spent: Option<i64>, expected: Option<i64>, sum: i64| {
        json!({"start": ago(0), "label": label, "spent_nano_usd": spent,
            "expected_nano_usd": expected, "cumulative_nano_usd": sum,
            "cumulative_low_nano_usd": sum, "cumulative_high_nano_usd": sum})
    };
    json!({
        "month_start": ago(172_800), "month_end": NOW.0 + 86_400_000,
        "finding": "About $6.00 this month, between $5.00 and $7.50",
        "spent_nano_usd": 3_500_000_000_i64, "expected_nano_usd": 6_000_000_000_i64,
        "low_nano_usd": 5_000_000_000_i64, "high_nano_usd": 7_500_000_000_i64,
        "unpriced_requests": 0,
        "method": "by_weekday", "is_confident": true, "active_days": 9,
        "back_test": {"months": 2, "error_percent": 7.25},
        "days": [day("1 Nov", Some(3_000_000_000), None, 3_000_000_000),
            day("2 Nov", Some(500_000_000), Some(500_000_000), 4_000_000_000),
            day("3 Nov", None, Some(2_000_000_000), 6_000_000_000)],
    })
}

pub(super) fn usage_latency_fixture() -> Value {
    let part = |part: &str, p50: f64| {
        json!({"part": part, "count": 1_200, "p50_ms": p50, "p95_ms": p50 * 4.0,
            "p99_ms": p50 * 9.0, "max_ms": p50 * 20.0})
    };
    let parts = json!([part("queue", 0.25), part("first_token", 420.0), part("total", 2_000.0)]);
    json!({
        "from": ago(86_400), "to": NOW.0,
        "finding": "First token: half within 420 ms, 95 % within 1.7 s", "parts": parts,
        "groups": [{"key": HOSTILE, "label": HOSTILE, "parts": [part("total", 800.0)]}],
        "buckets": [{"start": ago(3_600), "label": "07:00", "parts": []}],
    })
}

pub(super) fn usage_failures_fixture() -> Value {
    json!({
        "from": ago(86_400), "to": NOW.0, "finding": "3 of 1,200 attempts failed, most often: timeout",
        "attempts": 1_200, "failed_attempts": 3, "failed_percent": 0.25,
        "classes": [{"class": "timeout", "attempts": 3, "percent_of_attempts": 0.25,
            "cost_nano_usd": 20_000_000, "is_cost_unknown": false, "unpriced_attempts": 1, "backends": [
                {"key": "openai", "label": "OpenAI", "attempts": 2},
                {"key": HOSTILE, "label": HOSTILE, "attempts": 1}]},
            {"class": "cut", "attempts": 2, "percent_of_attempts": 0.17, "cost_nano_usd": 0,
                "is_cost_unknown": true, "unpriced_attempts": 2, "backends": []}],
    })
}

pub(super) fn usage_recent_fixture() -> Value {
    json!({
        "from": ago(3_540), "to": NOW.0,
        "finding": "1,200 requests, 3 failed, most often: rate-limited", "requests": 1_200, "failed": 3,
        "complete_percent": 99.7, "cache_eligible": 1_000, "cache_percent": 31.2,
        "failures": [{"class": "rate-limited", "requests": 2}, {"class": HOSTILE, "requests": 1}],
        "requests_per_minute": 2.44, "tokens_per_minute": 12_345,
        "minutes": [{"start": ago(3_540), "requests": 4, "failed": 0}],
    })
}

pub(super) fn usage_advice_fixture() -> Value {
    let row = |label: &str, value: &str| json!({"label": label, "value": value, "filter": {"backend": "openai"}});
    json!({
        "from": ago(2_592_000), "to": NOW.0,
        "finding": "2 suggestions, up to $9.60 a month",
        "advice": [
            {"rule": "cheaper_model", "title": "Try gpt-5-mini for gpt-5 of OpenAI",
             "subject": {"dimension": "model", "key": "gpt-5", "label": "gpt-5"},
             "saving_nano_usd_per_month": 9_600_000_000_i64,
             "evidence": [row("Requests", "1,200"), row("Mean request", "800 tokens in, 84 out")],
             "next_step": "Send some of these prompts to gpt-5-mini in the playground.",
             "back_test": {"estimated_nano_usd": 8_000_000_000_i64, "saved_nano_usd": 9_600_000_000_i64}},
            {"rule": "unused_key", "title": format!("The key {HOSTILE} was not used for 30 days"),
             "subject": {"dimension": "credential", "key": "old", "label": HOSTILE},
             "saving_nano_usd_per_month": null, "evidence": [row("Requests", "0")],
             "next_step": "Revoke it at the provider and remove it here, unless it is a spare.",
             "back_test": null}],
        "unavailable_rules": ["No route is suggested for the cache."],
    })
}

pub(super) fn usage_anomalies_fixture() -> Value {
    let excess = |dimension: &str, key: &str, excess: i64| json!({"dimension": dimension, "key": key, "label": key, "excess_nano_usd": excess});
    json!({
        "from": ago(604_800), "to": NOW.0, "learning": true,
        "finding": "2 unusual things in the last 7 days",
        "anomalies": [
            {"id": "cost@2026-11-21T14:00:00.000Z", "rule": "cost", "start": ago(7_200), "end": ago(3_600),
             "finding": "$4.20 on 21 Nov from 14:00 to 15:00, usually $0.30",
             "actual": 4_200_000_000.0, "expected": 300_000_000.0, "unit": "nano_usd",
             "robust_z": 9.5, "subject": null,
             "split": {"volume_nano_usd": 3_000_000_000_i64, "mix_nano_usd": 1_000_000_000_i64,
                 "price_nano_usd": -100_000_000_i64},
             "contributors": [excess("client", "codex", 3_900_000_000), excess("model", HOSTILE, 2_000_000_000)]},
            {"id": "request_rate@2026-11-20T10:00:00.000Z", "rule": "request_rate", "start": ago(90_000), "end": ago(86_400),
             "finding": "700 requests on 20 Nov from 10:00 to 11:00, usually 40 an hour",
             "actual": 700.0, "expected": 40.0, "unit": "requests", "robust_z": null, "split": null,
             "subject": {"dimension": "client", "key": "codex", "label": "codex"},
             "contributors": []}],
        "dismissed": [
            {"id": "first_seen@2026-11-19T09:00:00.000Z,client=codex", "rule": "first_seen",
             "start": ago(190_000), "end": ago(186_400), "finding": "New client: codex",
             "actual": 3.0, "expected": 0.0, "unit": "requests", "robust_z": null, "split": null,
             "subject": null, "contributors": []}],
        "unavailable_rules": ["Repeated prompts are not looked for: hashes of prompts are not recorded."],
    })
}

pub(super) fn usage_efficiency_fixture() -> Value {
    let saving = |key: &str, saved: i64, hits: u64| {
        json!({"kind": "named", "key": key, "label": key, "saved_nano_usd": saved, "hits": hits,
            "eligible_requests": 3 * hits, "saved_ms": 1_250 * hits})
    };
    let waste = |kind: &str, label: &str, cost: i64, requests: u64, unpriced: u64| {
        json!({"kind": kind, "label": label, "requests": requests, "cost_nano_usd": cost,
            "is_cost_unknown": is_unknown(cost, requests, unpriced), "unpriced": unpriced})
    };
    json!({
        "from": ago(86_400), "to": NOW.0,
        "finding": "The cache saved $4.10; $0.30 was wasted",
        "cost_nano_usd": 9_000_000_000_i64, "is_cost_unknown": false, "requests": 1_200,
        "unpriced_requests": 7, "saved_nano_usd": 4_100_000_000_i64,
        "without_cache_nano_usd": 13_100_000_000_i64,
        "cache_savings": [saving("fast", 4_100_000_000, 50)],
        "cache_savings_by_model": [],
        "cache_savings_by_client": [saving("codex", 4_000_000_000, 48), saving(HOSTILE, 100_000_000, 2)],
        "provider_cache_read_percent": 41.25,
        "waste": [waste("failed", "Failed requests", 200_000_000, 4, 1),
            waste("retries", "Retries", 100_000_000, 9, 0),
            waste("health", "Health measurements", 0, 0, 0),
            waste("checks", "Readiness checks", 0, 2, 2)],
    })
}

pub(super) fn usage_heatmap_fixture() -> Value {
    let none = segment(0, 0, 0);
    let mut weekdays = vec![
        json!({"weekday": "Monday", "hours": vec![none.clone(); 24], "newest": vec![Value::Null; 24]}),
        json!({"weekday": "Tuesday", "hours": vec![none; 24], "newest": vec![Value::Null; 24]}),
    ];
    weekdays[1]["hours"][14] = segment(1_200_000_000, 3, 900);
    weekdays[0]["hours"][14] = partly_priced(0, 2, 2, 50);
    weekdays[0]["hours"][9] = partly_priced(100_000_000, 2, 1, 50);
    json!({"from": ago(86_400), "to": NOW.0, "weekdays": weekdays,
        "finding": "Most is spent on Tuesday from 14:00 to 15:00"})
}

pub(super) fn profiles_fixture() -> Value {
    json!({"active": "work", "profiles": [
        {"name": "work", "active": true, "backends": ["company", "shared"]},
        {"name": "home", "active": false, "backends": ["own", "shared"]},
    ], "in_all": ["local"]})
}

pub(super) fn pins_fixture() -> Value {
    let pin = |name: &str, measure: &str, unit: &str, text: &str, value: Value, change: Value| {
        json!({"name": name, "measure": measure, "range": "last_week",
            "filter": {"project": HOSTILE}, "from": ago(604_800), "to": NOW.0,
            "measure_label": "Cost", "scope_label": format!("project {HOSTILE}, 7 days"),
            "unit": unit, "text": text, "value": value, "previous": null,
            "unpriced_requests": if unit == "nano_usd" { 3 } else { 0 }, "previous_label": null,
            "change": change, "days": [{"start": ago(86_400), "label": "21 Nov", "value": value}]})
    };
    json!([
        pin("spend", "cost", "nano_usd", "$4.10", json!(4_100_000_000.0), json!(-12.0)),
        pin("good", "success_rate", "percent", "98.5 %", json!(98.5), json!(0.5)),
        pin("fast", "first_token_p95", "ms", "unknown", Value::Null, Value::Null)
    ])
}

pub(super) fn usage_expensive_fixture() -> Value {
    let step = |from: i64, to: i64, label: &str, requests: u32| {
        json!({"from_nano_usd": from, "to_nano_usd": to, "label": label, "requests": requests,
            "cost_nano_usd": from * i64::from(requests)})
    };
    json!({
        "from": ago(86_400), "to": NOW.0,
        "finding": "The 2 most expensive of 1,203 requests: 80 % of $5.00",
        "cost_nano_usd": 5_000_000_000_i64, "priced_requests": 1_203,
        "requests": requests_fixture()["requests"],
        "histogram": [step(0, 100_000, "below $0.0001", 1_200), step(100_000, 200_000, "$0.0001 to $0.0002", 0),
            step(2_000_000_000, 5_000_000_000, "$2.00 to $5.00", 3)],
    })
}

pub(super) fn usage_cross_fixture() -> Value {
    let group = |key: &str, cost: i64| json!({"kind": "named", "key": key, "label": key, "totals": totals(cost, 2, 0, 0), "cost_share_percent": 50});
    json!({
        "from": ago(86_400), "to": NOW.0, "cost_basis": "known",
        "basis": "Stated by the backend, else computed; 100 % of requests priced",
        "rows": [group("gpt-5-mini", 4_000_000_000), group(HOSTILE, 1_000_000_000), group("other", 0)],
        "columns": [group("codex", 4_500_000_000), group("=cmd", 500_000_000)],
        "cells": [[totals(4_000_000_000, 2, 0, 0), totals(0, 0, 0, 0)],
            [totals(500_000_000, 0, 0, 0), totals(500_000_000, 2, 1, 0)],
            // What failed attempts alone cost there, or might have.
            [totals(0, 0, 2, 0), totals(0, 0, 0, 0)]],
        "totals": totals(5_000_000_000, 4, 3, 0),
    })
}

pub(in crate::command) fn requests_fixture() -> Value {
    json!({"requests": [
        {"id": "req_2", "started_at": ago(3), "client": "codex", "ended_at": ago(2), "project": "website", "route": "openai/gpt-5-mini", "key": "openai-key", "cache": "miss", "backend": "openai",
         "model_asked": "openai/gpt-5-mini", "model_billed": "gpt-5-mini", "state": "complete",
         "http_status": 200, "error": null, "error_class": null, "explanation": "named", "device": null, "stream": true,
         "finish_reason": "stop", "input_tokens": 1_200, "cache_read_tokens": 0,
         "output_tokens": 34, "usage_basis": "adjusted", "usage_raw": "{\"prompt_tokens\":1200}",
         "cost_nano_usd": 123_000, "cost_basis": "computed", "unpriced": null, "first_token_ms": 210.5, "total_ms": 1_234.0,
         "attempts": 1},
        {"id": "req_3", "started_at": ago(60), "client": "zed", "ended_at": ago(59), "project": null, "route": "groq/oss-20b", "key": "groq", "cache": "bypass", "backend": "groq",
         "model_asked": "groq/oss-20b", "model_billed": null, "state": "partial",
         "http_status": 200, "error": "silent", "error_class": null, "explanation": "named", "device": null, "stream": true,
         "finish_reason": null, "input_tokens": 2_400, "cache_read_tokens": 0,
         "output_tokens": 56, "usage_basis": "estimated", "usage_raw": null, "cost_nano_usd": 456_000,
         "cost_basis": "estimated", "unpriced": null, "first_token_ms": 90.0, "total_ms": 800.0, "attempts": 1},
        {"id": "req_1", "started_at": ago(600), "client": "aider", "ended_at": ago(600), "project": null, "route": "none", "key": null, "cache": "bypass", "backend": null,
         "model_asked": HOSTILE, "model_billed": null, "state": "failed", "http_status": 404,
         "error": "model_not_found", "error_class": null, "explanation": "", "device": null, "stream": false, "finish_reason": null,
         "input_tokens": null, "cache_read_tokens": null, "output_tokens": null, "usage_basis": null,
         "usage_raw": null, "cost_nano_usd": null,
         "cost_basis": "unpriced", "unpriced": null, "first_token_ms": null, "total_ms": 3.0, "attempts": 0},
    ], "next": "req_1", "looked_back_to": null, "no_longer_kept": null})
}

pub(super) fn settings_fixture() -> Value {
    let values = json!({"gateway_port": 4283, "in_flight_max": 50, "body_bytes_max": 33_554_432,
        "connect_timeout_ms": 5_000, "first_token_timeout_ms": 60_000,
        "stall_timeout_ms": 30_000, "total_timeout_ms": 600_000, "health_interval_secs": 30,
        "retention_days": 90, "import_session_logs": false, "notifications_enabled": true,
        "theme": "system", "currency_show": "USD",
        "vault_kind": "keychain", "cache_enabled": true, "cache_ttl_secs": 600,
        "cache_memory_bytes_max": 67_108_864, "cache_entry_bytes_max": 2_097_152,
        "cache_disk": true, "cache_disk_bytes_max": 536_870_912, "cache_redis_url": null,
        "cache_redis_credential": null,
        "resilience": {"preset": "balanced", "custom": {"calls_min": 10}}});
    let any = json!({"min": 1, "max": 65_535});
    json!({
        "path": "/c/settings.toml", "valid": false, "values": values, "defaults": values, "entries": {},
        "ranges": {"gateway_port": any, "in_flight_max": any, "body_bytes_max": any,
            "connect_timeout_ms": any, "first_token_timeout_ms": any, "stall_timeout_ms": any,
            "total_timeout_ms": any, "health_interval_secs": any, "retention_days": any,
            "cache_ttl_secs": any, "cache_memory_bytes_max": any, "cache_entry_bytes_max": any,
            "cache_disk_bytes_max": any},
        "resilience": {"fields": [], "presets": []},
        "problems": [
            {"path": "gateway.port", "line": 3, "fatal": true,
             "message": "80 is not allowed; choose 1024 to 65535"},
            {"path": "colour", "line": null, "fatal": false, "message": "not known; remove it"},
        ],
        "proposed_fix": "-colour = \"red\"\n+# \u{1b}[2Jremoved\n",
        "vault": {"kind": "keychain", "state": "ready", "hint": null,
            "keychain_missing": false, "file_exists": false, "set_by_environment": false},
        "folders": {"config": "/c", "data": "/d", "state": "/s", "ledger_bytes": 4_096},
    })
}

fn check(id: &str, state: &str, cause: Option<&str>, fix: Option<&str>) -> Value {
    json!({"id": id, "title": format!("Question {id}"), "category": "Reliability",
        "severity": "blocker", "state": state, "evidence": ["127.0.0.1:9900 refused"],
        "cause": cause, "fix": fix, "action": null, "depends_on": [], "duration_ms": 12})
}

pub(super) fn run_fixture() -> Value {
    json!({
        "id": "run_1", "set": "full", "state": "finished", "started_at": ago(5),
        "ended_at": ago(3), "verdict": "not_ready",
        "sentence": "1 blocker: openai cannot be reached", "score_tenths": 83,
        "score_change_tenths": -17, "confidence_percent": 94,
        "categories": [{"name": "Reliability", "score_tenths": 83},
            {"name": "Security", "score_tenths": null}],
        "checks": [
            check("R-02", "pass", None, None),
            check("R-10/openai", "fail", Some(HOSTILE), Some("Start the server.")),
            check("R-11/openai", "skipped", None, None),
            check("R-13", "warn", Some("the port is a usual one"), None),
        ],
        "best_fixes": ["R-10/openai"],
    })
}

pub(super) fn cache_fixture() -> Value {
    json!({
        "enabled": true, "sentence": "31 of 84 repeatable requests were free.", "ttl_secs": 600,
        "tiers": [
            {"tier": "memory", "state": "on", "detail": "In this process", "entries": 1_204,
             "bytes": 3_500_000, "bytes_max": 67_108_864, "hits": 30},
            {"tier": "disk", "state": "lost", "detail": format!("said {HOSTILE}"),
             "entries": null, "bytes": null, "bytes_max": null, "hits": 1},
            {"tier": "shared", "state": "off", "detail": "Switched off", "entries": null,
             "bytes": null, "bytes_max": null, "hits": 0},
        ],
        "eligible": 84, "hits": 31, "joined": 2, "hit_percent": 36.904_761,
        "saved_nano_usd": 1_230_000_000_i64, "saved_ms": 42_000,
        "bypasses": [
            {"reason": "sampled", "label": "Not repeatable (temperature is not 0).",
             "hint": "Use temperature 0.", "requests": 1_200},
            {"reason": "", "label": "Nobody asked it.", "hint": null, "requests": 3},
        ],
        "advice": "Half the memory limit would be enough.",
    })
}

pub(super) fn endpoints_fixture() -> Value {
    let calm = json!({"state": "closed", "percent": null, "why": "No failures are known.",
        "since": null, "until": null});
    let free = json!({"in_flight": 0, "limit": null, "limit_max": null});
    json!([
        {"backend": "mock", "backend_label": "Mock", "credential": null, "credential_label": null,
         "availability": {"credential": null, "state": "ready", "percent": null,
            "why": "Healthy.", "since": null, "until": null},
         "breaker": calm, "cooldowns": [], "block": null, "forced": null, "concurrency": free},
        {"backend": "openai", "backend_label": "OpenAI", "credential": "first",
         "credential_label": "First",
         "availability": {"credential": "first", "state": "open", "percent": null,
            "why": format!("Open: {HOSTILE}"), "since": ago(3), "until": NOW.0 + 17_000},
         "breaker": {"state": "open", "percent": null, "why": "Calls failed one after the other.",
            "since": ago(3), "until": NOW.0 + 17_000},
         "cooldowns": [{"model": "big", "why": "The daily quota is used up.",
            "until": NOW.0 + 7_200_000}],
         "block": null, "forced": null, "concurrency": free},
        {"backend": "openai", "backend_label": "OpenAI", "credential": "second",
         "credential_label": "Second",
         "availability": {"credential": "second", "state": "blocked", "percent": null,
            "why": "Blocked: the provider does not accept the key.", "since": ago(60),
            "until": null},
         "breaker": calm, "cooldowns": [],
         "block": {"reason": "key-rejected", "why": "It said 401.", "fix": "Replace the key.",
            "since": ago(60)},
         "forced": null, "concurrency": free},
    ])
}

pub(super) fn routes_fixture() -> Value {
    let ready = json!({"credential": "home", "state": "ready", "percent": null,
        "why": "Healthy.", "since": null, "until": null});
    let open = json!({"credential": null, "state": "open", "percent": null,
        "why": "Tripped: several requests in a row failed.", "since": null, "until": null});
    let candidate = |backend: &str, model: Option<&str>, state: &Value, requests: u64| {
        json!({"backend": backend, "backend_label": backend, "model": model, "weight": 3,
            "availability": state, "accesses": [state], "requests": requests, "share_percent": 50})
    };
    let weights = json!({"latency": 50, "cost": 30, "headroom": 20});
    json!({"sentence": "fast: b (small) is the first of 2 in the route fast; a is not ready: its breaker is tripped.",
        "unrouted_requests": 12, "routes": [
        {"id": "fast", "models": ["fast", HOSTILE], "clients": ["aider"], "projects": [],
         "policy": "balanced", "weights": weights, "sticky_secs": 600, "crossing": null,
         "cache": null, "enabled": true, "in_profile": true, "switched_clients": ["codex"], "requests": 12_345, "share_percent": 90,
         "sentence": "b (small) is the first of 2 in the route fast; a is not ready: its breaker is tripped.",
         "candidates": [candidate("a", None, &open, 45), candidate("b", Some("small"), &ready, 12_300)]},
        {"id": "rest", "models": ["*"], "clients": [], "projects": [], "policy": "least-busy",
         "weights": weights, "sticky_secs": null, "crossing": null, "cache": null,
         "enabled": false, "in_profile": true, "switched_clients": [], "requests": 0, "share_percent": 0,
         "sentence": "Switched off: its names go by the next rule.",
         "candidates": [candidate("a", None, &open, 0)]},
    ]})
}

pub(super) fn decision_fixture() -> Value {
    let availability = |state: &str, why: &str| {
        json!({"credential": null, "state": state,
        "percent": null, "why": why, "since": null, "until": null})
    };
    let choice = |place: u32, backend: &str, credential: Option<&str>, availability: Value| {
        json!({"place": place, "backend": backend, "credential": credential, "model": HOSTILE,
            "why": "Position 2.", "availability": availability, "parts": []})
    };
    json!({"route": "fast", "policy": "ordered", "served": true,
        "sentence": "b is the first of 2 in the route fast; a is not ready: its breaker is tripped; skipped: c does not support tools.",
        "candidates": [
            choice(1, "b", Some("work"), availability("ready", "Healthy.")),
            choice(2, "a", None, availability("cooling_down", "The provider's rate limit is reached.")),
        ],
        "passed_over": [{"backend": "c", "credential": null, "model": "m", "reason": "It does not support tools."}]})
}

pub(super) fn prices_fixture() -> Value {
    json!({
        "sentence": "3 prices, 1 of them for one backend.",
        "rows": [
            {"id": "backend:home/m@2026-11-20", "owner": "home", "backend": "home", "model": HOSTILE,
             "state": "in_force", "from": "2026-11-20", "until": null, "source": "stated by you",
             "confidence": "declared", "input": 2_500_000_000_u64, "cache_read": null,
             "output": 10_000_000_000_u64, "rates": [], "regions": []},
            {"id": "google/gemini-3.6-flash@2026-11-01", "owner": "google", "backend": null,
             "model": "gemini-3.6-flash", "state": "in_force", "from": "2026-11-01",
             "until": "2027-01-01", "source": "https://ai.google.dev", "confidence": "listed",
             "input": 750_000_000_u64, "cache_read": 75_000_000_u64, "output": 3_750_000_000_u64,
             "rates": [], "regions": []},
        ],
        "found": 3,
        "last_change": null,
    })
}

fn share(period: &str, percent: Option<f64>, sentence: &str) -> Value {
    json!({"period": period, "percent": percent, "observed_secs": 86_400,
        "coverage_percent": 42.0, "sentence": sentence})
}

pub(crate) fn health_fixture() -> Value {
    let day = |cell: &str, percent: Value| {
        json!({"day": "2026-11-20", "cell": cell, "percent": percent, "observed_minutes": 600,
            "down_minutes": 3})
    };
    let part = |part: &str, points: Value, most: u32| json!({"part": part, "meaning": "What it measures", "points": points, "points_max": most});
    let health = |state: &str, reason: &str| {
        json!({"state": state, "reason": reason, "since": NOW.0 - 7_200_000,
            "last_checked": NOW.0, "probe_ms": 41, "last_known": null})
    };
    let down = json!({"id": "openai", "label": HOSTILE, "health": health("down", HOSTILE),
        "availability": [share("24 h", Some(96.0), "96.00 % of 2 h observed"),
            share("7 d", Some(99.9), "99.90 % of 61 h observed"),
            share("90 d", Some(99.99), "99.99 % of 12 d observed")],
        "strip": [day("not_observed", Value::Null), day("good", json!(100.0)),
            day("partial", json!(99.0)), day("bad", json!(40.0))],
        "first_token": {"p50_ms": 412.3, "p95_ms": 2_050.4, "count": 120, "usual_p95_ms": 900.0,
            "changes": [{"percentile": 50, "change": "unclear", "low_ms": -4.0, "high_ms": 9.0,
                    "sentence": "The median has not changed measurably from the seven days before"},
                {"percentile": 95, "change": "slower", "low_ms": 810.0, "high_ms": 1_600.0,
                    "sentence": "The 95th percentile is 810 ms to 1.6 s later than in the seven days before, \
                        with 95 % confidence"}]},
        "score": {"points": 25, "parts": [part("availability", json!(8.0), 40),
            part("quota", Value::Null, 10)], "cap": "blocked",
            "cap_sentence": "Its key or account is refused: at most 25", "confidence": "medium"}});
    let unseen = json!({"id": "home", "label": "Home", "health": health("unknown", "not checked"),
        "availability": [share("24 h", None, "not observed")], "strip": [],
        "first_token": null, "score": {"points": null, "parts": [], "cap": null,
            "cap_sentence": null, "confidence": "low"}});
    json!({"finding": "1 of 2 backends does not answer", "is_offline": false,
        "backends": [down, unseen], "services": services_fixture()})
}

pub(crate) fn services_fixture() -> Value {
    let health = |state: &str, reason: &str| {
        json!({"state": state, "reason": reason, "since": NOW.0 - 7_200_000,
            "last_checked": NOW.0, "probe_ms": 41, "last_known": null})
    };
    let expects = json!({"method": "GET", "status": 200, "contains": "", "key_header": "",
        "scopes": ["repo"]});
    let github = json!({"id": "github", "label": "GitHub", "kind": "github",
        "address": "https://api.github.com/", "credential": "github", "required": true,
        "enabled": true, "private_network": false, "expects": expects,
        "health": health("up", "answers"),
        "availability": [share("24 h", Some(96.0), "96.00 % of 2 h observed"),
            share("7 d", Some(99.9), "99.90 % of 61 h observed"),
            share("90 d", Some(99.99), "99.99 % of 12 d observed")], "strip": [],
        "account": {"login": HOSTILE, "scopes": ["gist", "repo"], "missing": ["read:org"],
            "expires_at": NOW.0 + 86_400_000}});
    let store = json!({"id": "store", "label": HOSTILE, "kind": "tcp",
        "address": "tcp://127.0.0.1:5432", "credential": null, "required": false,
        "enabled": true, "private_network": false, "expects": expects,
        "health": health("down", HOSTILE),
        "availability": [share("24 h", None, "not observed")], "strip": [], "account": null});
    json!({"finding": "1 of 2 services is down", "services": [github, store]})
}

pub(crate) fn service_levels_fixture() -> Value {
    let level = |kind: &str, label: &str, state: &str, left: Value, advice: &str| {
        json!({"kind": kind, "indicator": "requests", "id": "it", "label": label, "state": state,
            "objective": "99.5 % in 7 days", "goal_percent": 99.5, "period_days": 7,
            "valid": 1_000, "bad": 3, "good_percent": 99.7, "budget_left_percent": left,
            "terms": {"target": kind, "name": null, "goal": "99.5", "period": "7d", "max_ms": null,
                "is_own": false, "default_objective": "99.5 % in 7 days"}, "time": null,
            "burn": [], "exhausted_at": null, "advice": advice, "pace": {"factor": 1.5,
                "long": {"window": "24h", "valid": 400, "bad": 3, "rate": 1.84},
                "short": {"window": "2h", "valid": 12, "bad": 1, "rate": null}}})
    };
    let mut burning = level("backend", HOSTILE, "burning_fast", json!(12.0), "Look at it.");
    burning["exhausted_at"] = json!(NOW.0 + 7_200_000);
    let mut slow = level("backend", "Home", "kept", json!(80.0), "");
    slow["indicator"] = json!("first-token");
    slow["pace"] = Value::Null;
    slow["terms"]["is_own"] = json!(true);
    let mut service = level("service", "Store", "tight", json!(44.4), "");
    service["indicator"] = json!("availability");
    service["pace"] = Value::Null;
    service["time"] = json!({"observed_secs": 108_000, "down_secs": 300, "allowed_secs": 540,
        "left_secs": 240, "needed_secs": 86_400});
    let objectives = json!([{"target": "gateway", "label": "Gateway", "goal": "99.95",
        "period": "30d", "period_is_fixed": false, "is_default": true,
        "consequence": "allows 22 min, or 6 of 12,000 requests"}]);
    json!({"finding": "1 of 3 objectives will be missed at this rate",
        "objectives": objectives, "first_token_max_ms": 2_000, "levels": [
        level("gateway", "Gateway", "not_enough_data", Value::Null, ""),
        level("route", "fast", "missed", json!(0.0), "Put another backend first."),
        burning, slow, service]})
}

pub(crate) fn health_tree_fixture() -> Value {
    let node = |id: &str, depth: u32, label: &str, state: &str, by: Value, folded: bool| {
        json!({"id": id, "parent": null, "depth": depth, "kind": "backend", "label": label,
            "state": state, "reason": if state == "up" { "" } else { "It does not answer." },
            "since": NOW.0 - 7_200_000, "suppressed_by": by, "suppresses": 0, "folded": folded,
            "action": null})
    };
    json!({"finding": "One cause: groq is down", "nodes": [
        node("network", 0, "Network", "up", Value::Null, false),
        node("provider/groq", 1, "api.groq.com", "down", json!(HOSTILE), false),
        node("backend/groq", 2, HOSTILE, "down", Value::Null, false),
        node("models/groq", 3, "3 models", "unknown", json!(HOSTILE), false),
        node("provider/openai", 1, "api.openai.com", "up", Value::Null, true),
        node("backend/openai", 2, "hidden, as all is well", "up", Value::Null, false),
        node("machine", 0, "This machine", "up", Value::Null, true),
        node("ledger", 1, "Ledger", "up", Value::Null, false)]})
}

pub(crate) fn health_timeline_fixture() -> Value {
    let span = |from_s: i64, to_s: i64, state: &str| {
        json!({"from": NOW.0 - from_s * 1_000, "to": NOW.0 - to_s * 1_000, "state": state,
            "why": if state == "up" { "" } else { HOSTILE }})
    };
    let lane = |kind: &str, label: &str, summary: &str, spans: Value| {
        json!({"kind": kind, "id": kind, "label": label, "summary": summary, "spans": spans,
            "down_secs": 720, "observed_secs": 32_400})
    };
    json!({"finding": "openai was down for 12 min in the last 24 hours",
        "from": NOW.0 - 86_400_000, "to": NOW.0, "markers": [], "lanes": [
        lane("network", "Network", "never offline in 9 h observed",
            json!([span(86_400, 32_400, "not_observed"), span(32_400, 0, "up")])),
        lane("backend", HOSTILE, "down for 12 min of 9 h observed",
            json!([span(32_400, 7_200, "up"), span(7_200, 6_480, "down"), span(6_480, 6_420, "degraded"),
                span(6_420, 0, "up")]))]})
}
