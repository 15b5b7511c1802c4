//! What is named in a label and what counts for the others.

use domain::{BackendId, ClientId, NanoUsd, RequestId, SeededEntropy, TokenUsage, WallTime};
use endpoints::KeyGeneration;
use gateway::Recorded;
use ledger::{CacheOutcome, RequestOutcome, Timings};
use prometheus_client::encoding::text::encode_registry;

use super::*;
use crate::telemetry::model_names::{MODEL_BYTES_MAX, MODELS_MAX};

fn settled(model: &str, outcome: RequestOutcome) -> RequestSummary {
    RequestSummary {
        id: RequestId::generate(WallTime::from_unix_ms(0), &SeededEntropy::new(1)),
        started: WallTime::from_unix_ms(0),
        client: ClientId::new("c").expect("a name"),
        purpose: Purpose::User,
        model_asked: model.to_owned(),
        model_answered: None,
        route: "r".to_owned(),
        dialect: "openai".to_owned(),
        cache: CacheOutcome::Bypass,
        backend: Some(BackendId::new("up").expect("a name")),
        credential: None,
        key_generation: KeyGeneration::default(),
        outcome,
        error_class: None,
        verdict: None,
        http_status: Some(200),
        cost: Cost::Reported(NanoUsd::new(1_500_000_000)),
        usage: Some(TokenUsage::from_fn(|_| 2)),
        timings: Timings::default(),
        attempts: Vec::new(),
        recorded: Recorded::Yes,
    }
}

fn text(metrics: &TrafficMetrics) -> String {
    let mut text = String::new();
    encode_registry(&mut text, metrics.registry()).expect("written");
    text
}

fn lines<'a>(text: &'a str, metric: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.starts_with(metric)).collect()
}

#[test]
fn a_model_is_named_once_a_backend_answered_for_it() {
    let metrics = TrafficMetrics::new(Arc::default());
    let count = |model: &str, outcome| metrics.record(&settled(model, outcome));
    count("m-1", RequestOutcome::Failed);
    assert!(!text(&metrics).contains("m-1"));
    count("m-1", RequestOutcome::Complete);
    count("m-1", RequestOutcome::Failed);
    assert_eq!(text(&metrics).matches("status=\"2xx\",outcome=\"failed\"").count(), 2);
    for odd in ["a prompt of words", "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789", "", "a\"b c"] {
        count(odd, RequestOutcome::Complete);
        let long = "x".repeat(MODEL_BYTES_MAX + 1);
        count(&long, RequestOutcome::Complete);
        let text = text(&metrics);
        assert!(odd.is_empty() || !text.contains(odd), "{text}");
        assert!(!text.contains(&long) && !text.contains("abcdefghij"), "{text}");
    }
}

#[test]
fn models_over_the_limit_count_for_the_others() {
    let metrics = TrafficMetrics::new(Arc::default());
    for number in 0..MODELS_MAX + 3 {
        metrics.record(&settled(&format!("m-{number}"), RequestOutcome::Complete));
    }
    let text = text(&metrics);
    let requests = lines(&text, "gatehouse_requests_total");
    assert_eq!(requests.len(), MODELS_MAX + 1);
    assert!(text.contains(&format!("model=\"m-{}\"", MODELS_MAX - 1)));
    assert!(!text.contains(&format!("model=\"m-{MODELS_MAX}\"")));
    let others = requests.iter().find(|line| line.contains("model=\"other\"")).expect("a line");
    assert!(others.ends_with(" 3"), "{others}");
}

#[test]
fn label_sets_over_the_limit_count_for_the_others() {
    let metrics = TrafficMetrics::new(Arc::default());
    for number in 0..LABEL_SETS_MAX + 5 {
        let mut summary = settled("m", RequestOutcome::Complete);
        summary.route = format!("r-{number}");
        metrics.record(&summary);
    }
    let text = text(&metrics);
    let requests = lines(&text, "gatehouse_requests_total");
    assert_eq!(requests.len(), LABEL_SETS_MAX);
    let others = requests.iter().find(|line| line.contains("route=\"other\"")).expect("a line");
    assert!(others.ends_with(" 6"), "{others}");
}

#[test]
fn an_unknown_cost_is_counted_and_not_zero() {
    let metrics = TrafficMetrics::new(Arc::default());
    let mut summary = settled("m", RequestOutcome::Complete);
    metrics.record(&summary);
    summary.cost = Cost::Unpriced;
    metrics.record(&summary);
    summary.cost = Cost::NotBilled;
    metrics.record(&summary);
    summary.purpose = Purpose::Check;
    metrics.record(&summary);
    let mut pretended = settled("m", RequestOutcome::Complete);
    pretended.backend = Some(BackendId::new(settings::MOCK_BACKEND_ID).expect("a name"));
    metrics.record(&pretended);
    let text = text(&metrics);
    let labels = "{backend=\"up\",model=\"m\"}";
    assert_eq!(
        lines(&text, "gatehouse_cost_dollars_total"),
        [format!("gatehouse_cost_dollars_total{labels} 1.5")]
    );
    assert_eq!(
        lines(&text, "gatehouse_unpriced_requests_total"),
        [format!("gatehouse_unpriced_requests_total{labels} 1")]
    );
    let tokens = lines(&text, "gatehouse_tokens_total{backend=\"up\"");
    assert_eq!(tokens.len(), TokenClass::ALL.len());
    let requests = lines(&text, "gatehouse_requests_total{backend=\"up\"");
    assert!(requests.first().is_some_and(|line| line.ends_with(" 3")), "{requests:?}");
}
