//! Events that the core sends to panels.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::time::Duration;

use engine::{Engine, EngineEvent, Topic};
use serde::{Deserialize, Serialize};
use specta::Type;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::{Sleep, sleep};

use crate::core::Core;
use crate::remote::RemoteEvents;
use crate::view::{PlaygroundPieceView, PlaygroundRunView, RunView};
use crate::{ApiError, operation};

/// How long changes are collected before panels are told, in milliseconds. This limits refreshes to
/// ten a second, and the delay is too short to notice.
pub const CHANGES_GATHERED_MS: u64 = 100;

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PanelEvent {
    /// Data with these tags has changed, so views of it are stale.
    Changed {
        /// The kinds of data that are stale.
        tags: Vec<Tag>,
    },
    /// A readiness run made progress.
    RunProgress {
        /// The whole run as it is now.
        run: Box<RunView>,
    },
    /// A playground run began or ended.
    PlaygroundRun {
        /// The whole run as it is now.
        run: Box<PlaygroundRunView>,
    },
    /// A further piece of a playground run's response.
    PlaygroundText {
        /// What was added since the previous event.
        piece: PlaygroundPieceView,
    },
    /// A notification or the tray was clicked; the panel opens this page.
    Navigate {
        /// A path of the panel, `/readiness` or `/backends/openai`.
        path: String,
    },
}

/// Kinds of data that can change. Each operation lists those that it changes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Type,
)]
#[serde(rename_all = "snake_case")]
pub enum Tag {
    /// Verdict, gateway, counts and spend.
    Status,
    /// Backends, their health and their models.
    Backends,
    /// Keys and the vault.
    Keys,
    Clients,
    /// Requests and sums.
    Usage,
    Readiness,
    Settings,
    Playground,
    /// Routes and their current targets.
    Routes,
    /// Breakers, cooldowns and blocks.
    Accesses,
    Cache,
    /// The ledger's file, its backups and its problems.
    Ledger,
}

impl Tag {
    pub const ALL: [Self; 12] = [
        Self::Status,
        Self::Backends,
        Self::Keys,
        Self::Clients,
        Self::Usage,
        Self::Readiness,
        Self::Settings,
        Self::Playground,
        Self::Routes,
        Self::Accesses,
        Self::Cache,
        Self::Ledger,
    ];
}

impl From<Topic> for Tag {
    fn from(topic: Topic) -> Self {
        match topic {
            Topic::Status => Self::Status,
            Topic::Backends => Self::Backends,
            Topic::Keys => Self::Keys,
            Topic::Clients => Self::Clients,
            Topic::Usage => Self::Usage,
            Topic::Readiness => Self::Readiness,
            Topic::Settings => Self::Settings,
            Topic::Playground => Self::Playground,
            Topic::Routes => Self::Routes,
            Topic::Accesses => Self::Accesses,
            Topic::Cache => Self::Cache,
            Topic::Ledger => Self::Ledger,
        }
    }
}

impl From<Tag> for Topic {
    fn from(tag: Tag) -> Self {
        match tag {
            Tag::Status => Self::Status,
            Tag::Backends => Self::Backends,
            Tag::Keys => Self::Keys,
            Tag::Clients => Self::Clients,
            Tag::Usage => Self::Usage,
            Tag::Readiness => Self::Readiness,
            Tag::Settings => Self::Settings,
            Tag::Playground => Self::Playground,
            Tag::Routes => Self::Routes,
            Tag::Accesses => Self::Accesses,
            Tag::Cache => Self::Cache,
            Tag::Ledger => Self::Ledger,
        }
    }
}

impl From<&EngineEvent> for PanelEvent {
    fn from(event: &EngineEvent) -> Self {
        match event {
            EngineEvent::Changed(topics) => {
                Self::Changed { tags: topics.iter().map(|topic| (*topic).into()).collect() }
            }
            EngineEvent::Ledger(_) => Self::Changed { tags: vec![Tag::Ledger, Tag::Status] },
            EngineEvent::Health { .. } => Self::Changed { tags: vec![Tag::Backends, Tag::Status] },
            EngineEvent::SettingsApplied => {
                Self::Changed { tags: vec![Tag::Settings, Tag::Status, Tag::Backends, Tag::Routes] }
            }
            EngineEvent::Run(snapshot) => {
                Self::RunProgress { run: Box::new(operation::snapshot_view(snapshot)) }
            }
            EngineEvent::RunEnded(report) => {
                Self::RunProgress { run: Box::new(operation::report_view(report)) }
            }
            EngineEvent::Playground(run) => {
                Self::PlaygroundRun { run: Box::new(operation::playground_run_view(run)) }
            }
            EngineEvent::PlaygroundPiece(piece) => {
                Self::PlaygroundText { piece: operation::playground_piece_view(piece) }
            }
            EngineEvent::Open(path) => Self::Navigate { path: path.clone() },
        }
    }
}

/// Events of an engine, as panels receive them.
///
/// Changes are collected for [`CHANGES_GATHERED_MS`] and sent as one event, so that a thousand
/// requests a second do not cause a thousand refreshes. All other events are sent at once and in
/// order.
#[derive(Debug)]
pub struct PanelEvents {
    events: broadcast::Receiver<EngineEvent>,
    stale: BTreeSet<Tag>,
    telling: Pin<Box<Sleep>>,
}

impl PanelEvents {
    /// Subscribes to the events of `engine` from now on.
    #[must_use]
    pub fn of(engine: &Engine) -> Self {
        let events = engine.events().subscribe();
        Self { events, stale: BTreeSet::new(), telling: Box::pin(sleep(Duration::ZERO)) }
    }

    /// Returns the next event, or `None` when the engine is gone.
    pub async fn next(&mut self) -> Option<PanelEvent> {
        loop {
            let event = tokio::select! {
                biased;
                () = &mut self.telling, if !self.stale.is_empty() => return Some(self.told()),
                event = self.events.recv() => event,
            };
            match event.as_ref().map(PanelEvent::from) {
                Ok(PanelEvent::Changed { tags }) => self.gather(tags),
                Ok(other) => return Some(other),
                // Some events were lost, so everything may be stale.
                Err(RecvError::Lagged(_)) => self.gather(Tag::ALL),
                Err(RecvError::Closed) => return None,
            }
        }
    }

    fn gather(&mut self, tags: impl IntoIterator<Item = Tag>) {
        if self.stale.is_empty() {
            self.telling = Box::pin(sleep(Duration::from_millis(CHANGES_GATHERED_MS)));
        }
        self.stale.extend(tags);
    }

    fn told(&mut self) -> PanelEvent {
        PanelEvent::Changed { tags: std::mem::take(&mut self.stale).into_iter().collect() }
    }
}

/// Events of a core in this or another process.
pub enum CoreEvents {
    Local(PanelEvents),
    Remote(RemoteEvents),
}

impl CoreEvents {
    /// Subscribes to the events of `core` from now on.
    pub async fn of(core: &Core) -> Result<Self, ApiError> {
        match core {
            Core::Local(engine) => Ok(Self::Local(PanelEvents::of(engine))),
            Core::Remote(owner) => owner.events().await.map(Self::Remote),
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
