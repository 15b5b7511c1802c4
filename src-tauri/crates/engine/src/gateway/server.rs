//! The gateway's listener: on which port, in which state, and its stop.

mod self_check;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use domain::WallTime;
use gateway::{AgentEndpoint, Gateway, Listener, StopSignal};
use parking_lot::Mutex;
use settings::SettingsStore;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::events::{EngineEvent, EventBus};
use crate::gateway::workers::Workers;
use crate::process::tasks::Tasks;

pub use self_check::GatewaySilence;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatewayStatus {
    Listening,
    /// It listens, and refuses requests to models until the user resumes it.
    Paused,
    /// It was not started.
    Stopped,
    /// Holds the reason and what to do.
    Failed(String),
}

/// Why clients get no answer from the gateway, though it was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayFault {
    /// False if its port could not be opened.
    pub is_listening: bool,
    reason: String,
    /// `None` if that is not known.
    pub since: Option<WallTime>,
}

impl GatewayFault {
    #[must_use]
    pub const fn title(&self) -> &'static str {
        if self.is_listening {
            "The gateway does not answer"
        } else {
            "The gateway is not listening"
        }
    }

    /// What happened and what to do, in sentences.
    #[must_use]
    pub fn fix(&self) -> String {
        match self.is_listening {
            true => format!("{} Restart Gatehouse if this goes on.", self.reason),
            false => self.reason.clone(),
        }
    }
}

pub struct GatewayServer {
    /// Overrides the port of the settings.
    port: Option<u16>,
    settings: Arc<SettingsStore>,
    events: EventBus,
    tasks: Tasks,
    serving: Mutex<Option<Serving>>,
    listening: Mutex<ListenerState>,
    /// Told after each attempt to listen.
    moved: Notify,
    /// Stops the gateway before everything else, so that commands can reach the engine until it
    /// has stopped.
    stop: CancellationToken,
    grace_ended: CancellationToken,
    connections: TaskTracker,
}

struct Serving {
    gateway: Arc<Gateway>,
    /// `None` if none could be started.
    workers: Option<Workers>,
}

#[derive(Default)]
enum ListenerState {
    #[default]
    Stopped,
    Listening {
        wanted: u16,
        port: u16,
        addresses: Vec<SocketAddr>,
        stop: CancellationToken,
        /// What the last check of this port found.
        silence: Option<GatewaySilence>,
    },
    Failed {
        wanted: u16,
        reason: String,
    },
    /// It takes no new connections, and Gatehouse ends.
    Stopping,
}

impl GatewayServer {
    pub(crate) fn new(
        port: Option<u16>,
        settings: Arc<SettingsStore>,
        events: EventBus,
        tasks: Tasks,
    ) -> Self {
        Self {
            port,
            settings,
            events,
            tasks,
            serving: Mutex::default(),
            listening: Mutex::default(),
            moved: Notify::new(),
            stop: CancellationToken::new(),
            grace_ended: CancellationToken::new(),
            connections: TaskTracker::new(),
        }
    }

    #[must_use]
    pub fn status(&self) -> GatewayStatus {
        match &*self.listening.lock() {
            ListenerState::Stopped => GatewayStatus::Stopped,
            ListenerState::Listening { .. } if self.is_paused() => GatewayStatus::Paused,
            ListenerState::Listening { .. } => GatewayStatus::Listening,
            ListenerState::Failed { reason, .. } => GatewayStatus::Failed(reason.clone()),
            ListenerState::Stopping => GatewayStatus::Failed("Gatehouse is stopping".to_owned()),
        }
    }

    /// `None` if nothing is known to be wrong, which [`Self::is_started`] tells from "not started".
    #[must_use]
    pub fn fault(&self) -> Option<GatewayFault> {
        match &*self.listening.lock() {
            ListenerState::Failed { reason, .. } => {
                Some(GatewayFault { is_listening: false, reason: reason.clone(), since: None })
            }
            ListenerState::Listening { silence: Some(silence), .. } => Some(GatewayFault {
                is_listening: true,
                reason: silence.reason.clone(),
                since: Some(silence.since),
            }),
            ListenerState::Listening { .. } | ListenerState::Stopped | ListenerState::Stopping => {
                None
            }
        }
    }

    /// True while it listens or should listen.
    #[must_use]
    pub fn is_started(&self) -> bool {
        !matches!(*self.listening.lock(), ListenerState::Stopped | ListenerState::Stopping)
    }

    /// The port it listens on, or the configured one while it does not listen.
    #[must_use]
    pub fn port(&self) -> u16 {
        match &*self.listening.lock() {
            ListenerState::Listening { port, .. } => *port,
            _ => self.configured_port(),
        }
    }

    /// Base URL for clients.
    #[must_use]
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    /// Number of requests in progress.
    #[must_use]
    pub fn requests_in_flight(&self) -> u32 {
        let serving = self.serving.lock();
        let requests = serving.as_ref().map_or(0, |serving| serving.gateway.in_flight());
        u32::try_from(requests).unwrap_or(u32::MAX)
    }

    /// Refuses new requests to models until [`Self::resume`] or the next start. False if it was not started.
    pub fn pause(&self) -> bool {
        self.with_gateway(Gateway::pause)
    }

