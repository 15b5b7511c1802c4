//! What serves: the gateway, its listener, the workers, and the stop of all three.

use std::net::SocketAddr;
use std::sync::Arc;

use gateway::{ControlTokens, Gateway};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::workers::Workers;

pub(crate) struct ServingState {
    /// Overrides the port of the settings.
    pub(crate) port: Option<u16>,
    pub(crate) gateway: Mutex<Option<Arc<Gateway>>>,
    pub(crate) workers: Mutex<Option<Workers>>,
    pub(crate) listening: Mutex<GatewayListenerState>,
    pub(crate) panel: Mutex<Option<PanelListener>>,
    pub(crate) stop: GatewayShutdown,
}

/// What is needed to create a browser address of the panel.
pub(crate) struct PanelListener {
    pub(crate) tokens: Arc<ControlTokens>,
    pub(crate) port: u16,
}

/// Stops the gateway before everything else, so that commands can reach the engine until it has
/// stopped.
#[derive(Default)]
pub(crate) struct GatewayShutdown {
    pub(crate) begun: CancellationToken,
    pub(crate) grace_ended: CancellationToken,
    pub(crate) running: TaskTracker,
}

#[derive(Default)]
pub(crate) enum GatewayListenerState {
    #[default]
    Stopped,
    Listening {
        wanted: u16,
        port: u16,
        addresses: Vec<SocketAddr>,
        stop: CancellationToken,
    },
    Failed {
        wanted: u16,
        reason: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatewayStatus {
    Listening,
    /// It was not started.
    Stopped,
    /// Holds the reason and what to do.
    Failed(String),
}

impl ServingState {
    pub(crate) fn new(port: Option<u16>) -> Self {
        Self {
            port,
            gateway: Mutex::default(),
            workers: Mutex::default(),
            listening: Mutex::default(),
            panel: Mutex::default(),
            stop: GatewayShutdown::default(),
        }
    }
}

impl GatewayListenerState {
    pub(crate) fn mark_stopping(&mut self) {
        if let Self::Listening { wanted, .. } = self {
            *self = Self::Failed { wanted: *wanted, reason: "Gatehouse is stopping".to_owned() };
        }
    }
}
