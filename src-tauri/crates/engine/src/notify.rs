//! Connects events to desktop notifications: the policy decides, a blocking thread delivers, and a
//! click returns as an event.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::{BackendId, Origin};
use monitor::{
    ChannelError, FailedBackend, HealthState, HealthTransition, Impact, LedgerFault, Notification,
    NotificationChannel, NotificationContext, NotificationDecision, NotificationEvent,
    NotificationSetting, ReadinessVerdict, Urgency, WindowFocus,
};
use tokio::sync::broadcast::error::RecvError;

use crate::engine::Engine;
use crate::events::EngineEvent;
use crate::ledger_problem::LedgerSeverity;

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

impl Engine {
    /// Sends a test notification without asking the policy.
    pub async fn test_notification(&self) -> NotificationOutcome {
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
        self.parts.events.send(EngineEvent::OpenPath(path.to_owned()));
    }

    pub(crate) fn spawn_notifications(&self) {
        let engine = self.clone();
        let stop = self.parts.tasks.stop_token();
        let mut events = self.parts.events.subscribe_except_changed();
        self.parts.tasks.spawn("notifications", async move {
            loop {
                let event = tokio::select! {
                    () = stop.cancelled() => return engine.withdraw_faults().await,
                    event = events.recv() => event,
                };
                match event {
                    Ok(EngineEvent::SettingsApplied) => engine.forget_gone_backends().await,
                    Ok(event) => {
                        if let Some(event) = engine.notification_event(&event) {
                            engine.apply_notification_policy(&event).await;
                        }
                    }
                    Err(RecvError::Lagged(missed)) => {
                        tracing::warn!(missed, "notifications fell behind");
                    }
                    Err(RecvError::Closed) => return,
                }
            }
        });
        self.spawn_health_log();
    }

    /// Stores health changes in the ledger and publishes them as events.
    fn spawn_health_log(&self) {
        let engine = self.clone();
        let stop = self.parts.tasks.stop_token();
        let mut changes = self.parts.monitor.subscribe();
        self.parts.tasks.spawn("health log", async move {
            loop {
                let change = tokio::select! {
                    () = stop.cancelled() => return,
                    change = changes.recv() => change,
                };
                match change {
                    Ok(change) => {
                        engine.record_health_change(change.backend, change.transition).await;
                    }
                    Err(RecvError::Lagged(missed)) => {
                        tracing::warn!(missed, "health changes were missed");
                    }
                    Err(RecvError::Closed) => return,
                }
            }
        });
    }

    async fn record_health_change(&self, backend: BackendId, transition: HealthTransition) {
        let change = ledger::HealthChange {
            backend: backend.clone(),
            from: Some(transition.from.as_str().to_owned()),
            to: transition.to.as_str().to_owned(),
            at: transition.wall,
            reason: transition.reason.clone(),
        };
        if let Err(error) = self.parts.ledger.record_health(change).await {
            tracing::warn!(%error, "a health change could not be saved");
        }
        let transition = Arc::new(transition);
        self.parts.events.send(EngineEvent::Health { backend, transition });
    }

    /// Clears the faults of backends that were removed or disabled.
    async fn forget_gone_backends(&self) {
        let failed = self.parts.notifications.lock().failed_backends();
        let settings = self.settings();
        let is_watched = |id: &BackendId| {
            id == self.mock_id() || settings.backends.get(id).is_some_and(|known| known.enabled)
        };
        for backend in failed.into_iter().filter(|id| !is_watched(id)) {
            self.apply_notification_policy(&NotificationEvent::BackendRemoved { backend }).await;
        }
    }

    /// Withdraws the shown faults when the engine stops, because nobody updates them afterwards.
    async fn withdraw_faults(&self) {
        let shown = self.parts.notifications.lock().shown_faults();
        for key in shown {
            self.withdraw(key).await;
        }
    }

    async fn apply_notification_policy(&self, event: &NotificationEvent) {
        let around = NotificationContext {
            focus: match self.parts.focused.load(Ordering::Relaxed) {
                true => WindowFocus::Focused,
                false => WindowFocus::Elsewhere,
            },
            notifications: match self.settings().notifications.enabled {
                true => NotificationSetting::On,
                false => NotificationSetting::Off,
            },
        };
        let now = self.parts.clock.now();
        let decision = self.parts.notifications.lock().decide(event, around, now);
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
                verdict: match report.judgement.verdict? {
                    readiness::RunVerdict::Ready => ReadinessVerdict::Ready,
                    readiness::RunVerdict::ReadyWithWarnings => ReadinessVerdict::ReadyWithWarnings,
                    readiness::RunVerdict::NotReady => ReadinessVerdict::NotReady,
                },
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
            EngineEvent::Changed(_)
            | EngineEvent::RunProgress(_)
            | EngineEvent::Playground(_)
            | EngineEvent::PlaygroundDelta(_)
            | EngineEvent::SettingsApplied
            | EngineEvent::OpenPath(_) => None,
        }
    }

    fn health_event(
        &self,
        backend: &BackendId,
        transition: &HealthTransition,
    ) -> Option<NotificationEvent> {
        let label = self.backend_labels().remove(backend.as_str())?;
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
        let settings = self.settings();
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
        let settings = self.settings();
        let is_up = |id: &BackendId| {
            let is_enabled = settings.backends.get(id).is_some_and(|known| known.enabled);
            (is_enabled || id == self.mock_id())
                && self.health(id).is_none_or(|health| health.state != HealthState::Down)
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
        let Some(channel) = self.parts.channel.clone() else { return };
        let gone =
            tokio::task::spawn_blocking(move || NotificationChannel::withdraw(&*channel, &key))
                .await;
        if let Ok(Err(error)) = gone {
            tracing::warn!(%error, "an outdated notification could not be removed");
        }
    }

    async fn deliver(&self, notification: Notification) -> NotificationOutcome {
        let Some(channel) = self.parts.channel.clone() else {
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
