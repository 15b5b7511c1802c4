//! `gatehouse run`: starts a tool that uses the gateway, and changes none of its files.
//!
//! The token is in the environment of that program alone. On Unix the program takes the place of
//! this process, so its exit code and its signals are its own.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use control::view::{ClientAdd, ClientRef, ClientTool, GatewayState, ToolWiringView, WiringState};
use control::{Core, Launch, ToolModel};
use domain::{ClientId, Secret};

use super::clients::find_named;
use super::clients::wiring::caller_environment;
use super::completers;
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::text::render_sentence;
use crate::unlock::unlock_interactively;

#[derive(Debug, clap::Args)]
pub(crate) struct RunArguments {
    /// The client whose token it gets, created if necessary
    #[arg(value_name = "CLIENT", add = completers::candidates_from(completers::client_names))]
    client: String,
    /// Pass the token as GEMINI_API_KEY too. Only for a program that reads GOOGLE_GEMINI_BASE_URL, as
    /// google-genai does: another one would send the token to Google. Gemini CLI gets it without this
    #[arg(long)]
    gemini: bool,
    /// The program and its arguments; by default the tool with the client's name
    #[arg(last = true, value_name = "CMD")]
    command: Vec<OsString>,
}

/// A program that can be started.
pub(crate) struct PreparedProgram {
    program: PathBuf,
    arguments: Vec<OsString>,
    launch: Launch,
    token: Secret,
}

pub(crate) async fn prepare(
    wanted: RunArguments,
    core: &Core,
    variables: &[(String, String)],
    console: &mut Console,
) -> Result<PreparedProgram, CommandError> {
    let (program, arguments) = program_of(&wanted)?;
    let gateway = control::status(core).await?.gateway;
    if matches!(core, Core::Local(..)) || gateway.state == GatewayState::Failed {
        return Err(CommandError::new(Exit::Negative, "the gateway is not running")
            .with_hint("Start it with `gatehouse serve`, or open the window."));
    }
    require_wiring(&program, core).await?;
    unlock_interactively(core, console).await?;
    let token = token_of(&wanted.client, core, console).await?;
    let names = super::models::list_model_names(core).await?.into_iter();
    let models: Vec<_> = names.map(|name| ToolModel::named(name.model)).collect();
    let variable = |name: &str| {
        let set = variables.iter().find(|(known, _)| known == name);
        set.map(|(_, value)| value.clone())
    };
    let launch = Launch::new(&program, &gateway.address, &models, variable);
    let launch = match wanted.gemini {
        true => launch.with_gemini_token(&gateway.address),
        false => launch,
    };
    Ok(PreparedProgram { program, arguments, launch, token })
}

/// A tool whose settings lead past its environment must be wired first.
async fn require_wiring(program: &Path, core: &Core) -> Result<(), CommandError> {
    let named = |tool: &ToolWiringView| program.file_stem() == Some(tool.tool.program().as_ref());
    let tools = control::clients_wiring(core, caller_environment(&[])).await?;
    let is_led_past = |tool: &ToolWiringView| {
        let layers = tool.conflicts.iter().map(|conflict| conflict.layer);
        let has_conflict = tool.run_obstacle.is_some();
        !tool.tool.is_run_through_gateway(tool.state, layers, has_conflict)
    };
    let Some(tool) = tools.into_iter().find(named).filter(is_led_past) else {
        return Ok(());
    };
    let message = format!("{} would not use its environment", tool.name);
    let hint = match (tool.run_obstacle, tool.state) {
        (Some(obstacle), _) => obstacle,
        (None, WiringState::Conflict) => tool.sentence,
        _ => format!("`gatehouse clients wire {}` sets it up once.", tool.tool),
    };
    Err(CommandError::new(Exit::Negative, message).with_hint(hint))
}

fn program_of(wanted: &RunArguments) -> Result<(PathBuf, Vec<OsString>), CommandError> {
    if let Some((program, arguments)) = wanted.command.split_first() {
        return Ok((program.into(), arguments.to_vec()));
    }
    let id = ClientId::from_name(&wanted.client).ok();
    let tool = id.and_then(|id| id.as_str().parse::<ClientTool>().ok()).ok_or_else(|| {
        let message = format!("it is not known which program {} is", wanted.client);
        let hint = format!("Name it: `gatehouse run {} -- PROGRAM`.", wanted.client);
        CommandError::new(Exit::Usage, message).with_hint(hint)
    })?;
    Ok((tool.program().into(), Vec::new()))
}

/// The token of the client, which is created if there is none.
async fn token_of(
    client: &str,
    core: &Core,
    console: &mut Console,
) -> Result<Secret, CommandError> {
    if find_named(&control::clients(core).await?, client).is_some() {
        return Ok(control::client_token(core, ClientRef { id: client.to_owned() }).await?);
    }
    let issued = control::client_issue(core, ClientAdd::unlimited(client)).await?;
    console.print_remark(&render_sentence(&format!("Added the client {}.", issued.client)));
    Ok(issued.token)
}

impl PreparedProgram {
    /// Starts it. On Unix this returns only on failure.
    pub(crate) fn start(self) -> Result<Exit, CommandError> {
        let Self { program, arguments, launch, token } = self;
        let mut command = Command::new(&program);
        command.args(launch.arguments).args(arguments);
        for name in launch.removed_variables {
            command.env_remove(name);
        }
        command.envs(launch.variables);
        for name in launch.token_variables {
            command.env(name, OsStr::new(token.expose()));
        }
        drop(token);
        start(command, &program)
    }
}

#[cfg(unix)]
fn start(mut command: Command, program: &Path) -> Result<Exit, CommandError> {
    use std::os::unix::process::CommandExt as _;
    Err(not_started(program, &command.exec()))
}

#[cfg(not(unix))]
fn start(mut command: Command, program: &Path) -> Result<Exit, CommandError> {
    let ended = command.status().map_err(|error| not_started(program, &error))?;
    std::process::exit(ended.code().unwrap_or(1))
}

fn not_started(program: &Path, error: &std::io::Error) -> CommandError {
    let message = format!("{} could not be started: {error}", program.display());
    let hint = "Check that it is installed and in the search path.";
    CommandError::new(Exit::Negative, message).with_hint(hint)
}
