//! The core as a door sees it: the engine in this process, or the one that owns the data folder.

use engine::{Engine, EngineConfig, LockError, StartError, Topic, find_owner};

use crate::event::Tag;
use crate::remote::Owner;

/// What operations are called on. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Core {
    /// The engine of this process.
    Local(Engine),
    /// The engine of another process, over the control listener.
    Remote(Owner),
}

impl Core {
    /// Opens the engine here, or finds the one that owns the data folder.
    pub async fn open(config: EngineConfig) -> Result<Self, StartError> {
        let folders = config.folders.clone();
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
