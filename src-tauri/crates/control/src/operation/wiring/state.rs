//! What state the wiring of a tool is in, with what only the engine knows: where the gateway is, which
//! clients there are, and whether a request has come from one.

use domain::ClientId;
use engine::{Engine, WiringTrouble};
use wiring::{DriftCause, ToolStatus, WiredTool, WiringRung, WiringState};

use crate::ApiError;

/// The state of a tool, in a word and in a sentence.
pub(in crate::operation) struct DescribedState {
    pub(in crate::operation) state: WiringState,
    pub(in crate::operation) cause: Option<DriftCause>,
    pub(in crate::operation) sentence: String,
}

pub(super) async fn describe_tool(
    engine: &Engine,
    status: &ToolStatus,
) -> Result<DescribedState, ApiError> {
    let name = status.tool.name();
    let mut described = describe_state(engine, status, || match (status.state, status.rung) {
        (WiringState::NotWired, _) => format!("{name} does not use the gateway."),
        (_, WiringRung::Environment | WiringRung::Reference) => {
            format!("{name} uses the gateway when `gatehouse run {}` starts it.", status.tool)
        }
        _ => format!("{name} uses the gateway."),
    });
    if described.state == WiringState::Wired && awaits_token(engine, status).await? {
        described.state = WiringState::TokenNotEntered;
        let how = match status.rung {
            WiringRung::Token => format!("Give {name} the token once."),
            _ => format!("Enter the token in {name} once."),
        };
        described.sentence = format!(
            "{name} has the gateway as a provider, but no request has come with its token. {how}"
        );
    }
    Ok(described)
}

/// One that starts a program that is gone, points at an earlier address, or uses a client that is gone
/// has drifted too: wiring it again is what helps. `sentence` is that of a tool without trouble.
pub(in crate::operation) fn describe_state<T: WiredTool>(
    engine: &Engine,
    status: &ToolStatus<T>,
    sentence: impl FnOnce() -> String,
) -> DescribedState {
    let name = status.tool.full_name();
    let expected = engine.wiring_expectation();
    if let Some(WiringTrouble { cause, sentence }) = expected.find_trouble(status) {
        let state = cause.map_or(status.state, |_| WiringState::Drifted);
        return DescribedState { state, cause, sentence };
    }
    let (cause, sentence) = match status.state {
        WiringState::NotInstalled => (None, format!("{name} was not found on this machine.")),
        WiringState::NotWired if !status.pointer.is_empty() => {
            (Some(DriftCause::OtherHome), describe_other_gatehouse(status))
        }
        _ => (None, sentence()),
    };
    DescribedState { state: status.state, cause, sentence }
}

/// Its file has our keys, and this Gatehouse has no record of them.
fn describe_other_gatehouse<T: WiredTool>(status: &ToolStatus<T>) -> String {
    let place = match (&status.pointer.base_url, status.pointer.program()) {
        (Some(url), _) => format!("points at {url}"),
        (None, Some(program)) => format!("starts {}", program.display()),
        (None, None) => "is changed".to_owned(),
    };
    let name = status.tool.full_name();
    format!(
        "{name} {place}, as a Gatehouse with its data elsewhere set it. Connect it to use this one."
    )
}

/// True for a tool that the user gives its token, until a request has come with it. What the tool
/// keeps in the keychain is its own.
async fn awaits_token(engine: &Engine, status: &ToolStatus) -> Result<bool, ApiError> {
    let client = status.client.as_deref().and_then(|name| ClientId::new(name).ok());
    let Some(client) = client.filter(|_| status.rung.is_token_entered()) else { return Ok(false) };
    let seen = engine.clients().last_seen(&client, engine.clock().wall()).await?;
    Ok(seen.is_none() || seen < status.since)
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
        WiringRung::Token => {
            "Its file names a secret for the token. You set it once, and can revoke it at any time."
        }
    }
}
