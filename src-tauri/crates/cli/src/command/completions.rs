//! `gatehouse completions` and the manual page: made from the command line itself.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::console::Console;
use crate::exit::{Exit, Failure};

/// The completion script of a shell.
#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// Which shell
    shell: Shell,
}

/// Prints the script.
pub(crate) fn print(wanted: &Completions, console: &mut Console) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    let mut command = Arguments::command();
    clap_complete::generate(wanted.shell, &mut command, "gatehouse", &mut script);
    console.print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Fine)
}

/// Prints the manual page in roff.
pub(crate) fn print_man(console: &mut Console) -> Result<Exit, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Arguments::command()).render(&mut page)?;
    console.print(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Fine)
}

/// What typing a shell's name asks for.
#[cfg(test)]
pub(super) fn of_shell(name: &str) -> Completions {
    use clap::ValueEnum;
    Completions { shell: Shell::from_str(name, false).expect("a shell") }
}
