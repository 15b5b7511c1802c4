//! `gatehouse` without arguments starts the desktop program, which is installed beside this one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use control::Display;

use crate::console::{Console, Peer};
use crate::exit::{Exit, Failure};

/// The file name of the desktop program, without the platform's suffix.
const DESKTOP: &str = "gatehouse-desktop";

/// Starts the window; fails with a hint if there is no display. If a window runs already, its
/// single-instance check brings it to the front.
pub(crate) fn open(program: &Path, display: Display, console: &Console) -> Result<Exit, Failure> {
    let desktop = beside(program);
    if display == Display::None {
        return Err(Failure::new(Exit::No, "there is no display to open a window on").with_hint(
            "Run `gatehouse serve --panel` and open the link it prints, or run `gatehouse status`.",
        ));
    }
    if !desktop.is_file() {
        let message = format!("the desktop program is missing: {} not found", desktop.display());
        return Err(Failure::new(Exit::No, message)
            .with_hint("Install Gatehouse's desktop package, or run `gatehouse serve --panel`."));
    }
    let complaints = match console.watching {
        Peer::Terminal => Stdio::inherit(),
        Peer::Other => Stdio::null(),
    };
    let mut window = Command::new(&desktop);
    window.stdin(Stdio::null()).stdout(Stdio::null()).stderr(complaints);
    leave_alone(&mut window);
    match window.spawn() {
        Ok(_) => Ok(Exit::Fine),
        Err(error) => {
            Err(Failure::new(Exit::Fault, format!("{} did not start: {error}", desktop.display())))
        }
    }
}

fn beside(program: &Path) -> PathBuf {
    program.with_file_name(format!("{DESKTOP}{}", std::env::consts::EXE_SUFFIX))
}

/// Keeps Ctrl-C in the terminal from ending the window.
#[cfg(unix)]
fn leave_alone(window: &mut Command) {
    use std::os::unix::process::CommandExt;
    window.process_group(0);
}

#[cfg(not(unix))]
const fn leave_alone(_: &mut Command) {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::Format;

    #[test]
    fn without_a_display_or_a_window_it_says_what_to_do() {
        let (console, _, _) = Console::for_test(Format::Text, Peer::Other);
        let check = |display, message: &str| {
            let failure = open(Path::new("/nowhere/gatehouse"), display, &console);
            let Err(Failure::Told { exit, message: told, hint, .. }) = failure else {
                panic!("something to tell")
            };
            assert_eq!(exit, Exit::No);
            assert!(told.contains(message), "{told}");
            assert!(hint.is_some_and(|hint| hint.contains("serve --panel")));
        };
        check(Display::None, "no display");
        check(Display::Here, "is missing");
    }
}
