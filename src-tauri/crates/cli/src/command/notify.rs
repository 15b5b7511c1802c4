//! `gatehouse notify`: sends a test notification to the desktop.

use clap::Subcommand;
use control::Core;

use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::text::render_sentence;

#[derive(Debug, Subcommand)]
pub(crate) enum NotifyCommand {
    /// Send a test notification
    Test,
}

pub(crate) async fn run(
    wanted: &NotifyCommand,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let NotifyCommand::Test = wanted;
    let sent = control::notification_test(core).await?;
    console.print_view(&sent, |sent| render_sentence(&sent.detail))?;
    Ok(if sent.delivered { Exit::Success } else { Exit::Negative })
}
