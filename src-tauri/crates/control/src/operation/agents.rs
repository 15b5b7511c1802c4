//! What agents may do over MCP, and the programs whose agents have our MCP server.

use domain::Word as _;
use engine::Engine;
use wiring::{AgentProgram, ToolStatus, WiringPlan, WiringState};

use crate::agent_tool::{AgentPermission, AgentTool};
use crate::audit::note_not_allowed;
use crate::caller::{Caller, PersonAnswer};
use crate::operation::audit::operation_label;
use crate::operation::wiring::{DescribedState, describe_state, wiring_seen_by};
use crate::view::{
    AgentAccessView, AgentHttpView, AgentPermissionView, AgentProgramAdd, AgentProgramPlanQuery,
    AgentProgramRemove, AgentProgramView, AgentToolRef, AgentToolView, CallerEnvironment,
    WiringPlanView,
};
use crate::{ApiError, agent_tools};

pub(crate) async fn agent_access(engine: &Engine) -> Result<AgentAccessView, ApiError> {
    let settings = engine.settings();
    let permission_view = |permission: AgentPermission| AgentPermissionView {
        permission,
        meaning: permission.meaning().to_owned(),
        setting: permission.setting_key().map(str::to_owned),
        is_allowed: permission.is_allowed(&settings),
        tools: agent_tools().filter(|tool| tool.permission == permission).map(tool_view).collect(),
    };
    let clients = settings.clients.iter().filter(|(_, client)| client.mcp);
    Ok(AgentAccessView {
        permissions: AgentPermission::ALL.iter().copied().map(permission_view).collect(),
        http: AgentHttpView {
            is_served: settings.mcp.http,
            address: format!("{}/mcp", engine.gateway().address()),
            clients: clients.map(|(id, _)| id.to_string()).collect(),
        },
    })
}

fn tool_view(tool: AgentTool) -> AgentToolView {
    AgentToolView {
        name: tool.name.to_owned(),
        label: operation_label(tool.name),
        description: tool.description.trim().to_owned(),
    }
}

/// Refuses a tool that the settings do not allow, or whose call a person did not confirm, and writes that
/// down.
pub(crate) async fn agent_authorize(
    engine: &Engine,
    caller: &Caller,
    req: AgentToolRef,
) -> Result<(), ApiError> {
    let tool = agent_tools().find(|tool| tool.name == req.tool);
    let tool = tool.ok_or_else(|| ApiError::invalid("tool", "there is no tool of this name"))?;
    let Some(key) = tool.permission.setting_key() else { return Ok(()) };
    let obstacle = match caller.answer {
        Some(PersonAnswer::Declined) => {
            Some("the user did not confirm this call in the agent's program")
        }
        Some(PersonAnswer::Missing) => {
            Some("the agent's program gave no answer of the user about this call")
        }
        Some(PersonAnswer::Confirmed) | None => None,
    };
    if let Some(message) = obstacle {
        note_not_allowed(engine, caller, tool.operation, None).await;
        return Err(ApiError::failed(message).with_hint("Ask the user what to do instead."));
    }
    if tool.permission.is_allowed(&engine.settings()) {
        return Ok(());
    }
    note_not_allowed(engine, caller, tool.operation, Some(key)).await;
    let what = match tool.permission {
        AgentPermission::Spend => "send prompts",
        AgentPermission::Checks => "run checks",
        AgentPermission::Change | AgentPermission::Read => "change things",
    };
    Err(ApiError::failed(format!("the user does not allow agents to {what}")).with_hint(format!(
        "The user can allow it in Settings, Agents, or with `gatehouse settings set {key} true`."
    )))
}

pub(crate) async fn agent_programs(
    engine: &Engine,
    req: CallerEnvironment,
) -> Result<Vec<AgentProgramView>, ApiError> {
    let found = wiring_seen_by(engine, req).agent_programs().await?;
    Ok(found.into_iter().map(|status| program_view(engine, status)).collect())
}

pub(crate) async fn agent_program_plan(
    engine: &Engine,
    req: AgentProgramPlanQuery,
) -> Result<WiringPlanView, ApiError> {
    let wiring = engine.client_wiring();
    let plan: WiringPlan = match req.undo {
        true => {
            let changed_keys = req.changed_keys.unwrap_or_default();
            wiring.plan_agent_server_removal(req.tool, changed_keys).await?
        }
        false => wiring.plan_agent_server(req.tool).await?,
    };
    Ok(plan.into())
}

pub(crate) async fn agent_program_add(
    engine: &Engine,
    req: AgentProgramAdd,
) -> Result<AgentProgramView, ApiError> {
    let added = engine.client_wiring().add_agent_server(req.tool, req.fingerprint).await?;
    Ok(program_view(engine, added))
}

pub(crate) async fn agent_program_remove(
    engine: &Engine,
    req: AgentProgramRemove,
) -> Result<AgentProgramView, ApiError> {
    let removed = engine.client_wiring().remove_agent_server(req.tool, req.changed_keys).await?;
    Ok(program_view(engine, removed))
}

fn program_view(engine: &Engine, status: ToolStatus<AgentProgram>) -> AgentProgramView {
    let name = status.tool.name();
    let DescribedState { state, cause, sentence } =
        describe_state(engine, &status, || match status.state {
            WiringState::NotWired => format!("Agents of {name} do not know Gatehouse."),
            _ => format!("Agents of {name} start `gatehouse mcp`."),
        });
    AgentProgramView {
        tool: status.tool,
        name: name.to_owned(),
        state,
        cause,
        sentence,
        version: status.installation.and_then(|found| found.version),
        files: status.files.iter().map(|path| path.display().to_string()).collect(),
        drift: status.drift.into_iter().map(Into::into).collect(),
        conflicts: status.conflicts.into_iter().map(Into::into).collect(),
        left_sealed: status.left_sealed.into_iter().map(Into::into).collect(),
    }
}
