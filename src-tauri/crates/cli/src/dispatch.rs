//! Runs one call against the core: opens it or connects to the process that owns the data folder,
//! asks it once, and shuts it down.

use control::view::{ClientTool, VariableKey};
use control::{Core, DisplayAvailability, EngineConfig, Launch};
use domain::{Secret, known_variables};
use tokio::runtime::Builder;

use crate::arguments::CoreCommand;
use crate::command::{
    alerts, ask, audit, backends, backup, budgets, cache, check, clients, export, health, keys,
    ledger, mcp, models, notify, panel, pause, pins, prices, profiles, requests, routes, run,
    services, settings, slo, status, stop, token, usage, vault,
};
use crate::console::{Console, ConsoleFormat};
use crate::exit::{CommandError, Exit};
use crate::passphrase::Passphrases;
use crate::quantity::set_currency;
use crate::serve::{self, ServeArguments};
use crate::sign::Tone;
use crate::text::StyledText;

pub(crate) struct ProcessEnvironment {
    pub(crate) variables: Vec<(String, String)>,
}

impl ProcessEnvironment {
    fn log_filter(&self) -> String {
        let said = self.variables.iter().find(|(name, _)| name == "GATEHOUSE_LOG");
        said.map_or_else(|| "info".to_owned(), |(_, filter)| filter.clone())
    }
}

pub(crate) fn serve(
    wanted: &ServeArguments,
    environment: ProcessEnvironment,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    control::harden_process();
    let log_filter = environment.log_filter();
    let display = DisplayAvailability::from_variables(&environment.variables);
    let config = EngineConfig::from_variables(environment.variables)?;
    let serving = serve::run(wanted, config, display, &log_filter, console);
    block_on_runtime(RuntimeThreads::Several, serving)
}

/// Starts a tool. The runtime has ended by then: the tool takes the place of this process.
pub(crate) fn run_tool(
    wanted: run::RunArguments,
    environment: ProcessEnvironment,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    control::harden_process();
    let is_read = |(name, _): &&(String, String)| Launch::reads(name);
    let read: Vec<_> = environment.variables.iter().filter(is_read).cloned().collect();
    let config = EngineConfig::from_variables(environment.variables)?;
    let mut prepared = None;
    block_on_runtime(RuntimeThreads::One, async {
        let core = Core::open(config).await?;
        let outcome = run::prepare(wanted, &core, &read, console).await;
        core.stop().await;
        prepared = Some(outcome?);
        Ok(Exit::Success)
    })?;
    prepared.map_or(Ok(Exit::Internal), run::PreparedProgram::start)
}

/// Serves one agent until it closes standard input.
pub(crate) fn serve_agents(
    environment: ProcessEnvironment,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    control::harden_process();
    block_on_runtime(RuntimeThreads::Several, mcp::run(environment.variables, console))
}

/// Runs one command against the core.
pub(crate) fn run_core_command(
    question: CoreCommand,
    environment: ProcessEnvironment,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    control::harden_process();
    let inputs = CommandInputs::from_variables(&environment.variables);
    let mut config = EngineConfig::from_variables(environment.variables)?;
    let named_vault = config.vault.map(|kind| kind.to_string());
    let threads = match &question {
        CoreCommand::Check(_)
        | CoreCommand::Prompt(_)
        | CoreCommand::Backup(_)
        | CoreCommand::Restore(_) => RuntimeThreads::Several,
        CoreCommand::Usage(wanted) if wanted.command.is_some() => RuntimeThreads::Several,
        _ => RuntimeThreads::One,
    };
    if matches!(question, CoreCommand::Prompt(_)) {
        // A gateway for one prompt needs no known address, and a free port cannot be in use.
        config.port = Some(0);
    }
    let without_core = match &question {
        CoreCommand::Clients(wanted) => wanted.without_core(&config),
        _ => None,
    };
    block_on_runtime(threads, async {
        let core = match (Core::open(config).await, without_core) {
            (Ok(core), _) => core,
            (Err(_), Some(unwire)) => return unwire.run(console).await,
            (Err(error), None) => return Err(error.into()),
        };
        let outcome = match warn_of_ignored_vault(&core, named_vault.as_deref(), console).await {
            Ok(()) => dispatch_core_command(question, &core, &inputs, console).await,
            Err(failure) => Err(failure),
        };
        core.stop().await;
        outcome
    })
}

/// What commands take from the environment of this process. The owner of the data folder has another.
struct CommandInputs {
    passphrases: Passphrases,
    /// Names of the variables that are set here and outrank the wiring of some tool.
    outranking_variables: Vec<String>,
    /// The keys that are set here.
    keys: Vec<VariableKey>,
}

impl CommandInputs {
    fn from_variables(variables: &[(String, String)]) -> Self {
        let is_set = |name: &&str| {
            variables.iter().any(|(known, value)| known == name && !value.trim().is_empty())
        };
        let outranking = ClientTool::outranking_variables().filter(is_set);
        Self {
            passphrases: Passphrases::from_variables(variables),
            outranking_variables: outranking.map(str::to_owned).collect(),
            keys: keys_among(variables),
        }
    }
}

/// A value that no request could carry is no key.
fn keys_among(variables: &[(String, String)]) -> Vec<VariableKey> {
    let is_known = |name: &str| known_variables().any(|known| known.variable == name);
    let key = |(name, value): &(String, String)| {
        let secret = Secret::parse(value.clone()).ok()?;
        Some(VariableKey { variable: name.clone(), secret })
    };
    variables.iter().filter(|(name, _)| is_known(name)).filter_map(key).collect()
}

