//! Edits of the settings: saved first, then put in force in every part that depends on them.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use domain::{BackendId, Endpoint};
use ledger::Ledger;
use parking_lot::Mutex;
use private_files::write_atomic;
use settings::{
    AppliedFix, FileProblem, ProposedFix, SettingValue, Settings, SettingsEditError, SettingsError,
    SettingsFileState, SettingsStore,
};

use crate::budgets::watch::BudgetWatch;
use crate::configured::configured_endpoints;
use crate::events::{EngineEvent, EventBus};
use crate::gateway::response_cache::ResponseCache;
use crate::gateway::server::GatewayServer;
use crate::gateway::snapshot::SnapshotStore;
use crate::health::backend_watch::HealthWatch;
use crate::health::endpoint_saver::EndpointSaver;
use crate::health::service_watch::ServiceWatch;
use crate::keys::vault_change::take_in_other_vault;
use crate::keys::vault_switch::VaultSwitch;
use crate::process::tasks::Tasks;
use crate::topic::Topic;

/// Interval of the checks for an edited file, in seconds.
const FILE_CHECK_SECS: u64 = 2;

/// Longest file that remembers a fix, in bytes: a path and a hash.
const FIX_FILE_BYTES_MAX: u64 = 65_536;

#[derive(Debug, thiserror::Error)]
pub enum EngineEditError {
    /// The file could not be written, or the settings are invalid.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The program is stopping.
    #[error("the program is stopping")]
    Interrupted,
}

/// Edits the settings and applies them.
pub struct SettingsEditor {
    /// For what goes on after an edit.
    pub(crate) own: Weak<Self>,
    pub(crate) store: Arc<SettingsStore>,
    pub(crate) vault_switch: Arc<VaultSwitch>,
    pub(crate) response_cache: Arc<ResponseCache>,
    pub(crate) snapshots: Arc<SnapshotStore>,
    pub(crate) saver: Arc<EndpointSaver>,
    pub(crate) health: Arc<HealthWatch>,
    pub(crate) services: Arc<ServiceWatch>,
    pub(crate) budgets: Arc<BudgetWatch>,
    pub(crate) ledger: Ledger,
    pub(crate) gateway: Arc<GatewayServer>,
    pub(crate) events: EventBus,
    pub(crate) mock: BackendId,
    /// Held while settings are applied, so that an older edit is never applied after a newer one.
    pub(crate) applying: Mutex<()>,
    /// Remembers the last fix of the settings file, for its undo by a later process.
    pub(crate) fix_file: PathBuf,
}

/// None if no fix was applied, or what remembers it cannot be read.
fn read_applied_fix(file: &Path) -> Option<AppliedFix> {
    let is_ours = file.metadata().is_ok_and(|found| found.len() <= FIX_FILE_BYTES_MAX);
    let text = is_ours.then(|| std::fs::read(file).ok()).flatten()?;
    serde_json::from_slice(&text).ok()
}

impl SettingsEditor {
    #[must_use]
    pub fn state(&self) -> SettingsFileState {
        self.store.state()
    }

    #[must_use]
    pub fn problems(&self) -> Vec<FileProblem> {
        self.store.problems()
    }

    /// The safe repair of the settings file, if there is one.
    #[must_use]
    pub fn proposed_fix(&self) -> Option<ProposedFix> {
        self.store.proposed_fix()
    }

    /// The text of the settings file, which has no errors and so no key.
    pub async fn text(&self) -> Result<String, EngineEditError> {
        let store = Arc::clone(&self.store);
        let read = tokio::task::spawn_blocking(move || store.text());
        Ok(read.await.map_err(|_| EngineEditError::Interrupted)??)
    }

    /// Edits the settings, saves them atomically and puts them in force.
    pub async fn edit(
        &self,
        change: impl FnOnce(&mut Settings) + Send + 'static,
    ) -> Result<(), EngineEditError> {
        self.try_edit(move |draft| {
            change(draft);
            Ok(())
        })
        .await
    }

    /// Like [`edit`](Self::edit), with a change that may be refused.
    pub async fn try_edit(
        &self,
        change: impl FnOnce(&mut Settings) -> Result<(), SettingsError> + Send + 'static,
    ) -> Result<(), EngineEditError> {
        let store = Arc::clone(&self.store);
        let edited = tokio::task::spawn_blocking(move || store.edit(change));
        match edited.await.map_err(|_| EngineEditError::Interrupted)? {
            Ok(_) => {}
            Err(SettingsEditError::Refused(error) | SettingsEditError::Settings(error)) => {
                return Err(error.into());
            }
        }
        self.apply();
        Ok(())
    }

