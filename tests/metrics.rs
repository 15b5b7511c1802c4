//! Figures for Prometheus at `/metrics` of both listeners, read by a parser that shares no code
//! with what writes them.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

use acceptance::{HomeVault, TestHome, TestServer, await_or_fail, post_chat};
use prometheus_parse::{Sample, Scrape, Value};
use serde_json::json;
use test_support::{
    ChatText, MARKED_KEY, RawAnswer, RawClient, ReceivedRequest, Reply, ScriptedUpstream,
    leak_encodings,
};

const MARKED_PROMPT: &str = "canary-prompt-51c0ffee";

/// Answers for the model `m`, and repeats the key for others, as some servers do.
fn answer(request: &ReceivedRequest) -> Reply {
    let (body, text) =
        (request.json(), ChatText { model: "m", deltas: &["one"], usage: Some((7, 2)) });
    match body.get("model").and_then(serde_json::Value::as_str) {
        Some("m") if body.get("stream") == Some(&json!(true)) => Reply::chat_stream(&text),
        Some("m") => Reply::chat(&text),
        Some(_) => Reply::echo_key(request),
        None => Reply::models(&["m"]),
    }
}

async fn get_metrics(served: &TestServer, authorization: &str) -> RawAnswer {
    let host = format!("host: {}", served.control.address);
    await_or_fail("an answer", async {
        let mut client = RawClient::connect(served.control.address).await.expect("connected");
        let headers = [host.as_str(), authorization];
        client.send_request("GET /metrics HTTP/1.1", &headers, b"").await.expect("sent");
        client.read_answer().await.expect("an answer")
    })
    .await
}

fn parse(text: &str) -> Scrape {
    assert!(text.ends_with("# EOF\n"), "{text}");
    Scrape::parse(text.lines().map(|line| Ok(line.to_owned()))).expect("readable")
}

/// Samples of `metric` that have all of `labels`.
fn samples<'a>(scrape: &'a Scrape, metric: &str, labels: &[(&str, &str)]) -> Vec<&'a Sample> {
    let has = |sample: &&Sample| {
        let mut wanted = labels.iter();
        sample.metric == metric
            && wanted.all(|(name, value)| sample.labels.get(name) == Some(*value))
    };
    scrape.samples.iter().filter(has).collect()
}

/// The sum of those samples; `None` if there is none.
fn sum(scrape: &Scrape, metric: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let found = samples(scrape, metric, labels);
    let number = |sample: &&Sample| match &sample.value {
        Value::Counter(number) | Value::Gauge(number) | Value::Untyped(number) => *number,
        other => panic!("{metric} is {other:?}"),
    };
    (!found.is_empty()).then(|| found.iter().map(number).sum())
}

#[track_caller]
fn assert_sum(scrape: &Scrape, metric: &str, labels: &[(&str, &str)], wanted: f64) {
    let found = sum(scrape, metric, labels).unwrap_or_else(|| panic!("no {metric} {labels:?}"));
    assert!((found - wanted).abs() < 1e-12, "{metric} {labels:?} is {found}");
}

async fn home_with_upstream(upstream: &ScriptedUpstream) -> (TestHome, TestServer, String) {
    let home = TestHome::new(HomeVault::Memory);
    let served = home.serve().await;
    let backend = json!({"id": "up", "label": "", "kind": "openai-compatible",
        "base_url": upstream.base_url(), "key": {"kind": "new", "secret": MARKED_KEY},
        "models": [], "lacks": [], "offers": [], "crossing": "strict"});
    assert_eq!(served.control.call("backend_add", &backend).await.status, 200);
    for words in [
        &["prices", "set", "up", "m", "--input", "1", "--output", "1"][..],
        &["budgets", "set", "monthly", "--limit", "2"],
    ] {
        home.gatehouse(words).run().await.expect_success();
    }
    let token = home.client("editor").await;
    (home, served, token)
}

