//! What is saved of the alerts, and what waits until the ledger can be written again.

use alerts::AlertBook;
use ledger::AlertChange;

use super::{AlertWatch, SAVING_MAX};

/// Most changes that wait for the ledger; the oldest are dropped.
pub(crate) const UNSAVED_MAX: usize = 500;

/// Changes that the ledger did not take, oldest first. To write them twice changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct UnsavedChanges(Vec<AlertChange>);

impl UnsavedChanges {
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds newer changes. What an alert says later takes the place of what it said.
    fn add(&mut self, newer: Vec<AlertChange>) {
        for change in newer {
            let told = self.0.iter_mut().find(|known| is_same_alert(known, &change));
            match told {
                Some(told) => *told = change,
                None => self.0.push(change),
            }
        }
        let dropped = self.0.len().saturating_sub(UNSAVED_MAX);
        if dropped > 0 {
            tracing::error!(dropped, "changes of alerts were lost: the ledger cannot be written");
            self.0.drain(..dropped);
        }
    }
}

fn is_same_alert(known: &AlertChange, change: &AlertChange) -> bool {
    match (known, change) {
        (AlertChange::Put(known), AlertChange::Put(change)) => known.number == change.number,
        _ => false,
    }
}

impl AlertWatch {
    /// Saves the book with changes, and those that could not be saved before. The caller holds
    /// `changing`.
    pub(super) async fn save(&self, book: &AlertBook, changes: Vec<AlertChange>) {
        let before = self.unsaved.lock().clone();
        let mut all = before.clone();
        all.add(changes);
        let mut written = all.0.clone();
        match serde_json::to_string(book) {
            Ok(json) => written.push(AlertChange::State(json)),
            Err(error) => tracing::error!(%error, "the alerts could not be put into words"),
        }
        let saving = self.ledger.change_alerts(written);
        let kept = match tokio::time::timeout(SAVING_MAX, saving).await {
            Ok(Ok(())) => UnsavedChanges::default(),
            Ok(Err(error)) => {
                // Said once, and tried again at each evaluation.
                if before.is_empty() {
                    tracing::warn!(%error, "the alerts could not be saved");
                }
                all
            }
            Err(_) => {
                tracing::warn!("the alerts are not saved yet; they stay queued");
                all
            }
        };
        *self.unsaved.lock() = kept;
    }
}

#[cfg(test)]
mod tests;
