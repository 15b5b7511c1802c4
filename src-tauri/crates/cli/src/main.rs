//! `gatehouse`: the command line of the core, for terminals, scripts and machines without a display.
//!
//! It reads arguments and environment, asks the core one thing and prints the answer as text or JSON.
//! No web-view library is linked, and nothing is started that a call does not need, so it answers
//! within milliseconds and can stand in a shell prompt.

mod arguments;
mod cache_mode;
mod command;
mod confirm;
mod console;
mod desktop;
mod escape;
mod exit;
mod fault;
mod panel_assets;
mod passphrase;
mod quantity;
mod secret_input;
mod serve;
mod session;
mod sign;
mod text;

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use arguments::{Arguments, Command};
use console::Console;
use control::Display;
use exit::{Exit, Failure};
use session::Environment;

#[global_allocator]
static ALLOCATOR: control::Allocator = control::ALLOCATOR;

fn main() -> ExitCode {
    fault::tell_people();
    catch_unwind(AssertUnwindSafe(run)).unwrap_or(Exit::Fault).into()
}

/// The one place that reads what the shell hands in.
fn run() -> Exit {
    let typed: Vec<OsString> = std::env::args_os().collect();
    if let Some(exit) = command::completions::answer(&typed) {
        return exit;
    }
    let arguments = match Arguments::read(typed.iter().cloned()) {
        Ok(arguments) => arguments,
        Err(exit) => return exit,
    };
    let environment = Environment { variables: readable(std::env::vars_os()) };
    let mut console = Console::of_the_process(arguments.format());
    answer(arguments.command, environment, &mut console)
        .unwrap_or_else(|failure| console.fail(&failure.named_by(&Arguments::switches(&typed))))
}

fn answer(
    command: Option<Command>,
    environment: Environment,
    console: &mut Console,
) -> Result<Exit, Failure> {
    match command {
        None => {
            let program = std::env::current_exe().map_err(|error| Failure::fault(&error))?;
            desktop::open(&program, Display::among(&environment.variables), console)
        }
        Some(Command::Completions(wanted)) => command::completions::print(&wanted, console),
        Some(Command::Man) => command::completions::print_man(console),
        Some(Command::Version) => {
            let version = env!("CARGO_PKG_VERSION");
            console.answer(&serde_json::json!({"version": version}), |_| {
                let mut text = text::Text::new();
                text.line(sign::Tone::Plain, &format!("gatehouse {version}"));
                text
            })?;
            Ok(Exit::Fine)
        }
        Some(Command::Serve(wanted)) => session::serve(&wanted, environment, console),
        Some(Command::Ask(question)) => session::ask(question, environment, console),
    }
}

/// The variables that are text; no other one is ours.
fn readable(variables: impl Iterator<Item = (OsString, OsString)>) -> Vec<(String, String)> {
    let text = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    variables.filter_map(text).collect()
}
