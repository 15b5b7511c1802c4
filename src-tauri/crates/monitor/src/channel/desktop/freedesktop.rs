//! Notifications by the Desktop Notifications Specification 1.2, over one connection to the session
//! bus.
//!
//! Not through notify-rust, which opens a connection for each notification, listens only after it was
//! shown, and goes on when the notification server has ended: then it takes the answers of the next
//! one's notifications, which have the same ids, for its own. Here an id counts only together with
//! the instance that gave it: the bus by its id, the server by its unique name on that bus.

mod session_bus;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use alerts::{
    DesktopScreen, Notification, NotificationAction, NotificationResponse, ShownNotification,
    Urgency,
};

use self::session_bus::{DesktopSignal, NotifyCall, SessionBus};
use super::{AppIdentity, ResponseHandler, SHOWN_REMEMBERED_MAX, SOUND_NAME, ScreenHandler};
use crate::channel::{ChannelError, DeliveryOutcome};

pub(super) struct Desktop {
    identity: AppIdentity,
    on_response: ResponseHandler,
    on_change: OnceLock<ScreenHandler>,
    /// `None` before the first call, and after the bus ended.
    bus: Mutex<Option<Arc<SessionBus>>>,
    screen: Mutex<DesktopScreen>,
}

impl Desktop {
    pub(super) fn new(identity: AppIdentity, on_response: ResponseHandler) -> Self {
        let (on_change, bus, screen) = (OnceLock::new(), Mutex::default(), Mutex::default());
        Self { identity, on_response, on_change, bus, screen }
    }

    pub(super) fn show(
        self: &Arc<Self>,
        notification: &Notification,
        answer: &mut dyn FnMut(Result<DeliveryOutcome, ChannelError>),
    ) {
        answer(self.try_show(notification));
    }

    fn try_show(
        self: &Arc<Self>,
        notification: &Notification,
    ) -> Result<DeliveryOutcome, ChannelError> {
        let bus = self.session_bus()?;
        let server = bus.server()?;
        let escaped = server.has("body-markup").then(|| escape_markup(&notification.body));
        let is_clickable = server.has("actions");
        let replaced = self.screen().shown.get(&notification.key).cloned();
        let id = bus.notify(&NotifyCall {
            server: &server,
            replaced_id: replaced.filter(|it| it.server == server.instance).map_or(0, |it| it.id),
            app_name: &self.identity.app_name,
            desktop_entry: &self.identity.desktop_entry,
            icon: self.identity.icon_path().unwrap_or_default(),
            title: &notification.title,
            body: escaped.as_deref().unwrap_or(&notification.body),
            actions: if is_clickable { actions(notification) } else { Vec::new() },
            urgency: urgency_byte(notification.urgency),
            sound: (notification.has_sound && server.has("sound")).then_some(SOUND_NAME),
        })?;
        let (path, alerts) = (notification.path.clone(), notification.alerts.clone());
        let shown = ShownNotification { server: server.instance, id, path, alerts };
        self.remember(&notification.key, shown);
        let outcome =
            if is_clickable { DeliveryOutcome::Clickable } else { DeliveryOutcome::ShownOnly };
        Ok(outcome)
    }

    fn remember(&self, key: &str, shown: ShownNotification) {
        let mut screen = self.screen();
        screen.lost.remove(key);
        screen.shown.insert(key.to_owned(), shown);
        if screen.shown.len() > SHOWN_REMEMBERED_MAX {
            screen.shown.pop_first();
        }
    }

    pub(super) fn take_shown(&self, key: &str) -> Option<ShownNotification> {
        let mut screen = self.screen();
        screen.lost.remove(key);
        screen.shown.remove(key)
    }

    pub(super) fn close(self: &Arc<Self>, shown: &ShownNotification) {
        let closed = self.session_bus().and_then(|bus| bus.close(&shown.server, shown.id));
        if let Err(error) = closed {
            tracing::debug!(%error, "a notification was already closed");
        }
    }

