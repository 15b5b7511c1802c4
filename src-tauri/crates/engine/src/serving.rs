//! Serving: the gateway, the control listener and the background tasks.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use domain::WallTime;
use gateway::{
    BindError, ControlListener, ControlOperations, ControlTokens, Gateway, GatewayParts, Listener,
    ListenerLimits, MockUpstream, StopSignal,
};
use monitor::Monitor;
use zeroize::Zeroizing;

use crate::engine::{Engine, VERSION};
use crate::file_descriptors::{ConnectionLimits, raise_descriptor_limit};
use crate::owner::OwnerNote;
use crate::probe::BackendProbe;
use crate::serving_state::{GatewayListenerState, GatewayShutdown, GatewayStatus, PanelListener};
use crate::topic::Topic;
use crate::traffic_sink::TrafficSink;
use crate::workers::Workers;

/// Interval of the checks for an edited settings file, expired keys in memory and unused
/// connections, in seconds.
const UPKEEP_SECS: u64 = 2;
/// Interval of the pause detection, in seconds.
const PAUSE_CHECK_SECS: u64 = 1;
/// Interval of deleting old requests, in seconds.
const RETENTION_SECS: u64 = 3_600;
const DAY_MS: i64 = 86_400_000;

/// Addresses of the listeners.
#[derive(Debug)]
pub struct ServingAddresses {
    /// Base URL for clients, `http://127.0.0.1:4283`.
    pub gateway: String,
    /// Control listener, `http://127.0.0.1:PORT`.
    pub control: String,
}

/// Why serving could not start. A gateway port in use is not an error here but a state with a
/// reason, so that the panel can show it and offer another port.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("the control listener could not be opened")]
    Control(#[source] BindError),
    /// The owner note could not be written.
    #[error("could not write the control address to {path}; check the folder's permissions")]
    Note {
        /// The runtime folder.
        path: std::path::PathBuf,
        #[source]
        source: std::io::Error,
    },
}

impl Engine {
    /// Starts the gateway, the control listener and the background tasks.
    pub async fn serve(
        &self,
        operations: Arc<dyn ControlOperations>,
    ) -> Result<ServingAddresses, ServeError> {
        let connections = ConnectionLimits::for_descriptors(raise_descriptor_limit());
        let gateway = Gateway::new(self.gateway_parts(), listener_limits(connections.gateway));
        *self.parts.serving.gateway.lock() = Some(gateway);
        let workers = Workers::start();
        let workers = workers.inspect_err(|error| {
            tracing::warn!(
                %error,
                "worker threads could not be started; requests share the main threads"
            );
        });
        *self.parts.serving.workers.lock() = workers.ok();
        // The control listener opens first, so that whoever sees the gateway's port can also reach
        // the engine.
        let mut served =
            self.open_control(operations, listener_limits(connections.control)).await?;
        self.listen(self.configured_port()).await;
        served.gateway = self.gateway_address();
        self.spawn_warm_up();
        self.spawn_speed_loading();
        self.spawn_monitor();
        self.spawn_notifications();
        self.spawn_upkeep();
        self.spawn_pause_watch();
        self.spawn_endpoint_upkeep();
        self.spawn_ledger_watch();
        tracing::info!(gateway = served.gateway, version = VERSION, "serving");
        Ok(served)
    }

    #[must_use]
    pub fn gateway_status(&self) -> GatewayStatus {
        match &*self.parts.serving.listening.lock() {
            GatewayListenerState::Stopped => GatewayStatus::Stopped,
            GatewayListenerState::Listening { .. } => GatewayStatus::Listening,
            GatewayListenerState::Failed { reason, .. } => GatewayStatus::Failed(reason.clone()),
        }
    }

    /// The gateway's port, or the configured one while it does not listen.
    #[must_use]
    pub fn gateway_port(&self) -> u16 {
        match &*self.parts.serving.listening.lock() {
            GatewayListenerState::Listening { port, .. } => *port,
            _ => self.configured_port(),
        }
    }

    /// Base URL for clients.
    #[must_use]
    pub fn gateway_address(&self) -> String {
        format!("http://127.0.0.1:{}", self.gateway_port())
    }

    /// Addresses the gateway listens on; empty while it does not listen.
    pub(crate) fn gateway_sockets(&self) -> Vec<SocketAddr> {
        match &*self.parts.serving.listening.lock() {
            GatewayListenerState::Listening { addresses, .. } => addresses.clone(),
            _ => Vec::new(),
        }
    }

    /// Number of requests in progress.
    #[must_use]
    pub fn requests_in_flight(&self) -> u32 {
        let gateway = self.parts.serving.gateway.lock();
        gateway.as_ref().map_or(0, |gateway| u32::try_from(gateway.in_flight()).unwrap_or(u32::MAX))
    }

