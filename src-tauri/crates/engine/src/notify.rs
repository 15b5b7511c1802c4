//! From events to the desktop: the policy decides, a blocking thread delivers, a click comes back
//! as an event.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::BackendId;
use monitor::{
    Channel, ChannelError, Decision, Event, Impact, Notification, RunVerdict, State, Surroundings,
    Switch, Transition, Urgency, WindowFocus,
};
use tokio::sync::broadcast::error::RecvError;

use crate::engine::Engine;
use crate::events::EngineEvent;

/// What came of a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotificationOutcome {
    /// The desktop took it. Whether it was seen no desktop tells.
    Delivered,
    /// This engine has no desktop.
    NoChannel,
    /// The desktop did not take it.
    Failed {
        /// Why.
        reason: String,
        /// What to do.
        hint: String,
    },
}

impl Engine {
    /// Sends a notification now, whatever the policy says.
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

    /// Opens a place of the panel, since its notification was clicked.
    pub fn show(&self, path: &str) {
        self.parts.events.send(EngineEvent::Open(path.to_owned()));
    }

    pub(crate) fn spawn_notifications(&self) {
        let engine = self.clone();
        let stop = self.parts.tasks.stopping();
        let mut events = self.parts.events.happenings();
        self.parts.tasks.spawn("notifications", async move {
            loop {
                let event = tokio::select! {
                    () = stop.cancelled() => return,
                    event = events.recv() => event,
                };
                match event {
                    Ok(event) => engine.consider(&event).await,
                    Err(RecvError::Lagged(missed)) => {
                        tracing::warn!(missed, "notifications fell behind");
                    }
                    Err(RecvError::Closed) => return,
                }
            }
        });
        self.spawn_health_log();
    }

    /// Health changes go into the ledger, and on as events.
    fn spawn_health_log(&self) {
        let engine = self.clone();
        let stop = self.parts.tasks.stopping();
        let mut changes = self.parts.monitor.subscribe();
        self.parts.tasks.spawn("health log", async move {
            loop {
                let change = tokio::select! {
                    () = stop.cancelled() => return,
                    change = changes.recv() => change,
                };
                match change {
                    Ok(change) => engine.health_changed(change.backend, change.transition).await,
                    Err(RecvError::Lagged(missed)) => {
                        tracing::warn!(missed, "health changes were missed");
                    }
                    Err(RecvError::Closed) => return,
                }
            }
        });
    }

    async fn health_changed(&self, backend: BackendId, transition: Transition) {
        let change = ledger::HealthChange {
            backend: backend.clone(),
            from: Some(transition.from.word().to_owned()),
            to: transition.to.word().to_owned(),
            at: transition.wall,
            reason: transition.reason.clone(),
        };
        if let Err(error) = self.parts.ledger.record_health(change).await {
            tracing::warn!(%error, "a health change was not written down");
        }
        let transition = Arc::new(transition);
        self.parts.events.send(EngineEvent::Health { backend, transition });
    }

    async fn consider(&self, event: &EngineEvent) {
        let Some(event) = self.worth_telling(event) else { return };
        let around = Surroundings {
            focus: match self.parts.focused.load(Ordering::Relaxed) {
                true => WindowFocus::Focused,
                false => WindowFocus::Elsewhere,
            },
            notifications: match self.settings().notifications.enabled {
                true => Switch::On,
                false => Switch::Off,
            },
        };
        let now = self.parts.clock.now();
        let decision = self.parts.notifications.lock().decide(&event, around, now);
        match decision {
            Decision::Show(notification) => {
                if let NotificationOutcome::Failed { reason, .. } = self.deliver(notification).await
                {
                    tracing::warn!(reason, "a notification was not shown");
                }
            }
            Decision::Hold(hold) => tracing::debug!(?hold, "a notification was held back"),
        }
    }

    fn worth_telling(&self, event: &EngineEvent) -> Option<Event> {
        match event {
            EngineEvent::RunEnded(report) => Some(Event::RunFinished {
                run: report.run,
                verdict: match report.judgement.verdict? {
                    readiness::RunVerdict::Ready => RunVerdict::Ready,
                    readiness::RunVerdict::ReadyWithWarnings => RunVerdict::ReadyWithWarnings,
                    readiness::RunVerdict::NotReady => RunVerdict::NotReady,
                },
                sentence: report.judgement.sentence.clone(),
            }),
            EngineEvent::Health { backend, transition } => self.health_event(backend, transition),
            EngineEvent::Changed(_)
            | EngineEvent::Run(_)
            | EngineEvent::Playground(_)
            | EngineEvent::PlaygroundPiece(_)
            | EngineEvent::Open(_) => None,
        }
    }

    fn health_event(&self, backend: &BackendId, transition: &Transition) -> Option<Event> {
        let label = self.backend_labels().remove(backend.as_str())?;
        match transition.to {
            State::Down => Some(Event::BackendDown {
                backend: backend.clone(),
                label,
                cause: transition.cause,
                reason: transition.reason.clone(),
                impact: self.impact_of(backend),
            }),
            State::Up => Some(Event::BackendBack { backend: backend.clone(), label }),
            State::Unknown => None,
        }
    }

    /// Whether another backend of the user's can take over.
    fn impact_of(&self, backend: &BackendId) -> Impact {
        let settings = self.settings();
        let mut others =
            settings.backends.iter().filter(|(id, known)| known.enabled && *id != backend);
        let up =
            others.any(|(id, _)| self.health(id).is_some_and(|health| health.state == State::Up));
        if up { Impact::Covered } else { Impact::Uncovered }
    }

    async fn deliver(&self, notification: Notification) -> NotificationOutcome {
        let Some(channel) = self.parts.channel.clone() else {
            return NotificationOutcome::NoChannel;
        };
        let shown = tokio::task::spawn_blocking(move || Channel::deliver(&*channel, &notification));
        match shown.await {
            Ok(Ok(_)) => NotificationOutcome::Delivered,
            Ok(Err(error)) => failed(&error),
            Err(_) => NotificationOutcome::Failed {
                reason: "the notification was interrupted".to_owned(),
                hint: "Try again.".to_owned(),
            },
        }
    }
}

fn failed(error: &ChannelError) -> NotificationOutcome {
    NotificationOutcome::Failed { reason: error.to_string(), hint: error.hint().to_owned() }
}
