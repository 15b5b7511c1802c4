//! The command-line arguments: their definition and parsing.

use std::ffi::OsString;
use std::io::Write;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, Subcommand};

use crate::command::{
    alerts, ask, audit, backends, backup, budgets, cache, check, clients, completions, export,
    health, keys, ledger, mcp, models, notify, pins, prices, profiles, requests, routes, run,
    services, settings, slo, token, usage, vault,
};
use crate::console::{ConsoleFormat, render_error_json};
use crate::exit::Exit;
use crate::serve::ServeArguments;

pub(crate) mod generated;
pub(crate) mod name;
mod suggestion;

/// Printed below the help.
const EXIT_CODES: &str = "Exit codes: 0 success; 1 negative result (not ready, a check failed, not \
found, nothing is running); 2 wrong usage, or a file of yours has an error; 3 internal error; 4 timeout.\n\nJSON: each answer of --json is an \
object with the number format_version; a list is in its field items. Files of requests export and \
usage statement stay as they are with --format or --output. New fields and words may be added at any time; \
when one is removed, renamed or changed, the number is raised.\n\nEnvironment: \
GATEHOUSE_HOME, or the option --home, puts all data under one folder. GATEHOUSE_VAULT selects the vault: keychain, file, env \
or memory. GATEHOUSE_PASSPHRASE unlocks the file vault. GATEHOUSE_LOG sets the log level (info).";

/// The control panel for a developer's AI and API keys
///
/// Stores your API keys, routes requests, tracks cost and health. Without a command it opens the
/// window.
#[derive(Debug, Parser)]
#[command(name = "gatehouse", version, after_help = EXIT_CODES)]
pub(crate) struct CommandLine {
    /// Answer in JSON, errors included
    #[arg(long, global = true)]
    json: bool,
    /// Keep all data under this folder, as GATEHOUSE_HOME does; for tools that start the program
    #[arg(long, global = true, hide = true, value_name = "FOLDER")]
    home: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Option<CliCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CliCommand {
    /// Run the gateway without a window, until Ctrl-C or `gatehouse stop`
    #[command(alias = "start")]
    Serve(ServeArguments),
    /// Run a tool through the gateway without changing its files
    Run(run::RunArguments),
    /// Serve AI agents over MCP on standard input and output
    #[command(after_help = mcp::PERMISSIONS)]
    Mcp(mcp::McpArguments),
    /// Ask the core something.
    #[command(flatten)]
    Core(CoreCommand),
    /// Print the completion script of a shell
    #[command(alias = "completion")]
    Completions(completions::CompletionsArguments),
    /// Print the manual page
    Man,
    /// Print the version
    Version,
}

/// What needs the core and ends with its answer.
#[derive(Debug, Subcommand)]
pub(crate) enum CoreCommand {
    /// Subcommands of `mcp`.
    #[command(skip)]
    Agents(mcp::McpCommand),
    /// Stop the running Gatehouse; requests in flight may finish
    #[command(visible_alias = "quit")]
    Stop,
    /// Refuse new requests until `gatehouse resume`; requests in flight continue
    Pause,
    /// Let a paused gateway answer again
    #[command(alias = "unpause")]
    Resume,
    /// Show gateway health, backends and spend
    #[command(alias = "info")]
    Status,
    /// Check that everything is ready; nothing is billed
    #[command(visible_alias = "doctor", alias = "checks")]
    Check(check::CheckArguments),
    /// Send a prompt through the gateway and print the answer as it arrives
    #[command(name = "ask", alias = "prompt")]
    Prompt(ask::AskArguments),
    /// List the model names that requests can use
    #[command(alias = "model")]
    Models(models::ModelsArguments),
    /// Add, verify, replace and remove API keys
    #[command(subcommand, visible_alias = "key")]
    Keys(keys::KeysCommand),
    /// Add, test and change backends: providers and local servers
    #[command(subcommand, visible_alias = "backend", aliases = ["provider", "providers"])]
    Backends(backends::BackendsCommand),
    /// Decide which backends serve a model name
    #[command(subcommand, visible_alias = "route", alias = "routing")]
    Routes(routes::RoutesCommand),
    /// Give tools on this machine access to the gateway
    #[command(subcommand, visible_alias = "client")]
    Clients(clients::ClientsCommand),
    /// Limit what is spent in a day, a week or a month
    #[command(subcommand, visible_alias = "budget")]
    Budgets(budgets::BudgetsCommand),
    /// See what is wrong and what was, silence alerts, set their rules
    #[command(subcommand, visible_alias = "alert", aliases = ["incidents", "incident"])]
    Alerts(alerts::AlertsCommand),
    /// See what was changed, and by what: window, command line, agents
    Audit(audit::AuditArguments),
    /// Show how each backend has served: availability, first tokens, score
    Health(health::HealthArguments),
    /// Show objectives and what is left of their error budgets
    #[command(visible_alias = "service-levels", alias = "slos")]
    Slo(slo::SloArguments),
    /// Pin figures to the Overview, such as the cost of a project
    #[command(subcommand, visible_alias = "pin")]
    Pins(pins::PinsCommand),
    /// Use some backends for work and others at home: sets of backends to switch between
    #[command(subcommand, visible_alias = "profile")]
    Profiles(profiles::ProfilesCommand),
    /// Monitor other services you depend on: web addresses, databases, GitHub tokens
    #[command(subcommand, visible_alias = "service")]
    Services(services::ServicesCommand),
    /// Print a client's token
    #[command(alias = "tokens")]
    Token(token::TokenArguments),
    /// Show usage and costs
    #[command(visible_alias = "cost", aliases = ["costs", "spend", "stats"])]
    Usage(Box<usage::UsageArguments>),
    /// List, set and import prices
    #[command(subcommand, visible_alias = "price")]
    Prices(prices::PricesCommand),
    /// List requests, newest first, or show one
    #[command(visible_alias = "logs", aliases = ["request", "log"])]
    Requests(requests::RequestsArguments),
    /// Check, back up, restore and repair the record of requests and costs
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// Back up settings, ledger and prices in one file, without keys, or check such a file
    Backup(backup::BackupArguments),
    /// Restore everything from a backup; what was recorded since then stays
    Restore(backup::RestoreArguments),
    /// Export the settings without keys, or the keys alone, encrypted
    Export(export::ExportArguments),
    /// Import exported settings or keys; nothing that is here alone is removed
    Import(export::ImportArguments),
    /// Inspect and clear the response cache
    #[command(subcommand)]
    Cache(cache::CacheCommand),
    /// Show or change where keys are stored: the keychain or an encrypted file
    #[command(alias = "vaults")]
    Vault {
        #[command(subcommand)]
        command: Option<vault::VaultCommand>,
    },
    /// Print a new one-time link to the control panel
    Panel,
    /// Send a test notification
    #[command(subcommand, alias = "notifications")]
    Notify(notify::NotifyCommand),
    /// Show, change, check and repair settings
    #[command(subcommand, visible_alias = "config", alias = "setting")]
    Settings(settings::SettingsCommand),
}

impl CommandLine {
    /// Parses the command line. Help, the version and parse errors are printed here and returned as
    /// the [`Exit`] to end with.
    pub(crate) fn read(typed: impl Iterator<Item = OsString>) -> Result<Self, Exit> {
        let typed: Vec<OsString> = typed.collect();
        Self::try_parse_from(&typed).map_err(|error| {
            let asked_for = !error.use_stderr();
            // A write error means that the reader closed the pipe.
            let _ = if asked_for { error.print() } else { print_parse_error(&error, &typed) };
            if asked_for { Exit::Success } else { Exit::Usage }
        })
    }

