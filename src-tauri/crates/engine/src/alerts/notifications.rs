//! Shows and withdraws desktop notifications: a blocking thread delivers, and a click returns as an
//! event. What is shown is decided by [`AlertWatch`](crate::AlertWatch).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use alerts::{DesktopScreen, Notification, ShownNotification, Urgency};
use domain::{capitalize, redact_outbound};
use monitor::{ChannelError, NotificationChannel, NotificationProgram};
use parking_lot::Mutex;
use tokio::sync::Notify;

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

/// Maximum number of notifications kept until the desktop takes them; far more than are shown at
/// once.
const UNSHOWN_MAX: usize = 64;

/// Shows and withdraws desktop notifications.
pub struct Notifications {
    /// `None` without a desktop.
    channel: Option<Arc<dyn NotificationChannel>>,
    events: EventBus,
    /// True while the window has the focus.
    focused: AtomicBool,
    /// Notifications that the desktop did not take and that still hold, by key.
    unshown: Mutex<BTreeMap<String, Notification>>,
    /// Told when the user or the desktop closed something, or another program shows notifications.
    screen_changed: Arc<Notify>,
}

impl Notifications {
    pub(crate) fn new(channel: Option<Arc<dyn NotificationChannel>>, events: EventBus) -> Self {
        let screen_changed = Arc::<Notify>::default();
        if let Some(channel) = &channel {
            let changed = Arc::clone(&screen_changed);
            channel.watch_screen(Box::new(move || changed.notify_one()));
        }
        let (focused, unshown) = (AtomicBool::new(false), Mutex::default());
        Self { channel, events, focused, unshown, screen_changed }
    }

    /// Takes over what a process before this one showed.
    pub(crate) async fn restore(&self, shown: BTreeMap<String, ShownNotification>) {
        let Some(channel) = self.channel.clone() else { return };
        let restored = tokio::task::spawn_blocking(move || channel.restore(shown)).await;
        if let Ok(Err(error)) = restored {
            tracing::warn!(%error, "it is not known whether earlier notifications are still shown");
        }
    }

    /// What is on the screen, and what was lost since the last call; `None` without a desktop.
    pub(crate) fn take_screen(&self) -> Option<DesktopScreen> {
        self.channel.as_ref().map(|channel| channel.take_screen())
    }

    pub(crate) async fn screen_changed(&self) {
        self.screen_changed.notified().await;
    }

    /// Sends a test notification without asking the policy.
    pub async fn test(&self) -> NotificationOutcome {
        self.deliver(Notification {
            key: "test".to_owned(),
            title: "Gatehouse".to_owned(),
            body: "Notifications work. Click to open the settings.".to_owned(),
            urgency: Urgency::Normal,
            path: "/settings".to_owned(),
            has_sound: false,
            alerts: Vec::new(),
        })
        .await
    }

