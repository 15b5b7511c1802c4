//! `gatehouse token`: a client's local token, for the tool that asks for it.
//!
//! The one place where a secret leaves the program: the client's own token, which opens this machine's
//! gateway and nothing else. Provider keys have no such way out.

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

/// Prints it.
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

/// Prints a token and nothing else.
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
