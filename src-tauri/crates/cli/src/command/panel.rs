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
    let answer = match console.format {
        ConsoleFormat::Text => Zeroizing::new(format!("{}\n", address.as_str())),
        ConsoleFormat::Json => {
            Zeroizing::new(console.render_json(&json!({"panel": address.as_str()}))?)
        }
    };
    console.print(&answer)?;
    Ok(Exit::Success)
}
