//! Assembles and stops the engine. This module is the only place that knows every part.
//!
//! [`Engine::open`] locks the data folder and opens everything that holds state, without listening:
//! enough for commands like `gatehouse keys add`. [`Engine::serve`] adds the gateway, the control
//! listener and the background tasks.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use domain::{BackendId, Clock, Entropy};
use endpoints::{EndpointRegistry, ResilienceRules};
use gateway::{HttpUpstream, new_token};
use ledger::{LedgerError, LedgerLimits, Recovery};
use monitor::{HealthState, LastKnownHealth, Monitor, NotificationPolicy};
use parking_lot::Mutex;
use settings::{MOCK_BACKEND_ID, SettingsError, SettingsStore, VaultKind};
use vault::Passphrase;

use crate::endpoint_saver::EndpointSaver;
use crate::engine::{Engine, EngineParts};
use crate::events::EventBus;
use crate::ledger_watch::LedgerWatch;
use crate::owner::{LockError, OwnerLock};
use crate::playground_runs::PlaygroundRuns;
use crate::readiness_runs::ReadinessRuns;
use crate::response_cache::ResponseCache;
use crate::serving_state::ServingState;
use crate::snapshot;
use crate::statuses::KeyAndClientStatuses;
use crate::tasks::Tasks;
use crate::topic::Topic;
use crate::traffic_sink::TrafficSink;
use crate::vault_opener::VaultOpener;
use crate::{EngineConfig, FolderError};

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Folders(#[from] FolderError),
    /// Another engine holds the data folder, or it cannot be locked.
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The built-in mock has an invalid name. Cannot happen, but names are checked.
    #[error(transparent)]
    Name(#[from] domain::IdError),
}

impl Engine {
    /// Locks the data folder and opens settings, vault and ledger, without listening. With a
    /// passphrase, the file vault is unlocked in the background; calls to the vault wait for that.
    pub async fn open(config: EngineConfig) -> Result<Self, StartError> {
        let EngineConfig { folders, clock, entropy, port, vault, passphrase, variables, channel } =
            config;
        folders.create()?;
        let owner = OwnerLock::acquire(&folders)?;
        let settings = SettingsStore::open(folders.settings_file())?;
        let now = settings.current();
        let vaults = VaultOpener::new(vault, variables);
        let kept = vaults.open(vault.unwrap_or(now.vault.kind), &folders, &clock);
        let (ledger, recovery) =
            Recovery::open(&folders.ledger_file(), LedgerLimits::default(), Arc::clone(&clock))?;
        let prices = Arc::new(ledger.price_book().await?);
        let mock = BackendId::new(MOCK_BACKEND_ID)?;
        let interval = Duration::from_secs(now.health.interval_secs);
        let connect = Duration::from_millis(now.gateway.connect_timeout_ms);
        let empty = snapshot::empty(&prices, clock.wall());
        let (events, tasks) = (EventBus::default(), Tasks::default());
        let runs = ReadinessRuns::new(
            ledger.clone(),
            Arc::clone(&clock),
            Arc::clone(&entropy),
            events.clone(),
            tasks.clone(),
        );
        let parts = |own: &Weak<EngineParts>| {
            let endpoint_registry = new_registry(own, &clock, &*entropy);
            EngineParts {
                endpoint_saver: EndpointSaver::new(
                    Arc::clone(&endpoint_registry),
                    ledger.clone(),
                    Arc::clone(&clock),
                    events.clone(),
                ),
                endpoint_registry,
                vault: kept,
                vaults,
                upstream: Arc::new(HttpUpstream::new(connect)),
                snapshot: Arc::new(ArcSwap::from_pointee(empty)),
                monitor: Monitor::new(interval, Box::new(SharedEntropy(Arc::clone(&entropy)))),
                statuses: KeyAndClientStatuses::default(),
                response_cache: ResponseCache::default(),
                listed_models: Mutex::default(),
                notifications: Mutex::new(NotificationPolicy::new()),
                focused: AtomicBool::new(false),
                runs,
                events,
                tasks,
                serving: ServingState::new(port),
                check_token: new_token(&*entropy),
                playground: PlaygroundRuns::default(),
                playground_token: new_token(&*entropy),
                started: clock.wall(),
                request_seen: AtomicBool::new(false),
                folders,
                clock,
                entropy,
                settings,
                ledger,
                ledger_watch: LedgerWatch::new(recovery),
                prices,
                channel,
                owner,
                mock,
            }
        };
        let engine = Self { parts: Arc::new_cyclic(parts) };
        engine.restore().await?;
        engine.unlock_with(passphrase);
        Ok(engine)
    }

    /// Stops in order: accepts no new requests, waits for those in flight, stops the background
    /// tasks and closes the ledger.
    pub async fn stop(&self) {
        // Commands can still reach the engine while requests in flight finish.
        self.stop_gateway().await;
        self.parts.owner.withdraw();
        self.parts.tasks.stop().await;
        self.parts.endpoint_saver.save_at_stop().await;
        self.close_response_cache().await;
        self.parts.ledger.close().await;
        if let Err(error) = self.ledger_recovery().save_progress().await {
            tracing::warn!(%error, "the ledger's position could not be saved");
        }
        tracing::info!("stopped");
    }

    /// Loads what was known before the restart, then puts the settings in force.
    async fn restore(&self) -> Result<(), LedgerError> {
        self.restore_health().await?;
        self.parts.endpoint_saver.restore().await?;
        self.apply_settings();
        Ok(())
    }

    async fn restore_health(&self) -> Result<(), LedgerError> {
        let rows = self.parts.ledger.health().await?;
        let mut stored: HashMap<BackendId, LastKnownHealth> = HashMap::new();
        for row in rows {
            if let Some(state) = HealthState::parse(&row.state) {
                // The ledger stores changes of state, not single results.
                let known =
                    LastKnownHealth { state, reason: row.reason, since: row.since, observed: None };
                stored.insert(row.backend, known);
            }
        }
        self.watch_backends(&stored);
        Ok(())
    }

    /// Passes the enabled backends and the mock to the monitor.
    pub(crate) fn watch_backends(&self, stored: &HashMap<BackendId, LastKnownHealth>) {
        let settings = self.parts.settings.current();
        let enabled = settings.backends.iter().filter(|(_, known)| known.enabled);
        let watched = std::iter::once(&self.parts.mock).chain(enabled.map(|(id, _)| id));
        let watched = watched.map(|id| (id.clone(), stored.get(id).cloned())).collect();
        self.parts.monitor.set_backends(watched, self.parts.clock.now());
    }

    fn unlock_with(&self, passphrase: Option<Passphrase>) {
        let Some(passphrase) = passphrase else { return };
        if self.parts.vault.kind() != VaultKind::File {
            return;
        }
        // From here on, every request for a key waits for the unlock.
        let unlocking = self.parts.vault.unlock(passphrase);
        let events = self.parts.events.clone();
        self.parts.tasks.spawn("vault unlock", async move {
            if let Err(error) = unlocking.await {
                tracing::warn!(%error, "the file vault was not unlocked");
            }
            events.send_changed(&[Topic::Keys, Topic::Status]);
        });
    }
}

/// The registry reports what it learns to the engine that it is a part of.
fn new_registry(
    own: &Weak<EngineParts>,
    clock: &Arc<dyn Clock>,
    entropy: &dyn Entropy,
) -> Arc<EndpointRegistry> {
    let transitions = TrafficSink::from_parts(own.clone()).for_transitions();
    EndpointRegistry::new(&ResilienceRules::default(), Arc::clone(clock), entropy, transitions)
}

/// Shares one entropy source between several owners.
struct SharedEntropy(Arc<dyn Entropy>);

impl Entropy for SharedEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}
