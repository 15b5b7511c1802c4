//! Points client tools at the gateway, and undoes it.
//!
//! A tool gets a client of its own, and no token is in any of its files: it asks for it by a command,
//! or gets it from its environment or from the user.

mod check;
mod models;
mod state;

use std::path::PathBuf;

use domain::ClientId;
use engine::{ClientWiring, ClientWiringError, Engine, GatewayTarget};
use wiring::{
    ClientTool, ConflictLayer, ToolFileProblem, ToolStatus, WiringError, WiringPlan, WiringState,
};

pub(crate) use self::check::client_check;
use self::models::tool_models;
pub(super) use self::state::{DescribedState, describe_state};
use self::state::{describe_rung, describe_tool};
use crate::operation::clients::{client_add, client_token, end_client};
use crate::operation::input::parse_client_id;
use crate::view::{
    CallerEnvironment, ClientAdd, ClientRef, ClientUnwire, ClientWire, ClientsUnwireAll,
    ToolGuideView, ToolWiringView, UnwiredToolView, WiringPlanQuery, WiringPlanView,
};
use crate::{ApiError, ErrorCode};

pub(crate) async fn clients_wiring(
    engine: &Engine,
    req: CallerEnvironment,
) -> Result<Vec<ToolWiringView>, ApiError> {
    let found = wiring_seen_by(engine, req).list().await?;
    let mut views = Vec::with_capacity(found.len());
    for status in found {
        views.push(tool_view(engine, status).await?);
    }
    Ok(views)
}

/// The wiring of tools that are started where `caller` is.
pub(super) fn wiring_seen_by(engine: &Engine, caller: CallerEnvironment) -> ClientWiring {
    engine.client_wiring().seen_from(caller.project.map(PathBuf::from), &caller.variables)
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
    let wiring = wiring_seen_by(engine, req.environment);
    let plan: WiringPlan = if req.undo {
        wiring.plan_unwire(req.tool, req.changed_keys.unwrap_or_default()).await?
    } else {
        let client = client_of(engine, req.tool, req.client.as_deref()).await?;
        wiring.plan(req.tool, target_of(engine, client)).await?
    };
    Ok(plan.into())
}

