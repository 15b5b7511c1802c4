//! Desktop notifications of `gatehouse serve`.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, OnceLock};

use control::{AppIdentity, Core, DesktopChannel, DisplayAvailability, NotificationChannel};

use crate::desktop;

/// Opens the panel when a notification is clicked: a panel that is open goes to the notification's
/// page, and the window comes to the front, if it is installed.
#[derive(Clone)]
pub(crate) struct NotificationOpener {
    /// This program, beside which the window's program lies.
    program: PathBuf,
    /// The folder that holds all data, where one was chosen.
    home: Option<PathBuf>,
    core: Arc<OnceLock<Core>>,
}

impl NotificationOpener {
    pub(crate) fn new(program: PathBuf, home: Option<PathBuf>) -> Self {
        Self { program, home, core: Arc::default() }
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
            Arc::new(move |path| opener.open(path)),
        );
        Some(Arc::new(channel))
    }

    pub(crate) fn set_core(&self, core: &Core) {
        // Set once, as one process serves once.
        let _first = self.core.set(core.clone());
    }

    fn open(&self, path: &str) {
        // Without the window's program, a panel in a browser still goes to the page.
        let _started = desktop::start(&self.program, self.home.as_deref(), Stdio::null());
        if let Some(Core::Local(engine, _)) = self.core.get() {
            engine.notifications().open_panel_path(path);
        }
    }
}
