//! The spans of a request: one for the request, one below it for each attempt, by OpenTelemetry's
//! conventions for generative AI.

use std::time::Duration;

use domain::{BackendId, Entropy, WallTime};
use gateway::{AttemptSummary, RequestSummary};
use ledger::{CacheOutcome, RequestOutcome};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message as _;

use crate::telemetry::model_names::ModelNames;

/// The name under which a collector files what is sent.
pub(super) const SERVICE: &str = "gatehouse";
const SPAN_ID_BYTES: usize = 8;
/// A client that left before its answer ended.
const CANCELLED: &str = "cancelled";

pub(super) struct TracedRequest {
    /// The request's id, by which the panel finds it.
    id: String,
    trace_id: Vec<u8>,
    pub(super) operation: &'static str,
    pub(super) provider: &'static str,
    pub(super) model_asked: String,
    pub(super) model_answered: Option<String>,
    pub(super) input_tokens: Option<u64>,
    pub(super) output_tokens: Option<u64>,
    /// Why it failed; `None` for a success.
    pub(super) error: Option<String>,
    started: WallTime,
    pub(super) duration: Duration,
    client: String,
    route: String,
    cache: CacheOutcome,
    http_status: Option<u16>,
    attempts: Vec<TracedAttempt>,
}

struct TracedAttempt {
    backend: String,
    provider: &'static str,
    model: String,
    started: WallTime,
    duration: Duration,
    error: Option<String>,
    http_status: Option<u16>,
}

impl TracedRequest {
    pub(super) fn new(
        summary: &RequestSummary,
        models: &ModelNames,
        provider: impl Fn(&BackendId) -> &'static str,
    ) -> Self {
        let is_of_backend = summary.is_answered_by_backend();
        // A model that failed at first is named too, if a later attempt was answered for it.
        let answered = summary.attempts.iter().filter(|it| it.error_class.is_none());
        answered.for_each(|it| models.learn(&it.model, is_of_backend));
        let attempt = |attempt: &AttemptSummary| TracedAttempt {
            backend: attempt.backend.to_string(),
            provider: provider(&attempt.backend),
            model: models.label(&attempt.model, false),
            started: attempt.started,
            duration: attempt.duration,
            error: attempt.error_class.clone(),
            http_status: attempt.http_status,
        };
        let id = summary.id.to_string();
        Self {
            trace_id: trace_id(&id),
            id,
            operation: if summary.dialect.contains("embeddings") { "embeddings" } else { "chat" },
            provider: summary.backend.as_ref().map_or(SERVICE, &provider),
            model_asked: models.label(&summary.model_asked, is_of_backend),
            model_answered: summary
                .model_answered
                .as_ref()
                .map(|model| models.label(model, is_of_backend)),
            input_tokens: summary.usage.map(|usage| usage.input()),
            output_tokens: summary.usage.map(|usage| usage.output()),
            error: error_of(summary),
            started: summary.started,
            duration: summary.timings.total.unwrap_or_default(),
            client: summary.client.to_string(),
            route: summary.route.clone(),
            cache: summary.cache,
            http_status: summary.http_status,
            attempts: summary.attempts.iter().map(attempt).collect(),
        }
    }

    fn spans(&self, entropy: &dyn Entropy) -> Vec<Span> {
        let own = span_id(entropy);
        let mut attributes = vec![
            text("gen_ai.operation.name", self.operation),
            text("gen_ai.provider.name", self.provider),
            text("gen_ai.request.model", &self.model_asked),
            text("gatehouse.request.id", &self.id),
            text("gatehouse.client", &self.client),
            text("gatehouse.cache", self.cache.word()),
        ];
        attributes
            .extend(self.model_answered.as_ref().map(|model| text("gen_ai.response.model", model)));
        attributes.extend((!self.route.is_empty()).then(|| text("gatehouse.route", &self.route)));
        attributes.extend(
            [
                ("gen_ai.usage.input_tokens", self.input_tokens),
                ("gen_ai.usage.output_tokens", self.output_tokens),
                ("http.response.status_code", self.http_status.map(u64::from)),
            ]
            .into_iter()
            .filter_map(|(name, count)| Some(number(name, count?))),
        );
        attributes.extend(self.error.as_ref().map(|error| text("error.type", error)));
        let root = Span {
            trace_id: self.trace_id.clone(),
            span_id: own.clone(),
            name: format!("{} {}", self.operation, self.model_asked),
            kind: SpanKind::Server.into(),
            start_time_unix_nano: nanos(self.started, Duration::ZERO),
            end_time_unix_nano: nanos(self.started, self.duration),
            attributes,
            status: Some(status(self.error.as_ref())),
            ..Span::default()
        };
        let attempts =
            self.attempts.iter().map(|attempt| self.attempt_span(attempt, &own, entropy));
        std::iter::once(root).chain(attempts).collect()
    }

