//! Notifications by the Desktop Notifications Specification 1.2, shown through notify-rust.
//!
//! notify-rust opens a connection for each notification, listens on it only after it was shown, and
//! goes on when the notification server has ended: then it takes the answers of the next one's
//! notifications, which have the same ids, for its own. So a connection of our own listens too, and
//! an id counts only together with the instance that gave it: the bus by its id, the server by its
//! unique name on that bus. Some servers answer to the connection that showed a notification alone;
//! for those each is waited for through notify-rust as well, and the first answer counts.
//! notify-rust does not look at who answers, so another program of the same user could.

mod session_bus;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use alerts::{
    DesktopScreen, Notification, NotificationAction, NotificationResponse, ShownNotification,
    Urgency,
};
use futures_util::future::select;
use notify_rust::{NotificationHandle, NotificationResponse as Answer};
use tokio::sync::oneshot;

use self::session_bus::{DesktopSignal, Server, SessionBus};
use super::{AppIdentity, ResponseHandler, SHOWN_REMEMBERED_MAX, SOUND_NAME, ScreenHandler};
use crate::channel::{ChannelError, DeliveryOutcome, DesktopAbility, NotificationProgram};

pub(super) struct Desktop {
    identity: AppIdentity,
    on_response: ResponseHandler,
    on_change: OnceLock<ScreenHandler>,
    /// `None` before the first call, and after the bus ended.
    bus: Mutex<Option<Arc<SessionBus>>>,
    screen: Mutex<DesktopScreen>,
    /// Waits for answers through notify-rust, by notification key; dropping one ends it.
    waits: Mutex<BTreeMap<String, oneshot::Sender<()>>>,
    /// Kept, since GNOME removes all that a program shows when its first connection ends.
    first: OnceLock<Arc<NotificationHandle>>,
}

impl Desktop {
    pub(super) fn new(identity: AppIdentity, on_response: ResponseHandler) -> Self {
        let (on_change, bus, screen) = (OnceLock::new(), Mutex::default(), Mutex::default());
        let (waits, first) = (Mutex::default(), OnceLock::new());
        Self { identity, on_response, on_change, bus, screen, waits, first }
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
        let handle = self.toast(notification, &server).show();
        let handle = Arc::new(handle.map_err(|error| ChannelError::Refused(Box::new(error)))?);
        self.first.get_or_init(|| Arc::clone(&handle));
        // If another server has taken over meanwhile, it is that one's.
        let shown = ShownNotification {
            server: bus.present_instance()?.unwrap_or(server.instance),
            id: handle.id(),
            path: notification.path.clone(),
            alerts: notification.alerts.clone(),
        };
        self.remember(&notification.key, shown.clone());
        self.wait_for_answer(&notification.key, shown, handle);
        match server.capabilities.contains("actions") {
            true => Ok(DeliveryOutcome::Clickable),
            false => Ok(DeliveryOutcome::ShownOnly),
        }
    }

    fn toast(&self, notification: &Notification, server: &Server) -> notify_rust::Notification {
        let has = |capability: &str| server.capabilities.contains(capability);
        let mut toast = notify_rust::Notification::new();
        toast.appname(&self.identity.app_name).summary(&notification.title);
        match has("body-markup") {
            true => toast.body(&escape_markup(&notification.body)),
            false => toast.body(&notification.body),
        };
        toast.icon(self.identity.icon_path().unwrap_or_default());
        toast.hint(notify_rust::Hint::DesktopEntry(self.identity.desktop_entry.clone()));
        toast.urgency(platform_urgency(notification.urgency));
        if has("actions") {
            for action in notification.actions() {
                toast.action(action.id(), action.label());
            }
        }
        if notification.has_sound && has("sound") {
            toast.sound_name(SOUND_NAME);
        }
        let replaced = self.screen().shown.get(&notification.key).cloned();
        if let Some(replaced) = replaced.filter(|it| it.server == server.instance) {
            toast.id(replaced.id);
        }
        toast
    }

    /// Takes in the answer to `shown`, on a thread of its own that ends with its wait.
    fn wait_for_answer(
        self: &Arc<Self>,
        key: &str,
        shown: ShownNotification,
        handle: Arc<NotificationHandle>,
    ) {
        let (keep, ended) = oneshot::channel();
        self.waits().insert(key.to_owned(), keep);
        let desktop = Arc::downgrade(self);
        let wait = move || {
            let mut answer = None;
            let answered =
                Box::pin(handle.wait_for_action_async(|it: &Answer| answer = Some(it.clone())));
            zbus::block_on(select(answered, ended));
            let ShownNotification { server, id, .. } = shown;
            let signal = answer.and_then(|answer| signal_of(answer, server, id));
            if let (Some(signal), Some(desktop)) = (signal, desktop.upgrade()) {
                desktop.take_in(signal);
            }
        };
        let thread = std::thread::Builder::new().name("notification-answer".to_owned());
        if let Err(error) = thread.spawn(wait) {
            tracing::debug!(%error, "a notification's answer cannot be waited for");
        }
    }

