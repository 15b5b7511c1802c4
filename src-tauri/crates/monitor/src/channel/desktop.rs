//! Desktop notifications through notify-rust.
//!
//! Each delivery runs on its own thread: the calls block, a hanging desktop must cost at most the
//! time limit, and waiting for a click blocks as long as the notification is shown. Both kinds of
//! waiting threads are limited in number.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use notify_rust::{NotificationHandle, NotificationResponse};

use super::{ChannelError, DeliveryOutcome, NotificationChannel};
use alerts::{Notification, Urgency};

/// Maximum time for the desktop to accept a notification.
pub const DELIVERY_LIMIT: Duration = Duration::from_secs(2);
/// Maximum number of notifications that wait for a click; further ones are shown without one.
pub const CLICKS_WAITED_FOR_MAX: usize = 16;
/// Maximum number of shown notifications kept for replacing and removing; far more than a desktop
/// shows.
const SHOWN_REMEMBERED_MAX: usize = 64;
/// Maximum number of calls that wait for the desktop at once; further ones fail immediately.
pub const CALLS_AT_ONCE_MAX: usize = 4;

/// Name of the sound, by the freedesktop sound naming specification; macOS and Windows fall back to
/// their own.
const SOUND_NAME: &str = "dialog-warning";

/// The action id that servers send for a click on the notification itself.
const DEFAULT_ACTION: &str = "default";

/// Callback for a click, with the notification's path. Runs on its own thread.
pub type ClickHandler = Arc<dyn Fn(&str) + Send + Sync>;

/// The application that the notifications come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppIdentity {
    /// Name shown to the user.
    pub app_name: String,
    /// Name of the `.desktop` file without its extension. The desktop uses it to find the app's
    /// settings.
    pub desktop_entry: String,
    /// Path of the icon file, if it is installed.
    pub icon: Option<PathBuf>,
}

impl AppIdentity {
    /// Gatehouse, whose packages install `program` and the icon below the same prefix. Development
    /// builds have no icon, and the desktop shows its default.
    #[must_use]
    pub fn gatehouse(program: &Path) -> Self {
        let prefix = program.parent().and_then(Path::parent);
        let icon = prefix
            .map(|prefix| prefix.join("share/icons/hicolor/128x128/apps/gatehouse-desktop.png"));
        Self {
            app_name: "Gatehouse".to_owned(),
            desktop_entry: "gatehouse-desktop".to_owned(),
            icon: icon.filter(|icon| icon.exists()),
        }
    }
}

pub struct DesktopChannel {
    shared: Arc<DesktopChannelState>,
}

struct DesktopChannelState {
    identity: AppIdentity,
    on_click: ClickHandler,
    /// Shown notifications by key, for replacing, removing and opening them. A click removes the
    /// entry, so it opens a path only once even if the notification was replaced and two threads
    /// wait for it.
    shown: Mutex<BTreeMap<String, ShownNotification>>,
    /// Number of threads that wait for a click.
    waiting: AtomicUsize,
    calls: AtomicUsize,
}

struct ShownNotification {
    server_id: Option<u32>,
    path: String,
}

impl DesktopChannel {
    /// Creates a channel. A click calls `on_open`.
    #[must_use]
    pub fn new(identity: AppIdentity, on_open: ClickHandler) -> Self {
        let shared = DesktopChannelState {
            identity,
            on_click: on_open,
            shown: Mutex::new(BTreeMap::new()),
            waiting: AtomicUsize::new(0),
            calls: AtomicUsize::new(0),
        };
        Self { shared: Arc::new(shared) }
    }
}

impl NotificationChannel for DesktopChannel {
    fn deliver(&self, notification: &Notification) -> Result<DeliveryOutcome, ChannelError> {
        let notification = notification.clone();
        self.run_on_thread(move |shared, answer| {
            let (outcome, handle) = match shared.show(&notification) {
                Ok((delivered, handle)) => (Ok(delivered), Some(handle)),
                Err(error) => (Err(error), None),
            };
            let waits = matches!(outcome, Ok(DeliveryOutcome::Clickable));
            answer(outcome);
            if let (true, Some(handle)) = (waits, handle) {
                shared.wait_for_click(&notification.key, handle);
                shared.waiting.fetch_sub(1, Ordering::SeqCst);
            }
        })
    }