    /// The switches of the called command.
    pub(crate) fn switches(typed: &[OsString]) -> Vec<String> {
        let mut command = Self::command();
        let Ok(matches) = command.clone().try_get_matches_from(typed) else { return Vec::new() };
        let mut called = &matches;
        while let Some((name, inner)) = called.subcommand() {
            let Some(subcommand) = command.find_subcommand(name).cloned() else { break };
            (command, called) = (subcommand, inner);
        }
        command.get_arguments().filter_map(|it| Some(it.get_long()?.to_owned())).collect()
    }

    /// The variables with what the options say of them.
    pub(crate) fn add_to(&self, variables: &mut Vec<(String, String)>) {
        let home = self.home.iter().filter(|home| !home.is_empty());
        variables.extend(home.map(|home| ("GATEHOUSE_HOME".to_owned(), home.clone())));
    }

    pub(crate) const fn format(&self) -> ConsoleFormat {
        if self.json { ConsoleFormat::Json } else { ConsoleFormat::Text }
    }
}

/// Prints a parse error, redacted: the error quotes the unexpected argument, which may be a key
/// typed in the wrong place.
fn print_parse_error(error: &clap::Error, typed: &[OsString]) -> std::io::Result<()> {
    let words: Vec<&str> = typed.iter().skip(1).filter_map(|word| word.to_str()).collect();
    let tip = match error.kind() {
        ErrorKind::InvalidSubcommand => suggestion::suggest_command(&words),
        _ => None,
    };
    let rendered = error.render();
    if words.contains(&"--json") {
        let text = rendered.to_string();
        let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        let hint = tip.map(|tip| format!("Did you mean `{tip}`?"));
        let message = domain::redact(message);
        let hint = hint.as_deref().map(domain::redact);
        let line = render_error_json(Exit::Usage, "usage", None, &message, hint.as_deref());
        return anstream::stderr().write_all(line.as_bytes());
    }
    let text = match tip {
        Some(tip) => {
            let first = words.iter().find(|word| !word.starts_with('-')).copied();
            let first = first.unwrap_or_default();
            format!(
                "error: there is no command '{first}'\n\n  tip: `{tip}`\n\n\
                 `gatehouse help` lists all commands.\n"
            )
        }
        None => rendered.ansi().to_string(),
    };
    anstream::stderr().write_all(domain::redact(&text).as_bytes())
}

#[cfg(test)]
mod tests;
