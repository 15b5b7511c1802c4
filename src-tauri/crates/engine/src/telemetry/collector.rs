//! Traces and metrics of requests for an OpenTelemetry collector (OTLP over HTTP, protobuf).
//!
//! A settled request is put into a bounded queue; everything else happens in one task. While the
//! collector is away the queue fills, and what does not fit is counted and dropped: no request waits.
//! Nothing that is sent holds a prompt, a key or a path.

mod metrics;
mod spans;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::{Clock, Entropy, WallTime};
use gateway::{PostError, RequestSummary, Upstream, post_protobuf};
use ledger::Purpose;
use parking_lot::Mutex;
use settings::{AllowedNetwork, BackendKind, Settings, SettingsStore, TelemetrySettings};
use tokio::sync::mpsc;
use url::Url;
use vault::{Vault, VaultError};

use crate::process::tasks::Tasks;
use crate::telemetry::model_names::ModelNames;

use metrics::MetricsPipe;

/// Requests that wait to be sent. Further ones are dropped and counted.
const TELEMETRY_QUEUED_MAX: usize = 2_048;
/// Requests of one message.
const BATCH_MAX: usize = 256;
/// Longest wait for a batch to fill.
const BATCH_SECS: u64 = 5;
/// Between two messages with metrics.
const METRICS_SECS: u64 = 60;
/// Pauses after messages that were not taken, each twice as long as the one before.
const RETRY_SECS: u64 = 5;
const RETRY_SECS_MAX: u64 = 300;
/// Tries of a message before it is dropped.
const TRIES_MAX: u32 = 5;
/// Time for the last message at the stop.
const FLUSH_SECS: u64 = 3;

/// What became of the telemetry since the start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TelemetryStatus {
    /// Requests whose traces or counts the collector took.
    pub sent: u64,
    /// Requests that were dropped.
    pub dropped: u64,
    /// Why the last message was not taken; `None` once one was.
    pub failure: Option<TelemetryFailure>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelemetryFailure {
    pub at: WallTime,
    /// A clause without an address.
    pub reason: String,
}

pub struct Telemetry {
    parts: TelemetryParts,
    queue: mpsc::Sender<RequestSummary>,
    /// Taken by the task.
    queued: Mutex<Option<mpsc::Receiver<RequestSummary>>>,
    status: Mutex<TelemetryStatus>,
}

/// What `Telemetry` is built from.
pub(crate) struct TelemetryParts {
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) vault: Vault,
    pub(crate) network: Arc<dyn Upstream>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) models: Arc<ModelNames>,
    pub(crate) version: &'static str,
}

impl Telemetry {
    pub(crate) fn new(parts: TelemetryParts) -> Self {
        let (queue, queued) = mpsc::channel(TELEMETRY_QUEUED_MAX);
        let (queued, status) = (Mutex::new(Some(queued)), Mutex::default());
        Self { parts, queue, queued, status }
    }

    /// `None` while it is switched off.
    #[must_use]
    pub fn status(&self) -> Option<TelemetryStatus> {
        self.parts.settings.current().telemetry.enabled.then(|| self.status.lock().clone())
    }

    /// Queues a settled request of a client; checks and probes are not sent.
    pub(crate) fn record(&self, summary: &RequestSummary) {
        let is_wanted = self.parts.settings.current().telemetry.enabled;
        if !is_wanted || summary.purpose != Purpose::User {
            return;
        }
        if self.queue.try_send(summary.clone()).is_err() {
            self.status.lock().dropped += 1;
        }
    }

    pub(crate) fn spawn(self: &Arc<Self>, tasks: &Tasks) {
        let Some(queued) = self.queued.lock().take() else { return };
        let (telemetry, ticks) = (Arc::clone(self), tasks.clone());
        tasks.spawn("telemetry", async move { telemetry.run(queued, &ticks).await });
    }

    async fn run(&self, mut queued: mpsc::Receiver<RequestSummary>, tasks: &Tasks) {
        let stop = tasks.stop_token();
        let (mut batch, mut pipe, mut has_news) = (Vec::new(), None, false);
        let mut metrics_due = self.parts.clock.now();
        loop {
            let metrics_late = tokio::time::sleep(Duration::from_secs(METRICS_SECS));
            tokio::select! {
                () = stop.cancelled() => break,
                () = fill_batch(&mut queued, &mut batch) => {}
                () = metrics_late, if has_news => {}
            }
            let settings = self.parts.settings.current();
            if !settings.telemetry.enabled {
                (pipe, has_news) = (None, false);
                batch.clear();
                continue;
            }
            has_news |= !batch.is_empty();
            self.deliver(&settings, &std::mem::take(&mut batch), &mut pipe, tasks).await;
            if has_news && self.parts.clock.now() >= metrics_due {
                self.send_metrics(&settings, pipe.as_ref()).await;
                has_news = false;
                metrics_due = self.parts.clock.now() + Duration::from_secs(METRICS_SECS);
            }
        }
        while let Ok(summary) = queued.try_recv() {
            batch.push(summary);
        }
        let last = self.deliver_last(&batch, &mut pipe, tasks);
        if tokio::time::timeout(Duration::from_secs(FLUSH_SECS), last).await.is_err() {
            tracing::warn!("the last telemetry was not taken in time");
        }
    }

