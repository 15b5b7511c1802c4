//! What happens in the core, told to whoever listens: panels, tray, notifications.

use std::sync::Arc;

use domain::BackendId;
use monitor::Transition;
use readiness::{Report, RunSnapshot};
use tokio::sync::broadcast;

use crate::ledger_watch::LedgerProblem;
use crate::playground::{PlaygroundPiece, PlaygroundRun};

/// Events a slow listener may lag behind before the oldest are dropped for it.
pub const EVENTS_QUEUED_MAX: usize = 1_024;

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum EngineEvent {
    /// What is shown of these topics is stale.
    Changed(Vec<Topic>),
    /// A backend's health changed.
    Health {
        /// Which backend.
        backend: BackendId,
        /// From what to what, and why.
        transition: Arc<Transition>,
    },
    /// Other settings are in force: backends may be gone.
    SettingsApplied,
    /// What is wrong with the ledger has changed; `None` when it works again.
    Ledger(Option<LedgerProblem>),
    /// A readiness run moved on.
    Run(Arc<RunSnapshot>),
    /// A readiness run ended.
    RunEnded(Arc<Report>),
    /// A playground run began or ended.
    Playground(Arc<PlaygroundRun>),
    /// More of a playground run's answer.
    PlaygroundPiece(Arc<PlaygroundPiece>),
    /// Open this place of the panel: a notification was clicked.
    Open(String),
}

/// What can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// The verdict, the gateway, counts and spend.
    Status,
    /// Backends, their health and their models.
    Backends,
    /// Keys and the vault.
    Keys,
    /// Clients.
    Clients,
    /// Requests and sums.
    Usage,
    /// Readiness runs.
    Readiness,
    /// Settings and their file.
    Settings,
    /// Runs of the playground.
    Playground,
    /// Routes and where they lead.
    Routes,
    /// Breakers, cooldowns and blocks.
    Accesses,
    /// The cache of answers.
    Cache,
    /// The ledger's file, its backups and what is wrong with it.
    Ledger,
}

/// The bus. Cheap to clone; sending never waits.
#[derive(Debug, Clone)]
pub struct Events {
    all: broadcast::Sender<EngineEvent>,
    /// All but [`EngineEvent::Changed`]: every request causes some of those, and who listens for
    /// something else should not be woken for them.
    happenings: broadcast::Sender<EngineEvent>,
}

impl Default for Events {
    fn default() -> Self {
        let channel = || broadcast::channel(EVENTS_QUEUED_MAX).0;
        Self { all: channel(), happenings: channel() }
    }
}

impl Events {
    /// Tells everyone; nobody listening is fine.
    pub fn send(&self, event: EngineEvent) {
        // The only error is that nobody listens.
        drop(self.happenings.send(event.clone()));
        drop(self.all.send(event));
    }

    /// Says that what is shown of `topics` is stale.
    pub fn changed(&self, topics: &[Topic]) {
        if !topics.is_empty() && self.all.receiver_count() > 0 {
            drop(self.all.send(EngineEvent::Changed(topics.to_vec())));
        }
    }

    /// Listens from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<EngineEvent> {
        self.all.subscribe()
    }

    /// Listens from now on for everything but [`EngineEvent::Changed`].
    #[must_use]
    pub(crate) fn happenings(&self) -> broadcast::Receiver<EngineEvent> {
        self.happenings.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_for_happenings_is_not_woken_for_what_changed() {
        let events = Events::default();
        let (mut all, mut happenings) = (events.subscribe(), events.happenings());
        events.changed(&[Topic::Usage]);
        events.send(EngineEvent::Open("/settings".to_owned()));
        assert!(
            matches!(all.try_recv(), Ok(EngineEvent::Changed(topics)) if topics == [Topic::Usage])
        );
        assert!(matches!(all.try_recv(), Ok(EngineEvent::Open(_))));
        assert!(matches!(happenings.try_recv(), Ok(EngineEvent::Open(_))));
        assert!(happenings.try_recv().is_err());
    }
}
