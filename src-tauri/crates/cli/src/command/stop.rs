//! `gatehouse stop`: shuts down the running Gatehouse from another terminal.

use std::time::Duration;

use control::Core;
use tokio::time::timeout;

use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::text::render_sentence;

/// Longest wait for requests in flight to end, in seconds.
const STOP_SECS_MAX: u64 = 60;

/// Sends SIGTERM, as the system does at log-out, and waits until the process has ended.
pub(crate) async fn run(core: &Core, console: &mut Console) -> Result<Exit, CommandError> {
    let Core::Remote(owner) = core else {
        console.print_view(&(), |()| render_sentence("Gatehouse is not running."))?;
        return Ok(Exit::Negative);
    };
    terminate(owner.pid())?;
    if timeout(Duration::from_secs(STOP_SECS_MAX), owner.wait_until_gone()).await.is_err() {
        let message = format!("Gatehouse did not stop within {STOP_SECS_MAX} s");
        return Err(CommandError::new(Exit::TimedOut, message)
            .with_hint("Requests in flight may still be running; `gatehouse status` shows them."));
    }
    console.print_view(&(), |()| render_sentence("Stopped."))?;
    Ok(Exit::Success)
}

#[cfg(unix)]
fn terminate(pid: u32) -> Result<(), CommandError> {
    use rustix::process::{Pid, Signal, kill_process};
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let sent = pid.map(|pid| kill_process(pid, Signal::TERM));
    match sent {
        Some(Ok(())) => Ok(()),
        Some(Err(error)) => Err(CommandError::internal(&error)),
        None => {
            Err(CommandError::new(Exit::Internal, "the running Gatehouse has no valid process id"))
        }
    }
}

#[cfg(not(unix))]
fn terminate(_: u32) -> Result<(), CommandError> {
    Err(CommandError::new(
        Exit::Negative,
        "Gatehouse cannot be stopped from the command line on this system",
    )
    .with_hint("Press Ctrl-C where it runs, or choose Quit in its tray menu."))
}
