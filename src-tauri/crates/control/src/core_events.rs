//! Events of a core, whichever process it runs in.

use crate::ApiError;
use crate::core::Core;
use crate::event::PanelEvents;
use crate::panel_event::PanelEvent;
use crate::remote::RemoteEvents;

/// Events of a core in this or another process.
pub enum CoreEvents {
    Local(PanelEvents),
    Remote(RemoteEvents),
}

impl CoreEvents {
    /// Subscribes to the events of `core` from now on.
    pub async fn subscribe(core: &Core) -> Result<Self, ApiError> {
        match core {
            Core::Local(engine, _) => Ok(Self::Local(PanelEvents::subscribe(engine))),
            Core::Remote(owner) => owner.subscribe().await.map(Self::Remote),
        }
    }

    /// Returns the next event, or `None` when the core is gone.
    pub async fn next(&mut self) -> Option<PanelEvent> {
        match self {
            Self::Local(events) => events.next().await,
            Self::Remote(events) => events.next().await,
        }
    }
}
