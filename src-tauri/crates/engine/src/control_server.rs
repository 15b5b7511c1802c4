//! The control listener: how commands and panels reach this engine.

use std::sync::Arc;

use domain::{Clock, Entropy};
use gateway::{
    BindError, ControlListener, ControlOperations, ControlTokens, Listener, ListenerLimits,
    StopSignal,
};
use parking_lot::Mutex;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::Folders;
use crate::engine::VERSION;
use crate::process::owner::{OwnerLock, OwnerNote};
use crate::process::tasks::Tasks;

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

#[derive(Debug, Clone)]
pub struct ServingAddresses {
    /// Base URL for clients, `http://127.0.0.1:4283`.
    pub gateway: String,
    /// Control listener, `http://127.0.0.1:PORT`.
    pub control: String,
}

pub struct ControlServer {
    pub(crate) owner: OwnerLock,
    pub(crate) folders: Folders,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) tasks: Tasks,
    pub(crate) panel: Mutex<Option<PanelListener>>,
    /// Set by `Engine::serve`.
    pub(crate) served: OnceCell<ServingAddresses>,
}

/// What is needed to create a browser address of the panel.
pub(crate) struct PanelListener {
    tokens: Arc<ControlTokens>,
    port: u16,
}

impl ControlServer {
    /// Creates an address that opens the panel in a browser once, within ten minutes; `None` if no
    /// browser panel is served.
    #[must_use]
    pub fn panel_address(&self) -> Option<Zeroizing<String>> {
        let panel = self.panel.lock();
        panel.as_ref().map(|panel| Zeroizing::new(panel.tokens.one_time_address(panel.port)))
    }

    /// Opens the listener, publishes its address in the runtime folder and returns it.
    pub(crate) async fn start(
        &self,
        operations: Arc<dyn ControlOperations>,
        limits: ListenerLimits,
        grace_ended: CancellationToken,
    ) -> Result<String, ServeError> {
        let listener = Listener::bind_v4_any().await.map_err(ServeError::Control)?;
        let address = format!("http://127.0.0.1:{}", listener.port());
        let (entropy, clock) = (Arc::clone(&self.entropy), Arc::clone(&self.clock));
        let tokens = Arc::new(ControlTokens::generate(entropy, clock));
        let note = OwnerNote {
            address: address.clone(),
            token: tokens.local().clone(),
            pid: std::process::id(),
            version: VERSION.to_owned(),
        };
        let failed = |source| ServeError::Note { path: self.folders.runtime.clone(), source };
        self.owner.publish(&note).map_err(failed)?;
        if operations.asset("index.html").is_some() {
            let panel = PanelListener { tokens: Arc::clone(&tokens), port: listener.port() };
            *self.panel.lock() = Some(panel);
        }
        let stop = StopSignal::new(self.tasks.stop_token(), grace_ended);
        let serving = ControlListener::new(operations, tokens, limits).serve(listener, stop);
        self.tasks.spawn("control", serving);
        Ok(address)
    }

    /// Removes the address, so that no further command finds this engine.
    pub(crate) fn withdraw(&self) {
        self.owner.withdraw();
    }
}
