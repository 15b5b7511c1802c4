//! Assembles the engine. This module is the only place that knows every part.
//!
//! [`Engine::open`] locks the data folder and opens everything that holds state, without listening:
//! enough for commands like `gatehouse keys add`. [`Engine::serve`] adds the gateway, the control
//! listener and the background tasks.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use domain::{BackendId, Clock, Entropy, WallTime};
use endpoints::{EndpointRegistry, ResilienceRules};
use gateway::{HttpUpstream, NewToken, Snapshot, new_token};
use ledger::{Ledger, LedgerError, LedgerLimits, PriceBook, Recovery};
use monitor::{HealthState, LastKnownHealth, Monitor, NotificationChannel, NotificationPolicy};
use parking_lot::Mutex;
use settings::{MOCK_BACKEND_ID, SettingsError, SettingsStore, VaultKind};
use vault::{Passphrase, Vault};

use crate::events::EventBus;
use crate::ledger_watch::LedgerWatch;
use crate::owner::{LockError, OwnerLock};
use crate::playground::Playground;
use crate::readiness_runs::ReadinessRuns;
use crate::resilience::EndpointSaver;
use crate::response_cache::ResponseCache;
use crate::serving::ServingState;
use crate::snapshot;
use crate::statuses::KeyAndClientStatuses;
use crate::tasks::Tasks;
use crate::traffic_sink::TrafficSink;
use crate::vault_change::VaultOpener;
use crate::{EngineConfig, FolderError, Folders};

pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The core of Gatehouse. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(crate) parts: Arc<EngineParts>,
}

pub(crate) struct EngineParts {
    pub(crate) folders: Folders,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) settings: SettingsStore,
    pub(crate) vault: Vault,
    pub(crate) vaults: VaultOpener,
    pub(crate) ledger: Ledger,
    pub(crate) ledger_watch: LedgerWatch,
    pub(crate) prices: Arc<PriceBook>,
    pub(crate) upstream: Arc<HttpUpstream>,
    pub(crate) snapshot: Arc<ArcSwap<Snapshot>>,
    pub(crate) monitor: Monitor,
    /// What is known of the backends at this moment.
    pub(crate) endpoint_registry: Arc<EndpointRegistry>,
    pub(crate) endpoint_saver: EndpointSaver,
    pub(crate) statuses: KeyAndClientStatuses,
    pub(crate) response_cache: ResponseCache,
    /// Models that backends listed.
    pub(crate) listed_models: Mutex<HashMap<BackendId, Vec<String>>>,
    pub(crate) channel: Option<Arc<dyn NotificationChannel>>,
    pub(crate) notifications: Mutex<NotificationPolicy>,
    pub(crate) focused: AtomicBool,
    pub(crate) runs: ReadinessRuns,
    pub(crate) events: EventBus,
    pub(crate) tasks: Tasks,
    pub(crate) serving: ServingState,
    pub(crate) owner: OwnerLock,
    pub(crate) mock: BackendId,
    /// Token of the readiness checks; kept in memory only and new at each start.
    pub(crate) check_token: NewToken,
    pub(crate) playground: Playground,
    /// Token of the playground; kept in memory only and new at each start.
    pub(crate) playground_token: NewToken,
    pub(crate) started: WallTime,
    pub(crate) request_seen: AtomicBool,
}

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
        let parts = |own: &Weak<EngineParts>| EngineParts {
            endpoint_registry: EndpointRegistry::new(
                &ResilienceRules::default(),
                Arc::clone(&clock),
                &*entropy,
                TrafficSink::from_parts(own.clone()).for_transitions(),
            ),
            vault: kept,
            vaults,
            upstream: Arc::new(HttpUpstream::new(connect)),
            snapshot: Arc::new(ArcSwap::from_pointee(empty)),
            monitor: Monitor::new(interval, Box::new(SharedEntropy(Arc::clone(&entropy)))),
            endpoint_saver: EndpointSaver::default(),
            statuses: KeyAndClientStatuses::default(),
            response_cache: ResponseCache::default(),
            listed_models: Mutex::default(),
            notifications: Mutex::new(NotificationPolicy::new()),
            focused: AtomicBool::new(false),
            runs: ReadinessRuns::default(),
            events: EventBus::default(),
            tasks: Tasks::default(),
            serving: ServingState::new(port),
            check_token: new_token(&*entropy),
            playground: Playground::default(),
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
        };
        let engine = Self { parts: Arc::new_cyclic(parts) };
        engine.restore_health().await?;
        engine.restore_endpoints().await?;
        engine.apply_settings();
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
        self.save_endpoints_at_stop().await;
        self.close_response_cache().await;
        self.parts.ledger.close().await;
        if let Err(error) = self.ledger_recovery().save_progress().await {
            tracing::warn!(%error, "the ledger's position could not be saved");
        }
        tracing::info!("stopped");
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
            events.send_changed(&[crate::Topic::Keys, crate::Topic::Status]);
        });
    }
}

/// Shares one entropy source between several owners.
struct SharedEntropy(Arc<dyn Entropy>);

impl Entropy for SharedEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("folders", &self.parts.folders).finish_non_exhaustive()
    }
}
