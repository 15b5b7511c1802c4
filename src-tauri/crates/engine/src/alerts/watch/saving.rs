//! What is saved of the alerts, and what waits until the ledger can be written again.

use alerts::AlertBook;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use ledger::{AlertChange, LedgerError};

use super::{AlertWatch, SAVING_MAX};

/// Most changes that wait for the ledger; the oldest are dropped.
pub(crate) const UNSAVED_MAX: usize = 500;

/// What the ledger answers to changes that it was given.
pub(crate) type SavedChanges = BoxFuture<'static, Result<(), LedgerError>>;

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
        let (were_all_saved, mut written) = {
            let mut unsaved = self.unsaved.lock();
            let were_all_saved = unsaved.is_empty();
            unsaved.add(changes);
            (were_all_saved, unsaved.0.clone())
        };
        if self.is_saving_still() {
            return;
        }
        match serde_json::to_string(book) {
            Ok(json) => written.push(AlertChange::State(json)),
            Err(error) => tracing::error!(%error, "the alerts could not be put into words"),
        }
        let ledger = self.ledger.clone();
        let mut saving: SavedChanges = async move { ledger.change_alerts(written).await }.boxed();
        match tokio::time::timeout(SAVING_MAX, &mut saving).await {
            Ok(Ok(())) => *self.unsaved.lock() = UnsavedChanges::default(),
            // Said once, and tried again at each evaluation.
            Ok(Err(error)) if were_all_saved => {
                tracing::warn!(%error, "the alerts could not be saved");
            }
            Ok(Err(_)) => {}
            Err(_) => {
                tracing::warn!("the alerts are not saved yet; they stay queued");
                *self.saving.lock() = Some(saving);
            }
        }
    }

    /// True if the ledger has not answered yet what it was given last: on a slow disk its queue would
    /// fill with the same changes, and others would find no place in it.
    fn is_saving_still(&self) -> bool {
        let mut saving = self.saving.lock();
        let is_saving = saving.as_mut().is_some_and(|saving| saving.now_or_never().is_none());
        if !is_saving {
            *saving = None;
        }
        is_saving
    }
}

#[cfg(test)]
mod tests;
