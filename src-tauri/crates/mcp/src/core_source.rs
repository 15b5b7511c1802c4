//! The core behind the calls. Each call looks for the process that owns the data folder; if there is
//! none, the engine runs in this process for as long as calls are in progress, so that an idle agent
//! keeps neither the window nor another command from owning the folder.

use control::{ApiError, ConfigError, Core, EngineConfig};
use tokio::sync::Mutex;

/// Reads the configuration of an engine, once for each start.
pub type ConfigReader = Box<dyn Fn() -> Result<EngineConfig, ConfigError> + Send + Sync>;

pub(crate) struct CoreSource {
    origin: CoreOrigin,
    open: Mutex<Option<OpenCore>>,
}

enum CoreOrigin {
    /// Found or opened for the calls in progress.
    Opened(ConfigReader),
    /// Of this process, which serves anyway.
    Own(Core),
}

struct OpenCore {
    core: Core,
    calls: usize,
}

impl CoreSource {
    pub(crate) fn new(read_config: ConfigReader) -> Self {
        Self { origin: CoreOrigin::Opened(read_config), open: Mutex::new(None) }
    }

    pub(crate) fn of(core: Core) -> Self {
        Self { origin: CoreOrigin::Own(core), open: Mutex::new(None) }
    }

    /// The core for one call, which ends with [`CoreSource::release`].
    pub(crate) async fn acquire(&self) -> Result<Core, ApiError> {
        if let CoreOrigin::Own(core) = &self.origin {
            return Ok(core.clone());
        }
        let mut open = self.open.lock().await;
        if let Some(known) = &mut *open
            && matches!(known.core, Core::Local(..))
        {
            known.calls += 1;
            return Ok(known.core.clone());
        }
        let core = self.open_core().await?;
        let calls = open.take().map_or(0, |known| known.calls) + 1;
        *open = Some(OpenCore { core: core.clone(), calls });
        Ok(core)
    }

    /// Ends a call. After the last one an engine of this process stops.
    pub(crate) async fn release(&self) {
        let mut open = self.open.lock().await;
        let Some(mut known) = open.take() else { return };
        known.calls = known.calls.saturating_sub(1);
        if known.calls == 0 {
            known.core.stop().await;
        } else {
            *open = Some(known);
        }
    }

    /// Stops an engine of this process, also below a call that did not end.
    pub(crate) async fn close(&self) {
        if let Some(known) = self.open.lock().await.take() {
            known.core.stop().await;
        }
    }

    async fn open_core(&self) -> Result<Core, ApiError> {
        let read_config = match &self.origin {
            CoreOrigin::Opened(read_config) => read_config,
            CoreOrigin::Own(core) => return Ok(core.clone()),
        };
        let mut config = read_config().map_err(|error| ApiError::failed(error.to_string()))?;
        // Nobody knows the address of a gateway for a few calls, and a free port cannot be in use.
        config.port = Some(0);
        Core::open(config).await.map_err(|error| ApiError::failed(error.to_string()))
    }
}

/// Starts the gateway of an engine in this process, unless it serves already, as it does where the agent
/// came over HTTP.
pub(crate) async fn serve_gateway(core: &Core) -> Result<(), ApiError> {
    if let Core::Local(engine, _) = core {
        let served = control::serve(engine, |_| None).await;
        served.map_err(|error| ApiError::failed(error.to_string()))?;
    }
    Ok(())
}
