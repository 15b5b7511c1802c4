//! Points client tools at the gateway, and undoes it.
//!
//! A tool gets a client of its own, whose token it asks for by a command, so no token is in any of
//! its files.

use std::path::PathBuf;

use domain::ClientId;
use engine::{ClientWiringError, Engine};
use wiring::{ClientTool, ToolStatus, WiredTool, WiringError, WiringPlan, WiringRung, WiringState};

use super::clients::{client_add, client_revoke, client_token, parse_client_id};
use crate::ApiError;
use crate::view::{
    ClientAdd, ClientRef, ClientScopeView, ClientUnwire, ClientWire, ClientsUnwireAll,
    ClientsWiringQuery, ToolGuideView, ToolWiringView, UnwiredToolView, WiringPlanQuery,
    WiringPlanView,
};

pub(crate) async fn clients_wiring(
    engine: &Engine,
    req: ClientsWiringQuery,
) -> Result<Vec<ToolWiringView>, ApiError> {
    let project = req.project.map(PathBuf::from);
    let found = engine.client_wiring().list(project.as_deref()).await?;
    Ok(found.into_iter().map(|status| tool_view(engine, status)).collect())
}

pub(crate) async fn client_guides(engine: &Engine) -> Result<Vec<ToolGuideView>, ApiError> {
    let settings = engine.settings();
    let names = settings
        .routes
        .values()
        .filter(|route| settings.is_route_on(route))
        .flat_map(|it| &it.models);
    let model = names.into_iter().find(|name| !name.contains('*')).cloned();
    let guides = engine.client_wiring().guides(engine.gateway().address(), model).await?;
    Ok(guides.into_iter().map(Into::into).collect())
}

pub(crate) async fn client_wiring_plan(
    engine: &Engine,
    req: WiringPlanQuery,
) -> Result<WiringPlanView, ApiError> {
    let wiring = engine.client_wiring();
    let plan: WiringPlan = if req.undo {
        wiring.plan_unwire(req.tool, req.changed_keys.unwrap_or_default()).await?
    } else {
        let client = client_of(engine, req.tool, req.client.as_deref()).await?;
        wiring.plan(req.tool, client, engine.gateway().address()).await?
    };
    Ok(plan.into())
}

pub(crate) async fn client_wire(
    engine: &Engine,
    req: ClientWire,
) -> Result<ToolWiringView, ApiError> {
    let client = client_of(engine, req.tool, req.client.as_deref()).await?;
    let is_new = ensure_client(engine, &client).await?;
    let address = engine.gateway().address();
    let wired = engine.client_wiring().wire(req.tool, client.clone(), address, req.fingerprint);
    match wired.await {
        Ok(status) => Ok(tool_view(engine, status)),
        Err(error) => {
            if is_new {
                drop(client_revoke(engine, ClientRef { id: client.to_string() }).await);
            }
            Err(error.into())
        }
    }
}

/// The client stays: its requests and its limits are known by its name.
pub(crate) async fn client_unwire(
    engine: &Engine,
    req: ClientUnwire,
) -> Result<ToolWiringView, ApiError> {
    let status = engine.client_wiring().unwire(req.tool, req.changed_keys).await?;
    Ok(tool_view(engine, status))
}

pub(crate) async fn clients_unwire_all(
    engine: &Engine,
    req: ClientsUnwireAll,
) -> Result<Vec<UnwiredToolView>, ApiError> {
    let outcomes = engine.client_wiring().unwire_all(req.changed_keys).await?;
    Ok(outcomes.into_iter().map(|(tool, outcome)| unwired_view(tool, outcome)).collect())
}

/// What came of the undo, also where no engine could be opened.
pub fn unwired_view(tool: ClientTool, outcome: Result<ToolStatus, WiringError>) -> UnwiredToolView {
    let error = outcome.err().map(|error| error.to_string());
    UnwiredToolView { tool, name: tool.name().to_owned(), error }
}

