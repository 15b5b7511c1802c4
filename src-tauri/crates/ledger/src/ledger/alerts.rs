//! Alerts: those that fired, what the user wrote about them, and the state that outlives the program.

use std::collections::BTreeSet;

use super::Ledger;
use crate::LedgerError;
use crate::alerts::{self, AlertChange, AlertNote, AlertQuery, AlertRow};
use crate::write::writes::LedgerWrite;

impl Ledger {
    /// Saves changes of alerts, all or none.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn change_alerts(&self, changes: Vec<AlertChange>) -> Result<(), LedgerError> {
        self.inner.queue.write(LedgerWrite::Alerts(changes)).await.map(drop)
    }

    /// The saved state of the book of alerts; `None` if there is none.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn alert_state(&self) -> Result<Option<String>, LedgerError> {
        self.read(alerts::load_state).await
    }

    /// Alerts that fired, newest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn alerts(&self, query: AlertQuery) -> Result<Vec<AlertRow>, LedgerError> {
        self.read(move |connection| alerts::list(connection, &query)).await
    }

    /// An alert and what the user wrote about it, oldest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn alert(
        &self,
        number: u64,
    ) -> Result<Option<(AlertRow, Vec<AlertNote>)>, LedgerError> {
        self.read(move |connection| alerts::find_with_notes(connection, number)).await
    }

    /// The numbers of the alerts that the user wrote something about.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn noted_alerts(&self) -> Result<BTreeSet<u64>, LedgerError> {
        self.read(alerts::noted).await
    }

    /// The number of alerts that the user has not seen.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn unread_alerts(&self) -> Result<u64, LedgerError> {
        self.read(alerts::count_unread).await
    }
}
