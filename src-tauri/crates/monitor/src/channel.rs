//! The interface to desktop notifications and their errors; mail; the bodies of webhooks.
//!
//! A missing desktop is an error with a hint, never a failure of the program, because the panel
//! also shows everything a notification says.

mod desktop;
mod mail;
mod webhook;

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use alerts::{DesktopScreen, Notification, ShownNotification};

pub use desktop::{
    AppIdentity, CALLS_AT_ONCE_MAX, DELIVERY_LIMIT, DesktopChannel, ResponseHandler, ScreenHandler,
};
pub use mail::{MailError, MailServer, send_mail};
pub use webhook::{WebhookCall, webhook_call};

/// Delivers notifications to the user.
pub trait NotificationChannel: Send + Sync {
    /// Shows `notification`. Blocks until the desktop accepts it, at most [`DELIVERY_LIMIT`], so
    /// call it on a blocking thread.
    fn deliver(&self, notification: &Notification) -> Result<DeliveryOutcome, ChannelError>;

    /// Removes the notification shown under `key` if the desktop allows it; does nothing if there
    /// is none. Blocks like [`Self::deliver`].
    fn withdraw(&self, key: &str) -> Result<(), ChannelError>;

    /// Takes over what a process before this one showed, so that it can be replaced and withdrawn.
    /// What is gone with the program that showed it is lost. Blocks like [`Self::deliver`].
    fn restore(&self, shown: BTreeMap<String, ShownNotification>) -> Result<(), ChannelError>;

    /// What shows the notifications on this machine; `None` where the system does not tell. Blocks like
    /// [`Self::deliver`].
    fn describe(&self) -> Result<Option<NotificationProgram>, ChannelError>;

    /// What is on the screen, and what was lost since the last call.
    fn take_screen(&self) -> DesktopScreen;

    /// Calls `on_change` when a notification was closed or lost, or another program shows them.
    fn watch_screen(&self, on_change: ScreenHandler);
}

/// What shows notifications, by its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationProgram {
    pub name: String,
    pub version: String,
    /// Each can be used or cannot.
    pub abilities: BTreeMap<DesktopAbility, bool>,
}

domain::words! {
    /// What a program that shows notifications may be able to do.
    DesktopAbility {
        /// Shows the sentence below the title
        Text = "text",
        /// A click opens the right page, and buttons acknowledge and silence
        Actions = "actions",
        /// A later message takes the place of the first, and goes when it is over
        Replace = "replace",
        /// Plays the sound of an alert that nobody looks at
        Sound = "sound",
        /// Keeps a notification until it is seen
        Persistence = "persistence",
    }
}

/// How a notification was shown. No desktop reports whether the user saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeliveryOutcome {
    /// A click opens the notification's path.
    Clickable,
    /// The desktop supports no clicks, or too many notifications wait for one.
    ShownOnly,
}

#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// There is no D-Bus session bus.
    #[error("there is no desktop session that could show notifications")]
    NoBus(#[source] Box<dyn Error + Send + Sync>),
    /// No notification server is on the session bus.
    #[error("no program on this desktop shows notifications")]
    NoDaemon(#[source] Box<dyn Error + Send + Sync>),
    #[error("the desktop refused the notification")]
    Refused(#[source] Box<dyn Error + Send + Sync>),
    /// No response within the time limit, or too many calls still wait for one. Holds the limit.
    #[error("the desktop did not answer within {} s", .0.as_secs())]
    Hung(Duration),
}

impl ChannelError {
    /// What the user can do.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::NoBus(_) => {
                "Start Gatehouse inside a desktop session. Without one, the panel shows everything."
            }
            Self::NoDaemon(_) => {
                "Install a notification program, for example dunst or mako, and start it."
            }
            Self::Refused(_) => "Allow notifications for Gatehouse in the desktop's settings.",
            Self::Hung(_) => "Restart the desktop's notification program, then send a test.",
        }
    }
}
