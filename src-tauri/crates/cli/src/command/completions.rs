//! `gatehouse completions`: prints the script that calls this program at each press of Tab.

use clap_complete::Shell;
use clap_complete::env::{EnvCompleter, Shells};

use crate::console::Console;
use crate::exit::{CommandError, Exit};

/// The environment variable that the script sets to the shell's name.
const SHELL_VARIABLE: &str = "COMPLETE";

/// The completion script of a shell.
#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArguments {
    /// The shell
    shell: Shell,
}

pub(crate) fn print_script(
    wanted: &CompletionsArguments,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let shells = Shells::builtins();
    let name = wanted.shell.to_string();
    let shell: &dyn EnvCompleter = shells.completer(&name).ok_or_else(|| {
        CommandError::new(Exit::Usage, format!("no completions are available for {name}"))
    })?;
    let mut script = Vec::new();
    shell.write_registration(SHELL_VARIABLE, "gatehouse", "gatehouse", "gatehouse", &mut script)?;
    console.print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Success)
}

#[cfg(test)]
pub(super) fn completions_for_shell(name: &str) -> CompletionsArguments {
    use clap::ValueEnum;
    CompletionsArguments { shell: Shell::from_str(name, false).expect("a shell") }
}
