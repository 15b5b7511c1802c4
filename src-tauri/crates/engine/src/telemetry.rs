//! Figures and traces for Prometheus and OpenTelemetry.

pub(crate) mod collector;
pub(crate) mod metrics_exporter;
pub(crate) mod model_names;
