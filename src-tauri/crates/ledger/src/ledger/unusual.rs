//! What was unusual and cannot be computed from the requests: loops, and what the user said is fine.

use std::collections::BTreeMap;

use domain::WallTime;

use super::Ledger;
use crate::costs::dismissed_anomalies;
use crate::requests::loops;
use crate::write::writes::LedgerWrite;
use crate::{LedgerError, StoppedLoop};

impl Ledger {
    /// Queues a loop that was stopped. Later reads find it; nothing else waits for its commit.
    ///
    /// # Errors
    /// The ledger is closed.
    pub fn record_loop(&self, stopped: StoppedLoop) -> Result<(), LedgerError> {
        self.inner.queue.push(LedgerWrite::Loop(stopped))
    }

    /// Loops that were stopped from `since` on, the newest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn stopped_loops(&self, since: WallTime) -> Result<Vec<StoppedLoop>, LedgerError> {
        self.read_current(move |connection| loops::list_since(connection, since)).await
    }

    /// Ids of the anomalies that the user said are fine, and when.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn dismissed_anomalies(&self) -> Result<BTreeMap<String, WallTime>, LedgerError> {
        self.read_current(dismissed_anomalies::list).await
    }

    /// Remembers that an anomaly was said at `at` to be fine; what was said of it before is forgotten.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn dismiss_anomaly(&self, id: String, at: WallTime) -> Result<(), LedgerError> {
        self.inner.queue.write(LedgerWrite::DismissAnomaly { id, at }).await.map(drop)
    }

    /// Takes [`Self::dismiss_anomaly`] back.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn restore_anomaly(&self, id: String) -> Result<(), LedgerError> {
        self.inner.queue.write(LedgerWrite::RestoreAnomaly(id)).await.map(drop)
    }
}
