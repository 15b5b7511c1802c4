//! `gatehouse clients unwire`: takes the gateway out of tools' own files, also where no core can be opened.

use control::view::{
    CallerEnvironment, ChangedKeys, ClientTool, ClientUnwire, ClientsUnwireAll, UnwiredToolView,
    WiringPlanQuery, WiringPlanView,
};
use control::{ApiError, ClientWiring, Core, EngineConfig};

use super::wiring::{name_guide, render_left_sealed, render_plan, restart};
use crate::confirm::confirm_plan;
use crate::console::{Console, ConsoleFormat, StreamPeer};
use crate::exit::{CommandError, Exit};
use crate::sign::Tone;
use crate::text::{StyledText, render_sentence};
use crate::unlock::{ask_with_vault, unlock_interactively};
use crate::word::{word, word_or_explained};

#[derive(Debug, clap::Args)]
pub(crate) struct UnwireArguments {
    /// The tool
    #[arg(value_name = "TOOL", value_parser = word_or_explained::<ClientTool, _>(name_guide),
        required_unless_present = "all")]
    tool: Option<ClientTool>,
    /// Undo every tool; works even if nothing else of Gatehouse does
    #[arg(long, conflicts_with_all = ["tool", "plan"])]
    pub(super) all: bool,
    #[command(flatten)]
    options: UndoOptions,
}

/// How a change of other programs' files is undone.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct UndoOptions {
    /// What to do with keys that someone else changed
    #[arg(long, value_name = "HOW", value_parser = word::<ChangedKeys>(), default_value = "refuse")]
    pub(crate) changed: ChangedKeys,
    /// Print what would change, and change nothing
    #[arg(long, conflicts_with = "yes")]
    plan: bool,
    /// Change the files without confirmation, which only a terminal is asked for
    #[arg(long, short = 'y')]
    yes: bool,
}

pub(super) async fn run(
    wanted: UnwireArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let UnwireArguments { tool, options, all: _ } = wanted;
    let changed_keys = options.changed;
    let Some(tool) = tool else {
        confirm_undo(QUESTION_ALL, options.yes, console)?;
        return print_unwired(&unwire_all(changed_keys, core, console).await?, console);
    };
    let query = WiringPlanQuery {
        tool,
        undo: true,
        client: None,
        changed_keys: Some(changed_keys),
        environment: CallerEnvironment::default(),
    };
    let plan = async || control::client_wiring_plan(core, query.clone()).await;
    let request = ClientUnwire { tool, changed_keys };
    let undo = async || control::client_unwire(core, request.clone()).await;
    let question = format!("This disconnects {} from the gateway.", tool.name());
    let asked = UndoQuestion { options, question: &question };
    let unwired = run_undo(asked, plan, undo, core, console).await?;
    if let Some(unwired) = unwired {
        console.print_view(&unwired, |view| {
            let done = format!("{} no longer uses the gateway.{}", view.name, restart(view));
            let mut text = render_sentence(&done);
            render_left_sealed(&mut text, &view.left_sealed);
            text
        })?;
    }
    Ok(Exit::Success)
}

/// An undo that is shown first where a person can be asked.
pub(crate) struct UndoQuestion<'a> {
    pub(crate) options: UndoOptions,
    pub(crate) question: &'a str,
}

/// Plans an undo, asks and carries it out. None if only the plan was asked for, which is then printed.
pub(crate) async fn run_undo<View>(
    asked: UndoQuestion<'_>,
    plan: impl AsyncFn() -> Result<WiringPlanView, ApiError>,
    undo: impl AsyncFn() -> Result<View, ApiError>,
    core: &Core,
    console: &mut Console,
) -> Result<Option<View>, CommandError> {
    let UndoQuestion { options, question } = asked;
    if options.plan || asks(options.yes, console) {
        let plan = ask_with_vault(core, console, plan).await?;
        if options.plan {
            console.print_view(&plan, render_plan)?;
            return Ok(None);
        }
        console.print_remark(&render_plan(&plan));
    }
    confirm_undo(question, options.yes, console)?;
    let undo = async || undo().await.map_err(name_changed_flag);
    Ok(Some(ask_with_vault(core, console, undo).await?))
}

const QUESTION_ALL: &str = "This disconnects every tool from the gateway.";

/// Without a terminal there is nobody to ask: a script that releases a tool must not stop there.
fn asks(yes: bool, console: &Console) -> bool {
    !yes && console.stdin == StreamPeer::Terminal && console.format == ConsoleFormat::Text
}

fn confirm_undo(question: &str, yes: bool, console: &mut Console) -> Result<(), CommandError> {
    match asks(yes, console) && !confirm_plan(question, console)? {
        true => Err(CommandError::new(Exit::Negative, "nothing was changed")),
        false => Ok(()),
    }
}

/// The panel asks which one; here it is a switch.
fn name_changed_flag(error: ApiError) -> ApiError {
    match error.field.as_deref() {
        Some("changed_keys") => error.with_hint(
            "`--changed keep` leaves what was changed, `--changed restore` puts back what was there \
             before.",
        ),
        _ => error,
    }
}

/// Every tool once. Those that were left as they are may need the vault, and are tried again once the
/// person has unlocked it.
async fn unwire_all(
    changed_keys: ChangedKeys,
    core: &Core,
    console: &Console,
) -> Result<Vec<UnwiredToolView>, CommandError> {
    let request = ClientsUnwireAll { changed_keys };
    let mut outcomes = control::clients_unwire_all(core, request.clone()).await?;
    let is_left = outcomes.iter().any(|outcome| outcome.error.is_some());
    if is_left && unlock_interactively(core, console).await? {
        outcomes.retain(|outcome| outcome.error.is_none());
        outcomes.extend(control::clients_unwire_all(core, request).await?);
    }
    Ok(outcomes)
}

/// `unwire --all` for when no core can be opened.
#[derive(Clone)]
pub(crate) struct StandaloneUnwire {
    wiring: ClientWiring,
    changed: ChangedKeys,
    yes: bool,
}

impl StandaloneUnwire {
    /// None for every other command.
    pub(super) fn of(wanted: &UnwireArguments, config: &EngineConfig) -> Option<Self> {
        let wiring = ClientWiring::standalone(config);
        let UndoOptions { changed, yes, .. } = wanted.options;
        wanted.all.then_some(Self { wiring, changed, yes })
    }

    pub(crate) async fn run(self, console: &mut Console) -> Result<Exit, CommandError> {
        confirm_undo(QUESTION_ALL, self.yes, console)?;
        let outcomes = self.wiring.unwire_all(self.changed).await;
        let outcomes = outcomes.map_err(ApiError::from)?.into_iter();
        let views = outcomes.map(|(tool, outcome)| control::unwired_view(tool, outcome));
        print_unwired(&views.collect(), console)
    }
}

fn print_unwired(
    outcomes: &Vec<UnwiredToolView>,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    console.print_view(outcomes, |outcomes| {
        let mut text = StyledText::new();
        if outcomes.is_empty() {
            text.line(Tone::Plain, "No tool was connected.");
        }
        for UnwiredToolView { name, error, left_sealed, .. } in outcomes {
            match error {
                None => text.line(Tone::Plain, &format!("{name} no longer uses the gateway.")),
                Some(error) => text.line(Tone::Bad, &format!("{name} was left as it is: {error}")),
            };
            render_left_sealed(&mut text, left_sealed);
        }
        text
    })?;
    let all_done = outcomes.iter().all(|outcome| outcome.error.is_none());
    Ok(if all_done { Exit::Success } else { Exit::Negative })
}