    fn remember(&self, key: &str, shown: ShownNotification) {
        let mut screen = self.screen();
        screen.lost.remove(key);
        screen.shown.insert(key.to_owned(), shown);
        if screen.shown.len() > SHOWN_REMEMBERED_MAX
            && let Some((oldest, _)) = screen.shown.pop_first()
        {
            self.waits().remove(&oldest);
        }
    }

    pub(super) fn take_shown(&self, key: &str) -> Option<ShownNotification> {
        let mut screen = self.screen();
        screen.lost.remove(key);
        self.waits().remove(key);
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

    pub(super) fn describe(self: &Arc<Self>) -> Result<Option<NotificationProgram>, ChannelError> {
        let bus = self.session_bus()?;
        let (server, (name, version)) = (bus.server()?, bus.server_name()?);
        let has = |ability: DesktopAbility| match ability {
            DesktopAbility::Text => server.capabilities.contains("body"),
            DesktopAbility::Actions => server.capabilities.contains("actions"),
            DesktopAbility::Sound => server.capabilities.contains("sound"),
            DesktopAbility::Persistence => server.capabilities.contains("persistence"),
            // Every server can, by the specification.
            DesktopAbility::Replace => true,
        };
        let abilities = DesktopAbility::ALL.iter().map(|ability| (*ability, has(*ability)));
        Ok(Some(NotificationProgram { name, version, abilities: abilities.collect() }))
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

    /// An answer may come twice, over both connections; the second one changes nothing.
    fn take_in(self: &Arc<Self>, signal: DesktopSignal) {
        let is_changed = match signal {
            DesktopSignal::Pressed { server, id, action } => {
                let pressed = self.take_closed(&server, id);
                let is_shown = pressed.is_some();
                if let Some(shown) = pressed
                    && let Some(action) = NotificationAction::from_id(&action)
                {
                    self.respond(action, shown);
                }
                is_shown
            }
            DesktopSignal::Closed { server, id } => self.take_closed(&server, id).is_some(),
            DesktopSignal::ServerChanged { ended } => {
                self.lose(|shown| Some(&shown.server) == ended.as_ref());
                true
            }
            DesktopSignal::BusEnded => {
                *self.bus.lock().unwrap_or_else(PoisonError::into_inner) = None;
                self.lose(|_| true);
                true
            }
        };
        if let Some(on_change) = self.on_change.get().filter(|_| is_changed) {
            on_change();
        }
    }

    /// Removes and returns what is not on the screen any more.
    fn take_closed(&self, server: &str, id: u32) -> Option<ShownNotification> {
        let mut screen = self.screen();
        let mut all = screen.shown.iter();
        let key = all.find(|(_, it)| it.server == server && it.id == id)?.0.clone();
        self.waits().remove(&key);
        screen.shown.remove(&key)
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
            tracing::warn!(%error, "the action chosen in the notification could not be done");
        }
    }

    fn lose(&self, is_lost: impl Fn(&ShownNotification) -> bool) {
        let mut screen = self.screen();
        let lost: BTreeSet<String> =
            screen.shown.extract_if(.., |_, shown| is_lost(shown)).map(|(key, _)| key).collect();
        self.waits().retain(|key, _| !lost.contains(key));
        screen.lost.extend(lost);
    }

    fn waits(&self) -> MutexGuard<'_, BTreeMap<String, oneshot::Sender<()>>> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn screen(&self) -> MutexGuard<'_, DesktopScreen> {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn signal_of(answer: Answer, server: String, id: u32) -> Option<DesktopSignal> {
    let pressed = |server, action| Some(DesktopSignal::Pressed { server, id, action });
    match answer {
        Answer::Default => pressed(server, NotificationAction::Open.id().to_owned()),
        Answer::Action(action) => pressed(server, action),
        Answer::Closed(_) => Some(DesktopSignal::Closed { server, id }),
        Answer::Reply(_) => None,
    }
}

const fn platform_urgency(urgency: Urgency) -> notify_rust::Urgency {
    match urgency {
        Urgency::Low => notify_rust::Urgency::Low,
        Urgency::Normal => notify_rust::Urgency::Normal,
        Urgency::Critical => notify_rust::Urgency::Critical,
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
