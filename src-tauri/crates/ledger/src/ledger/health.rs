//! Health of backends and services: its changes, the time that was observed, and what was made of keys.

use domain::{BackendId, CredentialId, ServiceId, WallTime};

use super::Ledger;
use crate::health::{degraded_spans, key_verdicts, observed_time, service_health, watch_spans};
use crate::write::writes::LedgerWrite;
use crate::{
    DegradedSpan, HealthChange, HealthRow, KeyVerdictRecord, LedgerError, ObservedTimeRow,
    ServiceHealthRow, WatchSpan, health,
};

impl Ledger {
    /// Saves a change of a backend's health and its new state.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn record_health(&self, change: HealthChange) -> Result<(), LedgerError> {
        self.inner.queue.write(LedgerWrite::Health(change)).await.map(drop)
    }

    /// Queues the new health of a service at once. The returned future waits for the commit; it need
    /// not be awaited.
    ///
    /// # Errors
    /// The queue is full or closed, or the file cannot be written.
    pub fn record_service_health(
        &self,
        row: ServiceHealthRow,
    ) -> impl Future<Output = Result<(), LedgerError>> + use<> {
        let committed = self.inner.queue.write(LedgerWrite::ServiceHealth(row));
        async { committed.await.map(drop) }
    }

    /// The latest health of every service ever seen, ordered by name.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn service_health(&self) -> Result<Vec<ServiceHealthRow>, LedgerError> {
        self.read(service_health::list).await
    }

    /// The states that a service had, newest first; at most
    /// [`crate::SERVICE_HEALTH_LOG_ENTRIES_MAX`].
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn service_health_log(
        &self,
        service: ServiceId,
    ) -> Result<Vec<ServiceHealthRow>, LedgerError> {
        self.read(move |connection| service_health::list_log(connection, &service)).await
    }

    /// Queues what a provider made of a key, without waiting. It is kept if it is a change.
    ///
    /// # Errors
    /// The ledger was closed.
    pub fn record_key_verdict(&self, record: KeyVerdictRecord) -> Result<(), LedgerError> {
        self.inner.queue.push(LedgerWrite::KeyVerdict(record))
    }

    /// What providers made of a key where that changed, oldest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn key_verdicts(
        &self,
        credential: CredentialId,
    ) -> Result<Vec<KeyVerdictRecord>, LedgerError> {
        self.read_current(move |connection| key_verdicts::list(connection, &credential)).await
    }

    /// Adds to the time for which backends and services were seen to answer or not, at most
    /// [`crate::OBSERVED_ROWS_MAX`] rows, and saves when the program watched.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn add_observed_time(
        &self,
        rows: Vec<ObservedTimeRow>,
        spans: Vec<WatchSpan>,
    ) -> Result<(), LedgerError> {
        self.inner.queue.write(LedgerWrite::ObservedTime { rows, spans }).await.map(drop)
    }

    /// Times in which the program watched and that reach past `from`, oldest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn watch_spans(&self, from: WallTime) -> Result<Vec<WatchSpan>, LedgerError> {
        self.read(move |connection| watch_spans::list_since(connection, from)).await
    }

    /// Saves when backends were degraded; see `DEGRADED_SPANS_KEPT_MAX`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn put_degraded_spans(&self, spans: Vec<DegradedSpan>) -> Result<(), LedgerError> {
        self.inner.queue.write(LedgerWrite::DegradedSpans(spans)).await.map(drop)
    }

    /// Times in which backends were degraded and that reach past `from`, oldest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn degraded_spans(&self, from: WallTime) -> Result<Vec<DegradedSpan>, LedgerError> {
        self.read(move |connection| degraded_spans::list_since(connection, from)).await
    }

    /// The time for which backends and services were seen to answer or not, by hour and for older
    /// ones by UTC day, from `from` on.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn observed_time(&self, from: WallTime) -> Result<Vec<ObservedTimeRow>, LedgerError> {
        self.read(move |connection| observed_time::list_since(connection, from)).await
    }

    /// The latest health of every backend ever seen, ordered by name.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn health(&self) -> Result<Vec<HealthRow>, LedgerError> {
        self.read(health::list_latest).await
    }

    /// The latest health changes of all backends, newest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn newest_health_changes(
        &self,
        limit: usize,
    ) -> Result<Vec<HealthChange>, LedgerError> {
        self.read(move |connection| health::list_newest_changes(connection, limit)).await
    }

    /// The latest health changes of a backend, newest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn health_log(
        &self,
        backend: BackendId,
        limit: usize,
    ) -> Result<Vec<HealthChange>, LedgerError> {
        self.read(move |connection| health::list_changes(connection, &backend, limit)).await
    }

    /// The latest health changes of a backend between two times, newest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn health_log_between(
        &self,
        backend: BackendId,
        range: (WallTime, WallTime),
        limit: usize,
    ) -> Result<Vec<HealthChange>, LedgerError> {
        self.read(move |connection| {
            health::list_changes_between(connection, &backend, range, limit)
        })
        .await
    }
}
