//! `gatehouse`: the command line, for terminals, scripts and machines without a display.
//!
//! It reads arguments and environment, asks the core one thing and prints the answer as text or
//! JSON. It links no web-view library and starts only what a call needs, so it answers within
//! milliseconds and can be used in a shell prompt.

mod arguments;
mod command;
mod confirm;
mod console;
mod desktop;
mod dispatch;
mod escape;
mod exit;
mod notifications;
mod output_file;
mod panel_assets;
mod panic_hook;
mod passphrase;
mod quantity;
mod secret_input;
mod serve;
mod sign;
mod span;
mod text;
mod unlock;
mod variables;
mod word;

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use arguments::{CliCommand, CommandLine};
use console::Console;
use dispatch::ProcessEnvironment;
use exit::{CommandError, Exit};
use variables::unicode_variables;

#[global_allocator]
static ALLOCATOR: control::Allocator = control::ALLOCATOR;

fn main() -> ExitCode {
    panic_hook::install_panic_hook();
    catch_unwind(AssertUnwindSafe(run)).unwrap_or(Exit::Internal).into()
}

/// The only function that reads the process's arguments and environment.
fn run() -> Exit {
    let typed: Vec<OsString> = std::env::args_os().collect();
    if let Some(exit) = arguments::generated::answer_completion_call(&typed) {
        return exit;
    }
    let arguments = match CommandLine::read(typed.iter().cloned()) {
        Ok(arguments) => arguments,
        Err(exit) => return exit,
    };
    let mut variables = unicode_variables(std::env::vars_os());
    arguments.add_to(&mut variables);
    let environment = ProcessEnvironment { variables };
    let mut console = Console::from_process_streams(arguments.format());
    run_command(arguments.command, environment, &mut console).unwrap_or_else(|failure| {
        console.print_error(&failure.named_by(&CommandLine::switches(&typed)))
    })
}

fn run_command(
    command: Option<CliCommand>,
    environment: ProcessEnvironment,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    match command {
        None => {
            let program =
                std::env::current_exe().map_err(|error| CommandError::internal(&error))?;
            desktop::open(&program, &environment.variables, console)
        }
        Some(CliCommand::Completions(wanted)) => {
            command::completions::print_script(&wanted, console)
        }
        Some(CliCommand::Man) => arguments::generated::print_man(console),
        Some(CliCommand::Version) => {
            let version = env!("CARGO_PKG_VERSION");
            console.print_view(&serde_json::json!({"version": version}), |_| {
                let mut text = text::StyledText::new();
                text.line(sign::Tone::Plain, &format!("gatehouse {version}"));
                text
            })?;
            Ok(Exit::Success)
        }
        Some(CliCommand::Mcp(wanted)) => match wanted.command {
            None => dispatch::serve_agents(environment, console),
            Some(command) => dispatch::run_core_command(
                arguments::CoreCommand::Agents(command),
                environment,
                console,
            ),
        },
        Some(CliCommand::Serve(wanted)) => dispatch::serve(&wanted, environment, console),
        Some(CliCommand::Run(wanted)) => dispatch::run_tool(wanted, environment, console),
        Some(CliCommand::Core(question)) => {
            dispatch::run_core_command(question, environment, console)
        }
    }
}
