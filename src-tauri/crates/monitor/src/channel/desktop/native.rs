//! Notifications of macOS and Windows, which give no ids and remove no notification on request.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use alerts::{
    DesktopScreen, Notification, NotificationAction, NotificationResponse, ShownNotification,
};
use notify_rust::{NotificationHandle, NotificationResponse as NativeResponse};

use super::{AppIdentity, ResponseHandler, SHOWN_REMEMBERED_MAX, SOUND_NAME, ScreenHandler};
use crate::channel::{ChannelError, DeliveryOutcome, NotificationProgram};

/// Maximum number of notifications that wait for a click; further ones are shown without one.
const CLICKS_WAITED_FOR_MAX: usize = 16;

/// Answers the caller, who waits no longer.
type Answer<'a> = &'a mut dyn FnMut(Result<DeliveryOutcome, ChannelError>);

pub(super) struct Desktop {
    identity: AppIdentity,
    on_response: ResponseHandler,
    /// Shown notifications by key. A click removes the entry, so it opens a path only once even if the
    /// notification was replaced and two threads wait for it.
    shown: Mutex<BTreeMap<String, Notification>>,
    /// Number of threads that wait for a click.
    waiting: AtomicUsize,
}

impl Desktop {
    pub(super) fn new(identity: AppIdentity, on_response: ResponseHandler) -> Self {
        Self { identity, on_response, shown: Mutex::default(), waiting: AtomicUsize::new(0) }
    }

    /// The system tells nothing of what shows them.
    pub(super) const fn describe(&self) -> Result<Option<NotificationProgram>, ChannelError> {
        Ok(None)
    }

    /// Shows a notification, answers, and then waits for the click.
    pub(super) fn show(&self, notification: &Notification, answer: Answer<'_>) {
        let clickable = self.reserve_click_wait();
        let mut toast = notify_rust::Notification::new();
        toast.appname(&self.identity.app_name).summary(&notification.title);
        toast.body(&notification.body);
        if let Some(icon) = self.identity.icon_path() {
            toast.icon(icon);
        }
        if clickable {
            for action in notification.actions() {
                toast.action(action.id(), action.label());
            }
        }
        #[cfg(windows)]
        toast.urgency(platform_urgency(notification.urgency));
        if notification.has_sound {
            toast.sound_name(SOUND_NAME);
        }
        match toast.show() {
            Ok(handle) => {
                self.remember(notification);
                if clickable {
                    answer(Ok(DeliveryOutcome::Clickable));
                    self.wait_for_click(&notification.key, handle);
                } else {
                    answer(Ok(DeliveryOutcome::ShownOnly));
                }
            }
            Err(error) => answer(Err(ChannelError::Refused(Box::new(error)))),
        }
        if clickable {
            self.waiting.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Forgets a notification, so that a click opens nothing any more.
    pub(super) fn take_shown(&self, key: &str) -> Option<Notification> {
        self.lock().remove(key)
    }

    /// These desktops remove a clicked notification themselves and remove no other on request.
    #[expect(clippy::unused_self, reason = "other desktops need it")]
    pub(super) const fn close(&self, _shown: &Notification) {}

    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "other desktops need it")]
    pub(super) fn restore(
        &self,
        _shown: BTreeMap<String, ShownNotification>,
    ) -> Result<(), ChannelError> {
        Ok(())
    }

    #[expect(clippy::unused_self, reason = "other desktops need it")]
    pub(super) fn take_screen(&self) -> DesktopScreen {
        DesktopScreen::default()
    }

    #[expect(clippy::unused_self, reason = "other desktops need it")]
    pub(super) fn watch_screen(&self, _on_change: ScreenHandler) {}

    fn remember(&self, notification: &Notification) {
        let mut all = self.lock();
        all.insert(notification.key.clone(), notification.clone());
        if all.len() > SHOWN_REMEMBERED_MAX {
            all.pop_first();
        }
    }

    /// Reserves one of the [`CLICKS_WAITED_FOR_MAX`] waiting threads; `false` if none is left.
    fn reserve_click_wait(&self) -> bool {
        let one_more = |waiting| (waiting < CLICKS_WAITED_FOR_MAX).then_some(waiting + 1);
        self.waiting.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_more).is_ok()
    }

    /// Blocks until the notification is clicked or closed.
    fn wait_for_click(&self, key: &str, handle: NotificationHandle) {
        let waited = handle.wait_for_response(|response: &NativeResponse| {
            let chosen = match response {
                NativeResponse::Default => Some(NotificationAction::Open),
                NativeResponse::Action(action) => NotificationAction::from_id(action),
                NativeResponse::Reply(_) | NativeResponse::Closed(_) => None,
            };
            let Some(action) = chosen else { return };
            if let Some(Notification { path, alerts, .. }) = self.take_shown(key) {
                (self.on_response)(&NotificationResponse { action, path, alerts });
            }
        });
        if let Err(error) = waited {
            tracing::debug!(%error, "a notification's click cannot be waited for");
        }
        self.take_shown(key);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Notification>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(windows)]
const fn platform_urgency(urgency: alerts::Urgency) -> notify_rust::Urgency {
    match urgency {
        alerts::Urgency::Low => notify_rust::Urgency::Low,
        alerts::Urgency::Normal => notify_rust::Urgency::Normal,
        alerts::Urgency::Critical => notify_rust::Urgency::Critical,
    }
}