    async fn deliver_last(
        &self,
        batch: &[RequestSummary],
        pipe: &mut Option<MetricsPipe>,
        tasks: &Tasks,
    ) {
        let settings = self.parts.settings.current();
        if !settings.telemetry.enabled {
            return;
        }
        for part in batch.chunks(BATCH_MAX) {
            self.deliver(&settings, part, pipe, tasks).await;
        }
        self.send_metrics(&settings, pipe.as_ref()).await;
    }

    /// Counts the batch and sends its traces, again after pauses while the collector is away.
    async fn deliver(
        &self,
        settings: &Settings,
        batch: &[RequestSummary],
        pipe: &mut Option<MetricsPipe>,
        tasks: &Tasks,
    ) {
        if batch.is_empty() {
            return;
        }
        let wanted = &settings.telemetry;
        let requests: Vec<spans::TracedRequest> =
            batch.iter().map(|summary| self.traced(settings, summary)).collect();
        if wanted.metrics {
            let pipe = pipe.get_or_insert_with(|| MetricsPipe::new(self.parts.version));
            requests.iter().for_each(|request| pipe.record(request));
        }
        let count = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        if !wanted.traces {
            self.status.lock().sent += count;
            return;
        }
        let message =
            Bytes::from(spans::encode(&requests, &*self.parts.entropy, self.parts.version));
        let mut pause = RETRY_SECS;
        for tries in 1..=TRIES_MAX {
            match self.post(&self.parts.settings.current().telemetry, "v1/traces", &message).await {
                Ok(()) => {
                    self.status.lock().sent += count;
                    return;
                }
                Err(is_temporary) if !is_temporary || tries == TRIES_MAX => break,
                Err(_) => {}
            }
            if !tasks.sleep(Duration::from_secs(pause)).await {
                break;
            }
            pause = (pause * 2).min(RETRY_SECS_MAX);
        }
        self.status.lock().dropped += count;
    }

    async fn send_metrics(&self, settings: &Settings, pipe: Option<&MetricsPipe>) {
        let Some(pipe) = pipe else { return };
        let Some(message) = pipe.collect().await else { return };
        // They are sums since the start: the next message has what this one loses.
        let _is_temporary = self.post(&settings.telemetry, "v1/metrics", &message).await;
    }

    /// Sends a message. The error tells whether the same message may be taken later.
    async fn post(
        &self,
        wanted: &TelemetrySettings,
        path: &str,
        message: &Bytes,
    ) -> Result<(), bool> {
        let sent = self.try_post(wanted, path, message.clone()).await;
        self.status.lock().failure = match &sent {
            Ok(()) => None,
            Err((reason, _)) => {
                Some(TelemetryFailure { at: self.parts.clock.wall(), reason: reason.clone() })
            }
        };
        sent.map_err(|(_, is_temporary)| is_temporary)
    }

    async fn try_post(
        &self,
        wanted: &TelemetrySettings,
        path: &str,
        message: Bytes,
    ) -> Result<(), (String, bool)> {
        let port = self.parts.settings.current().gateway.port;
        let url = settings::parse_base_url(&wanted.endpoint, port)
            .map_err(|error| (error.to_string(), true))?
            .url;
        let url = under(&url, path).ok_or_else(|| ("its address has no path".to_owned(), true))?;
        let key = match &wanted.credential {
            None => None,
            Some(id) => Some(self.parts.vault.get(id).await.map_err(|error| match error {
                VaultError::NotFound(_) => ("its key is not in the vault".to_owned(), true),
                _ => ("the vault could not be read".to_owned(), true),
            })?),
        };
        let network = AllowedNetwork::of_setting(wanted.private_network);
        let posted = post_protobuf(&*self.parts.network, url, network, key, message).await;
        posted.map_err(|error: PostError| (error.to_string(), error.is_temporary()))
    }

    fn traced(&self, settings: &Settings, summary: &RequestSummary) -> spans::TracedRequest {
        let provider = |id: &domain::BackendId| {
            settings.backends.get(id).map_or(spans::SERVICE, |known| provider_name(known.kind))
        };
        spans::TracedRequest::new(summary, &self.parts.models, provider)
    }
}

/// Takes the first request and those that follow it soon. What was taken stays if it is cancelled.
async fn fill_batch(queued: &mut mpsc::Receiver<RequestSummary>, batch: &mut Vec<RequestSummary>) {
    if batch.is_empty() && queued.recv_many(batch, BATCH_MAX).await == 0 {
        // The sender lives as long as the task.
        std::future::pending::<()>().await;
    }
    let filled = async {
        while batch.len() < BATCH_MAX {
            let free = BATCH_MAX - batch.len();
            queued.recv_many(batch, free).await;
        }
    };
    let _full = tokio::time::timeout(Duration::from_secs(BATCH_SECS), filled).await;
}

/// `path` below the path of `base`.
fn under(base: &Url, path: &str) -> Option<Url> {
    Url::parse(&format!("{}/{path}", base.as_str().trim_end_matches('/'))).ok()
}

/// The name in OpenTelemetry's conventions, where they have one.
const fn provider_name(kind: BackendKind) -> &'static str {
    match kind {
        BackendKind::OpenAi => "openai",
        BackendKind::Anthropic => "anthropic",
        BackendKind::Gemini => "gcp.gemini",
        BackendKind::OpenAiCompatible => "openai-compatible",
        BackendKind::Ollama => "ollama",
        BackendKind::Mock => spans::SERVICE,
    }
}

#[cfg(test)]
mod tests;