    fn withdraw(&self, key: &str) -> Result<(), ChannelError> {
        let Some(shown) = self.shared.lock().remove(key) else { return Ok(()) };
        self.run_on_thread(move |_shared, answer| {
            close(shown.server_id);
            answer(Ok(()));
        })
    }
}

impl DesktopChannel {
    /// Runs `work` on its own thread and waits until it calls its answer callback, at most
    /// [`DELIVERY_LIMIT`]. `work` may continue after that.
    fn run_on_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<DesktopChannelState>, &mut dyn FnMut(Result<T, ChannelError>))
        + Send
        + 'static,
    ) -> Result<T, ChannelError> {
        let call =
            PendingDesktopCall::begin(&self.shared).ok_or(ChannelError::Hung(DELIVERY_LIMIT))?;
        let (answer, accepted) = mpsc::sync_channel(1);
        let thread = move || {
            let shared = Arc::clone(&call.0);
            let mut call = Some(call);
            work(&shared, &mut |outcome| {
                drop(call.take());
                // An error means that the caller gave up after the time limit.
                let _late = answer.send(outcome);
            });
        };
        std::thread::Builder::new()
            .name("notification".to_owned())
            .spawn(thread)
            .map_err(|error| ChannelError::Refused(Box::new(error)))?;
        accepted.recv_timeout(DELIVERY_LIMIT).unwrap_or(Err(ChannelError::Hung(DELIVERY_LIMIT)))
    }
}

impl DesktopChannelState {
    fn show(
        &self,
        notification: &Notification,
    ) -> Result<(DeliveryOutcome, NotificationHandle), ChannelError> {
        let abilities = ServerCapabilities::query()?;
        let clickable = abilities.actions && self.reserve_click_wait();
        let replaced = self.lock().get(&notification.key).and_then(|shown| shown.server_id);
        let mut toast = notify_rust::Notification::new();
        toast.appname(&self.identity.app_name).summary(&notification.title);
        toast.body(&if abilities.markup {
            escape_markup(&notification.body)
        } else {
            notification.body.clone()
        });
        if let Some(icon) = self.identity.icon.as_ref().and_then(|path| path.to_str()) {
            toast.icon(icon);
        }
        if clickable {
            toast.action(DEFAULT_ACTION, "Open");
        }
        if let Some(id) = replaced {
            toast.id(id);
        }
        self.add_platform_hints(&mut toast, notification.urgency);
        if notification.has_sound && abilities.sound {
            toast.sound_name(SOUND_NAME);
        }
        let handle = match toast.show() {
            Ok(handle) => handle,
            Err(error) => {
                if clickable {
                    self.waiting.fetch_sub(1, Ordering::SeqCst);
                }
                return Err(ChannelError::Refused(Box::new(error)));
            }
        };
        let shown =
            ShownNotification { server_id: server_id(&handle), path: notification.path.clone() };
        let mut all = self.lock();
        all.insert(notification.key.clone(), shown);
        if all.len() > SHOWN_REMEMBERED_MAX {
            all.pop_first();
        }
        let delivered =
            if clickable { DeliveryOutcome::Clickable } else { DeliveryOutcome::ShownOnly };
        Ok((delivered, handle))
    }

    /// Reserves one of the [`CLICKS_WAITED_FOR_MAX`] waiting threads; `false` if none is left.
    fn reserve_click_wait(&self) -> bool {
        let one_more = |waiting| (waiting < CLICKS_WAITED_FOR_MAX).then_some(waiting + 1);
        self.waiting.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_more).is_ok()
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    fn add_platform_hints(&self, toast: &mut notify_rust::Notification, urgency: Urgency) {
        toast.hint(notify_rust::Hint::DesktopEntry(self.identity.desktop_entry.clone()));
        toast.urgency(platform_urgency(urgency));
    }

    #[cfg(windows)]
    fn add_platform_hints(&self, toast: &mut notify_rust::Notification, urgency: Urgency) {
        toast.urgency(platform_urgency(urgency));
    }

    #[cfg(target_os = "macos")]
    fn add_platform_hints(&self, _toast: &mut notify_rust::Notification, _urgency: Urgency) {}

