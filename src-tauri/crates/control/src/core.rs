//! The core that operations run on: the engine of this process, or the engine of the process that
//! owns the data folder.

use std::time::Duration;

use domain::{CallerKind, Moment};
use engine::{Engine, EngineConfig, Folders, LockError, StartError, Topic, find_owner, is_owned};

use crate::caller::Caller;
use crate::panel_event::ChangeTag;
use crate::remote::{OWNER_SILENCE_MAX, RemoteEngine};

/// What operations run on. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Core {
    /// The engine of this process, and what calls it.
    Local(Engine, Caller),
    /// The engine of another process, over the control listener.
    Remote(RemoteEngine),
}

/// Interval between checks for the owner.
const OWNER_POLL_INTERVAL: Duration = Duration::from_millis(50);

impl Core {
    /// Opens the engine, or finds the process that owns the data folder. The caller is the command
    /// line unless [`Core::called_by`] says otherwise.
    pub async fn open(config: EngineConfig) -> Result<Self, StartError> {
        let folders = config.folders.clone();
        wait_until_reachable_or_free(&folders).await;
        match Engine::open(config).await {
            Ok(engine) => Ok(Self::Local(engine, Caller::new(CallerKind::CommandLine))),
            Err(StartError::Lock(LockError::Held(path))) => match find_owner(&folders) {
                Some(note) => Ok(Self::Remote(RemoteEngine::new(folders, note))),
                None => Err(StartError::Lock(LockError::Held(path))),
            },
            Err(other) => Err(other),
        }
    }

    /// The same core for another caller.
    #[must_use]
    pub fn called_by(&self, caller: Caller) -> Self {
        match self {
            Self::Local(engine, _) => Self::Local(engine.clone(), caller),
            Self::Remote(owner) => Self::Remote(owner.called_by(caller)),
        }
    }

    /// Stops the engine of this process. An engine of another process keeps running.
    pub async fn stop(&self) {
        if let Self::Local(engine, _) = self {
            engine.stop().await;
        }
    }

    /// Ends the grace period of in-flight requests when the engine of this process stops.
    pub fn end_grace_period(&self) {
        if let Self::Local(engine, _) = self {
            engine.gateway().end_grace_period();
        }
    }

    /// Takes in that the page of this process' window draws. Logs and keeps the time from the start of the
    /// core to the first data on the screen.
    pub fn record_drawn_page(&self) {
        if let Self::Local(engine, _) = self
            && engine.web_view().record_drawn()
        {
            let taken = engine.clock().now().since(Moment::default());
            engine.local_resources().starts().panel_painted();
            tracing::info!(ms = taken.as_millis(), "the panel is painted");
        }
    }

    /// Takes in the version of the library that draws the page of this process' window.
    pub fn record_web_view_version(&self, version: String) {
        if let Self::Local(engine, _) = self {
            engine.web_view().record_version(version);
        }
    }

    /// Takes in that the page of this process' window called, whatever for.
    pub fn record_page_call(&self) {
        if let Self::Local(engine, _) = self {
            engine.web_view().record_call();
        }
    }

    /// Takes in that this process has a window. The engine of another process has none.
    pub fn record_window(&self, is_hidden: bool) {
        if let Self::Local(engine, _) = self {
            engine.web_view().record_window(is_hidden);
        }
    }

    /// Tells every open panel which data an operation has changed.
    pub(crate) fn announce_changes(&self, tags: &[ChangeTag]) {
        if let Self::Local(engine, _) = self {
            let topics: Vec<Topic> = tags.iter().map(|tag| (*tag).into()).collect();
            engine.events().send_changed(&topics);
        }
    }
}

/// Waits until the owner of the data folder can be reached, or until nobody owns the folder. A
/// starting engine owns it before it can be reached, and a stopping engine still owns it
/// afterwards.
async fn wait_until_reachable_or_free(folders: &Folders) {
    let ready = async {
        while is_owned(folders) && find_owner(folders).is_none() {
            tokio::time::sleep(OWNER_POLL_INTERVAL).await;
        }
    };
    // If neither happens in time, the attempt to open reports it.
    let _too_late = tokio::time::timeout(OWNER_SILENCE_MAX, ready).await;
}
