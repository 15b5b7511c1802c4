//! Opens, serves and stops the engine, in order.
//!
//! [`Engine::open`] locks the data folder and opens everything that holds state, without listening:
//! enough for commands like `gatehouse keys add`. [`Engine::serve`] adds the gateway, the control
//! listener and the background tasks.

use std::sync::Arc;

use arc_swap::ArcSwap;
use domain::{BackendId, IdError};
use gateway::{ControlOperations, Gateway, GatewayParts, ListenerLimits};
use ledger::{LedgerError, LedgerLimits, Recovery};
use settings::{MOCK_BACKEND_ID, SettingsError, SettingsStore};
use vault::{EnvStore, Passphrase};

use crate::assemble::{OpenVault, Outside, assemble};
use crate::backups::restore;
use crate::control_server::{ServeError, ServingAddresses};
use crate::engine::{BaseParts, Engine, EngineParts, VERSION};
use crate::events::EventBus;
use crate::gateway::traffic_sink::TrafficSink;
use crate::keys::vault_switch::VaultOpener;
use crate::process::file_descriptors::{ConnectionLimits, raise_descriptor_limit};
use crate::process::owner::{LockError, OwnerLock};
use crate::process::platform::ProxyVariable;
use crate::process::start_trace::{StartStage, StartTraces};
use crate::process::tasks::Tasks;
use crate::wiring::client_wiring::ClientWiring;
use crate::{EngineConfig, FolderError, upkeep};

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
    Name(#[from] IdError),
}

impl Engine {
    /// Locks the data folder and opens settings, vault and ledger, without listening. With a
    /// passphrase, the file vault is unlocked in the background; calls to the vault wait for that.
    pub async fn open(config: EngineConfig) -> Result<Self, StartError> {
        let tools = ClientWiring::new(&config);
        let EngineConfig {
            folders,
            clock,
            entropy,
            port,
            vault: forced,
            keychain_service,
            passphrase,
            variables,
            channel,
            log_roots,
            is_offline,
            ..
        } = config;
        let starts = StartTraces::begin(Arc::clone(&clock), folders.starts_file(), VERSION);
        folders.create()?;
        let owner = OwnerLock::acquire(&folders)?;
        starts.end_stage(StartStage::Folders);
        let settings = Arc::new(SettingsStore::open(folders.settings_file())?);
        starts.end_stage(StartStage::Settings);
        let proxy = ProxyVariable::of(&variables);
        let opener = VaultOpener {
            environment: Arc::new(EnvStore::new(variables)),
            folders: folders.clone(),
            clock: Arc::clone(&clock),
            keychain_service,
        };
        let vault = opener.open(forced.unwrap_or(settings.current().vault.kind));
        starts.end_stage(StartStage::Vault);
        let (ledger, recovery) =
            Recovery::open(&folders.ledger_file(), LedgerLimits::default(), Arc::clone(&clock))?;
        restore::finish_at_start(&folders, &settings, &recovery, &*clock).await;
        starts.end_stage(StartStage::Ledger);
        let prices = Arc::new(ArcSwap::from_pointee(ledger.price_book().await?));
        starts.end_stage(StartStage::Prices);
        let base = BaseParts {
            started: clock.wall(),
            starts: Arc::new(starts),
            mock: BackendId::new(MOCK_BACKEND_ID)?,
            events: EventBus::default(),
            tasks: Tasks::default(),
            folders,
            clock,
            entropy,
            settings,
            vault,
            ledger,
            prices,
            is_offline,
        };
        let entropy = Arc::clone(&base.entropy);
        let client_wiring =
            tools.with_vault(base.vault.clone(), opener.clone(), entropy, passphrase.clone());
        let vault = OpenVault { opener, forced };
        client_wiring.repair().await;
        base.starts.end_stage(StartStage::Tools);
        let outside =
            Outside { owner, recovery, vault, port, channel, log_roots, client_wiring, proxy };
        let engine = Self { parts: Arc::new(assemble(base, outside)?) };
        engine.restore_state().await?;
        engine.prepare_keys(passphrase);
        engine.parts.base.starts.end_stage(StartStage::State);
        Ok(engine)
    }

    /// A command of its own process needs it as well: one that verifies a key.
    fn prepare_keys(&self, passphrase: Option<Passphrase>) {
        let EngineParts { base, backends, vault_switch, .. } = &*self.parts;
        upkeep::spawn_token_refresh(&backends.keys, base.events.clone(), &base.tasks);
        if let Some(passphrase) = passphrase {
            vault_switch.unlock(passphrase);
        }
    }

    /// What the parts knew before the restart.
    async fn restore_state(&self) -> Result<(), StartError> {
        let EngineParts { backends, services, budgets, settings_editor, alerts, .. } = &*self.parts;
        backends.health.restore().await?;
        services.restore().await?;
        backends.saver.restore().await?;
        settings_editor.apply();
        budgets.load().await?;
        alerts.restore().await?;
        Ok(())
    }

    /// Starts the gateway, the control listener and the background tasks. An engine serves once: a further
    /// call changes nothing and returns the same addresses.
    pub async fn serve(
        &self,
        operations: Arc<dyn ControlOperations>,
    ) -> Result<ServingAddresses, ServeError> {
        let served = self.parts.control.served.get_or_try_init(|| self.start_serving(operations));
        served.await.cloned()
    }

