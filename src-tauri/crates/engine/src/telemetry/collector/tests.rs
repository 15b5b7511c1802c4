//! What a collector gets, read from real messages: the stop sends what is queued.

use domain::{
    BackendId, BoundSecret, ClientId, CredentialId, ManualClock, NanoUsd, Origin, RequestId,
    Secret, SeededEntropy, TokenUsage,
};
use endpoints::KeyGeneration;
use gateway::{AttemptSummary, HttpUpstream, Recorded};
use ledger::{CacheOutcome, RequestOutcome, Timings};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::trace::v1::Span;
use pricing::Cost;
use prost::Message as _;
use tempfile::TempDir;
use test_support::{MARKED_KEY, Reply, ScriptedUpstream};
use vault::MemoryStore;

use std::collections::BTreeMap;

use super::*;
use crate::test_parts::NOW;

struct Bench {
    telemetry: Arc<Telemetry>,
    vault: Vault,
    _home: TempDir,
}

async fn bench(endpoint: &str, more: &str) -> Bench {
    let home = tempfile::tempdir().expect("a folder");
    let file = home.path().join("settings.toml");
    let text = format!(
        "version = 1\n[backends.up]\nlabel = \"Up\"\nkind = \"anthropic\"\n\
         base_url = \"https://api.anthropic.com\"\n[credentials.otel]\nlabel = \"Collector\"\n\
         created = 2026-11-21T08:00:00Z\n\
         [telemetry]\nenabled = true\nendpoint = \"{endpoint}\"\n{more}"
    );
    private_files::write_atomic(&file, text.as_bytes()).expect("written");
    let settings = SettingsStore::open(file).expect("settings");
    assert!(settings.current().telemetry.enabled, "the settings are read");
    let clock = Arc::new(ManualClock::starting_at(NOW));
    let vault = Vault::new(Arc::new(MemoryStore::default()), Arc::<ManualClock>::clone(&clock));
    let telemetry = Telemetry::new(TelemetryParts {
        settings: Arc::new(settings),
        vault: vault.clone(),
        network: Arc::new(HttpUpstream::new(Duration::from_secs(5))),
        clock,
        entropy: Arc::new(SeededEntropy::new(3)),
        models: Arc::default(),
        version: "1.2.3",
    });
    Bench { telemetry: Arc::new(telemetry), vault, _home: home }
}

impl Bench {
    /// Queues the requests and stops.
    async fn send(&self, requests: &[RequestSummary]) -> TelemetryStatus {
        requests.iter().for_each(|request| self.telemetry.record(request));
        let tasks = Tasks::default();
        self.telemetry.spawn(&tasks);
        tasks.stop().await;
        self.telemetry.status().expect("switched on")
    }
}

fn answered(number: u64) -> RequestSummary {
    let backend = BackendId::new("up").expect("a name");
    let attempt = AttemptSummary {
        backend: backend.clone(),
        model: "claude-x".to_owned(),
        started: NOW,
        duration: Duration::from_millis(700),
        error_class: None,
        http_status: Some(200),
    };
    RequestSummary {
        id: RequestId::generate(NOW, &SeededEntropy::new(number)),
        started: NOW,
        client: ClientId::new("editor").expect("a name"),
        purpose: Purpose::User,
        model_asked: "fast".to_owned(),
        model_answered: Some("claude-x-2026".to_owned()),
        route: "fast".to_owned(),
        dialect: "openai-chat".to_owned(),
        cache: CacheOutcome::Miss,
        backend: Some(backend),
        credential: None,
        key_generation: KeyGeneration::default(),
        outcome: RequestOutcome::Complete,
        error_class: None,
        verdict: None,
        http_status: Some(200),
        cost: Cost::Reported(NanoUsd::new(1)),
        usage: Some(TokenUsage::from_fn(|_| 2)),
        timings: Timings { total: Some(Duration::from_millis(900)), ..Timings::default() },
        attempts: vec![
            AttemptSummary { error_class: Some("overloaded".to_owned()), ..attempt.clone() },
            attempt,
        ],
        recorded: Recorded::Yes,
    }
}

fn spans(body: &[u8]) -> Vec<Span> {
    let message = ExportTraceServiceRequest::decode(body).expect("protobuf");
    let scopes = message.resource_spans.into_iter().flat_map(|it| it.scope_spans);
    scopes.flat_map(|it| it.spans).collect()
}

/// The value as text.
fn value(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|it| it.key == key)?;
    Some(match found.value.clone()?.value? {
        Value::StringValue(text) => text,
        Value::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    })
}

