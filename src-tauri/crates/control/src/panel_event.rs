//! What panels are told: the events, and the kinds of data that a change makes stale.

use alerts::Urgency;
use engine::{EngineEvent, Topic, for_each_topic};
use playground::PlaygroundEvent;
use serde::{Deserialize, Serialize};
use specta::Type;

use crate::operation;
use crate::view::{
    BackupProgressView, BillingProgressView, BudgetNoticeView, LogImportView, PlaygroundDeltaView,
    PlaygroundRunView, ReadinessRunView,
};

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
    /// An import of session logs made progress or ended.
    LogImport { import: Box<LogImportView> },
    /// The fetch of a cost report made progress or ended.
    BillingProgress { progress: BillingProgressView },
    /// A backup, its check or a restore made progress or ended.
    BackupProgress { progress: BackupProgressView },
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
    /// A budget reached a mark.
    BudgetCrossed { notice: Box<BudgetNoticeView> },
    /// An alert that the window, which has the focus, shows instead of the desktop.
    AlertShown {
        title: String,
        body: String,
        /// A path of the panel with what it is about.
        path: String,
        /// True if requests fail.
        is_critical: bool,
    },
    /// A notification or the tray was clicked; the panel opens this page.
    Navigate {
        /// A path of the panel, `/readiness` or `/backends/openai`.
        path: String,
    },
}

/// Defines [`ChangeTag`] from the engine's list: the engine may not import the library that makes the
/// panel's types.
macro_rules! define_change_tag {
    ($($(#[$doc:meta])* $name:ident = $text:tt,)*) => {
        /// Kinds of data that can change. Each operation lists those that it changes.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Type,
        )]
        pub enum ChangeTag { $($(#[$doc])* #[serde(rename = $text)] $name),* }

        impl ChangeTag {
            pub const ALL: &[Self] = &[$(Self::$name),*];
        }

        impl From<Topic> for ChangeTag {
            fn from(topic: Topic) -> Self {
                match topic { $(Topic::$name => Self::$name),* }
            }
        }

        impl From<ChangeTag> for Topic {
            fn from(tag: ChangeTag) -> Self {
                match tag { $(ChangeTag::$name => Self::$name),* }
            }
        }
    };
}

for_each_topic!(define_change_tag);

impl PanelEvent {
    fn changed(tags: &[ChangeTag]) -> Self {
        Self::Changed { tags: tags.to_vec() }
    }
}

impl From<&EngineEvent> for PanelEvent {
    fn from(event: &EngineEvent) -> Self {
        match event {
            EngineEvent::Changed(topics) => {
                Self::Changed { tags: topics.iter().map(|topic| (*topic).into()).collect() }
            }
            EngineEvent::Ledger(_) => Self::changed(&[ChangeTag::Ledger, ChangeTag::Status]),
            EngineEvent::Gateway => Self::changed(&[
                ChangeTag::Status,
                ChangeTag::Health,
                ChangeTag::Clients,
                ChangeTag::Settings,
            ]),
            EngineEvent::Endpoints => Self::changed(&[
                ChangeTag::Endpoints,
                ChangeTag::Routes,
                ChangeTag::Backends,
                ChangeTag::Status,
            ]),
            EngineEvent::Health { .. } => Self::changed(&[ChangeTag::Backends, ChangeTag::Status]),
            EngineEvent::Service { .. } => Self::changed(&[ChangeTag::Health, ChangeTag::Status]),
            EngineEvent::SettingsApplied => Self::changed(&[
                ChangeTag::Settings,
                ChangeTag::Status,
                ChangeTag::Backends,
                ChangeTag::Routes,
            ]),
            EngineEvent::RunProgress(snapshot) => {
                Self::RunProgress { run: Box::new(operation::snapshot_view(snapshot)) }
            }
            EngineEvent::RunEnded(report) => {
                Self::RunProgress { run: Box::new(operation::report_view(report)) }
            }
            EngineEvent::LogImport(progress) => {
                Self::LogImport { import: Box::new(operation::log_import_view(progress)) }
            }
            EngineEvent::CostReport(progress) => {
                Self::BillingProgress { progress: operation::billing_progress_view(progress) }
            }
            EngineEvent::Backup(progress) => {
                Self::BackupProgress { progress: operation::backup_progress_view(progress) }
            }
            EngineEvent::Playground(PlaygroundEvent::Run(run)) => {
                Self::PlaygroundRun { run: Box::new(operation::playground_run_view(run)) }
            }
            EngineEvent::Playground(PlaygroundEvent::Delta(piece)) => {
                Self::PlaygroundText { piece: operation::playground_piece_view(piece) }
            }
            EngineEvent::Budget(notice) => {
                Self::BudgetCrossed { notice: Box::new(operation::budget_notice_view(notice)) }
            }
            EngineEvent::AlertShown(shown) => Self::AlertShown {
                title: shown.title.clone(),
                body: shown.body.clone(),
                path: shown.path.clone(),
                is_critical: shown.urgency == Urgency::Critical,
            },
            EngineEvent::OpenPath(path) => Self::Navigate { path: path.clone() },
        }
    }
}
