//! How a notification reaches the desktop, and what can be wrong with that.
//!
//! A missing desktop is a state with a name and a hint, never a failure of the program: whatever a
//! notification says is also in the panel.

mod desktop;
#[cfg(all(unix, not(target_os = "macos")))]
mod session_bus;

use std::error::Error;
use std::time::Duration;

use crate::notify::Notification;

pub use desktop::{
    CALLS_AT_ONCE_MAX, CLICKS_WAITED_FOR_MAX, DELIVERY_LIMIT, DesktopChannel, Identity, OnOpen,
};

/// A way to the user.
pub trait Channel: Send + Sync {
    /// Shows `notification`. Blocks until it is accepted, at most [`DELIVERY_LIMIT`], so it is
    /// called off the asynchronous threads.
    fn deliver(&self, notification: &Notification) -> Result<Delivered, ChannelError>;

    /// Takes away what is shown under `key`, where the desktop allows that; nothing if nothing is.
    /// Blocks like [`Self::deliver`].
    fn withdraw(&self, key: &str) -> Result<(), ChannelError>;
}

/// How a notification was shown. Whether it was *seen* no desktop tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Delivered {
    /// A click on it opens its path.
    Clickable,
    /// The desktop knows no clicks, or too many are waited for.
    ShownOnly,
}

/// Why a notification was not shown.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// There is no session bus to ask.
    #[error("there is no desktop session that could show notifications")]
    NoBus(#[source] Box<dyn Error + Send + Sync>),
    /// Nobody on the session bus shows notifications.
    #[error("no program on this desktop shows notifications")]
    NoDaemon(#[source] Box<dyn Error + Send + Sync>),
    /// It was asked and said no.
    #[error("the desktop refused the notification")]
    Refused(#[source] Box<dyn Error + Send + Sync>),
    /// It was asked and said nothing.
    #[error("the desktop did not answer within {} s", .0.as_secs())]
    Hung(Duration),
}

impl ChannelError {
    /// What the user can do about it.
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