    /// Takes over what another process showed. What its server's end took away is lost.
    pub(super) fn restore(
        self: &Arc<Self>,
        shown: BTreeMap<String, ShownNotification>,
    ) -> Result<(), ChannelError> {
        // Kept as shown while the desktop does not answer.
        self.screen().shown.extend(shown);
        let present = self.session_bus().and_then(|bus| bus.present_instance());
        let present = match present {
            Ok(present) => present,
            Err(ChannelError::NoBus(_)) => None,
            Err(error) => return Err(error),
        };
        self.lose(|shown| present.as_ref() != Some(&shown.server));
        Ok(())
    }

    pub(super) fn take_screen(&self) -> DesktopScreen {
        let mut screen = self.screen();
        let lost = std::mem::take(&mut screen.lost);
        DesktopScreen { shown: screen.shown.clone(), lost }
    }

    pub(super) fn watch_screen(&self, on_change: ScreenHandler) {
        // One engine watches, and only once.
        let _second = self.on_change.set(on_change);
    }

    fn session_bus(self: &Arc<Self>) -> Result<Arc<SessionBus>, ChannelError> {
        let mut bus = self.bus.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bus) = &*bus {
            return Ok(Arc::clone(bus));
        }
        let desktop = Arc::downgrade(self);
        let opened = SessionBus::open(move |signal| {
            let Some(desktop) = desktop.upgrade() else { return false };
            desktop.take_in(signal);
            true
        })?;
        Ok(Arc::clone(bus.insert(Arc::new(opened))))
    }

    fn take_in(self: &Arc<Self>, signal: DesktopSignal) {
        match signal {
            DesktopSignal::Pressed { server, id, action } => {
                if let Some((_, shown)) = self.take_closed(&server, id)
                    && let Some(action) = NotificationAction::from_id(&action)
                {
                    self.respond(action, shown);
                }
            }
            DesktopSignal::Closed { server, id } => {
                self.take_closed(&server, id);
            }
            DesktopSignal::ServerChanged { ended } => {
                self.lose(|shown| Some(&shown.server) == ended.as_ref());
            }
            DesktopSignal::BusEnded => {
                *self.bus.lock().unwrap_or_else(PoisonError::into_inner) = None;
                self.lose(|_| true);
            }
        }
        if let Some(on_change) = self.on_change.get() {
            on_change();
        }
    }

    /// Removes and returns what is not on the screen any more.
    fn take_closed(&self, server: &str, id: u32) -> Option<(String, ShownNotification)> {
        let mut screen = self.screen();
        let mut all = screen.shown.iter();
        let key = all.find(|(_, it)| it.server == server && it.id == id)?.0.clone();
        screen.shown.remove_entry(&key)
    }

    /// Does what was chosen, on a thread of its own.
    fn respond(self: &Arc<Self>, action: NotificationAction, shown: ShownNotification) {
        let desktop = Arc::clone(self);
        let (path, alerts) = (shown.path.clone(), shown.alerts.clone());
        let response = NotificationResponse { action, path, alerts };
        let thread = std::thread::Builder::new().name("notification-response".to_owned());
        let started = thread.spawn(move || {
            (desktop.on_response)(&response);
            // Some servers keep one on the screen after a click.
            desktop.close(&shown);
        });
        if let Err(error) = started {
            tracing::warn!(%error, "what was chosen on a notification could not be done");
        }
    }

    fn lose(&self, is_lost: impl Fn(&ShownNotification) -> bool) {
        let mut screen = self.screen();
        let lost: BTreeSet<String> =
            screen.shown.extract_if(.., |_, shown| is_lost(shown)).map(|(key, _)| key).collect();
        screen.lost.extend(lost);
    }

    fn screen(&self) -> MutexGuard<'_, DesktopScreen> {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ids and labels in turn.
fn actions(notification: &Notification) -> Vec<&'static str> {
    notification.actions().iter().flat_map(|action| [action.id(), action.label()]).collect()
}

const fn urgency_byte(urgency: Urgency) -> u8 {
    match urgency {
        Urgency::Low => 0,
        Urgency::Normal => 1,
        Urgency::Critical => 2,
    }
}

/// Escapes the body for servers that parse markup, so that a backend's text cannot become a link.
fn escape_markup(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_a_body_is_shown_and_not_obeyed() {
        assert_eq!(escape_markup("<a href='x'>&"), "&lt;a href='x'&gt;&amp;");
    }
}
