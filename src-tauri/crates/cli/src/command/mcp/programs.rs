//! `gatehouse mcp install|uninstall|status`: gives the agents of a program our MCP server, and takes
//! it away.

use control::Core;
use control::view::{
    AgentProgram, AgentProgramAdd, AgentProgramPlanQuery, AgentProgramRemove, AgentProgramView,
    WiringState,
};

use crate::command::clients::unwire::{UndoOptions, UndoQuestion, run_undo};
use crate::command::clients::wiring::{
    caller_environment, render_left_sealed, render_plan, state_sign,
};
use crate::confirm::confirm_plan;
use crate::console::{Console, ConsoleFormat};
use crate::exit::{CommandError, Exit};
use crate::quantity::UNKNOWN;
use crate::sign::{Mark, Tone};
use crate::text::{Column, StyledText, TableCell, TextTable, render_sentence};
use crate::unlock::ask_with_vault;
use crate::word::word;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum McpCommand {
    /// Add this server to a program with agents, in its own file
    Install(InstallArguments),
    /// Remove this server from a program, as if it had never been there
    Uninstall(UninstallArguments),
    /// Show which programs have this server
    Status,
}

#[derive(Debug, clap::Args)]
pub(crate) struct InstallArguments {
    /// The program
    #[arg(value_name = "PROGRAM", value_parser = word::<AgentProgram>())]
    tool: AgentProgram,
    /// Print what would change, and change nothing
    #[arg(long, conflicts_with = "yes")]
    plan: bool,
    /// Change the file without confirmation
    #[arg(long, short = 'y')]
    yes: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct UninstallArguments {
    /// The program
    #[arg(value_name = "PROGRAM", value_parser = word::<AgentProgram>())]
    tool: AgentProgram,
    #[command(flatten)]
    options: UndoOptions,
}

pub(crate) async fn run_command(
    wanted: McpCommand,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    match wanted {
        McpCommand::Install(wanted) => install(wanted, core, console).await,
        McpCommand::Uninstall(wanted) => uninstall(wanted, core, console).await,
        McpCommand::Status => status(core, console).await,
    }
}

async fn install(
    wanted: InstallArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let InstallArguments { tool, plan: plan_only, yes } = wanted;
    let query = AgentProgramPlanQuery { tool, undo: false, changed_keys: None };
    let ask = async || control::agent_program_plan(core, query.clone()).await;
    let plan = ask_with_vault(core, console, ask).await?;
    if plan_only {
        console.print_view(&plan, render_plan)?;
        return Ok(Exit::Success);
    }
    if !yes {
        if console.format == ConsoleFormat::Text {
            console.print_remark(&render_plan(&plan));
        }
        let question = format!("This lets agents of {} start `gatehouse mcp`.", tool.name());
        if !confirm_plan(&question, console)? {
            return Err(CommandError::new(Exit::Negative, "nothing was changed"));
        }
    }
    let request = AgentProgramAdd { tool, fingerprint: Some(plan.fingerprint) };
    let ask = async || control::agent_program_add(core, request.clone()).await;
    let added = ask_with_vault(core, console, ask).await?;
    console.print_view(&added, |view| {
        let mut text = render_sentence(&format!("{} Restart it if it is running.", view.sentence));
        let undo = format!("`gatehouse mcp uninstall {}` undoes this.", view.tool);
        text.line(Tone::Muted, &undo);
        text
    })?;
    Ok(if added.state == WiringState::Wired { Exit::Success } else { Exit::Negative })
}

async fn uninstall(
    wanted: UninstallArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let UninstallArguments { tool, options } = wanted;
    let changed_keys = options.changed;
    let query = AgentProgramPlanQuery { tool, undo: true, changed_keys: Some(changed_keys) };
    let plan = async || control::agent_program_plan(core, query.clone()).await;
    let request = AgentProgramRemove { tool, changed_keys };
    let undo = async || control::agent_program_remove(core, request.clone()).await;
    let question = format!("This takes `gatehouse mcp` away from agents of {}.", tool.name());
    let asked = UndoQuestion { options, question: &question };
    if let Some(removed) = run_undo(asked, plan, undo, core, console).await? {
        console.print_view(&removed, |view| {
            let name = &view.name;
            let done = format!("{name} no longer has Gatehouse. Restart it if it is running.");
            let mut text = render_sentence(&done);
            render_left_sealed(&mut text, &view.left_sealed);
            text
        })?;
    }
    Ok(Exit::Success)
}

/// Looks at the project in the current folder too, whose entry may win over the user's.
async fn status(core: &Core, console: &mut Console) -> Result<Exit, CommandError> {
    let programs = control::agent_programs(core, caller_environment(&[])).await?;
    console.print_view(&programs, |programs| render_status(programs))?;
    Ok(Exit::Success)
}

pub(crate) fn render_status(programs: &[AgentProgramView]) -> StyledText {
    let mut table = TextTable::new(&[
        Column::Left("Program"),
        Column::Left("Gatehouse"),
        Column::Left("Version").hidden_at_rank(1),
    ]);
    for program in programs {
        table.row([
            TableCell::styled(Tone::Strong, &program.name),
            state_sign(program.state, program.cause).into(),
            program.version.as_deref().unwrap_or(UNKNOWN).into(),
        ]);
    }
    let mut text = StyledText::new();
    text.table(&table);
    for program in programs {
        let needs_attention = matches!(
            program.state,
            WiringState::Drifted | WiringState::Conflict | WiringState::Broken
        );
        if needs_attention || program.cause.is_some() {
            text.marked(Mark::Attention, &program.sentence);
        }
    }
    if let Some(program) = programs.iter().find(|program| program.state == WiringState::NotWired) {
        let hint = format!("`gatehouse mcp install {}` adds it.", program.tool);
        text.piece(Tone::Muted, "hint: ").line(Tone::Plain, &hint);
    }
    text
}
