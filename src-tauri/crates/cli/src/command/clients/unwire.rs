//! `gatehouse clients unwire`: takes the gateway out of tools' own files, also where no core can be opened.

use control::view::{
    CallerEnvironment, ChangedKeys, ClientTool, ClientUnwire, ClientsUnwireAll, UnwiredToolView,
    WiringPlanQuery, WiringPlanView,
};
use control::{ApiError, ClientWiring, Core, EngineConfig};

use super::wiring::{name_guide, render_plan, restart};
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
    #[arg(long, conflicts_with = "tool")]
    pub(super) all: bool,
    /// What to do with keys that someone else changed
    #[arg(long, value_name = "HOW", value_parser = word::<ChangedKeys>(), default_value = "refuse")]
    changed: ChangedKeys,
    /// Print what would change, and change nothing
    #[arg(long, conflicts_with_all = ["yes", "all"])]
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
    let UnwireArguments { tool, changed, plan: plan_only, yes, all: _ } = wanted;
    let Some(tool) = tool else {
        confirm_undo(QUESTION_ALL, yes, console)?;
        return print_unwired(&unwire_all(changed, core, console).await?, console);
    };
    if plan_only || asks(yes, console) {
        let plan = plan_undo(tool, changed, core, console).await?;
        if plan_only {
            console.print_view(&plan, render_plan)?;
            return Ok(Exit::Success);
        }
        console.print_remark(&render_plan(&plan));
    }
    confirm_undo(&format!("This disconnects {} from the gateway.", tool.name()), yes, console)?;
    let request = ClientUnwire { tool, changed_keys: changed };
    let ask =
        async || control::client_unwire(core, request.clone()).await.map_err(name_changed_flag);
    let unwired = ask_with_vault(core, console, ask).await?;
    console.print_view(&unwired, |view| {
        render_sentence(&format!("{} no longer uses the gateway.{}", view.name, restart(view)))
    })?;
    Ok(Exit::Success)
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

async fn plan_undo(
    tool: ClientTool,
    changed_keys: ChangedKeys,
    core: &Core,
    console: &Console,
) -> Result<WiringPlanView, CommandError> {
    let query = WiringPlanQuery {
        tool,
        undo: true,
        client: None,
        changed_keys: Some(changed_keys),
        environment: CallerEnvironment::default(),
    };
    ask_with_vault(core, console, async || control::client_wiring_plan(core, query.clone()).await)
        .await
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
        wanted.all.then_some(Self { wiring, changed: wanted.changed, yes: wanted.yes })
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
        for UnwiredToolView { name, error, .. } in outcomes {
            match error {
                None => text.line(Tone::Plain, &format!("{name} no longer uses the gateway.")),
                Some(error) => text.line(Tone::Bad, &format!("{name} was left as it is: {error}")),
            };
        }
        text
    })?;
    let all_done = outcomes.iter().all(|outcome| outcome.error.is_none());
    Ok(if all_done { Exit::Success } else { Exit::Negative })
}