/// The client that is asked for, else the one that the tool uses, else one with the tool's name.
async fn client_of(
    engine: &Engine,
    tool: ClientTool,
    asked: Option<&str>,
) -> Result<ClientId, ApiError> {
    if let Some(asked) = asked {
        return parse_client_id("client", asked);
    }
    let tools = engine.client_wiring().list(None).await?;
    let used = tools.into_iter().find(|status| status.tool == tool).and_then(|it| it.client);
    parse_client_id("client", used.as_deref().unwrap_or_else(|| tool.word()))
}

/// Creates the client if there is none, and makes sure that the vault can give out its token.
/// Returns true if it was created.
async fn ensure_client(engine: &Engine, client: &ClientId) -> Result<bool, ApiError> {
    let id = client.to_string();
    if engine.settings().clients.contains_key(client) {
        client_token(engine, ClientRef { id }).await?;
        return Ok(false);
    }
    let scope = ClientScopeView::default();
    client_add(engine, ClientAdd { id, expires_in_days: None, scope, reads_metrics: false })
        .await?;
    Ok(true)
}

fn tool_view(engine: &Engine, status: ToolStatus) -> ToolWiringView {
    let state = state_of(engine, &status);
    ToolWiringView {
        sentence: sentence_of(engine, &status),
        state,
        tool: status.tool,
        name: status.tool.name().to_owned(),
        rung: status.rung,
        rung_sentence: describe_rung(status.rung).to_owned(),
        restart: status.restart,
        program: status
            .installation
            .as_ref()
            .and_then(|found| found.program.as_ref())
            .map(|program| program.display().to_string()),
        version: status.installation.and_then(|found| found.version),
        files: status.files.iter().map(|path| path.display().to_string()).collect(),
        client: status.client,
        address: status.address,
        drift: status.drift.into_iter().map(Into::into).collect(),
        conflicts: status.conflicts.into_iter().map(Into::into).collect(),
    }
}

/// A tool that points at an earlier address, or uses a client that is gone, has drifted too: wiring
/// it again is what helps.
fn state_of(engine: &Engine, status: &ToolStatus) -> WiringState {
    let is_stale = || moved_from(engine, status).is_some() || lost_client(engine, status).is_some();
    match status.state {
        WiringState::Wired | WiringState::Conflict if is_stale() => WiringState::Drifted,
        state => state,
    }
}

/// The address that the tool uses, if the gateway is elsewhere now.
fn moved_from<'a>(engine: &Engine, status: &'a ToolStatus) -> Option<&'a str> {
    // One that is started with its environment gets the address of the moment.
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

fn sentence_of(engine: &Engine, status: &ToolStatus) -> String {
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
    wiring_trouble(status).unwrap_or_else(|| match status.state {
        WiringState::NotWired => format!("{name} does not use the gateway."),
        _ if status.rung == WiringRung::Environment => {
            format!("{name} uses the gateway when `gatehouse run {}` starts it.", status.tool)
        }
        _ => format!("{name} uses the gateway."),
    })
}

/// Why a program is not as it was connected, whatever it was connected for; `None` if it is, or if it
/// is not connected.
pub(super) fn wiring_trouble<T: WiredTool>(status: &ToolStatus<T>) -> Option<String> {
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

const fn describe_rung(rung: WiringRung) -> &'static str {
    match rung {
        WiringRung::Command => "It runs a command for its token, so none is in its files.",
        WiringRung::Reference => "Its file names a place outside that holds the token.",
        WiringRung::Environment => {
            "`gatehouse run` starts it with the token in its environment, so none is in its files."
        }
        WiringRung::Token => "Its file holds a token of this gateway, which you can revoke.",
    }
}

impl From<ClientWiringError> for ApiError {
    fn from(error: ClientWiringError) -> Self {
        let message = error.to_string();
        match error {
            ClientWiringError::Wiring(WiringError::KeysChanged { .. }) => {
                Self::invalid("changed_keys", message)
                    .with_hint("Keep what was changed, or restore what was there before.")
            }
            ClientWiringError::Wiring(
                WiringError::NotInstalled(_) | WiringError::NotWired { .. },
            ) => Self::not_found(message),
            ClientWiringError::Wiring(WiringError::Io { source, .. }) => {
                Self::failed(format!("{message}: {source}"))
            }
            _ => Self::failed(message),
        }
    }
}
