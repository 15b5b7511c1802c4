//! The two histograms of OpenTelemetry's conventions for generative AI, kept by its SDK.
//!
//! The SDK collects in a thread of its own; what it exports is only encoded there. The task that
//! sends messages takes it from here.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Histogram, MeterProvider as _};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider, Temporality};
use parking_lot::Mutex;
use prost::Message as _;

use super::spans::{SERVICE, TracedRequest};

/// The bounds that the conventions advise, in tokens and in seconds.
const TOKENS: [f64; 14] = [
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];
const SECONDS: [f64; 14] =
    [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
/// The SDK's own pace does not matter, because every message is collected when it is due.
const OWN_PACE: Duration = Duration::from_secs(86_400);

/// Counts requests, and has the message with their sums.
pub(super) struct MetricsPipe {
    provider: SdkMeterProvider,
    tokens: Histogram<u64>,
    durations: Histogram<f64>,
    encoded: EncodedMetrics,
}

impl MetricsPipe {
    pub(super) fn new(version: &'static str) -> Self {
        let encoded = EncodedMetrics::default();
        let reader = PeriodicReader::builder(encoded.clone()).with_interval(OWN_PACE).build();
        let resource = Resource::builder_empty()
            .with_attributes([
                KeyValue::new("service.name", SERVICE),
                KeyValue::new("service.version", version),
            ])
            .build();
        let provider =
            SdkMeterProvider::builder().with_resource(resource).with_reader(reader).build();
        let meter = provider.meter(SERVICE);
        let tokens = meter
            .u64_histogram("gen_ai.client.token.usage")
            .with_unit("{token}")
            .with_description("Number of input and output tokens used")
            .with_boundaries(TOKENS.to_vec())
            .build();
        let durations = meter
            .f64_histogram("gen_ai.client.operation.duration")
            .with_unit("s")
            .with_description("Duration of a request")
            .with_boundaries(SECONDS.to_vec())
            .build();
        Self { provider, tokens, durations, encoded }
    }

    pub(super) fn record(&self, request: &TracedRequest) {
        let mut attributes = vec![
            KeyValue::new("gen_ai.operation.name", request.operation),
            KeyValue::new("gen_ai.provider.name", request.provider),
            KeyValue::new("gen_ai.request.model", request.model_asked.clone()),
        ];
        attributes.extend(
            request
                .model_answered
                .clone()
                .map(|model| KeyValue::new("gen_ai.response.model", model)),
        );
        for (kind, count) in [("input", request.input_tokens), ("output", request.output_tokens)] {
            let Some(count) = count else { continue };
            let mut own = attributes.clone();
            own.push(KeyValue::new("gen_ai.token.type", kind));
            self.tokens.record(count, &own);
        }
        attributes.extend(request.error.clone().map(|error| KeyValue::new("error.type", error)));
        self.durations.record(request.duration.as_secs_f64(), &attributes);
    }

    /// The message with all sums since the start. The SDK's thread encodes it; that is waited for where
    /// it keeps nobody waiting.
    pub(super) async fn collect(&self) -> Option<Bytes> {
        let (provider, encoded) = (self.provider.clone(), self.encoded.clone());
        let collecting = tokio::task::spawn_blocking(move || {
            provider.force_flush().ok()?;
            encoded.0.lock().take()
        });
        collecting.await.ok()?
    }
}

impl Drop for MetricsPipe {
    fn drop(&mut self) {
        // What it would export now goes nowhere.
        drop(self.provider.shutdown());
    }
}

/// The newest message.
#[derive(Debug, Clone, Default)]
struct EncodedMetrics(Arc<Mutex<Option<Bytes>>>);

impl PushMetricExporter for EncodedMetrics {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let message = ExportMetricsServiceRequest::from(metrics);
        *self.0.lock() = Some(message.encode_to_vec().into());
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Cumulative
    }
}