    async fn start_serving(
        &self,
        operations: Arc<dyn ControlOperations>,
    ) -> Result<ServingAddresses, ServeError> {
        let EngineParts { base, backends, gateway, .. } = &*self.parts;
        base.starts.skip();
        let limits = ConnectionLimits::for_descriptors(raise_descriptor_limit());
        // The control listener opens first, so that whoever sees the gateway's port can also reach
        // the engine.
        let control_limits = listener_limits(limits.control);
        let grace_ended = gateway.grace_ended();
        let control = self.parts.control.start(operations, control_limits, grace_ended).await?;
        base.starts.end_stage(StartStage::Control);
        let parts = gateway_parts(&self.parts);
        gateway.start(Gateway::new(parts, listener_limits(limits.gateway))).await;
        base.starts.end_stage(StartStage::Gateway);
        base.starts.serving(&base.tasks);

        let tasks = &base.tasks;
        gateway.spawn_self_check(Arc::clone(&base.clock), tasks);
        upkeep::spawn_certificate_loading(Arc::clone(&backends.network), tasks);
        self.parts.vault_switch.spawn_check();
        backends.saver.spawn(tasks);
        // First, so that no mark of a budget and no change of health comes before it listens.
        self.parts.alerts.spawn(tasks);
        self.parts.service_levels.spawn(tasks);
        self.parts.measured.spawn(tasks);
        self.parts.quality.spawn(tasks);
        self.parts.key_balances.spawn(tasks);
        self.parts.telemetry.spawn(tasks);
        self.parts.local.spawn(tasks);
        self.parts.tool_watch.spawn(tasks);
        self.parts.budgets.spawn(tasks);
        let window = Arc::clone(&self.parts.notifications);
        let is_in_use = move || window.is_focused();
        let (prober, registry) = (backends.prober.clone(), backends.registry.clone());
        let platform = Arc::clone(&self.parts.platform);
        backends.health.spawn(prober, registry, (is_in_use, platform), tasks);
        self.parts.services.spawn(tasks);
        self.parts.price_editor.spawn(tasks);
        let resuming = Arc::clone(&backends.registry);
        let settings = Arc::clone(&base.settings);
        self.parts.log_import.spawn_regular(settings, move || resuming.is_resuming());
        self.parts.settings_editor.spawn_file_watch(tasks);
        let (vault, network) = (base.vault.clone(), Arc::clone(&backends.network));
        let kept = (Arc::clone(&backends.keys), Arc::clone(&self.parts.clients));
        let clock = Arc::clone(&base.clock);
        upkeep::spawn_sweep(vault, kept, clock, network, Arc::clone(gateway), tasks);
        upkeep::spawn_client_states(
            Arc::clone(&self.parts.clients),
            Arc::clone(&base.settings),
            Arc::clone(&base.clock),
            base.events.clone(),
            tasks,
        );
        upkeep::spawn_program_saving(Arc::clone(&self.parts.clients), tasks);
        upkeep::spawn_pause_watch(Arc::clone(&backends.registry), self.probing_all(), tasks);
        upkeep::spawn_retention(
            (base.ledger.clone(), Arc::clone(&self.parts.ledger_watch)),
            Arc::clone(&base.settings),
            Arc::clone(&base.clock),
            tasks,
        );
        let in_flight = Arc::clone(gateway);
        self.parts.ledger_watch.spawn(move || in_flight.requests_in_flight(), tasks);
        let gateway = gateway.address();
        tracing::info!(gateway, version = VERSION, "serving");
        Ok(ServingAddresses { gateway, control })
    }

    /// Asks all backends and services for a probe.
    pub(crate) fn probing_all(&self) -> impl Fn() + Send + 'static {
        let health = Arc::clone(&self.parts.backends.health);
        let services = Arc::clone(&self.parts.services);
        move || {
            health.request_all_probes();
            services.request_all_checks();
        }
    }

    /// Stops in order: accepts no new requests, waits for those in flight, stops the background
    /// tasks and closes the ledger.
    pub async fn stop(&self) {
        let EngineParts { base, backends, .. } = &*self.parts;
        // Commands can still reach the engine while requests in flight finish.
        self.parts.gateway.stop().await;
        self.parts.control.withdraw();
        base.tasks.stop().await;
        backends.saver.save_at_stop().await;
        backends.response_cache.close().await;
        base.ledger.close().await;
        if let Err(error) = self.parts.ledger_watch.recovery().save_progress().await {
            tracing::warn!(%error, "the ledger's position could not be saved");
        }
        tracing::info!("stopped");
    }
}

pub(crate) fn gateway_parts(parts: &EngineParts) -> GatewayParts {
    let EngineParts { base, backends, .. } = parts;
    GatewayParts {
        clock: Arc::clone(&base.clock),
        entropy: Arc::clone(&base.entropy),
        ledger: base.ledger.clone(),
        access_tokens: Arc::clone(backends.keys.access_tokens()),
        snapshot: Arc::clone(&backends.snapshots.current),
        network: backends.network.clone(),
        mock: backends.mock.clone(),
        events: Arc::new(TrafficSink {
            health: Arc::clone(&backends.health),
            keys: Arc::clone(&backends.keys),
            clients: Arc::clone(&parts.clients),
            saver: Arc::clone(&backends.saver),
            registry: Arc::clone(&backends.registry),
            settings: Arc::clone(&base.settings),
            clock: Arc::clone(&base.clock),
            events: base.events.clone(),
            metrics: Arc::clone(&parts.metrics),
            telemetry: Arc::clone(&parts.telemetry),
        }),
        endpoints: Arc::clone(&backends.registry),
        budgets: parts.budgets.budgets(),
        metrics: Arc::clone(&parts.metrics) as _,
    }
}

fn listener_limits(connections_max: usize) -> ListenerLimits {
    ListenerLimits { connections_max, ..ListenerLimits::default() }
}
