//! `gatehouse serve`: runs the gateway without a window, announces its address and shuts it down.

use std::pin::pin;

use control::view::GatewayState;
use control::{Core, DisplayAvailability, EngineConfig, start_log};

use crate::command::vault;
use crate::console::{Console, ConsoleFormat};
use crate::exit::{CommandError, Exit};
use crate::notifications::NotificationOpener;
use crate::panel_assets::{no_panel_file, panel_file};
use crate::sign::Mark;
use crate::text::StyledText;
use crate::unlock::unlock_interactively;

#[derive(Debug, clap::Args)]
pub(crate) struct ServeArguments {
    /// Port of the gateway, instead of the one in the settings; 0 picks a free port
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// Print a one-time link to the control panel
    #[arg(long)]
    panel: bool,
}

/// Serves until Ctrl-C or SIGTERM. A second signal shortens the shutdown.
pub(crate) async fn run(
    wanted: &ServeArguments,
    mut config: EngineConfig,
    display: DisplayAvailability,
    log_filter: &str,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    config.port = wanted.port;
    let program = std::env::current_exe().map_err(|error| CommandError::internal(&error))?;
    let opener = NotificationOpener::new(program, config.home.clone());
    config.channel = opener.channel(display);
    config.folders.create().map_err(|error| CommandError::internal(&error))?;
    let _log = start_log(&config.folders.log_folder(), log_filter)
        .map_err(|error| CommandError::internal(&error))?;
    let core = Core::open(config).await?;
    opener.set_core(&core);
    let served = serve(wanted, &core, console).await;
    let mut stopping = pin!(core.stop());
    let mut stop = match served {
        Ok(stop) => stop,
        Err(failure) => {
            stopping.await;
            return Err(failure);
        }
    };
    tokio::select! {
        () = &mut stopping => {}
        // A second signal: do not wait for responses in flight.
        () = stop.wait() => {
            core.end_grace_period();
            stopping.await;
        }
    }
    Ok(Exit::Success)
}

/// Serves until the first stop signal; returns the listener for the next one.
async fn serve(
    wanted: &ServeArguments,
    core: &Core,
    console: &mut Console,
) -> Result<StopSignals, CommandError> {
    let Core::Local(engine, _) = core else {
        let address = control::status(core).await?.gateway.address;
        return Err(CommandError::new(
            Exit::Negative,
            format!("Gatehouse is already running at {address}"),
        )
        .with_hint("Use it, or stop it with `gatehouse stop`."));
    };
    // Listen for signals before the address is announced.
    let mut stop = StopSignals::listen()?;
    unlock_interactively(core, console).await?;
    let served = control::serve(engine, panel_file).await?;
    mcp::serve_http(engine, env!("CARGO_PKG_VERSION"));
    let gateway = control::status(core).await?.gateway;
    let listening = match (gateway.state, gateway.reason) {
        (GatewayState::Listening | GatewayState::Paused | GatewayState::Silent, _) => {
            Some(served.gateway.as_str())
        }
        (GatewayState::Failed, reason) => {
            let reason = reason.unwrap_or_else(|| "the gateway is not listening".to_owned());
            report_listen_failure(wanted, &reason, console)?;
            None
        }
    };
    let panel = match wanted.panel {
        true => Some(control::panel_address(core).await?),
        false => None,
    };
    // A supervisor may close the pipe after the first line or earlier; the gateway keeps running.
    let _closed = announce(listening, panel.as_ref().map(|address| address.as_str()), console);
    if console.format == ConsoleFormat::Text {
        // Last, since a keychain may be slow to answer.
        let vault = control::vault_check(core).await?;
        let _closed = console.print(&vault::render_vault_line(&vault).to_string());
    }
    stop.wait().await;
    Ok(stop)
}

/// Without the panel a port in use is an error; with it, the user can choose another port there.
fn report_listen_failure(
    wanted: &ServeArguments,
    reason: &str,
    console: &mut Console,
) -> Result<(), CommandError> {
    if !wanted.panel {
        return Err(CommandError::new(Exit::Negative, reason));
    }
    let mut text = StyledText::new();
    text.marked(Mark::Failed, &format!("gateway not listening: {reason}"));
    console.print_remark(&text);
    Ok(())
}

/// Prints one line for each address, for people and scripts.
pub(crate) fn announce(
    gateway: Option<&str>,
    panel: Option<&str>,
    console: &mut Console,
) -> Result<(), CommandError> {
    if console.format == ConsoleFormat::Json {
        let line = console.render_json(&serde_json::json!({"gateway": gateway, "panel": panel}))?;
        return console.print(&line);
    }
    let mut text = StyledText::new();
    if let Some(address) = gateway {
        text.marked(Mark::Done, &format!("gateway listening on {address}"));
    }
    if let Some(address) = panel {
        text.marked(Mark::Done, &format!("panel (one-time link): {address}"));
    }
    console.print(&text.to_string())
}

/// Starts the gateway for a call that runs without an owner process, so that the call can reach it.
/// An owner serves already.
pub(crate) async fn serve_without_panel(core: &Core) -> Result<(), CommandError> {
    if let Core::Local(engine, _) = core {
        control::serve(engine, no_panel_file).await?;
    }
    Ok(())
}

/// The stop signals: SIGTERM and SIGINT.
pub(crate) struct StopSignals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl StopSignals {
    pub(crate) fn listen() -> Result<Self, CommandError> {
        use tokio::signal::unix::{SignalKind, signal};
        let of = |kind| signal(kind).map_err(|error| CommandError::internal(&error));
        Ok(Self {
            terminate: of(SignalKind::terminate())?,
            interrupt: of(SignalKind::interrupt())?,
        })
    }

    pub(crate) async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
impl StopSignals {
    pub(crate) const fn listen() -> Result<Self, CommandError> {
        Ok(Self {})
    }

    pub(crate) async fn wait(&mut self) {
        // On an error Ctrl-C cannot be caught, so it ends the program anyway.
        drop(tokio::signal::ctrl_c().await);
    }
}