#[tokio::test]
async fn a_request_is_a_span_with_its_attempts_and_counts_in_two_histograms() {
    let accept = || Reply::body(200, "application/x-protobuf", "");
    let collector = ScriptedUpstream::start([accept(), accept()]).await.expect("listening");
    let root = format!("http://{}", collector.addr());
    let bench = bench(&root, "").await;
    let status = bench.send(&[answered(1), answered(2)]).await;
    assert_eq!(status, TelemetryStatus { sent: 2, dropped: 0, failure: None });

    let received = collector.requests();
    let paths: Vec<&str> = received.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(paths, ["/v1/traces", "/v1/metrics"]);
    assert_eq!(received[0].header("content-type"), Some("application/x-protobuf"));
    assert_eq!(received[0].authorization(), None);
    let spans = spans(&received[0].body);
    assert_eq!(spans.len(), 6, "two requests with two attempts each");
    let [request, failed, good] = &spans[..3] else { panic!("three spans") };
    assert_eq!((request.name.as_str(), request.kind), ("chat fast", 2));
    let of = |key| value(&request.attributes, key);
    assert_eq!(of("gen_ai.operation.name").as_deref(), Some("chat"));
    assert_eq!(of("gen_ai.provider.name").as_deref(), Some("anthropic"));
    assert_eq!(of("gen_ai.request.model").as_deref(), Some("fast"));
    assert_eq!(of("gen_ai.response.model").as_deref(), Some("claude-x-2026"));
    assert!(of("gen_ai.usage.input_tokens").is_some() && of("error.type").is_none());
    let length = request.end_time_unix_nano - request.start_time_unix_nano;
    assert_eq!(Duration::from_nanos(length), Duration::from_millis(900));
    let id = of("gatehouse.request.id").expect("an id");
    let trace: String = request.trace_id.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(trace.len() == 32 && id.replace('-', "").ends_with(&trace), "{id} {trace}");
    for attempt in [failed, good] {
        assert_eq!(attempt.trace_id, request.trace_id);
        assert_eq!(attempt.parent_span_id, request.span_id);
        assert_eq!(attempt.name, "chat claude-x");
    }
    assert_eq!(value(&failed.attributes, "error.type").as_deref(), Some("overloaded"));
    assert_eq!(failed.status.as_ref().map(|it| it.code), Some(2));

    let message = ExportMetricsServiceRequest::decode(received[1].body.clone()).expect("protobuf");
    let metrics = message.resource_metrics.into_iter().flat_map(|it| it.scope_metrics);
    let mut counts = BTreeMap::new();
    for metric in metrics.flat_map(|it| it.metrics) {
        let Some(Data::Histogram(histogram)) = metric.data else { panic!("a histogram") };
        let count: u64 = histogram.data_points.iter().map(|point| point.count).sum();
        counts.insert(metric.name, count);
    }
    let expected = [
        ("gen_ai.client.operation.duration".to_owned(), 2),
        ("gen_ai.client.token.usage".to_owned(), 4),
    ];
    assert_eq!(counts, BTreeMap::from(expected), "input and output of each request");
}

#[tokio::test]
async fn a_model_that_no_backend_knows_is_not_repeated() {
    let accept = || Reply::body(200, "application/x-protobuf", "");
    let collector = ScriptedUpstream::start([accept(), accept()]).await.expect("listening");
    let bench = bench(&format!("http://{}", collector.addr()), "").await;
    let mut odd = answered(1);
    odd.model_asked = MARKED_KEY.to_owned();
    odd.model_answered = Some(MARKED_KEY.to_owned());
    odd.attempts.iter_mut().for_each(|attempt| attempt.model = MARKED_KEY.to_owned());
    let failed = RequestSummary {
        outcome: RequestOutcome::Failed,
        model_asked: "a prompt of words".to_owned(),
        error_class: Some("no_backend".to_owned()),
        attempts: Vec::new(),
        ..answered(2)
    };
    bench.send(&[odd, failed]).await;
    let received = collector.requests();
    assert_eq!(received.len(), 2);
    for request in &received {
        let body = String::from_utf8_lossy(&request.body);
        assert!(!body.contains(MARKED_KEY) && !body.contains("a prompt"), "{body}");
    }
    let spans = spans(&received[0].body);
    let last = spans.last().expect("the failed request");
    assert_eq!(last.name, "chat other");
    assert_eq!(value(&last.attributes, "error.type").as_deref(), Some("no_backend"));
}

#[tokio::test]
async fn a_collector_that_is_away_is_told_and_costs_nothing() {
    // Nothing listens on the discard port of this machine.
    let bench = bench("http://127.0.0.1:9", "").await;
    for number in 0..=TELEMETRY_QUEUED_MAX {
        bench.telemetry.record(&answered(u64::try_from(number).expect("small")));
    }
    assert_eq!(bench.telemetry.status().expect("on").dropped, 1, "the queue is full");
    let status = bench.send(&[]).await;
    let failure = status.failure.expect("told");
    assert_eq!(failure.at, NOW);
    assert!(failure.reason.contains("cannot be reached"), "{}", failure.reason);
    let all = u64::try_from(TELEMETRY_QUEUED_MAX).expect("small") + 1;
    assert_eq!((status.sent, status.dropped), (0, all));
}

#[tokio::test]
async fn the_key_goes_to_the_collector_that_it_is_locked_to_and_nowhere_else() {
    let accept = || Reply::body(200, "application/x-protobuf", "");
    let collector = ScriptedUpstream::start([accept(), accept()]).await.expect("listening");
    let root = format!("http://{}", collector.addr());
    let id = CredentialId::new("otel").expect("a name");
    let bound = |origin: &str| {
        let origin: Origin = origin.parse().expect("an origin");
        let key = Secret::parse(MARKED_KEY.to_owned()).expect("a key");
        BoundSecret::new(key, Some(origin))
    };
    let elsewhere = bench(&root, "credential = \"otel\"\n").await;
    elsewhere.vault.put(&id, bound("https://collector.example.com")).await.expect("stored");
    let status = elsewhere.send(&[answered(1)]).await;
    assert!(status.failure.is_some() && status.sent == 0);
    assert_eq!(collector.requests().len(), 0, "nothing was sent at all");

    let right = bench(&root, "credential = \"otel\"\n").await;
    right.vault.put(&id, bound(&root)).await.expect("stored");
    assert_eq!(right.send(&[answered(1)]).await.sent, 1);
    let received = collector.requests();
    let bearer = format!("Bearer {MARKED_KEY}");
    assert_eq!(received[0].authorization(), Some(bearer.as_str()));
}

#[tokio::test]
async fn what_is_not_a_clients_and_what_is_switched_off_is_not_queued() {
    let bench = bench("http://127.0.0.1:9", "").await;
    bench.telemetry.record(&RequestSummary { purpose: Purpose::Check, ..answered(1) });
    let status = bench.send(&[]).await;
    assert_eq!((status.sent, status.dropped), (0, 0));
}
