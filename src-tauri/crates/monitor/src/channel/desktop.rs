//! Desktop notifications through notify-rust.
//!
//! Each call runs on its own thread, because a hanging desktop must cost at most the time limit.
//! These threads are limited in number.

#[cfg(all(unix, not(target_os = "macos")))]
mod freedesktop;
#[cfg(not(all(unix, not(target_os = "macos"))))]
mod native;

#[cfg(all(unix, not(target_os = "macos")))]
use freedesktop as platform;
#[cfg(not(all(unix, not(target_os = "macos"))))]
use native as platform;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use alerts::{DesktopScreen, Notification, NotificationResponse, ShownNotification};

use self::platform::Desktop;
use super::{ChannelError, DeliveryOutcome, NotificationChannel, NotificationProgram};

/// Maximum time for the desktop to accept a notification.
pub const DELIVERY_LIMIT: Duration = Duration::from_secs(2);
/// Maximum number of shown notifications kept for replacing and removing; far more than a desktop
/// shows.
const SHOWN_REMEMBERED_MAX: usize = 64;
/// Maximum number of calls that wait for the desktop at once; further ones fail immediately.
pub const CALLS_AT_ONCE_MAX: usize = 4;

/// Name of the sound, by the freedesktop sound naming specification; macOS and Windows fall back to
/// their own.
const SOUND_NAME: &str = "dialog-warning";

/// Callback for what the user chose. Runs on its own thread.
pub type ResponseHandler = Arc<dyn Fn(&NotificationResponse) + Send + Sync>;

/// Callback for a changed [`DesktopScreen`]. Must not block.
pub type ScreenHandler = Box<dyn Fn() + Send + Sync>;

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

    fn icon_path(&self) -> Option<&str> {
        self.icon.as_ref().and_then(|path| path.to_str())
    }
}

pub struct DesktopChannel {
    identity: AppIdentity,
    desktop: Arc<Desktop>,
    calls: Arc<AtomicUsize>,
}

impl DesktopChannel {
    /// Creates a channel. A click, or another choice, calls `on_response`.
    #[must_use]
    pub fn new(identity: AppIdentity, on_response: ResponseHandler) -> Self {
        let desktop = Arc::new(Desktop::new(identity.clone(), on_response));
        Self { identity, desktop, calls: Arc::default() }
    }

    /// Runs `work` on its own thread and waits until it calls its answer callback, at most
    /// [`DELIVERY_LIMIT`]. `work` may continue after that.
    fn run_on_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<Desktop>, &mut dyn FnMut(Result<T, ChannelError>)) + Send + 'static,
    ) -> Result<T, ChannelError> {
        let call =
            PendingDesktopCall::begin(&self.calls).ok_or(ChannelError::Hung(DELIVERY_LIMIT))?;
        let (answer, accepted) = mpsc::sync_channel(1);
        let desktop = Arc::clone(&self.desktop);
        let thread = move || {
            let mut call = Some(call);
            work(&desktop, &mut |outcome| {
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

impl NotificationChannel for DesktopChannel {
    fn deliver(&self, notification: &Notification) -> Result<DeliveryOutcome, ChannelError> {
        let notification = notification.clone();
        self.run_on_thread(move |desktop, answer| desktop.show(&notification, answer))
    }

    fn withdraw(&self, key: &str) -> Result<(), ChannelError> {
        let Some(shown) = self.desktop.take_shown(key) else { return Ok(()) };
        self.run_on_thread(move |desktop, answer| {
            desktop.close(&shown);
            answer(Ok(()));
        })
    }

    fn restore(&self, shown: BTreeMap<String, ShownNotification>) -> Result<(), ChannelError> {
        if shown.is_empty() {
            return Ok(());
        }
        self.run_on_thread(move |desktop, answer| answer(desktop.restore(shown)))
    }

    fn describe(&self) -> Result<Option<NotificationProgram>, ChannelError> {
        self.run_on_thread(|desktop, answer| answer(desktop.describe()))
    }

    fn take_screen(&self) -> DesktopScreen {
        self.desktop.take_screen()
    }

    fn watch_screen(&self, on_change: ScreenHandler) {
        self.desktop.watch_screen(on_change);
    }
}

/// Counts a call that waits for the desktop; dropping it frees its slot.
struct PendingDesktopCall(Arc<AtomicUsize>);

impl PendingDesktopCall {
    fn begin(calls: &Arc<AtomicUsize>) -> Option<Self> {
        let one_more = |calls| (calls < CALLS_AT_ONCE_MAX).then_some(calls + 1);
        let begun = calls.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_more);
        begun.is_ok().then(|| Self(Arc::clone(calls)))
    }
}

impl Drop for PendingDesktopCall {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl fmt::Debug for DesktopChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DesktopChannel").field("identity", &self.identity).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_desktop_that_hangs_holds_a_limited_number_of_calls() {
        let identity = AppIdentity::gatehouse(Path::new("/nowhere/bin/gatehouse"));
        assert_eq!(identity.icon, None);
        let channel = DesktopChannel::new(identity, Arc::new(|_| {}));
        let stuck: Vec<_> = (0..CALLS_AT_ONCE_MAX)
            .map(|_| PendingDesktopCall::begin(&channel.calls).expect("a place"))
            .collect();
        assert!(PendingDesktopCall::begin(&channel.calls).is_none());
        drop(stuck);
        assert!(PendingDesktopCall::begin(&channel.calls).is_some());
    }
}
