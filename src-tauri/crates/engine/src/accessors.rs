//! Accessors of the engine for the control API, and the edits of settings it offers.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::{BackendId, ClientId, CredentialId, Entropy, Moment, Origin, WallTime};
use ledger::{Ledger, LedgerError, RequestQuery};
use monitor::{BackendHealth, ClockReading};
use pricing::{Price, Provider};
use settings::{BackendKind, FileProblem, ProposedFix, Settings, SettingsError, SettingsFileState};
use vault::Vault;

use crate::engine::Engine;
use crate::events::{EngineEvent, EventBus};
use crate::statuses::KeyStatus;
use crate::{Folders, snapshot};

#[derive(Debug, thiserror::Error)]
pub enum EngineEditError {
    /// The file could not be written, or the settings are invalid.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The program is stopping.
    #[error("the program is stopping")]
    Interrupted,
}

impl Engine {
    #[must_use]
    pub fn folders(&self) -> &Folders {
        &self.parts.folders
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        self.parts.settings.current()
    }

    /// State of the settings file.
    #[must_use]
    pub fn settings_state(&self) -> SettingsFileState {
        self.parts.settings.state()
    }

    #[must_use]
    pub fn settings_problems(&self) -> Vec<FileProblem> {
        self.parts.settings.problems()
    }