    /// False if it was not started.
    pub fn resume(&self) -> bool {
        self.with_gateway(Gateway::resume)
    }

    fn is_paused(&self) -> bool {
        self.serving.lock().as_ref().is_some_and(|serving| serving.gateway.is_paused())
    }

    fn with_gateway(&self, change: impl FnOnce(&Gateway)) -> bool {
        self.serving.lock().as_ref().map(|serving| change(&serving.gateway)).is_some()
    }

    /// Ends the grace period of requests in flight after a stop.
    pub fn end_grace_period(&self) {
        self.grace_ended.cancel();
    }

    pub(crate) fn grace_ended(&self) -> CancellationToken {
        self.grace_ended.clone()
    }

    /// Addresses it listens on; empty while it does not listen.
    pub(crate) fn sockets(&self) -> Vec<SocketAddr> {
        match &*self.listening.lock() {
            ListenerState::Listening { addresses, .. } => addresses.clone(),
            _ => Vec::new(),
        }
    }

    /// Starts to serve `gateway` on the configured port.
    pub(crate) async fn start(&self, gateway: Arc<Gateway>) {
        let workers = Workers::start().inspect_err(|error| {
            tracing::warn!(
                %error,
                "worker threads could not be started; requests share the main threads"
            );
        });
        *self.serving.lock() = Some(Serving { gateway, workers: workers.ok() });
        self.listen(self.configured_port()).await;
    }

    /// Listens again if the configured port has changed. Requests in flight finish on the old one.
    pub(crate) fn apply_port(self: &Arc<Self>) {
        let wanted = self.configured_port();
        let moved = match &*self.listening.lock() {
            ListenerState::Stopped | ListenerState::Stopping => false,
            ListenerState::Listening { wanted: now, .. }
            | ListenerState::Failed { wanted: now, .. } => *now != wanted,
        };
        if moved {
            let server = Arc::clone(self);
            self.tasks.spawn("gateway move", async move { server.listen(wanted).await });
        }
    }

    pub(crate) fn log_counted_refusals(&self) {
        if let Some(serving) = &*self.serving.lock() {
            serving.gateway.log_counted_refusals();
        }
    }

    /// Sets what answers agents at `/mcp`, until the stop. Call it after the start.
    pub fn serve_agents(&self, endpoint: Arc<dyn AgentEndpoint>) {
        if let Some(serving) = &*self.serving.lock() {
            serving.gateway.serve_agents(endpoint);
        }
    }

    /// Stops accepting requests and waits for those in flight.
    pub(crate) async fn stop(&self) {
        *self.listening.lock() = ListenerState::Stopping;
        self.stop.cancel();
        let gateway = self.serving.lock().as_ref().map(|serving| Arc::clone(&serving.gateway));
        if let Some(gateway) = gateway {
            gateway.stop_agents();
        }
        self.connections.close();
        self.connections.wait().await;
    }

    fn configured_port(&self) -> u16 {
        self.port.unwrap_or_else(|| self.settings.current().gateway.port)
    }

    async fn listen(&self, wanted: u16) {
        let bound = Listener::bind(wanted).await;
        let (gateway, workers) = match &*self.serving.lock() {
            Some(Serving { gateway, workers }) => {
                (Arc::clone(gateway), workers.as_ref().map(Workers::handles))
            }
            None => return,
        };
        let next = match bound {
            Ok(listener) => {
                let listener = listener.spread_over(workers.unwrap_or_default());
                let stop = self.stop.child_token();
                let (port, addresses) = (listener.port(), listener_addresses(&listener));
                let signal = StopSignal::new(stop.clone(), self.grace_ended());
                let serving = gateway.serve(listener, signal);
                self.tasks.spawn("gateway", self.connections.track_future(serving));
                ListenerState::Listening { wanted, port, addresses, stop, silence: None }
            }
            Err(error) => {
                let reason = error.to_string();
                if self.failed_before(wanted, &reason) {
                    return;
                }
                tracing::error!(%error, port = wanted, "the gateway is not listening");
                ListenerState::Failed { wanted, reason }
            }
        };
        let before = {
            let mut listening = self.listening.lock();
            if self.stop.is_cancelled() {
                return;
            }
            std::mem::replace(&mut *listening, next)
        };
        if let ListenerState::Listening { stop, .. } = before {
            stop.cancel();
        }
        self.events.send(EngineEvent::Gateway);
        self.moved.notify_one();
    }

    /// Tries again to open the port that could not be opened, once. What holds it may be gone.
    async fn listen_again(&self) {
        let wanted = match *self.listening.lock() {
            ListenerState::Failed { wanted, .. } if wanted == self.configured_port() => wanted,
            _ => return,
        };
        self.listen(wanted).await;
    }

    /// True if this port could not be opened before, for the same reason.
    fn failed_before(&self, port: u16, why: &str) -> bool {
        let known = self.listening.lock();
        matches!(&*known, ListenerState::Failed { wanted, reason } if *wanted == port && reason == why)
    }
}

fn listener_addresses(listener: &Listener) -> Vec<SocketAddr> {
    let v4 = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), listener.port());
    let v6 = listener.ipv6_address();
    std::iter::once(v4).chain(v6).collect()
}
