//! What the core tells the panel without being asked.

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

/// How long changes are gathered before panels are told, in milliseconds: ten times a second at
/// most, and faster than the eye.
pub const CHANGES_GATHERED_MS: u64 = 100;

/// One message to the panel.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PanelEvent {
    /// These things have changed; what is shown of them is stale.
    Changed {
        /// What changed.
        tags: Vec<Tag>,
    },
    /// A readiness run moved on.
    RunProgress {
        /// The run as it is now.
        run: Box<RunView>,
    },
    /// A playground run began or ended.
    PlaygroundRun {
        /// The run as it is now.
        run: Box<PlaygroundRunView>,
    },
    /// More of a playground run's answer.
    PlaygroundText {
        /// What came.
        piece: PlaygroundPieceView,
    },
    /// Open this place: a notification or the tray was clicked.
    Navigate {
        /// A path of the panel, `/readiness` or `/backends/openai`.
        path: String,
    },
}

/// What can change. Each operation says which it reads and which it changes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Type,
)]
#[serde(rename_all = "snake_case")]
pub enum Tag {
    /// The verdict, the gateway, counts and spend.
    Status,
    /// Backends, their health and their models.
    Backends,
    /// Keys and the vault.
    Keys,
    /// Clients.
    Clients,
    /// Requests and sums.
    Usage,
    /// Readiness runs.
    Readiness,
    /// Settings and their file.
    Settings,
    /// Runs of the playground.
    Playground,
    /// Routes and where they lead.
    Routes,
    /// Breakers, cooldowns and blocks.
    Accesses,
    /// The cache of answers.
    Cache,
    /// The ledger's file, its backups and what is wrong with it.
    Ledger,
}

impl Tag {
    /// Every tag.
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

/// The events of an engine, as panels get them.
///
/// What only says that something is stale is gathered for [`CHANGES_GATHERED_MS`] and told once, so
/// that a thousand requests a second do not become a thousand refreshes; everything else is told at
/// once and in order.
#[derive(Debug)]
pub struct PanelEvents {
    events: broadcast::Receiver<EngineEvent>,
    stale: BTreeSet<Tag>,
    telling: Pin<Box<Sleep>>,
}

impl PanelEvents {
    /// Listens to `engine` from now on.
    #[must_use]
    pub fn of(engine: &Engine) -> Self {
        let events = engine.events().subscribe();
        Self { events, stale: BTreeSet::new(), telling: Box::pin(sleep(Duration::ZERO)) }
    }

    /// The next event; `None` when the engine is gone.
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

/// The events of a core, wherever it runs.
pub enum CoreEvents {
    /// Of the engine in this process.
    Local(PanelEvents),
    /// Of the engine in another process.
    Remote(RemoteEvents),
}

impl CoreEvents {
    /// Listens to `core` from now on.
    pub async fn of(core: &Core) -> Result<Self, ApiError> {
        match core {
            Core::Local(engine) => Ok(Self::Local(PanelEvents::of(engine))),
            Core::Remote(owner) => owner.events().await.map(Self::Remote),
        }
    }

    /// The next event; `None` when the core is gone.
    pub async fn next(&mut self) -> Option<PanelEvent> {
        match self {
            Self::Local(events) => events.next().await,
            Self::Remote(events) => events.next().await,
        }
    }
}
