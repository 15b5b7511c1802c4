//! `gatehouse panel`: prints an address that opens the control panel in a browser.

use control::Core;
use serde_json::json;
use zeroize::Zeroizing;

use crate::console::{Console, ConsoleFormat};
use crate::exit::{CommandError, Exit};

/// Prints a new one-time address.
pub(crate) async fn run(core: &Core, console: &mut Console) -> Result<Exit, CommandError> {
    if let Core::Local(..) = core {
        return Err(CommandError::new(Exit::Negative, "Gatehouse is not running")
            .with_hint("Run `gatehouse serve --panel`; it prints a link for your browser."));
    }
    let address = control::panel_address(core).await?;
    print_address(address.as_str(), console)?;
    Ok(Exit::Success)
}

pub(super) fn print_address(address: &str, console: &mut Console) -> Result<(), CommandError> {
    let answer = match console.format {
        ConsoleFormat::Text => Zeroizing::new(format!("{address}\n")),
        ConsoleFormat::Json => Zeroizing::new(console.render_json(&json!({"panel": address}))?),
    };
    console.print(&answer)
}
