//! The core as a door sees it: the engine in this process, or the one that owns the data folder.

use std::time::Duration;

use engine::{Engine, EngineConfig, Folders, LockError, StartError, Topic, find_owner, is_owned};

use crate::event::Tag;
use crate::remote::{Owner, SILENCE_MAX};

/// What operations are called on. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Core {
    /// The engine of this process.
    Local(Engine),
    /// The engine of another process, over the control listener.
    Remote(Owner),
}

/// Time between two looks for the owner.
const OWNER_LOOK: Duration = Duration::from_millis(50);

impl Core {
    /// Opens the engine here, or finds the one that owns the data folder.
    pub async fn open(config: EngineConfig) -> Result<Self, StartError> {
        let folders = config.folders.clone();
        reachable_or_free(&folders).await;
        match Engine::open(config).await {
            Ok(engine) => Ok(Self::Local(engine)),
            Err(StartError::Lock(LockError::Held(path))) => match find_owner(&folders) {
                Some(note) => Ok(Self::Remote(Owner::new(folders, note))),
                None => Err(StartError::Lock(LockError::Held(path))),
            },
            Err(other) => Err(other),
        }
    }

    /// Stops the engine of this process; another process's goes on.
    pub async fn stop(&self) {
        if let Self::Local(engine) = self {
            engine.stop().await;
        }
    }

    /// Ends the time that answers in flight have, once this process's engine stops.
    pub fn hurry(&self) {
        if let Self::Local(engine) = self {
            engine.hurry();
        }
    }

    /// Writes to the log how long it took from the start of the core to the first data on the screen.
    pub fn painted(&self) {
        if let Self::Local(engine) = self {
            engine.painted();
        }
    }

    /// Tells every open panel what an operation has changed.
    pub(crate) fn announce(&self, tags: &[Tag]) {
        if let Self::Local(engine) = self {
            let topics: Vec<Topic> = tags.iter().map(|tag| (*tag).into()).collect();
            engine.events().changed(&topics);
        }
    }
}

/// An engine that starts has the data folder before it can be reached, and one that stops has it for longer:
/// waits until it can be, or until nobody has it.
async fn reachable_or_free(folders: &Folders) {
    let ready = async {
        while is_owned(folders) && find_owner(folders).is_none() {
            tokio::time::sleep(OWNER_LOOK).await;
        }
    };
    // What is still neither after that is told by the attempt to open it.
    let _too_late = tokio::time::timeout(SILENCE_MAX, ready).await;
}