pub(crate) async fn client_wire(
    engine: &Engine,
    req: ClientWire,
) -> Result<ToolWiringView, ApiError> {
    let client = client_of(engine, req.tool, req.client.as_deref()).await?;
    let is_new = ensure_client(engine, &client).await?;
    let target = target_of(engine, client.clone());
    let wiring = wiring_seen_by(engine, req.environment);
    match wiring.wire(req.tool, target, req.fingerprint).await {
        Ok(status) => {
            engine.tool_watch().look().await;
            tool_view(engine, status).await
        }
        Err(error) => {
            if is_new {
                let _held = engine.vault_switch().lock_changes().await;
                // A budget of its name was there before it.
                drop(end_client(engine, client, None).await);
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
    engine.tool_watch().look().await;
    tool_view(engine, status).await
}

pub(crate) async fn clients_unwire_all(
    engine: &Engine,
    req: ClientsUnwireAll,
) -> Result<Vec<UnwiredToolView>, ApiError> {
    let outcomes = engine.client_wiring().unwire_all(req.changed_keys).await?;
    engine.tool_watch().look().await;
    Ok(outcomes.into_iter().map(|(tool, outcome)| unwired_view(tool, outcome)).collect())
}

/// What came of the undo, also where no engine could be opened.
pub fn unwired_view(tool: ClientTool, outcome: Result<ToolStatus, WiringError>) -> UnwiredToolView {
    let name = tool.name().to_owned();
    let outcome = outcome.map_err(|error| ApiError::from(ClientWiringError::from(error)));
    match outcome {
        Ok(status) => {
            let left_sealed = status.left_sealed.into_iter().map(Into::into).collect();
            UnwiredToolView { tool, name, error: None, left_sealed }
        }
        Err(ApiError { message, hint, .. }) => {
            let error = hint.iter().fold(message, |message, hint| format!("{message}. {hint}"));
            UnwiredToolView { tool, name, error: Some(error), left_sealed: Vec::new() }
        }
    }
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
    let tools = engine.client_wiring().list().await?;
    let used = tools.into_iter().find(|status| status.tool == tool).and_then(|it| it.client);
    parse_client_id("client", used.as_deref().unwrap_or_else(|| tool.word()))
}

fn target_of(engine: &Engine, client: ClientId) -> GatewayTarget {
    let models = tool_models(engine, &client);
    GatewayTarget {
        client,
        address: engine.gateway().address(),
        models,
        now: engine.clock().wall(),
    }
}

/// Creates the client if there is none, and makes sure that the vault can give out its token.
/// Returns true if it was created.
async fn ensure_client(engine: &Engine, client: &ClientId) -> Result<bool, ApiError> {
    let id = client.to_string();
    if engine.settings().clients.contains_key(client) {
        client_token(engine, ClientRef { id }).await?;
        return Ok(false);
    }
    client_add(engine, ClientAdd::unlimited(id)).await?;
    Ok(true)
}

async fn tool_view(engine: &Engine, status: ToolStatus) -> Result<ToolWiringView, ApiError> {
    let DescribedState { state, cause, sentence } = describe_tool(engine, &status).await?;
    let steps = status.client.as_deref().map(|client| status.tool.user_steps(client));
    let run_obstacle = run_obstacle(&status);
    let run_command = run_command(&status, state);
    Ok(ToolWiringView {
        state,
        cause,
        sentence,
        tool: status.tool,
        name: status.tool.name().to_owned(),
        rung: status.rung,
        rung_sentence: describe_rung(status.rung).to_owned(),
        steps: steps.unwrap_or_default().into_iter().map(Into::into).collect(),
        run_command,
        run_obstacle,
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
        left_sealed: status.left_sealed.into_iter().map(Into::into).collect(),
    })
}

/// Why `gatehouse run` would not lead the tool to the gateway, and what helps.
fn run_obstacle(status: &ToolStatus) -> Option<String> {
    let conflict = status.run_conflicts.first()?;
    let explanation = conflict.explanation();
    Some(match conflict.layer {
        ConflictLayer::Excluded => format!(
            "{explanation}, or `gatehouse clients wire {}` takes it out and gives it back when undone.",
            status.tool
        ),
        _ => format!("{explanation}."),
    })
}

fn run_command(status: &ToolStatus, state: WiringState) -> Option<String> {
    let tool = status.tool;
    let has_program = status.installation.as_ref().is_some_and(|found| found.program.is_some());
    let layers = status.conflicts.iter().map(|conflict| conflict.layer);
    let has_conflict = !status.run_conflicts.is_empty();
    let is_offered = has_program
        && tool.is_used_in_terminal()
        && tool.is_run_through_gateway(state, layers, has_conflict);
    is_offered.then(|| tool.run_command(status.client.as_deref().unwrap_or_else(|| tool.word())))
}

/// The way out for someone who cannot open the vault any more.
const WITHOUT_VAULT: &str = "If it cannot be opened any more, `--changed leave-sealed` of \
                             `gatehouse clients unwire` or `gatehouse mcp uninstall` undoes the rest, \
                             leaves that value out and says so.";

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
            ClientWiringError::Wiring(WiringError::NotSealed { .. }) => {
                Self { code: ErrorCode::VaultUnavailable, message, hint: None, field: None }
            }
            ClientWiringError::Wiring(WiringError::Sealed { .. }) => Self {
                code: ErrorCode::VaultUnavailable,
                message,
                hint: Some(WITHOUT_VAULT.to_owned()),
                field: None,
            },
            // The user's own file has a mistake at a known place.
            ClientWiringError::Wiring(WiringError::File(ToolFileProblem {
                line: Some(_), ..
            })) => Self {
                code: ErrorCode::InvalidInput,
                message,
                hint: Some(
                    "Nothing was changed. Correct the file there, then try again.".to_owned(),
                ),
                field: None,
            },
            ClientWiringError::Wiring(WiringError::Io { source, .. }) => {
                Self::failed(format!("{message}: {source}"))
            }
            _ => Self::failed(message),
        }
    }
}