    /// Blocks until the notification is clicked or closed.
    fn wait_for_click(&self, key: &str, handle: NotificationHandle) {
        let id = server_id(&handle);
        let waited = handle.wait_for_response(|response: &NotificationResponse| {
            let clicked = match response {
                NotificationResponse::Default => true,
                NotificationResponse::Action(action) => action == DEFAULT_ACTION,
                NotificationResponse::Reply(_) | NotificationResponse::Closed(_) => false,
            };
            if let (true, Some(shown)) = (clicked, self.take_shown(key, id)) {
                (self.on_click)(&shown.path);
                close(id);
            }
        });
        if let Err(error) = waited {
            tracing::debug!(%error, "a notification's click cannot be waited for");
        }
        self.take_shown(key, id);
    }

    /// Removes and returns the entry of `key`, unless it now belongs to another notification.
    fn take_shown(&self, key: &str, id: Option<u32>) -> Option<ShownNotification> {
        let mut shown = self.lock();
        if shown.get(key)?.server_id != id {
            return None;
        }
        shown.remove(key)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, ShownNotification>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a call that waits for the desktop; dropping it frees its slot.
struct PendingDesktopCall(Arc<DesktopChannelState>);

impl PendingDesktopCall {
    fn begin(shared: &Arc<DesktopChannelState>) -> Option<Self> {
        let one_more = |calls| (calls < CALLS_AT_ONCE_MAX).then_some(calls + 1);
        let begun = shared.calls.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_more);
        begun.is_ok().then(|| Self(Arc::clone(shared)))
    }
}

impl Drop for PendingDesktopCall {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::SeqCst);
    }
}

struct ServerCapabilities {
    actions: bool,
    markup: bool,
    sound: bool,
}

impl ServerCapabilities {
    #[cfg(all(unix, not(target_os = "macos")))]
    fn query() -> Result<Self, ChannelError> {
        let named = super::session_bus::capabilities()?;
        let has = |name: &str| named.iter().any(|capability| capability == name);
        Ok(Self { actions: has("actions"), markup: has("body-markup"), sound: has("sound") })
    }

    #[cfg(not(all(unix, not(target_os = "macos"))))]
    fn query() -> Result<Self, ChannelError> {
        Ok(Self { actions: true, markup: false, sound: true })
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
fn server_id(handle: &NotificationHandle) -> Option<u32> {
    Some(handle.id())
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn server_id(_handle: &NotificationHandle) -> Option<u32> {
    None
}

#[cfg(all(unix, not(target_os = "macos")))]
fn close(server_id: Option<u32>) {
    if let Some(Err(error)) = server_id.map(super::session_bus::close) {
        tracing::debug!(%error, "a notification was already closed");
    }
}

/// These desktops remove a clicked notification themselves and remove no other on request.
#[cfg(not(all(unix, not(target_os = "macos"))))]
const fn close(_server_id: Option<u32>) {}

#[cfg(any(windows, all(unix, not(target_os = "macos"))))]
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

impl fmt::Debug for DesktopChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DesktopChannel").field("identity", &self.shared.identity).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel() -> DesktopChannel {
        let identity = AppIdentity::gatehouse(Path::new("/nowhere/bin/gatehouse"));
        assert_eq!(identity.icon, None);
        DesktopChannel::new(identity, Arc::new(|_path| {}))
    }

    #[test]
    fn markup_in_a_body_is_shown_and_not_obeyed() {
        assert_eq!(escape_markup("<a href='x'>&"), "&lt;a href='x'&gt;&amp;");
    }

    #[test]
    fn a_desktop_that_hangs_holds_a_limited_number_of_calls() {
        let channel = channel();
        let stuck: Vec<_> = (0..CALLS_AT_ONCE_MAX)
            .map(|_| PendingDesktopCall::begin(&channel.shared).expect("a place"))
            .collect();
        assert!(PendingDesktopCall::begin(&channel.shared).is_none());
        drop(stuck);
        assert!(PendingDesktopCall::begin(&channel.shared).is_some());
    }

    #[test]
    fn a_click_opens_the_newest_path_of_a_key_once() {
        let shared = channel().shared;
        let shown =
            |id, path: &str| ShownNotification { server_id: Some(id), path: path.to_owned() };
        shared.lock().insert("backend/a".to_owned(), shown(7, "/backends/a"));
        assert!(shared.take_shown("backend/a", Some(6)).is_none());
        assert_eq!(
            shared.take_shown("backend/a", Some(7)).map(|shown| shown.path),
            Some("/backends/a".to_owned())
        );
        assert!(shared.take_shown("backend/a", Some(7)).is_none());
    }
}
