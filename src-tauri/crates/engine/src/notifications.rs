//! Shows and withdraws desktop notifications: a blocking thread delivers, and a click returns as an
//! event. What is shown is decided by [`AlertWatch`](crate::AlertWatch).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use alerts::{Notification, Urgency};
use monitor::{ChannelError, NotificationChannel};

use crate::events::{EngineEvent, EventBus};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WindowFocus {
    /// The window shows alerts, so no notification is needed.
    Focused,
    /// Another window has the focus, or there is no window.
    Elsewhere,
}

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
    pub(crate) events: EventBus,
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
            has_sound: false,
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

    pub(crate) fn is_focused(&self) -> bool {
        self.focused.load(Ordering::Relaxed)
    }

    /// Shows a notification; a failure is logged, since the panel shows what it says.
    pub(crate) async fn show(&self, notification: Notification) {
        if let NotificationOutcome::Failed { reason, .. } = self.deliver(notification).await {
            tracing::warn!(reason, "a notification was not shown");
        }
    }

    pub(crate) async fn withdraw(&self, key: String) {
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
