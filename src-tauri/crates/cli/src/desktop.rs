//! `gatehouse` without arguments starts the desktop program, which is installed beside this one.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use control::DisplayAvailability;

use crate::console::{Console, StreamPeer};
use crate::exit::{CommandError, Exit};

/// The file name of the desktop program, without the platform's suffix.
const DESKTOP: &str = "gatehouse-desktop";

/// Starts the window; fails with a hint if there is no display. If a window runs already, its
/// single-instance check brings it to the front.
pub(crate) fn open(
    program: &Path,
    variables: &[(String, String)],
    console: &Console,
) -> Result<Exit, CommandError> {
    let desktop = desktop_program_path(program);
    if DisplayAvailability::from_variables(variables) == DisplayAvailability::Unavailable {
        return Err(CommandError::new(Exit::Negative, "there is no display to open a window on").with_hint(
            "Run `gatehouse serve --panel` and open the link it prints, or run `gatehouse status`.",
        ));
    }
    if !desktop.is_file() {
        let message = format!("the desktop program is missing: {} not found", desktop.display());
        return Err(CommandError::new(Exit::Negative, message)
            .with_hint("Install Gatehouse's desktop package, or run `gatehouse serve --panel`."));
    }
    let complaints = match console.stderr {
        StreamPeer::Terminal => Stdio::inherit(),
        StreamPeer::Other => Stdio::null(),
    };
    let home = variables.iter().rfind(|(name, _)| name == "GATEHOUSE_HOME");
    match start(program, home.map(|(_, folder)| Path::new(folder)), complaints) {
        Ok(()) => Ok(Exit::Success),
        Err(error) => Err(CommandError::new(
            Exit::Internal,
            format!("{} did not start: {error}", desktop.display()),
        )),
    }
}

/// Starts the desktop program beside `program`, with all data under `home` where one was chosen;
/// its errors go to `complaints`.
pub(crate) fn start(program: &Path, home: Option<&Path>, complaints: Stdio) -> io::Result<()> {
    let mut window = Command::new(desktop_program_path(program));
    window.stdin(Stdio::null()).stdout(Stdio::null()).stderr(complaints);
    window.envs(home.map(|folder| ("GATEHOUSE_HOME", folder)));
    detach_from_terminal(&mut window);
    window.spawn().map(drop)
}

fn desktop_program_path(program: &Path) -> PathBuf {
    program.with_file_name(format!("{DESKTOP}{}", std::env::consts::EXE_SUFFIX))
}

/// Keeps Ctrl-C in the terminal from ending the window.
#[cfg(unix)]
fn detach_from_terminal(window: &mut Command) {
    use std::os::unix::process::CommandExt;
    window.process_group(0);
}

#[cfg(not(unix))]
const fn detach_from_terminal(_: &mut Command) {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::ConsoleFormat;

    #[test]
    fn without_a_display_or_a_window_it_says_what_to_do() {
        let (console, _, _) = Console::for_test(ConsoleFormat::Text, StreamPeer::Other);
        let check = |variables: &[(String, String)], message: &str| {
            let failure = open(Path::new("/nowhere/gatehouse"), variables, &console);
            let Err(CommandError::Reported { exit, message: told, hint, .. }) = failure else {
                panic!("something to tell")
            };
            assert_eq!(exit, Exit::Negative);
            assert!(told.contains(message), "{told}");
            assert!(hint.is_some_and(|hint| hint.contains("serve --panel")));
        };
        check(&[], "no display");
        check(&[("DISPLAY".to_owned(), ":0".to_owned())], "is missing");
    }
}
