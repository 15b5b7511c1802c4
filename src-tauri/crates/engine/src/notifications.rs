//! Connects events to desktop notifications: the policy decides, a blocking thread delivers, and a
//! click returns as an event.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::{BackendId, Clock, HealthState, Origin};
use monitor::{
    BudgetMarkReached, ChannelError, FailedBackend, HealthTransition, Impact, LedgerFault,
    Notification, NotificationChannel, NotificationContext, NotificationDecision,
    NotificationEvent, NotificationPolicy, NotificationSetting, Urgency, WindowFocus,
};
use parking_lot::Mutex;
use settings::SettingsStore;
use tokio::sync::broadcast::error::RecvError;

use crate::configured::backend_labels;
use crate::events::{EngineEvent, EventBus};
use crate::health_watch::HealthWatch;
use crate::ledger_problem::LedgerSeverity;
use crate::tasks::Tasks;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotificationOutcome {
    /// The desktop accepted it. No desktop reports whether the user saw it.
    Delivered,
    /// This engine runs without a desktop.
    NoChannel,
    Failed {
        reason: String,
        /// What the user can do.
        hint: String,
    },
}

/// Shows and withdraws desktop notifications.
pub struct Notifications {
    /// `None` without a desktop.
    pub(crate) channel: Option<Arc<dyn NotificationChannel>>,
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) health: Arc<HealthWatch>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: EventBus,
    pub(crate) mock: BackendId,
    pub(crate) policy: Mutex<NotificationPolicy>,
    /// True while the window has the focus.
    pub(crate) focused: AtomicBool,
}

impl Notifications {
    /// Sends a test notification without asking the policy.
    pub async fn test(&self) -> NotificationOutcome {
        self.deliver(Notification {
            key: "test".to_owned(),
            title: "Gatehouse".to_owned(),
            body: "Notifications work. Click to open the settings.".to_owned(),
            urgency: Urgency::Normal,
            path: "/settings".to_owned(),
        })
        .await
    }

    /// Asks the panel to open `path`, because its notification was clicked.
    pub fn open_panel_path(&self, path: &str) {
        self.events.send(EngineEvent::OpenPath(path.to_owned()));
    }

    /// Records whether the window has the focus.
    pub fn set_focused(&self, focused: WindowFocus) {
        self.focused.store(focused == WindowFocus::Focused, Ordering::Relaxed);
    }

    pub(crate) fn spawn(self: &Arc<Self>, tasks: &Tasks) {
        let notifications = Arc::clone(self);
        let stop = tasks.stop_token();
        let mut events = self.events.subscribe_except_changed();
        tasks.spawn("notifications", async move {
            loop {
                let event = tokio::select! {
                    () = stop.cancelled() => return notifications.withdraw_faults().await,
                    event = events.recv() => event,
                };
                match event {
                    Ok(event) => notifications.handle(&event).await,
                    Err(RecvError::Lagged(missed)) => {
                        tracing::warn!(missed, "notifications fell behind");
                    }
                    Err(RecvError::Closed) => return,
                }
            }
        });
    }

    async fn handle(&self, event: &EngineEvent) {
        if matches!(event, EngineEvent::SettingsApplied) {
            self.forget_gone_backends().await;
        } else if let Some(event) = self.notification_event(event) {
            self.apply_policy(&event).await;
        }
    }

    /// Clears the faults of backends that were removed or disabled.
    async fn forget_gone_backends(&self) {
        let failed = self.policy.lock().failed_backends();
        for backend in failed.into_iter().filter(|id| !self.health.is_watched(id)) {
            self.apply_policy(&NotificationEvent::BackendRemoved { backend }).await;
        }
    }

    /// Withdraws the shown faults when the engine stops, because nobody updates them afterwards.
    async fn withdraw_faults(&self) {
        let shown = self.policy.lock().shown_faults();
        for key in shown {
            self.withdraw(key).await;
        }
    }

    async fn apply_policy(&self, event: &NotificationEvent) {
        let around = NotificationContext {
            focus: match self.focused.load(Ordering::Relaxed) {
                true => WindowFocus::Focused,
                false => WindowFocus::Elsewhere,
            },
            notifications: match self.settings.current().notifications.enabled {
                true => NotificationSetting::On,
                false => NotificationSetting::Off,
            },
        };
        let now = self.clock.now();
        let decision = self.policy.lock().decide(event, around, now);
        match decision {
            NotificationDecision::Show(notification) => {
                if let NotificationOutcome::Failed { reason, .. } = self.deliver(notification).await
                {
                    tracing::warn!(reason, "a notification was not shown");
                }
            }
            NotificationDecision::Withdraw(key) => self.withdraw(key).await,
            NotificationDecision::Suppress(hold) => {
                tracing::debug!(?hold, "a notification was suppressed");
            }
        }
    }

