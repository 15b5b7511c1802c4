//! Telemetry, taken by a collector that reads it with OpenTelemetry's own definitions for Python.

use std::collections::BTreeMap;

use acceptance::{HomeVault, TestHome, post_chat};
use serde_json::{Value, json};
use test_support::leak_encodings;

use super::python_server::PythonServer;

const TOKEN: &str = "collector-token-8f21d3c0";
const PROMPT: &str = "canary-prompt-77ab01";

/// A home that sends to the collector with this token.
async fn home_with_telemetry(collector: &PythonServer, token: &str) -> TestHome {
    let home = TestHome::new(HomeVault::File);
    let endpoint = format!("http://127.0.0.1:{}", collector.port);
    let add = ["keys", "add", "otel", "--url", &endpoint, "--stdin"];
    home.gatehouse(&add).stdin(token).run().await.expect_success();
    for (name, value) in [
        ("telemetry_endpoint", endpoint.as_str()),
        ("telemetry_credential", "otel"),
        ("telemetry_enabled", "true"),
    ] {
        home.gatehouse(&["settings", "set", name, value]).run().await.expect_success();
    }
    home
}

/// What the telemetry got from one answer of the mock, up to the end of the program.
async fn ask_once(home: &TestHome) {
    let server = home.serve().await;
    let token = home.client("editor").await;
    let request = json!({"model": "mock/echo", "messages": [{"role": "user", "content": PROMPT}]});
    let answer = post_chat(server.gateway, &token, &request).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(server.stop().await, Some(0));
}

/// Names and values of a message's attributes.
fn attributes(of: &Value) -> BTreeMap<&str, String> {
    let pairs = of["attributes"].as_array().expect("attributes");
    let value = |pair: &Value| match &pair["value"] {
        Value::Object(one) => one.values().next().map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }),
        _ => None,
    };
    pairs.iter().map(|it| (it["key"].as_str().expect("a name"), value(it).expect("set"))).collect()
}

#[tokio::test]
#[ignore = "needs opentelemetry-proto: `cargo xtask test --only sdk`"]
async fn a_collector_takes_the_spans_and_the_histograms_of_a_request() {
    let Some(mut collector) = PythonServer::start("otlp_collector.py", &[TOKEN]).await else {
        return;
    };
    let home = home_with_telemetry(&collector, TOKEN).await;
    ask_once(&home).await;

    let traces = collector.event("traces").await;
    let resource = &traces["message"]["resourceSpans"][0];
    assert_eq!(attributes(&resource["resource"])["service.name"], "gatehouse");
    let spans = resource["scopeSpans"][0]["spans"].as_array().expect("spans");
    let [request, attempt] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!(request["name"], "chat mock/echo");
    assert_eq!(
        (&request["kind"], &attempt["kind"]),
        (&json!("SPAN_KIND_SERVER"), &json!("SPAN_KIND_CLIENT"))
    );
    assert_eq!(attempt["parentSpanId"], request["spanId"]);
    assert_eq!(attempt["traceId"], request["traceId"]);
    let named = attributes(request);
    assert_eq!(named["gen_ai.operation.name"], "chat");
    assert_eq!(named["gen_ai.request.model"], "mock/echo");
    assert_eq!(named["gatehouse.client"], "editor");

    let metrics = collector.event("metrics").await;
    let metrics = &metrics["message"]["resourceMetrics"][0]["scopeMetrics"][0]["metrics"];
    let units = metrics.as_array().expect("metrics").iter();
    let units: BTreeMap<_, _> =
        units.map(|it| (it["name"].as_str(), it["unit"].as_str())).collect();
    let wanted =
        [("gen_ai.client.operation.duration", "s"), ("gen_ai.client.token.usage", "{token}")];
    assert_eq!(units, wanted.map(|(name, unit)| (Some(name), Some(unit))).into());

    let sent = format!("{traces}{metrics}");
    for mark in [PROMPT, TOKEN, &home.path().display().to_string()] {
        for spelling in leak_encodings(mark) {
            assert!(memchr::memmem::find(sent.as_bytes(), &spelling).is_none(), "{mark}: {sent}");
        }
    }
    assert_eq!(collector.kill().await, None, "one message each");
}

#[tokio::test]
#[ignore = "needs opentelemetry-proto: `cargo xtask test --only sdk`"]
async fn a_collector_that_refuses_the_token_is_not_asked_again() {
    let Some(mut collector) = PythonServer::start("otlp_collector.py", &[TOKEN]).await else {
        return;
    };
    let home = home_with_telemetry(&collector, "another-token-00").await;
    ask_once(&home).await;
    assert_eq!(collector.event("refused").await["status"], 401, "the traces");
    assert_eq!(collector.event("refused").await["status"], 401, "the metrics");
    assert_eq!(collector.kill().await, None, "nothing is sent again");
}
