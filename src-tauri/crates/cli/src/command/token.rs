//! `gatehouse token`: prints a client's local token, for a tool that needs it.
//!
//! This is the only command that prints a secret. A client token is valid for this machine's
//! gateway only. Provider keys are never printed.

use control::Core;
use control::view::ClientRef;
use domain::Secret;
use zeroize::Zeroizing;

use crate::console::{Console, ConsoleFormat};
use crate::exit::{CommandError, Exit};
use crate::unlock::unlock_interactively;

#[derive(Debug, clap::Args)]
pub(crate) struct TokenArguments {
    /// The client's name
    #[arg(add = super::completers::candidates_from(super::completers::client_names))]
    client: String,
}

pub(crate) async fn run(
    wanted: TokenArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    unlock_interactively(core, console).await?;
    let token = control::client_token(core, ClientRef { id: wanted.client.clone() }).await?;
    print_token(&wanted.client, &token, console)?;
    Ok(Exit::Success)
}

/// Prints a token and nothing else, so that a script can capture it.
pub(super) fn print_token(
    client: &str,
    token: &Secret,
    console: &mut Console,
) -> Result<(), CommandError> {
    let token = token.expose();
    let answer = match console.format {
        ConsoleFormat::Text => Zeroizing::new(format!("{token}\n")),
        ConsoleFormat::Json => {
            let answer = serde_json::json!({"client": client, "token": token});
            Zeroizing::new(console.render_json(&answer)?)
        }
    };
    console.print(&answer)
}
