//! Runs one call against the core: opens it or connects to the process that owns the data folder,
//! asks it once, and shuts it down.

use control::view::{VaultKindView, VaultStateView, VaultUnlock};
use control::{Core, EngineConfig};
use tokio::runtime::Builder;

use crate::arguments::Ask;
use crate::command::{
    ask, backends, cache, check, clients, keys, ledger, models, notify, panel, requests, routes,
    settings, status, stop, token, usage, vault,
};
use crate::console::{Console, Peer};
use crate::exit::{Exit, Failure};
use crate::passphrase::Passphrases;
use crate::serve::{self, Serve};
use crate::sign::Tone;
use crate::text::Text;

pub(crate) struct Environment {
    pub(crate) variables: Vec<(String, String)>,
}

impl Environment {
    fn log_filter(&self) -> String {
        let said = self.variables.iter().find(|(name, _)| name == "GATEHOUSE_LOG");
        said.map_or_else(|| "info".to_owned(), |(_, filter)| filter.clone())
    }
}

pub(crate) fn serve(
    wanted: &Serve,
    environment: Environment,
    console: &mut Console,
) -> Result<Exit, Failure> {
    control::harden_process();
    let log_filter = environment.log_filter();
    let config = EngineConfig::from_variables(environment.variables)?;
    let serving = serve::run(wanted, config, &log_filter, console);
    wait_for(Threads::Several, serving)
}

/// Runs one command against the core.
pub(crate) fn ask(
    question: Ask,
    environment: Environment,
    console: &mut Console,
) -> Result<Exit, Failure> {
    control::harden_process();
    let passphrases = Passphrases::among(&environment.variables);
    let mut config = EngineConfig::from_variables(environment.variables)?;
    let named_vault = config.vault.map(|kind| kind.to_string());
    let threads = match &question {
        Ask::Check(_) | Ask::Prompt(_) => Threads::Several,
        _ => Threads::One,
    };
    if matches!(question, Ask::Prompt(_)) {
        // A gateway for one prompt needs no known address, and a free port cannot be in use.
        config.port = Some(0);
    }
    wait_for(threads, async {
        let core = Core::open(config).await?;
        let outcome = match tell_ignored_vault(&core, named_vault.as_deref(), console).await {
            Ok(()) => answer(question, &core, &passphrases, console).await,
            Err(failure) => Err(failure),
        };
        core.stop().await;
        outcome
    })
}

/// One thread is enough for most calls, and starts faster than several.
#[derive(Clone, Copy)]
enum Threads {
    One,
    Several,
}

fn wait_for(
    threads: Threads,
    call: impl Future<Output = Result<Exit, Failure>>,
) -> Result<Exit, Failure> {
    let mut builder = match threads {
        Threads::One => Builder::new_current_thread(),
        Threads::Several => Builder::new_multi_thread(),
    };
    let runtime = builder.enable_all().build().map_err(|error| Failure::fault(&error))?;
    let outcome = runtime.block_on(Box::pin(call));
    // A hanging keychain blocks its thread for ever; do not wait for it.
    runtime.shutdown_background();
    outcome
}

async fn answer(
    question: Ask,
    core: &Core,
    passphrases: &Passphrases,
    console: &mut Console,
) -> Result<Exit, Failure> {
    match question {
        Ask::Status => status::run(core, console).await,
        Ask::Stop => stop::run(core, console).await,
        Ask::Models(wanted) => models::run(&wanted, core, console).await,
        Ask::Notify(wanted) => notify::run(&wanted, core, console).await,
        Ask::Check(wanted) => check::run(&wanted, core, console).await,
        Ask::Prompt(wanted) => ask::run(wanted, core, console).await,
        Ask::Keys(wanted) => keys::run(wanted, core, console).await,
        Ask::Backends(wanted) => backends::run(wanted, core, console).await,
        Ask::Routes(wanted) => routes::run(wanted, core, console).await,
        Ask::Clients(wanted) => clients::run(wanted, core, console).await,
        Ask::Token(wanted) => token::run(wanted, core, console).await,
        Ask::Usage(wanted) => usage::run(&wanted, core, console).await,
        Ask::Requests(wanted) => requests::run(&wanted, core, console).await,
        Ask::Ledger(wanted) => ledger::run(wanted, core, console).await,
        Ask::Cache(wanted) => cache::run(wanted, core, console).await,
        Ask::Vault { command } => vault::run(command, core, passphrases, console).await,
        Ask::Panel => panel::run(core, console).await,
        Ask::Settings(wanted) => settings::run(&wanted, core, console).await,
    }
}

/// Prompts for the passphrase of a locked vault file if a person is at a terminal. Without a
/// terminal the vault's own error follows, which says what to do.
pub(crate) async fn unlock_by_hand(core: &Core, console: &Console) -> Result<(), Failure> {
    if console.typing == Peer::Other || console.watching == Peer::Other {
        return Ok(());
    }
    let vault = control::vault_check(core).await?;
    if vault.kind == VaultKindView::File && vault.state == VaultStateView::Locked {
        let passphrase = Passphrases::none().for_file(&vault, console)?;
        control::vault_unlock(core, VaultUnlock { passphrase }).await?;
    }
    Ok(())
}

/// Warns that `GATEHOUSE_VAULT` has no effect on a process that runs already. Without a warning the
/// choice would seem to be accepted.
async fn tell_ignored_vault(
    core: &Core,
    named: Option<&str>,
    console: &mut Console,
) -> Result<(), Failure> {
    let (Core::Remote(_), Some(named)) = (core, named) else { return Ok(()) };
    let vault = control::status(core).await?.vault;
    let in_use = vault.kind.word();
    if named != in_use {
        let mut text = Text::new();
        text.piece(Tone::Warn, "warning: ").line(
            Tone::Plain,
            &format!(
                "GATEHOUSE_VAULT={named} has no effect: the running Gatehouse uses the {in_use} \
                 vault. To change that: `gatehouse vault set {named}`"
            ),
        );
        console.remark(&text);
    }
    Ok(())
}
