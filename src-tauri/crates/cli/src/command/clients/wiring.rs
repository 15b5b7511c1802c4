//! `gatehouse clients wire|check|guide|status`: points tools at the gateway in their own files, and shows
//! which are.

use control::view::{
    CallerEnvironment, ClientCheck, ClientTool, ClientWire, DriftCause, GuideKind, GuideStepView,
    GuidedTool, LeftSealedView, ToolCheckOutcome, ToolCheckView, ToolGuideView, ToolWiringView,
    WiringPlanQuery, WiringPlanView, WiringState,
};
use control::{Core, Label as _};

use crate::command::backends::append_test_steps;
use crate::confirm::confirm_plan;
use crate::console::{Console, ConsoleFormat};
use crate::exit::{CommandError, Exit};
use crate::quantity::UNKNOWN;
use crate::sign::{Mark, Sign, Tone};
use crate::text::{Column, StyledText, TableCell, TextTable, render_sentence};
use crate::unlock::{ask_with_vault, unlock_interactively};
use crate::word::{word, word_or_explained};

#[derive(Debug, clap::Args)]
pub(crate) struct WireArguments {
    /// The tool
    #[arg(value_name = "TOOL", value_parser = word_or_explained::<ClientTool, _>(name_guide))]
    tool: ClientTool,
    /// Use this client's token; by default a client with the tool's name, created if necessary
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
    /// Print what would change, and change nothing
    #[arg(long, conflicts_with = "yes")]
    plan: bool,
    /// Change the files without confirmation
    #[arg(long, short = 'y')]
    yes: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CheckArguments {
    /// The tool
    #[arg(value_name = "TOOL", value_parser = word_or_explained::<ClientTool, _>(name_guide))]
    tool: ClientTool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct GuideArguments {
    /// The tool; all of them if none is named
    #[arg(value_name = "TOOL", value_parser = word::<GuidedTool>())]
    tool: Option<GuidedTool>,
}

pub(super) fn name_guide(tool: GuidedTool) -> String {
    format!("you set up {} yourself: `gatehouse clients guide {tool}`", tool.name())
}

pub(super) async fn wire(
    wanted: WireArguments,
    core: &Core,
    variables: &[String],
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let WireArguments { tool, client, plan: plan_only, yes } = wanted;
    let environment = caller_environment(variables);
    let query = WiringPlanQuery {
        tool,
        undo: false,
        client: client.clone(),
        changed_keys: None,
        environment: environment.clone(),
    };
    let ask = async || control::client_wiring_plan(core, query.clone()).await;
    let plan = ask_with_vault(core, console, ask).await?;
    if plan_only {
        console.print_view(&plan, render_plan)?;
        return Ok(Exit::Success);
    }
    if !yes {
        if console.format == ConsoleFormat::Text {
            console.print_remark(&render_plan(&plan));
        }
        let question = format!("This points {} at the gateway.", tool.name());
        if !confirm_plan(&question, console)? {
            return Err(CommandError::new(Exit::Negative, "nothing was changed"));
        }
    }
    unlock_interactively(core, console).await?;
    let request = ClientWire { tool, client, fingerprint: Some(plan.fingerprint), environment };
    let wired = control::client_wire(core, request).await?;
    console.print_view(&wired, render_wired)?;
    if console.format == ConsoleFormat::Text {
        let tried = control::client_check(core, ClientCheck { tool }).await?;
        console.print_remark(&render_check(&tried));
    }
    let is_done = matches!(wired.state, WiringState::Wired | WiringState::TokenNotEntered);
    Ok(if is_done { Exit::Success } else { Exit::Negative })
}

pub(super) async fn check(
    wanted: CheckArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let tried = control::client_check(core, ClientCheck { tool: wanted.tool }).await?;
    console.print_view(&tried, render_check)?;
    let fails = tried.outcome == ToolCheckOutcome::Fails;
    Ok(if fails { Exit::Negative } else { Exit::Success })
}

fn render_check(tried: &ToolCheckView) -> StyledText {
    let mut text = StyledText::new();
    append_test_steps(&mut text, &tried.steps);
    text.sign(tried.outcome).line(Tone::Plain, &format!("  {}", tried.sentence));
    text
}

/// The project in the current folder, whose settings may win over the user's, and the names of those
/// `variables` that do so.
pub(in crate::command) fn caller_environment(variables: &[String]) -> CallerEnvironment {
    let here = std::env::current_dir().ok();
    let project = here.map(|folder| folder.to_string_lossy().into_owned());
    CallerEnvironment { project, variables: variables.to_vec() }
}

pub(super) async fn status(
    core: &Core,
    variables: &[String],
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let tools = control::clients_wiring(core, caller_environment(variables)).await?;
    console.print_view(&tools, |tools| render_status(tools))?;
    Ok(Exit::Success)
}

fn render_status(tools: &[ToolWiringView]) -> StyledText {
    let mut table = TextTable::new(&[
        Column::Left("Tool"),
        Column::Left("Gateway"),
        Column::Left("Version").hidden_at_rank(1),
        Column::Left("Client"),
    ]);
    for tool in tools {
        table.row([
            TableCell::styled(Tone::Strong, &tool.name),
            state_sign(tool.state, tool.cause).into(),
            tool.version.as_deref().unwrap_or(UNKNOWN).into(),
            tool.client.as_deref().unwrap_or_default().into(),
        ]);
    }
    let mut text = StyledText::new();
    text.table(&table);
    for tool in tools {
        let says_all = matches!(
            tool.state,
            WiringState::NotInstalled | WiringState::Wired | WiringState::NotWired
        );
        if !says_all || tool.cause.is_some() {
            text.marked(Mark::Attention, &tool.sentence);
        }
    }
    if let Some(tool) = tools.iter().find(|tool| tool.state == WiringState::NotWired) {
        let hint = format!("`gatehouse clients wire {}` points it at the gateway.", tool.tool);
        text.piece(Tone::Muted, "hint: ").line(Tone::Plain, &hint);
    }
    text
}

/// The sign of a state. One that has drifted is named after the cause.
pub(crate) fn state_sign(state: WiringState, cause: Option<DriftCause>) -> Sign {
    let sign = Sign::from(state);
    match cause {
        Some(cause) if state == WiringState::Drifted => Sign { word: cause.label(), ..sign },
        _ => sign,
    }
}

pub(super) async fn guide(
    wanted: GuideArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let mut guides = control::client_guides(core).await?;
    guides.retain(|guide| wanted.tool.is_none_or(|tool| guide.tool == tool));
    match wanted.tool {
        Some(_) => console.print_view(&guides, |guides| render_guides(guides))?,
        None => console.print_view(&guides, |guides| render_guide_table(guides))?,
    }
    Ok(Exit::Success)
}

fn render_guide_table(guides: &[ToolGuideView]) -> StyledText {
    let mut table =
        TextTable::new(&[Column::Left("Tool"), Column::Left("Here"), Column::Left("Gateway")]);
    for guide in guides {
        let way = match guide.kind {
            GuideKind::Manual => format!("`gatehouse clients guide {}`", guide.tool),
            GuideKind::Impossible => "not possible".to_owned(),
        };
        table.row([
            TableCell::styled(Tone::Strong, &guide.name),
            if guide.found { "yes" } else { "no" }.into(),
            way.as_str().into(),
        ]);
    }
    let mut text = StyledText::new();
    text.table(&table);
    text
}

fn render_guides(guides: &[ToolGuideView]) -> StyledText {
    let mut text = StyledText::new();
    for guide in guides {
        text.line(Tone::Plain, &guide.sentence);
        render_steps(&mut text, &guide.steps);
    }
    text
}

fn render_steps(text: &mut StyledText, steps: &[GuideStepView]) {
    for (step, number) in steps.iter().zip(1..) {
        text.line(Tone::Strong, &format!("{number}. {}", step.text));
        for line in step.code.iter().flat_map(|code| code.lines()) {
            text.line(Tone::Plain, &format!("   {line}"));
        }
    }
}

pub(crate) fn render_plan(plan: &WiringPlanView) -> StyledText {
    let mut text = StyledText::new();
    if plan.files.is_empty() {
        text.line(Tone::Plain, "No file would change.");
    }
    for file in &plan.files {
        text.diff(&file.diff);
    }
    for change in &plan.changes {
        let told = format!("{} in {} was changed since it was connected.", change.key, change.file);
        text.marked(Mark::Attention, &told);
    }
    for conflict in &plan.conflicts {
        text.marked(Mark::Attention, &conflict.explanation);
    }
    render_left_sealed(&mut text, &plan.left_sealed);
    text
}

/// What an undo does not put back.
pub(crate) fn render_left_sealed(text: &mut StyledText, left: &[LeftSealedView]) {
    for left in left {
        text.marked(Mark::Attention, &left.sentence);
    }
}

fn render_wired(tool: &ToolWiringView) -> StyledText {
    let mut text = render_sentence(&format!("{}{}", tool.sentence, restart(tool)));
    if let Some(client) = &tool.client {
        let line = format!("Its requests are those of the client {client}. {}", tool.rung_sentence);
        text.line(Tone::Muted, &line);
    }
    render_steps(&mut text, &tool.steps);
    let undo = format!("`gatehouse clients unwire {}` undoes this.", tool.tool);
    text.line(Tone::Muted, &undo);
    text
}

pub(super) fn restart(tool: &ToolWiringView) -> &'static str {
    if tool.restart { " Restart it if it is running." } else { "" }
}