    fn notification_event(&self, event: &EngineEvent) -> Option<NotificationEvent> {
        match event {
            EngineEvent::RunEnded(report) => Some(NotificationEvent::RunFinished {
                run: report.run,
                verdict: report.judgement.verdict?,
                sentence: report.judgement.sentence.clone(),
            }),
            EngineEvent::Health { backend, transition } => self.health_event(backend, transition),
            EngineEvent::Ledger(Some(problem)) => {
                Some(NotificationEvent::LedgerFault(LedgerFault {
                    cause: problem.id.clone(),
                    title: problem.title.clone(),
                    fix: problem.fix.clone(),
                    urgency: match problem.severity {
                        LedgerSeverity::Problem => Urgency::Critical,
                        LedgerSeverity::Attention => Urgency::Normal,
                    },
                }))
            }
            EngineEvent::Ledger(None) => Some(NotificationEvent::LedgerRecovered),
            EngineEvent::Budget(notice) => Some(NotificationEvent::BudgetMark(BudgetMarkReached {
                budget: notice.crossing.budget.to_string(),
                title: notice.title.clone(),
                message: notice.message.clone(),
            })),
            EngineEvent::Changed(_)
            | EngineEvent::RunProgress(_)
            | EngineEvent::Playground(_)
            | EngineEvent::SettingsApplied
            | EngineEvent::LogImport(_)
            | EngineEvent::CostReport(_)
            | EngineEvent::OpenPath(_) => None,
        }
    }

    fn health_event(
        &self,
        backend: &BackendId,
        transition: &HealthTransition,
    ) -> Option<NotificationEvent> {
        let labels = backend_labels(&self.settings.current(), &self.mock);
        let label = labels.get(backend.as_str())?.clone();
        match transition.to {
            HealthState::Down => Some(NotificationEvent::BackendDown(FailedBackend {
                backend: backend.clone(),
                label,
                server: self.server_of(backend),
                cause: transition.cause,
                reason: transition.reason.clone(),
                impact: self.impact_of(backend),
            })),
            HealthState::Up => {
                Some(NotificationEvent::BackendRecovered { backend: backend.clone(), label })
            }
            HealthState::Unknown => None,
        }
    }

    /// Host and port of a backend in short form. Backends with the same one fail together.
    fn server_of(&self, backend: &BackendId) -> String {
        let settings = self.settings.current();
        let known = settings.backends.get(backend);
        let origin = known.and_then(|known| Origin::from_url(&known.base_url).ok());
        origin.map_or_else(
            || backend.to_string(),
            |origin| {
                let text = origin.to_string();
                let host = text.split_once("://").map_or(text.as_str(), |(_, host)| host);
                host.strip_suffix(":443").unwrap_or(host).to_owned()
            },
        )
    }

    /// Enabled routes that use the backend, split by whether another of their backends works.
    fn impact_of(&self, backend: &BackendId) -> Impact {
        let settings = self.settings.current();
        let is_up = |id: &BackendId| {
            let health = self.health.health(id);
            self.health.is_watched(id)
                && health.is_none_or(|health| health.state != HealthState::Down)
        };
        let mut impact = Impact::default();
        for (id, route) in settings.routes.iter().filter(|(_, route)| route.enabled) {
            let mut others = route.candidates.iter().map(|candidate| &candidate.backend);
            if !others.clone().any(|candidate| candidate == backend) {
                continue;
            }
            let is_covered = others.any(|candidate| candidate != backend && is_up(candidate));
            match is_covered {
                true => impact.covered.insert(id.clone()),
                false => impact.uncovered.insert(id.clone()),
            };
        }
        impact
    }

    async fn withdraw(&self, key: String) {
        let Some(channel) = self.channel.clone() else { return };
        let gone =
            tokio::task::spawn_blocking(move || NotificationChannel::withdraw(&*channel, &key))
                .await;
        if let Ok(Err(error)) = gone {
            tracing::warn!(%error, "an outdated notification could not be removed");
        }
    }

    async fn deliver(&self, notification: Notification) -> NotificationOutcome {
        let Some(channel) = self.channel.clone() else {
            return NotificationOutcome::NoChannel;
        };
        let shown = tokio::task::spawn_blocking(move || {
            NotificationChannel::deliver(&*channel, &notification)
        });
        match shown.await {
            Ok(Ok(_)) => NotificationOutcome::Delivered,
            Ok(Err(error)) => failed_outcome(&error),
            Err(_) => NotificationOutcome::Failed {
                reason: "the notification was interrupted".to_owned(),
                hint: "Try again.".to_owned(),
            },
        }
    }
}

fn failed_outcome(error: &ChannelError) -> NotificationOutcome {
    NotificationOutcome::Failed { reason: error.to_string(), hint: error.hint().to_owned() }
}
