//! `gatehouse token`: prints a client's local token, for a tool that needs it.
//!
//! This is the only command that prints a secret. A client token is valid for this machine's
//! gateway only. Provider keys are never printed.

use control::Core;
use control::view::ClientRef;
use domain::Secret;
use zeroize::Zeroizing;

use crate::console::{Console, Format};
use crate::exit::{Exit, Failure};
use crate::session::unlock_by_hand;

/// Whose token.
#[derive(Debug, clap::Args)]
pub(crate) struct Token {
    /// The client's name
    #[arg(add = super::completions::of(super::completions::clients))]
    client: String,
}

pub(crate) async fn run(
    wanted: Token,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, Failure> {
    unlock_by_hand(core, console).await?;
    let token = control::client_token(core, ClientRef { id: wanted.client.clone() }).await?;
    hand_out(&wanted.client, &token, console)?;
    Ok(Exit::Fine)
}

/// Prints a token and nothing else, so that a script can capture it.
pub(super) fn hand_out(client: &str, token: &Secret, console: &mut Console) -> Result<(), Failure> {
    let token = token.expose();
    let answer = match console.format {
        Format::Text => Zeroizing::new(format!("{token}\n")),
        Format::Json => {
            let answer = serde_json::json!({"client": client, "token": token});
            Zeroizing::new(console.json(&answer)?)
        }
    };
    console.print(&answer)
}