    /// What shows notifications on this machine, and what that can do. `None` without a desktop, or
    /// where the system does not tell.
    ///
    /// # Errors
    /// The desktop does not answer; with what the user can do.
    pub async fn describe(&self) -> Result<Option<NotificationProgram>, String> {
        let Some(channel) = self.channel.clone() else { return Ok(None) };
        let asked = tokio::task::spawn_blocking(move || channel.describe());
        let failed =
            |error: &ChannelError| format!("{}. {}", capitalize(&error.to_string()), error.hint());
        asked.await.unwrap_or(Ok(None)).map_err(|error| failed(&error))
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

    /// Shows a notification. One that the desktop does not take is kept for [`Self::show_unshown`], unless
    /// it only says that something is over; the panel shows what it says meanwhile.
    pub(crate) async fn show(&self, notification: Notification) {
        let outcome = self.deliver(notification.clone()).await;
        let mut unshown = self.unshown.lock();
        unshown.remove(&notification.key);
        let NotificationOutcome::Failed { reason, .. } = outcome else { return };
        tracing::warn!(reason, "a notification was not shown");
        if notification.urgency != Urgency::Low && unshown.len() < UNSHOWN_MAX {
            unshown.insert(notification.key.clone(), notification);
        }
    }

    /// Lets the window show a notification itself. Marks of budgets have an event of their own, which
    /// came before.
    pub(crate) fn show_in_window(&self, notification: Notification) {
        if !notification.key.starts_with(alerts::BUDGET_KEY_START) {
            self.events.send(EngineEvent::AlertShown(Arc::new(without_private(notification))));
        }
    }

    /// Shows what the desktop did not take before and what still holds.
    pub(crate) async fn show_unshown(&self) {
        let waiting: Vec<Notification> = self.unshown.lock().values().cloned().collect();
        for notification in waiting {
            let key = notification.key.clone();
            if let NotificationOutcome::Failed { .. } = self.deliver(notification).await {
                return;
            }
            self.unshown.lock().remove(&key);
        }
    }

    pub(crate) async fn withdraw(&self, key: String) {
        self.unshown.lock().remove(&key);
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
        let notification = without_private(notification);
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

/// Without keys and paths of files.
fn without_private(notification: Notification) -> Notification {
    Notification {
        title: redact_outbound(&notification.title),
        body: redact_outbound(&notification.body),
        ..notification
    }
}

fn failed_outcome(error: &ChannelError) -> NotificationOutcome {
    NotificationOutcome::Failed { reason: error.to_string(), hint: error.hint().to_owned() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use monitor::{DeliveryOutcome, ScreenHandler};

    use super::*;

    /// A desktop whose notification program may be away. Keeps the titles that it shows.
    #[derive(Default)]
    struct FakeDesktop {
        is_away: AtomicBool,
        shown: Mutex<Vec<String>>,
    }

    impl NotificationChannel for FakeDesktop {
        fn deliver(&self, notification: &Notification) -> Result<DeliveryOutcome, ChannelError> {
            if self.is_away.load(Ordering::Relaxed) {
                return Err(ChannelError::Hung(Duration::ZERO));
            }
            self.shown.lock().push(format!("{}: {}", notification.title, notification.body));
            Ok(DeliveryOutcome::ShownOnly)
        }

        fn withdraw(&self, _: &str) -> Result<(), ChannelError> {
            Ok(())
        }

        fn restore(&self, _: BTreeMap<String, ShownNotification>) -> Result<(), ChannelError> {
            Ok(())
        }

        fn describe(&self) -> Result<Option<NotificationProgram>, ChannelError> {
            Ok(None)
        }

        fn take_screen(&self) -> DesktopScreen {
            DesktopScreen::default()
        }

        fn watch_screen(&self, _: ScreenHandler) {}
    }

    fn notification(key: &str, title: &str, urgency: Urgency) -> Notification {
        Notification {
            key: key.to_owned(),
            title: title.to_owned(),
            body: "See /home/jo/.env now.".to_owned(),
            urgency,
            path: "/keys".to_owned(),
            has_sound: false,
            alerts: Vec::new(),
        }
    }

    #[tokio::test]
    async fn what_a_desktop_did_not_take_is_shown_once_it_is_back_if_it_still_holds() {
        let desktop = Arc::new(FakeDesktop::default());
        let channel = Arc::<FakeDesktop>::clone(&desktop);
        let notifications = Notifications::new(Some(channel), EventBus::default());
        desktop.is_away.store(true, Ordering::Relaxed);
        notifications.show(notification("a", "old", Urgency::Critical)).await;
        notifications.show(notification("a", "down", Urgency::Critical)).await;
        notifications.show(notification("b", "over soon", Urgency::Normal)).await;
        notifications.show(notification("c", "over", Urgency::Low)).await;
        notifications.show_unshown().await;
        notifications.withdraw("b".to_owned()).await;
        desktop.is_away.store(false, Ordering::Relaxed);
        for _ in 0..2 {
            notifications.show_unshown().await;
            assert_eq!(*desktop.shown.lock(), ["down: See (a path) now."]);
        }
    }
}
