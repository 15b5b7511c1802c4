//! `gatehouse notify`: sends a test notification to the desktop.

use clap::Subcommand;
use control::Core;

use super::keys::done;
use crate::console::Console;
use crate::exit::{Exit, Failure};

/// What to do with notifications.
#[derive(Debug, Subcommand)]
pub(crate) enum Notify {
    /// Send a test notification
    Test,
}

pub(crate) async fn run(
    wanted: &Notify,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, Failure> {
    let Notify::Test = wanted;
    let sent = control::notification_test(core).await?;
    console.answer(&sent, |sent| done(&sent.detail))?;
    Ok(if sent.delivered { Exit::Fine } else { Exit::No })
}