#[tokio::test]
async fn what_settled_is_counted_while_they_are_on() {
    let upstream = ScriptedUpstream::start_with(|request| Some(answer(request)));
    let upstream = upstream.await.expect("an upstream");
    let (home, served, token) = home_with_upstream(&upstream).await;
    let own = served.control.authorization();
    let off = get_metrics(&served, &own).await;
    assert_eq!(off.status, 404);
    assert!(off.text().contains("gatehouse settings set metrics_prometheus true"));
    let chat = |model: &str| json!({"model": model, "messages": [{"role": "user", "content": MARKED_PROMPT}]});
    let uncounted = post_chat(served.gateway, &token, &chat("up/m")).await;
    assert_eq!(uncounted.status, 200, "{}", uncounted.text());

    home.gatehouse(&["settings", "set", "metrics_prometheus", "true"]).run().await.expect_success();
    assert_eq!(get_metrics(&served, "authorization: Bearer ghc_wrong").await.status, 401);
    assert_eq!(get_metrics(&served, &format!("authorization: Bearer {token}")).await.status, 401);
    let mut streamed = chat("up/m");
    if let Some(fields) = streamed.as_object_mut() {
        fields.insert("stream".to_owned(), json!(true));
    }
    for request in [chat("up/m"), streamed] {
        assert_eq!(post_chat(served.gateway, &token, &request).await.status, 200);
    }
    for refused in [format!("up/{MARKED_KEY}"), format!("up/{MARKED_PROMPT}")] {
        let answer = post_chat(served.gateway, &token, &chat(&refused)).await;
        assert_ne!(answer.status, 200, "{}", answer.text());
    }
    let text = get_metrics(&served, &own).await.text();
    let scrape = parse(&text);
    let up = ("backend", "up");
    assert_sum(&scrape, "gatehouse_requests_total", &[up, ("status", "2xx")], 2.0);
    let named = [up, ("model", "up/m"), ("outcome", "complete")];
    assert_sum(&scrape, "gatehouse_requests_total", &named, 2.0);
    assert_sum(&scrape, "gatehouse_requests_total", &[("model", "other")], 2.0);
    assert_sum(&scrape, "gatehouse_tokens_total", &[up, ("meter", "input")], 14.0);
    assert_sum(&scrape, "gatehouse_tokens_total", &[up, ("meter", "output")], 4.0);
    assert_sum(&scrape, "gatehouse_cost_dollars_total", &[("model", "up/m")], 0.000_018);
    assert_eq!(sum(&scrape, "gatehouse_unpriced_requests_total", &[("model", "up/m")]), None);
    assert_sum(&scrape, "gatehouse_cache_requests_total", &[("result", "bypass")], 4.0);
    assert_sum(&scrape, "gatehouse_build_info", &[], 1.0);
    assert_sum(&scrape, "gatehouse_breakers", &[up], 1.0);
    assert_sum(&scrape, "gatehouse_backend_state", &[up], 1.0);
    assert_sum(&scrape, "gatehouse_budget_limit_dollars", &[("budget", "monthly")], 2.0);
    // The request from before they were on is spent all the same.
    assert_sum(&scrape, "gatehouse_budget_left_dollars", &[("budget", "monthly")], 1.999_973);
    assert_sum(&scrape, "gatehouse_ledger_problems", &[], 0.0);
    // Only a stream has a first token; the refused requests have an end.
    for (metric, wanted) in
        [("gatehouse_request_seconds", 4.0), ("gatehouse_first_token_seconds", 1.0)]
    {
        let found = samples(&scrape, metric, &[up]);
        let counts = found.iter().filter_map(|sample| match &sample.value {
            Value::Histogram(buckets) => buckets.last().map(|last| (last.less_than, last.count)),
            _ => None,
        });
        assert_eq!(counts.collect::<Vec<_>>(), [(f64::INFINITY, wanted)], "{metric}");
    }
    for mark in [MARKED_KEY, MARKED_PROMPT, &token] {
        for spelling in leak_encodings(mark) {
            let is_in = memchr::memmem::find(text.as_bytes(), &spelling).is_some();
            assert!(!is_in, "{mark} is in {text}");
        }
    }
    assert!(!text.contains(&home.path().display().to_string()), "{text}");

    home.gatehouse(&["settings", "set", "metrics_prometheus", "false"])
        .run()
        .await
        .expect_success();
    assert_eq!(get_metrics(&served, &own).await.status, 404, "at once");
    served.stop().await;
}

/// A scraper's own token reads metrics at the gateway's address, which stays, and opens nothing else.
#[tokio::test]
async fn a_token_for_metrics_opens_metrics_and_nothing_else() {
    let upstream = ScriptedUpstream::start_with(|request| Some(answer(request)));
    let upstream = upstream.await.expect("an upstream");
    let (home, served, tool) = home_with_upstream(&upstream).await;
    let added = home.gatehouse(&["clients", "add", "prometheus", "--metrics"]).run().await;
    let token = added.expect_success().out.trim_end().to_owned();
    let off = get(served.gateway, "/metrics", &token).await;
    assert_eq!(off.status, 404, "{}", off.text());
    home.gatehouse(&["settings", "set", "metrics_prometheus", "true"]).run().await.expect_success();

    let body = json!({"model": "up/m", "messages": [{"role": "user", "content": "hi"}]});
    assert_eq!(post_chat(served.gateway, &tool, &body).await.status, 200);
    let read = get(served.gateway, "/metrics", &token).await;
    assert_eq!(read.status, 200, "{}", read.text());
    assert!(
        read.header("content-type")
            .is_some_and(|kind| kind.starts_with("application/openmetrics-text"))
    );
    assert_sum(&parse(&read.text()), "gatehouse_requests_total", &[("status", "2xx")], 1.0);

    let tools = get(served.gateway, "/metrics", &tool).await;
    assert_eq!(
        (tools.status, tools.json()["error"]["code"].as_str()),
        (403, Some("metrics_not_allowed"))
    );
    assert_eq!(get(served.gateway, "/metrics", "ghc_wrong").await.status, 401);
    let asked = post_chat(served.gateway, &token, &body).await;
    assert_eq!((asked.status, asked.json()["error"]["code"].as_str()), (403, Some("metrics_only")));
    for path in ["/v1/models", "/v1/models/up%2Fm", "/mcp"] {
        let answer = get(served.gateway, path, &token).await;
        assert_eq!(answer.status, 403, "{path}: {}", answer.text());
    }
    // Nor the control listener.
    let authorization = format!("authorization: Bearer {token}");
    assert_eq!(get_metrics(&served, &authorization).await.status, 401);

    home.gatehouse(&["clients", "revoke", "prometheus"]).run().await.expect_success();
    assert_eq!(get(served.gateway, "/metrics", &token).await.status, 401);
    served.stop().await;
}

async fn get(gateway: std::net::SocketAddr, path: &str, token: &str) -> RawAnswer {
    let (host, bearer) = (format!("host: {gateway}"), format!("authorization: Bearer {token}"));
    await_or_fail("an answer", async {
        let mut client = RawClient::connect(gateway).await.expect("connected");
        let line = format!("GET {path} HTTP/1.1");
        client.send_request(&line, &[&host, &bearer], b"").await.expect("sent");
        client.read_answer().await.expect("an answer")
    })
    .await
}
