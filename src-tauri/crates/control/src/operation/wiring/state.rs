//! What state the wiring of a tool is in, with what only the engine knows: where the gateway is, which
//! clients there are, and whether a request has come from one.

use domain::ClientId;
use engine::Engine;
use wiring::{ToolStatus, WiredTool, WiringRung, WiringState};

use crate::ApiError;

/// A tool that points at an earlier address, or uses a client that is gone, has drifted too: wiring
/// it again is what helps.
pub(super) async fn state_of(
    engine: &Engine,
    status: &ToolStatus,
) -> Result<WiringState, ApiError> {
    let is_stale = || moved_from(engine, status).is_some() || lost_client(engine, status).is_some();
    Ok(match status.state {
        WiringState::Wired | WiringState::Conflict if is_stale() => WiringState::Drifted,
        WiringState::Wired if awaits_token(engine, status).await? => WiringState::TokenNotEntered,
        state => state,
    })
}

/// True for a tool that the user gives its token, until a request has come with it. What the tool
/// keeps in the keychain is its own.
async fn awaits_token(engine: &Engine, status: &ToolStatus) -> Result<bool, ApiError> {
    let client = status.client.as_deref().and_then(|name| ClientId::new(name).ok());
    let (WiringRung::Keychain, Some(client)) = (status.rung, client) else { return Ok(false) };
    let seen = engine.clients().last_seen(&client).await?;
    Ok(seen.is_none() || seen < status.since)
}

/// The address that the tool uses, if the gateway is elsewhere now.
fn moved_from<'a>(engine: &Engine, status: &'a ToolStatus) -> Option<&'a str> {
    // One that reads all from its environment gets the address of the moment.
    let is_written = status.rung != WiringRung::Environment;
    let written = status.address.as_deref().filter(|_| is_written);
    written.filter(|address| *address != engine.gateway().address())
}

/// The client that the tool uses, if it is gone.
fn lost_client<'a>(engine: &Engine, status: &'a ToolStatus) -> Option<&'a str> {
    let settings = engine.settings();
    let is_known = |name: &str| settings.clients.keys().any(|known| known.as_str() == name);
    status.client.as_deref().filter(|name| !is_known(name))
}

pub(super) fn sentence_of(engine: &Engine, status: &ToolStatus, state: WiringState) -> String {
    let name = status.tool.name();
    if let Some(problem) = &status.problem {
        return format!("{problem}. It was left as it is.");
    }
    if let Some(client) = lost_client(engine, status) {
        return format!("{name} uses the client {client}, which was revoked. Connect it again.");
    }
    if let Some(address) = moved_from(engine, status) {
        let now = engine.gateway().address();
        return format!(
            "{name} points at {address}, but the gateway is at {now}. Connect it again."
        );
    }
    wiring_trouble(status).unwrap_or_else(|| match (state, status.rung) {
        (WiringState::NotWired, _) => format!("{name} does not use the gateway."),
        (WiringState::TokenNotEntered, _) => format!(
            "{name} has the gateway as a provider, but no request has come with its token. Enter \
             the token in {name} once."
        ),
        (_, WiringRung::Environment | WiringRung::Reference) => {
            format!("{name} uses the gateway when `gatehouse run {}` starts it.", status.tool)
        }
        _ => format!("{name} uses the gateway."),
    })
}

/// Why a program is not as it was connected, whatever it was connected for; `None` if it is, or if it
/// is not connected.
pub(in crate::operation) fn wiring_trouble<T: WiredTool>(status: &ToolStatus<T>) -> Option<String> {
    let name = status.tool.full_name();
    Some(match (status.state, status.drift.first(), status.conflicts.first()) {
        (WiringState::Drifted, Some(change), _) => {
            let file = change.file.display();
            format!("{} in {file} was changed since {name} was connected.", change.key)
        }
        (WiringState::Conflict, _, Some(conflict)) => {
            format!("{}.", domain::capitalize(&conflict.explanation()))
        }
        (WiringState::NotInstalled, ..) => format!("{name} was not found on this machine."),
        (WiringState::Broken, ..) => format!("A file of {name} cannot be read."),
        _ => return None,
    })
}

pub(super) const fn describe_rung(rung: WiringRung) -> &'static str {
    match rung {
        WiringRung::Command => "It runs a command for its token, so none is in its files.",
        WiringRung::Reference => {
            "Its file names a variable for the token, which `gatehouse run` sets, so none is in it."
        }
        WiringRung::Keychain => {
            "You enter it once, and the tool keeps it in the system keychain, so none is in its files."
        }
        WiringRung::Environment => {
            "`gatehouse run` starts it with the token in its environment, so none is in its files."
        }
        WiringRung::Token => "Its file holds a token of this gateway, which you can revoke.",
    }
}
