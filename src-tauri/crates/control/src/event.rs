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
use crate::view::{PlaygroundDeltaView, PlaygroundRunView, ReadinessRunView};
use crate::{ApiError, operation};

/// How long changes are collected before panels are told, in milliseconds. This limits refreshes to
/// ten a second, and the delay is too short to notice.
pub const CHANGES_BATCH_MS: u64 = 100;

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PanelEvent {
    /// Data with these tags has changed, so views of it are stale.
    Changed {
        /// The kinds of data that are stale.
        tags: Vec<ChangeTag>,
    },
    /// A readiness run made progress.
    RunProgress {
        /// The whole run as it is now.
        run: Box<ReadinessRunView>,
    },
    /// A playground run began or ended.
    PlaygroundRun {
        /// The whole run as it is now.
        run: Box<PlaygroundRunView>,
    },
    /// A further piece of a playground run's response.
    PlaygroundText {
        /// What was added since the previous event.
        piece: PlaygroundDeltaView,
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
pub enum ChangeTag {
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

impl ChangeTag {
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

impl From<Topic> for ChangeTag {
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
            Topic::Endpoints => Self::Accesses,
            Topic::Cache => Self::Cache,
            Topic::Ledger => Self::Ledger,
        }
    }
}

impl From<ChangeTag> for Topic {
    fn from(tag: ChangeTag) -> Self {
        match tag {
            ChangeTag::Status => Self::Status,
            ChangeTag::Backends => Self::Backends,
            ChangeTag::Keys => Self::Keys,
            ChangeTag::Clients => Self::Clients,
            ChangeTag::Usage => Self::Usage,
            ChangeTag::Readiness => Self::Readiness,
            ChangeTag::Settings => Self::Settings,
            ChangeTag::Playground => Self::Playground,
            ChangeTag::Routes => Self::Routes,
            ChangeTag::Accesses => Self::Endpoints,
            ChangeTag::Cache => Self::Cache,
            ChangeTag::Ledger => Self::Ledger,
        }
    }
}

impl From<&EngineEvent> for PanelEvent {
    fn from(event: &EngineEvent) -> Self {
        match event {
            EngineEvent::Changed(topics) => {
                Self::Changed { tags: topics.iter().map(|topic| (*topic).into()).collect() }
            }
            EngineEvent::Ledger(_) => {
                Self::Changed { tags: vec![ChangeTag::Ledger, ChangeTag::Status] }
            }
            EngineEvent::Health { .. } => {
                Self::Changed { tags: vec![ChangeTag::Backends, ChangeTag::Status] }
            }
            EngineEvent::SettingsApplied => Self::Changed {
                tags: vec![
                    ChangeTag::Settings,
                    ChangeTag::Status,
                    ChangeTag::Backends,
                    ChangeTag::Routes,
                ],
            },
            EngineEvent::RunProgress(snapshot) => {
                Self::RunProgress { run: Box::new(operation::snapshot_view(snapshot)) }
            }
            EngineEvent::RunEnded(report) => {
                Self::RunProgress { run: Box::new(operation::report_view(report)) }
            }
            EngineEvent::Playground(run) => {
                Self::PlaygroundRun { run: Box::new(operation::playground_run_view(run)) }
            }
            EngineEvent::PlaygroundDelta(piece) => {
                Self::PlaygroundText { piece: operation::playground_piece_view(piece) }
            }
            EngineEvent::OpenPath(path) => Self::Navigate { path: path.clone() },
        }
    }
}

/// Events of an engine, as panels receive them.
///
/// Changes are collected for [`CHANGES_BATCH_MS`] and sent as one event, so that a thousand
/// requests a second do not cause a thousand refreshes. All other events are sent at once and in
/// order.
#[derive(Debug)]
pub struct PanelEvents {
    events: broadcast::Receiver<EngineEvent>,
    stale: BTreeSet<ChangeTag>,
    next_flush: Pin<Box<Sleep>>,
}

impl PanelEvents {
    /// Subscribes to the events of `engine` from now on.
    #[must_use]
    pub fn subscribe(engine: &Engine) -> Self {
        let events = engine.events().subscribe();
        Self { events, stale: BTreeSet::new(), next_flush: Box::pin(sleep(Duration::ZERO)) }
    }

    /// Returns the next event, or `None` when the engine is gone.
    pub async fn next(&mut self) -> Option<PanelEvent> {
        loop {
            let event = tokio::select! {
                biased;
                () = &mut self.next_flush, if !self.stale.is_empty() => return Some(self.take_changed_event()),
                event = self.events.recv() => event,
            };
            match event.as_ref().map(PanelEvent::from) {
                Ok(PanelEvent::Changed { tags }) => self.add_stale_tags(tags),
                Ok(other) => return Some(other),
                // Some events were lost, so everything may be stale.
                Err(RecvError::Lagged(_)) => self.add_stale_tags(ChangeTag::ALL),
                Err(RecvError::Closed) => return None,
            }
        }
    }

    fn add_stale_tags(&mut self, tags: impl IntoIterator<Item = ChangeTag>) {
        if self.stale.is_empty() {
            self.next_flush = Box::pin(sleep(Duration::from_millis(CHANGES_BATCH_MS)));
        }
        self.stale.extend(tags);
    }

    fn take_changed_event(&mut self) -> PanelEvent {
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
    pub async fn subscribe(core: &Core) -> Result<Self, ApiError> {
        match core {
            Core::Local(engine) => Ok(Self::Local(PanelEvents::subscribe(engine))),
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