    /// Rebinds the gateway if the configured port has changed. Requests in flight finish on the old
    /// one.
    pub(crate) fn apply_port(&self) {
        let wanted = self.configured_port();
        let moved = match &*self.parts.serving.listening.lock() {
            GatewayListenerState::Stopped => false,
            GatewayListenerState::Listening { wanted: now, .. }
            | GatewayListenerState::Failed { wanted: now, .. } => *now != wanted,
        };
        if moved {
            let engine = self.clone();
            self.parts.tasks.spawn("gateway move", async move { engine.listen(wanted).await });
        }
    }

    /// Creates an address that opens the panel in a browser once, within ten minutes; `None` if no
    /// browser panel is served.
    #[must_use]
    pub fn panel_address(&self) -> Option<Zeroizing<String>> {
        let panel = self.parts.serving.panel.lock();
        panel.as_ref().map(|panel| Zeroizing::new(panel.tokens.one_time_address(panel.port)))
    }

    fn configured_port(&self) -> u16 {
        self.parts.serving.port.unwrap_or_else(|| self.settings().gateway.port)
    }

    async fn listen(&self, wanted: u16) {
        let bound = Listener::bind(wanted).await;
        let Some(gateway) = self.parts.serving.gateway.lock().clone() else { return };
        let next = match bound {
            Ok(listener) => {
                let workers = self.parts.serving.workers.lock().as_ref().map(Workers::handles);
                let listener = listener.spread_over(workers.unwrap_or_default());
                let GatewayShutdown { begun, grace_ended: hurried, running } =
                    &self.parts.serving.stop;
                let stop = begun.child_token();
                let (port, addresses) = (listener.port(), listener_addresses(&listener));
                let serving =
                    gateway.serve(listener, StopSignal::new(stop.clone(), hurried.clone()));
                self.parts.tasks.spawn("gateway", running.track_future(serving));
                GatewayListenerState::Listening { wanted, port, addresses, stop }
            }
            Err(error) => {
                tracing::error!(%error, port = wanted, "the gateway is not listening");
                GatewayListenerState::Failed { wanted, reason: error.to_string() }
            }
        };
        let before = std::mem::replace(&mut *self.parts.serving.listening.lock(), next);
        if let GatewayListenerState::Listening { stop, .. } = before {
            stop.cancel();
        }
        self.parts.events.send_changed(&[Topic::Status, Topic::Clients, Topic::Settings]);
    }

    /// Stops accepting requests and waits for those in flight.
    pub(crate) async fn stop_gateway(&self) {
        let GatewayShutdown { begun, running, .. } = &self.parts.serving.stop;
        self.parts.serving.listening.lock().mark_stopping();
        begun.cancel();
        running.close();
        running.wait().await;
    }

    /// Ends the grace period of requests in flight after a stop.
    pub fn end_grace_period(&self) {
        self.parts.serving.stop.grace_ended.cancel();
    }

    fn gateway_parts(&self) -> GatewayParts {
        GatewayParts {
            clock: Arc::clone(&self.parts.clock),
            entropy: Arc::clone(&self.parts.entropy),
            ledger: self.parts.ledger.clone(),
            vault: self.parts.vault.clone(),
            snapshot: Arc::clone(&self.parts.snapshot),
            network: Arc::clone(&self.parts.upstream) as Arc<dyn gateway::Upstream>,
            mock: Arc::new(MockUpstream::new(Arc::clone(&self.parts.clock))),
            events: Arc::new(TrafficSink::new(self)),
            endpoints: Arc::clone(&self.parts.endpoint_registry),
        }
    }

    async fn open_control(
        &self,
        operations: Arc<dyn ControlOperations>,
        limits: ListenerLimits,
    ) -> Result<ServingAddresses, ServeError> {
        let listener = Listener::bind_v4_any().await.map_err(ServeError::Control)?;
        let control = format!("http://127.0.0.1:{}", listener.port());
        let (entropy, clock) = (Arc::clone(&self.parts.entropy), Arc::clone(&self.parts.clock));
        let tokens = Arc::new(ControlTokens::generate(entropy, clock));
        let note = OwnerNote {
            address: control.clone(),
            token: tokens.local().clone(),
            pid: std::process::id(),
            version: VERSION.to_owned(),
        };
        self.parts.owner.publish(&note).map_err(|source| ServeError::Note {
            path: self.parts.folders.runtime.clone(),
            source,
        })?;
        if operations.asset("index.html").is_some() {
            let panel = PanelListener { tokens: Arc::clone(&tokens), port: listener.port() };
            *self.parts.serving.panel.lock() = Some(panel);
        }
        let stop = self.parts.tasks.stop_token();
        let stop = StopSignal::new(stop, self.parts.serving.stop.grace_ended.clone());
        let serving = ControlListener::new(operations, tokens, limits).serve(listener, stop);
        self.parts.tasks.spawn("control", serving);
        Ok(ServingAddresses { gateway: self.gateway_address(), control })
    }

