//! Desktop notifications of `gatehouse serve`.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, OnceLock};

use control::{
    AppIdentity, Core, DesktopChannel, DisplayAvailability, NotificationAction,
    NotificationChannel, NotificationResponse, respond_to_notification,
};
use tokio::runtime::Handle;

use crate::desktop;

/// Does what is chosen on a notification. A click opens the panel: one that is open goes to the
/// notification's page, and the window comes to the front, if it is installed.
#[derive(Clone)]
pub(crate) struct NotificationOpener {
    /// This program, beside which the window's program lies.
    program: PathBuf,
    /// The folder that holds all data, where one was chosen.
    home: Option<PathBuf>,
    core: Arc<OnceLock<Core>>,
    runtime: Handle,
}

impl NotificationOpener {
    /// To be called within a runtime, which does what is chosen.
    pub(crate) fn new(program: PathBuf, home: Option<PathBuf>) -> Self {
        Self { program, home, core: Arc::default(), runtime: Handle::current() }
    }

    /// The channel of this process; `None` without a display, where nobody would see what it shows.
    pub(crate) fn channel(
        &self,
        display: DisplayAvailability,
    ) -> Option<Arc<dyn NotificationChannel>> {
        if display == DisplayAvailability::Unavailable {
            return None;
        }
        let opener = self.clone();
        let channel = DesktopChannel::new(
            AppIdentity::gatehouse(&self.program),
            Arc::new(move |response| opener.respond(response)),
        );
        Some(Arc::new(channel))
    }

    pub(crate) fn set_core(&self, core: &Core) {
        // Set once, as one process serves once.
        let _first = self.core.set(core.clone());
    }

    /// On a thread of the channel's own.
    fn respond(&self, response: &NotificationResponse) {
        match (response.action, self.core.get()) {
            (NotificationAction::Open, _) => self.open(&response.path),
            (_, Some(core)) => self.runtime.block_on(respond_to_notification(core, response)),
            (_, None) => {}
        }
    }

    fn open(&self, path: &str) {
        // Without the window's program, a panel in a browser still goes to the page.
        let _started = desktop::start(&self.program, self.home.as_deref(), Stdio::null());
        if let Some(Core::Local(engine, _)) = self.core.get() {
            engine.notifications().open_panel_path(path);
        }
    }
}