    /// Replaces single values, by their paths. The rules and their messages are those of the file.
    pub async fn set_values(
        &self,
        changes: Vec<(String, SettingValue)>,
    ) -> Result<(), EngineEditError> {
        self.try_edit(move |draft| {
            *draft = draft.with_values(&changes)?;
            Ok(())
        })
        .await
    }

    /// Reloads the settings file, for example after an edit by hand.
    pub async fn reload(&self) -> Result<(), EngineEditError> {
        let store = Arc::clone(&self.store);
        let read = tokio::task::spawn_blocking(move || {
            let before = store.current();
            store.reload().map(|_| *before != *store.current())
        });
        if read.await.map_err(|_| EngineEditError::Interrupted)?? {
            self.apply();
        }
        Ok(())
    }

    /// Applies the proposed repair of the settings file. The old file is kept beside it.
    pub async fn fix(&self) -> Result<(), EngineEditError> {
        let (store, fix_file) = (Arc::clone(&self.store), self.fix_file.clone());
        let fixed = tokio::task::spawn_blocking(move || {
            let applied = store.apply_fix()?;
            // Without this file the fix holds and has no undo.
            let text = serde_json::to_vec(&applied).map_err(std::io::Error::from);
            if let Err(error) = text.and_then(|text| write_atomic(&fix_file, &text)) {
                tracing::warn!(%error, "the repair of the settings cannot be undone");
            }
            Ok::<_, SettingsError>(())
        });
        fixed.await.map_err(|_| EngineEditError::Interrupted)??;
        self.apply();
        Ok(())
    }

    /// Puts the file back as it was before the last fix, unless it was changed since.
    pub async fn undo_fix(&self) -> Result<(), EngineEditError> {
        let (store, fix_file) = (Arc::clone(&self.store), self.fix_file.clone());
        let undone = tokio::task::spawn_blocking(move || {
            let applied = read_applied_fix(&fix_file).ok_or(SettingsError::NothingToUndo)?;
            store.undo_fix(&applied)?;
            if let Err(error) = std::fs::remove_file(&fix_file) {
                tracing::warn!(%error, "an undone repair of the settings is still remembered");
            }
            Ok::<_, SettingsError>(())
        });
        undone.await.map_err(|_| EngineEditError::Interrupted)??;
        self.apply();
        Ok(())
    }

    /// Puts the settings in force: vault, cache, request snapshot, watched backends and
    /// services, port and intervals.
    pub(crate) fn apply(&self) {
        let _in_order = self.applying.lock();
        let settings = self.store.current();
        let (editor, switch) = (Weak::clone(&self.own), Arc::clone(&self.vault_switch));
        self.vault_switch.apply(&settings, move |before| async move {
            if let Some(editor) = editor.upgrade() {
                take_in_other_vault(&switch, &editor, &before).await;
            }
        });
        let snapshots = Arc::clone(&self.snapshots);
        self.response_cache.apply(&settings, move || snapshots.rebuild());
        self.snapshots.rebuild();
        let known: HashSet<Endpoint> =
            configured_endpoints(&settings, &self.mock).into_iter().collect();
        self.saver.retain(&known);
        self.health.apply(&settings);
        self.services.apply(&settings);
        self.budgets.apply(&settings);
        self.ledger.set_commit_wait(Duration::from_millis(settings.ledger.commit_wait_ms));
        self.gateway.apply_port();
        self.events.send(EngineEvent::SettingsApplied);
    }

    /// Spawns the task that notices an edit by hand.
    pub(crate) fn spawn_file_watch(self: &Arc<Self>, tasks: &Tasks) {
        let (editor, ticks) = (Arc::clone(self), tasks.clone());
        tasks.spawn("settings file", async move {
            let mut seen = editor.file_stamp();
            while ticks.sleep(Duration::from_secs(FILE_CHECK_SECS)).await {
                let now = editor.file_stamp();
                if now != seen {
                    seen = now;
                    editor.handle_file_change().await;
                }
            }
        });
    }

    fn file_stamp(&self) -> Option<(SystemTime, u64)> {
        let metadata = std::fs::metadata(self.store.path()).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    }

    async fn handle_file_change(&self) {
        if let Err(error) = self.reload().await {
            tracing::warn!(%error, "the settings file was edited and cannot be read");
        }
        self.events.send_changed(&[
            Topic::Settings,
            Topic::Status,
            Topic::Backends,
            Topic::Keys,
            Topic::Clients,
            Topic::Routes,
            Topic::Endpoints,
            Topic::Health,
            Topic::Cache,
        ]);
    }
}