    fn attempt_span(&self, attempt: &TracedAttempt, parent: &[u8], entropy: &dyn Entropy) -> Span {
        let mut attributes = vec![
            text("gen_ai.operation.name", self.operation),
            text("gen_ai.provider.name", attempt.provider),
            text("gen_ai.request.model", &attempt.model),
            text("gatehouse.backend", &attempt.backend),
        ];
        attributes.extend(
            attempt.http_status.map(|status| number("http.response.status_code", status.into())),
        );
        attributes.extend(attempt.error.as_ref().map(|error| text("error.type", error)));
        Span {
            trace_id: self.trace_id.clone(),
            span_id: span_id(entropy),
            parent_span_id: parent.to_vec(),
            name: format!("{} {}", self.operation, attempt.model),
            kind: SpanKind::Client.into(),
            start_time_unix_nano: nanos(attempt.started, Duration::ZERO),
            end_time_unix_nano: nanos(attempt.started, attempt.duration),
            attributes,
            status: Some(status(attempt.error.as_ref())),
            ..Span::default()
        }
    }
}

/// The message of a batch.
pub(super) fn encode(requests: &[TracedRequest], entropy: &dyn Entropy, version: &str) -> Vec<u8> {
    let spans = requests.iter().flat_map(|request| request.spans(entropy)).collect();
    let scope = InstrumentationScope {
        name: SERVICE.to_owned(),
        version: version.to_owned(),
        ..Default::default()
    };
    let resource = Resource {
        attributes: vec![text("service.name", SERVICE), text("service.version", version)],
        ..Resource::default()
    };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource),
            scope_spans: vec![ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        }],
    }
    .encode_to_vec()
}

/// The word of the gateway or the status that the client got.
fn error_of(summary: &RequestSummary) -> Option<String> {
    match summary.outcome {
        RequestOutcome::Complete => None,
        RequestOutcome::Cancelled => Some(CANCELLED.to_owned()),
        RequestOutcome::Partial | RequestOutcome::Failed => {
            let status = || summary.http_status.map(|status| status.to_string());
            Some(summary.error_class.clone().or_else(status).unwrap_or_else(|| "_OTHER".to_owned()))
        }
    }
}

/// The sixteen bytes of a request's id, so that either finds the other.
fn trace_id(id: &str) -> Vec<u8> {
    let digits: String = id.chars().filter(char::is_ascii_hexdigit).collect();
    let start = digits.len().saturating_sub(32);
    let bytes = digits.get(start..).unwrap_or_default().as_bytes().chunks(2);
    bytes.filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

fn span_id(entropy: &dyn Entropy) -> Vec<u8> {
    let mut id = [0; SPAN_ID_BYTES];
    entropy.fill(&mut id);
    id.to_vec()
}

/// Nanoseconds since 1970, `later` than `time`.
fn nanos(time: WallTime, later: Duration) -> u64 {
    let start = u64::try_from(time.unix_ms()).unwrap_or_default().saturating_mul(1_000_000);
    start.saturating_add(u64::try_from(later.as_nanos()).unwrap_or(u64::MAX))
}

fn status(error: Option<&String>) -> Status {
    let code = if error.is_some() { StatusCode::Error } else { StatusCode::Unset };
    Status { code: code.into(), ..Status::default() }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.to_owned()))
}

fn number(key: &str, value: u64) -> KeyValue {
    attribute(key, Value::IntValue(i64::try_from(value).unwrap_or(i64::MAX)))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}
