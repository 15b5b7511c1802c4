//! `gatehouse panel`: prints an address that opens the control panel in a browser.

use control::Core;
use serde_json::json;
use zeroize::Zeroizing;

use crate::console::{Console, Format};
use crate::exit::{Exit, Failure};

/// Prints a new one-time address.
pub(crate) async fn run(core: &Core, console: &mut Console) -> Result<Exit, Failure> {
    if let Core::Local(_) = core {
        return Err(Failure::new(Exit::No, "Gatehouse is not running")
            .with_hint("Run `gatehouse serve --panel`; it prints a link for your browser."));
    }
    let address = control::panel_address(core).await?;
    let answer = match console.format {
        Format::Text => Zeroizing::new(format!("{}\n", address.as_str())),
        Format::Json => Zeroizing::new(console.json(&json!({"panel": address.as_str()}))?),
    };
    console.print(&answer)?;
    Ok(Exit::Fine)
}
