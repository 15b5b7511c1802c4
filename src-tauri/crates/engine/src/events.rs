//! The event bus of the engine. Panels, the tray and notifications subscribe to it.

use std::sync::Arc;

use alerts::Notification;
use domain::{BackendId, ServiceId};
use monitor::HealthTransition;
use playground::PlaygroundEvent;
use readiness::{ReadinessReport, RunSnapshot};
use tokio::sync::broadcast;

use crate::backups::progress::BackupProgress;
use crate::budgets::notice::BudgetNotice;
use crate::costs::log_import::LogImportProgress;
use crate::costs::report_progress::CostReportProgress;
use crate::ledger_file::problem::LedgerProblem;
use crate::topic::Topic;

/// Queue length per subscriber. A subscriber that lags further loses the oldest events.
pub(crate) const EVENTS_QUEUED_MAX: usize = 1_024;

#[derive(Debug, Clone)]
pub enum EngineEvent {
    /// Displayed data of these topics is stale.
    Changed(Vec<Topic>),
    Health {
        backend: BackendId,
        transition: Arc<HealthTransition>,
    },
    /// The health of a service changed.
    Service {
        service: ServiceId,
        transition: Arc<HealthTransition>,
    },
    /// Breakers, cooldowns, blocks or manual settings of endpoints changed.
    Endpoints,
    /// The gateway listens or answers, or does not any more.
    Gateway,
    /// A budget reached a mark.
    Budget(Arc<BudgetNotice>),
    /// New settings are in force; backends may be gone.
    SettingsApplied,
    /// The ledger's problems changed. Holds the most severe one; `None` when there is none.
    Ledger(Option<LedgerProblem>),
    /// A readiness run made progress.
    RunProgress(Arc<RunSnapshot>),
    RunEnded(Arc<ReadinessReport>),
    /// An import of session logs made progress or ended.
    LogImport(Arc<LogImportProgress>),
    /// The fetch of a cost report made progress or ended.
    CostReport(CostReportProgress),
    /// A backup, its check or a restore made progress or ended.
    Backup(BackupProgress),
    Playground(PlaygroundEvent),
    /// An alert that the window shows itself, since it has the focus.
    AlertShown(Arc<Notification>),
    /// Open this path in the panel, because a notification was clicked.
    OpenPath(String),
}

/// The event bus. Cheap to clone; sending never waits.
#[derive(Debug, Clone)]
pub struct EventBus {
    all: broadcast::Sender<EngineEvent>,
    /// Everything except [`EngineEvent::Changed`]. Every request sends some of those, and they
    /// should not wake subscribers of other events.
    except_changed: broadcast::Sender<EngineEvent>,
}

impl Default for EventBus {
    fn default() -> Self {
        let channel = || broadcast::channel(EVENTS_QUEUED_MAX).0;
        Self { all: channel(), except_changed: channel() }
    }
}

impl EventBus {
    /// Sends to all subscribers; having none is fine.
    pub fn send(&self, event: EngineEvent) {
        // The only error is that nobody is subscribed.
        drop(self.except_changed.send(event.clone()));
        drop(self.all.send(event));
    }

    /// Marks the displayed data of `topics` as stale.
    pub fn send_changed(&self, topics: &[Topic]) {
        if !topics.is_empty() && self.all.receiver_count() > 0 {
            drop(self.all.send(EngineEvent::Changed(topics.to_vec())));
        }
    }

    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<EngineEvent> {
        self.all.subscribe()
    }

    /// Subscribes to all later events except [`EngineEvent::Changed`].
    #[must_use]
    pub(crate) fn subscribe_except_changed(&self) -> broadcast::Receiver<EngineEvent> {
        self.except_changed.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscribers_except_changed_do_not_get_changed_events() {
        let events = EventBus::default();
        let (mut all, mut happenings) = (events.subscribe(), events.subscribe_except_changed());
        events.send_changed(&[Topic::Usage]);
        events.send(EngineEvent::OpenPath("/settings".to_owned()));
        assert!(
            matches!(all.try_recv(), Ok(EngineEvent::Changed(topics)) if topics == [Topic::Usage])
        );
        assert!(matches!(all.try_recv(), Ok(EngineEvent::OpenPath(_))));
        assert!(matches!(happenings.try_recv(), Ok(EngineEvent::OpenPath(_))));
        assert!(happenings.try_recv().is_err());
    }
}