/// One thread is enough for most calls, and starts faster than several.
#[derive(Clone, Copy)]
enum RuntimeThreads {
    One,
    Several,
}

fn block_on_runtime(
    threads: RuntimeThreads,
    call: impl Future<Output = Result<Exit, CommandError>>,
) -> Result<Exit, CommandError> {
    let mut builder = match threads {
        RuntimeThreads::One => Builder::new_current_thread(),
        RuntimeThreads::Several => Builder::new_multi_thread(),
    };
    let runtime = builder.enable_all().build().map_err(|error| CommandError::internal(&error))?;
    let outcome = runtime.block_on(Box::pin(call));
    // A hanging keychain blocks its thread for ever; do not wait for it.
    runtime.shutdown_background();
    outcome
}

async fn dispatch_core_command(
    question: CoreCommand,
    core: &Core,
    inputs: &CommandInputs,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    if prints_money(&question) && console.format == ConsoleFormat::Text {
        set_currency(control::currency(core).await?.shown());
    }
    match question {
        CoreCommand::Agents(wanted) => mcp::run_command(wanted, core, console).await,
        CoreCommand::Status => status::run(core, console).await,
        CoreCommand::Stop => stop::run(core, console).await,
        CoreCommand::Pause => pause::pause(core, console).await,
        CoreCommand::Resume => pause::resume(core, console).await,
        CoreCommand::Models(wanted) => models::run(&wanted, core, console).await,
        CoreCommand::Notify(wanted) => notify::run(&wanted, core, console).await,
        CoreCommand::Check(wanted) => check::run(&wanted, core, console).await,
        CoreCommand::Prompt(wanted) => ask::run(wanted, core, console).await,
        CoreCommand::Keys(wanted) => keys::run(wanted, core, &inputs.keys, console).await,
        CoreCommand::Backends(wanted) => backends::run(wanted, core, console).await,
        CoreCommand::Routes(wanted) => routes::run(wanted, core, console).await,
        CoreCommand::Clients(wanted) => {
            clients::run(wanted, core, &inputs.outranking_variables, console).await
        }
        CoreCommand::Alerts(wanted) => alerts::run(wanted, core, console).await,
        CoreCommand::Audit(wanted) => audit::run(wanted, core, console).await,
        CoreCommand::Health(wanted) => health::run(wanted, core, console).await,
        CoreCommand::Slo(wanted) => slo::run(wanted, core, console).await,
        CoreCommand::Budgets(wanted) => budgets::run(wanted, core, console).await,
        CoreCommand::Pins(wanted) => pins::run(wanted, core, console).await,
        CoreCommand::Profiles(wanted) => profiles::run(wanted, core, console).await,
        CoreCommand::Services(wanted) => services::run(wanted, core, console).await,
        CoreCommand::Token(wanted) => token::run(wanted, core, console).await,
        CoreCommand::Usage(wanted) => usage::run(&wanted, core, console).await,
        CoreCommand::Requests(wanted) => requests::run(&wanted, core, console).await,
        CoreCommand::Ledger(wanted) => ledger::run(wanted, core, console).await,
        CoreCommand::Backup(wanted) => backup::run(wanted, core, console).await,
        CoreCommand::Restore(wanted) => backup::restore(wanted, core, console).await,
        CoreCommand::Export(wanted) => export::export(wanted, core, console).await,
        CoreCommand::Import(wanted) => export::import(wanted, core, console).await,
        CoreCommand::Prices(wanted) => prices::run(wanted, core, console).await,
        CoreCommand::Cache(wanted) => cache::run(wanted, core, console).await,
        CoreCommand::Vault { command } => {
            vault::run(command, core, &inputs.passphrases, console).await
        }
        CoreCommand::Panel => panel::run(core, console).await,
        CoreCommand::Settings(wanted) => settings::run(&wanted, core, console).await,
    }
}

const fn prints_money(question: &CoreCommand) -> bool {
    matches!(
        question,
        CoreCommand::Status
            | CoreCommand::Prompt(_)
            | CoreCommand::Keys(_)
            | CoreCommand::Backends(_)
            | CoreCommand::Clients(_)
            | CoreCommand::Budgets(_)
            | CoreCommand::Pins(_)
            | CoreCommand::Usage(_)
            | CoreCommand::Requests(_)
            | CoreCommand::Cache(_)
    )
}

/// Warns that `GATEHOUSE_VAULT` has no effect on a process that runs already. Without a warning the
/// choice would seem to be accepted.
async fn warn_of_ignored_vault(
    core: &Core,
    named: Option<&str>,
    console: &mut Console,
) -> Result<(), CommandError> {
    let (Core::Remote(_), Some(named)) = (core, named) else { return Ok(()) };
    let vault = control::status(core).await?.vault;
    let in_use = vault.kind.word();
    if named != in_use {
        let mut text = StyledText::new();
        text.piece(Tone::Warn, "warning: ").line(
            Tone::Plain,
            &format!(
                "GATEHOUSE_VAULT={named} has no effect: the running Gatehouse uses the {in_use} \
                 vault. To change that: `gatehouse vault set {named}`"
            ),
        );
        console.print_remark(&text);
    }
    Ok(())
}
