//! The command line as it is typed.

use std::ffi::OsString;
use std::io::Write;

use clap::{Args, Parser, Subcommand};

use crate::command::{
    ask, backends, check, clients, completions, keys, requests, routes, settings, token, usage,
};
use crate::console::Format;
use crate::exit::Exit;
use crate::serve::Serve;

/// Shown below the help.
const EXIT_CODES: &str = "Exit codes: 0 fine, 1 the answer is no (not ready, a check failed, no such \
thing), 2 wrong usage, 3 something broke, 4 time-out.\n\nEnvironment: GATEHOUSE_HOME puts everything \
under one folder, GATEHOUSE_VAULT chooses keychain, file, env or memory, GATEHOUSE_PASSPHRASE opens \
the file vault, GATEHOUSE_LOG says what is logged (info).";

/// The control panel for a developer's AI and API keys
///
/// Keeps the keys, opens the gate, keeps watch and writes down the toll. Without a command it opens the
/// window.
#[derive(Debug, Parser)]
#[command(name = "gatehouse", version, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    /// Answer in JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the gateway without a window, until Ctrl-C
    Serve(Serve),
    /// Ask the core something.
    #[command(flatten)]
    Ask(Ask),
    /// Print the completion script of a shell
    Completions(completions::Completions),
    /// Print the manual page
    #[command(hide = true)]
    Man,
}

/// What needs the core and ends with its answer.
#[derive(Debug, Subcommand)]
pub(crate) enum Ask {
    /// Show whether one can work: gateway, vault, backends, spend
    Status,
    /// Run the readiness checks; nothing is billed
    Check(check::Check),
    /// Send a prompt through the gateway and print the answer as it comes
    #[command(name = "ask")]
    Prompt(ask::Prompt),
    /// Keep keys in the vault
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Places that requests can go to
    #[command(subcommand)]
    Backends(backends::Backends),
    /// Where requests go, and why
    #[command(subcommand)]
    Routes(routes::Routes),
    /// Tools on this machine that may call the gateway
    #[command(subcommand)]
    Clients(clients::Clients),
    /// Print a client's local token and nothing else
    Token(token::Token),
    /// Show what was used and what it cost
    Usage(usage::Usage),
    /// Show single requests, newest first
    Requests(requests::Requests),
    /// Look at the settings and mend their file
    #[command(subcommand)]
    Settings(settings::Settings),
}

/// Names one thing.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// Its name
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}

impl Arguments {
    /// Reads what was typed. Help and the version are printed here and end the call, and so does what
    /// cannot be understood.
    pub(crate) fn read(typed: impl Iterator<Item = OsString>) -> Result<Self, Exit> {
        Self::try_parse_from(typed).map_err(|error| {
            let asked_for = !error.use_stderr();
            // A reader that has left does not need the help any more.
            let _ = if asked_for { error.print() } else { complain(&error) };
            if asked_for { Exit::Fine } else { Exit::Usage }
        })
    }

    /// How to answer.
    pub(crate) const fn format(&self) -> Format {
        if self.json { Format::Json } else { Format::Text }
    }
}

/// Says what was not understood. It repeats an argument that was not expected, which may be a key that
/// somebody typed where it does not belong.
fn complain(error: &clap::Error) -> std::io::Result<()> {
    anstream::stderr().write_all(domain::redact(&error.render().to_string()).as_bytes())
}

#[cfg(test)]
mod tests;