    /// Spawns slow preparations that nothing waits for: loading the system's certificates and
    /// checking the vault.
    fn spawn_warm_up(&self) {
        let upstream = Arc::clone(&self.parts.upstream);
        self.parts.tasks.spawn("certificates", async move {
            if tokio::task::spawn_blocking(move || upstream.prepare()).await.is_err() {
                tracing::debug!("reading the certificates was interrupted");
            }
        });
        let engine = self.clone();
        self.parts.tasks.spawn("vault check", async move {
            let state = engine.parts.vault.recheck().await;
            tracing::info!(?state, kind = %engine.parts.vault.kind(), "the vault was checked");
            engine.parts.events.send_changed(&[Topic::Keys, Topic::Status, Topic::Settings]);
        });
    }

    /// Loads past response times. Without them the router would have to try every backend to learn
    /// its speed.
    fn spawn_speed_loading(&self) {
        let engine = self.clone();
        self.parts.tasks.spawn("speeds", async move {
            if let Err(error) = engine.parts.endpoint_saver.load_past_speeds().await {
                tracing::warn!(
                    %error,
                    "past response times could not be read; they are measured again"
                );
            }
        });
    }

    fn spawn_monitor(&self) {
        let engine = self.clone();
        let stop = self.parts.tasks.stop_token();
        self.parts.tasks.spawn("monitor", async move {
            let probe = BackendProbe(engine.clone());
            let monitor: &Monitor = &engine.parts.monitor;
            monitor.drive(&probe, &*engine.parts.clock, stop.cancelled_owned()).await;
        });
    }

    fn spawn_upkeep(&self) {
        let engine = self.clone();
        let stop = self.parts.tasks.stop_token();
        self.parts.tasks.spawn("look around", async move {
            let mut seen = engine.settings_file_stamp();
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(Duration::from_secs(UPKEEP_SECS)) => {}
                }
                engine.parts.vault.drop_expired();
                engine.parts.upstream.sweep();
                if let Some(gateway) = &*engine.parts.serving.gateway.lock() {
                    gateway.log_counted_refusals();
                }
                let now = engine.settings_file_stamp();
                if now != seen {
                    seen = now;
                    engine.handle_settings_file_change().await;
                }
            }
        });
        let engine = self.clone();
        let stop = self.parts.tasks.stop_token();
        self.parts.tasks.spawn("retention", async move {
            loop {
                engine.purge().await;
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(Duration::from_secs(RETENTION_SECS)) => {}
                }
            }
        });
    }

    /// Runs as its own task, because other work must not delay its ticks.
    fn spawn_pause_watch(&self) {
        let engine = self.clone();
        let stop = self.parts.tasks.stop_token();
        self.parts.tasks.spawn("pauses", async move {
            loop {
                if let Some(pause) = engine.parts.endpoint_registry.tick() {
                    let seconds = pause.lasted.as_secs();
                    tracing::warn!(seconds, "this machine slept, or Gatehouse was suspended");
                }
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(Duration::from_secs(PAUSE_CHECK_SECS)) => {}
                }
            }
        });
    }

    fn settings_file_stamp(&self) -> Option<(std::time::SystemTime, u64)> {
        let metadata = std::fs::metadata(self.parts.folders.settings_file()).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    }

    async fn handle_settings_file_change(&self) {
        if let Err(error) = self.reload_settings().await {
            tracing::warn!(%error, "the settings file was edited and cannot be read");
        }
        self.parts.events.send_changed(&[
            Topic::Settings,
            Topic::Status,
            Topic::Backends,
            Topic::Keys,
            Topic::Clients,
            Topic::Routes,
            Topic::Endpoints,
            Topic::Cache,
        ]);
    }

    async fn purge(&self) {
        let days = i64::from(self.settings().ledger.retention_days);
        let before = WallTime::from_unix_ms(self.wall_time().unix_ms() - days * DAY_MS);
        match self.parts.ledger.purge_before(before).await {
            Ok(0) => {}
            Ok(rows) => {
                tracing::info!(rows, days, "old requests were deleted; their totals are kept");
            }
            Err(error) => tracing::warn!(%error, "old requests could not be deleted"),
        }
    }
}

fn listener_limits(connections_max: usize) -> ListenerLimits {
    ListenerLimits { connections_max, ..ListenerLimits::default() }
}

fn listener_addresses(listener: &Listener) -> Vec<SocketAddr> {
    let v4 = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), listener.port());
    let v6 = listener.ipv6_address();
    std::iter::once(v4).chain(v6).collect()
}
