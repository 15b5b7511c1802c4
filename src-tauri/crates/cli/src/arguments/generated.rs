//! What is generated from the command line definition: the answers to the completion script and the
//! manual page.

use clap::CommandFactory;
use clap_complete::env::CompleteEnv;

use super::CommandLine;
use crate::console::Console;
use crate::exit::{CommandError, Exit};

/// Answers a call of the completion script; `None` for any other call.
pub(crate) fn answer_completion_call(typed: &[std::ffi::OsString]) -> Option<Exit> {
    let folder = std::env::current_dir().ok();
    match CompleteEnv::with_factory(CommandLine::command).try_complete(typed, folder.as_deref()) {
        Ok(true) => Some(Exit::Success),
        Ok(false) => None,
        // An error message would end up among the completions.
        Err(_) => Some(Exit::Internal),
    }
}

/// Prints the manual page as roff.
pub(crate) fn print_man(console: &mut Console) -> Result<Exit, CommandError> {
    let mut page = Vec::new();
    clap_mangen::Man::new(CommandLine::command()).render(&mut page)?;
    console.print(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Success)
}