    /// The safe repair of the settings file, if there is one.
    #[must_use]
    pub fn proposed_fix(&self) -> Option<ProposedFix> {
        self.parts.settings.proposed_fix()
    }

    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.parts.vault
    }

    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.parts.ledger
    }

    #[must_use]
    pub fn events(&self) -> &EventBus {
        &self.parts.events
    }

    #[must_use]
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.parts.entropy
    }

    /// The time of the wall clock.
    #[must_use]
    pub fn wall_time(&self) -> WallTime {
        self.parts.clock.wall()
    }

    /// When the engine was opened.
    #[must_use]
    pub fn started(&self) -> WallTime {
        self.parts.started
    }

    /// Id of the built-in mock.
    #[must_use]
    pub fn mock_id(&self) -> &BackendId {
        &self.parts.mock
    }

    #[must_use]
    pub fn health(&self, id: &BackendId) -> Option<BackendHealth> {
        self.parts.monitor.view(id, ClockReading::read(&*self.parts.clock))
    }

    /// Models of a backend: the declared ones, otherwise those it listed.
    #[must_use]
    pub fn models(&self, id: &BackendId) -> Vec<String> {
        snapshot::models(&self.settings(), &self.parts.listed_models.lock(), &self.parts.mock, id)
    }

    /// Current price of a model at a backend.
    #[must_use]
    pub fn price(&self, id: &BackendId, model: &str) -> Option<Price> {
        let settings = self.settings();
        let provider = match settings.backends.get(id) {
            Some(known) if known.kind != BackendKind::Mock => {
                Provider::from_origin(&Origin::from_url(&known.base_url).ok()?)
            }
            _ => Some(Provider::Mock),
        };
        self.parts.prices.find(id, provider, model, self.wall_time()).cloned()
    }

    /// Display names of backends by id.
    #[must_use]
    pub fn backend_labels(&self) -> HashMap<String, String> {
        let settings = self.settings();
        let own = settings.backends.iter().map(|(id, known)| (id.to_string(), known.label.clone()));
        own.chain([(self.parts.mock.to_string(), "Mock".to_owned())]).collect()
    }

    #[must_use]
    pub fn key_status(&self, id: &CredentialId) -> KeyStatus {
        self.parts.statuses.key_status(id)
    }

    /// Forgets the status of a replaced key and lifts the blocks and cooldowns of its endpoints.
    pub fn forget_key_status(&self, id: &CredentialId) {
        self.parts.statuses.forget_key(id);
        self.parts.endpoint_registry.lift_after_credential_change(id);
    }

    /// Last request of a client: since the start, otherwise from the ledger.
    pub async fn client_last_seen(&self, id: &ClientId) -> Result<Option<WallTime>, LedgerError> {
        if let Some(seen) = self.parts.statuses.client_last_seen(id) {
            return Ok(Some(seen));
        }
        let newest = RequestQuery { client: Some(id.clone()), ..RequestQuery::newest(1) };
        let rows = self.parts.ledger.requests(newest).await?;
        Ok(rows.first().map(|row| row.request.started))
    }

    /// Last use of a key: since the start, otherwise from the ledger's newest request of each
    /// backend.
    pub async fn key_last_used(
        &self,
        id: &CredentialId,
        used_by: &[BackendId],
    ) -> Result<Option<WallTime>, LedgerError> {
        let mut latest = self.parts.statuses.key_status(id).used_at;
        if latest.is_some() {
            return Ok(latest);
        }
        for backend in used_by {
            let newest = RequestQuery { backend: Some(backend.clone()), ..RequestQuery::newest(1) };
            let rows = self.parts.ledger.requests(newest).await?;
            let own = rows.first().filter(|row| row.credential.as_ref() == Some(id));
            latest = latest.max(own.map(|row| row.request.started));
        }
        Ok(latest)
    }

    /// True once any client has sent a request.
    pub async fn any_request_seen(&self) -> Result<bool, LedgerError> {
        if self.parts.request_seen.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let seen = !self.parts.ledger.requests(RequestQuery::newest(1)).await?.is_empty();
        self.parts.request_seen.store(seen, Ordering::Relaxed);
        Ok(seen)
    }

    /// Forgets the health and models of a changed backend, so that it is probed again.
    pub fn forget_health(&self, id: &BackendId) {
        self.parts.listed_models.lock().remove(id);
        self.parts.monitor.forget(id, self.parts.clock.now());
    }

    /// Probes a backend as soon as a probe slot is free.
    pub fn request_probe(&self, id: &BackendId) {
        self.parts.monitor.request_probe(id);
    }

    /// Probes all enabled backends as soon as probe slots are free.
    pub fn request_all_probes(&self) {
        let settings = self.settings();
        let enabled = settings.backends.iter().filter(|(_, known)| known.enabled);
        enabled.for_each(|(id, _)| self.request_probe(id));
    }

    /// Logs the time from the start to the first data on the screen.
    pub fn log_first_paint(&self) {
        let taken = self.parts.clock.now().since(Moment::default());
        tracing::info!(ms = taken.as_millis(), "the panel is painted");
    }

    /// Records whether the window has the focus.
    pub fn set_focused(&self, focused: WindowFocus) {
        self.parts.focused.store(focused == WindowFocus::Focused, Ordering::Relaxed);
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
        let engine = self.clone();
        let edited = tokio::task::spawn_blocking(move || engine.parts.settings.edit(change));
        match edited.await.map_err(|_| EngineEditError::Interrupted)? {
            Ok(_) => {}
            Err(
                settings::SettingsEditError::Refused(error)
                | settings::SettingsEditError::Settings(error),
            ) => {
                return Err(error.into());
            }
        }
        self.apply_settings();
        Ok(())
    }

    /// Reloads the settings file, for example after an edit by hand.
    pub async fn reload_settings(&self) -> Result<(), EngineEditError> {
        let engine = self.clone();
        let read = tokio::task::spawn_blocking(move || {
            let before = engine.parts.settings.current();
            engine.parts.settings.reload().map(|_| *before != *engine.parts.settings.current())
        });
        if read.await.map_err(|_| EngineEditError::Interrupted)?? {
            self.apply_settings();
        }
        Ok(())
    }

    /// Applies the proposed repair of the settings file. The old file is kept beside it.
    pub async fn fix_settings(&self) -> Result<(), EngineEditError> {
        let engine = self.clone();
        let fixed = tokio::task::spawn_blocking(move || engine.parts.settings.apply_fix());
        fixed.await.map_err(|_| EngineEditError::Interrupted)??;
        self.apply_settings();
        Ok(())
    }

    /// Puts the settings in force: vault, cache, request snapshot, watched backends, port and
    /// intervals.
    pub(crate) fn apply_settings(&self) {
        let settings = self.settings();
        self.apply_vault_kind(&settings);
        self.apply_cache_settings(&settings);
        self.rebuild_snapshot();
        self.forget_unknown_endpoints();
        self.watch_backends(&HashMap::new());
        let interval = std::time::Duration::from_secs(settings.health.interval_secs);
        self.parts.monitor.set_interval(interval);
        let commit_wait = std::time::Duration::from_millis(settings.ledger.commit_wait_ms);
        self.parts.ledger.set_commit_wait(commit_wait);
        self.apply_port();
        self.parts.events.send(EngineEvent::SettingsApplied);
    }
}

pub use monitor::WindowFocus;
