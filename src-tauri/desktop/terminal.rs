//! Opens the user's terminal and runs a command in it.

use std::io::{
    self,
    ErrorKind::{NotFound, PermissionDenied},
};
use std::path::Path;
use std::process::ExitStatus;
#[cfg(not(any(windows, target_os = "macos")))]
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

/// A terminal that ends within this time with an error could not open. One that hands over to a
/// server of its own ends at once, without one. macOS may ask the user first whether it may.
const FAILURE_TIME: Duration = Duration::from_secs(if cfg!(target_os = "macos") { 60 } else { 1 });

#[derive(Debug, thiserror::Error)]
pub(crate) enum TerminalError {
    #[error("no terminal was found")]
    NotFound,
    #[error("the terminal could not be started: {0}")]
    NotStarted(io::Error),
    #[error("the terminal ended at once ({0})")]
    Ended(ExitStatus),
}

/// Runs `words` in a new terminal in `folder`. `shell` is the user's, which knows where programs lie.
/// On Linux the terminal stays open when the command ends.
pub(crate) async fn open_terminal(
    folder: &Path,
    words: &[String],
    shell: &Path,
) -> Result<(), TerminalError> {
    let mut last = TerminalError::NotFound;
    for mut command in terminals(folder, words, shell) {
        for name in control::private_variable_names() {
            command.env_remove(name);
        }
        let started = match command.current_dir(folder).spawn() {
            Ok(terminal) => watch_start(terminal).await,
            // A program that is not there, also where a folder of the search path cannot be read.
            Err(error) if matches!(error.kind(), NotFound | PermissionDenied) => continue,
            Err(error) => Err(TerminalError::NotStarted(error)),
        };
        match started {
            Ok(()) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn watch_start(mut terminal: Child) -> Result<(), TerminalError> {
    match tokio::time::timeout(FAILURE_TIME, terminal.wait()).await {
        Ok(Ok(status)) if !status.success() => Err(TerminalError::Ended(status)),
        Ok(Err(error)) => Err(TerminalError::NotStarted(error)),
        // It is open, or its server has it.
        Ok(Ok(_)) | Err(_) => Ok(()),
    }
}

/// Terminals with the arguments before a command, first those that know the user's choice: the
/// freedesktop.org proposal "Default Terminal Execution", then Debian's alternative.
#[cfg(not(any(windows, target_os = "macos")))]
const TERMINALS: [(&str, &[&str]); 11] = [
    ("xdg-terminal-exec", &[]),
    ("x-terminal-emulator", &["-e"]),
    ("ptyxis", &["--"]),
    ("kgx", &["--"]),
    ("gnome-terminal", &["--"]),
    ("konsole", &["-e"]),
    ("xfce4-terminal", &["-x"]),
    ("alacritty", &["-e"]),
    ("kitty", &[]),
    ("foot", &[]),
    ("xterm", &["-e"]),
];

#[cfg(not(any(windows, target_os = "macos")))]
fn terminals(_folder: &Path, words: &[String], shell: &Path) -> Vec<Command> {
    let shell = posix_shell(shell);
    // A shell that handles the signal goes on when Ctrl-C ends the command.
    let line =
        format!("trap : INT; {}; exec {} -i", quote(words), quote(&[shell.to_string_lossy()]));
    let in_terminal = |(program, arguments): &(&str, &[&str])| {
        let mut command = Command::new(program);
        // Its own group: it outlives this program.
        command.args(*arguments).arg(&shell).args(["-l", "-i", "-c", &line]).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    TERMINALS.iter().map(in_terminal).collect()
}

/// Terminal is told what to type. Values are arguments of the script, so that none is read as code.
#[cfg(target_os = "macos")]
fn terminals(folder: &Path, words: &[String], _shell: &Path) -> Vec<Command> {
    let line = format!("cd {} && {}", quote(&[folder.to_string_lossy()]), quote(words));
    let mut command = Command::new("osascript");
    for script in [
        "on run line",
        "tell application \"Terminal\"",
        "do script (item 1 of line)",
        "activate",
        "end tell",
        "end run",
    ] {
        command.args(["-e", script]);
    }
    command.arg(line);
    vec![command]
}

/// A console of its own, which Windows opens in the user's terminal.
#[cfg(windows)]
fn terminals(_folder: &Path, words: &[String], _shell: &Path) -> Vec<Command> {
    const CREATE_NEW_CONSOLE: u32 = 0x0000_0010;
    let Some((program, arguments)) = words.split_first() else { return Vec::new() };
    let mut command = Command::new(program);
    command.args(arguments).creation_flags(CREATE_NEW_CONSOLE);
    vec![command]
}

/// The user's shell if it takes a line as a POSIX shell does, else `/bin/sh`.
#[cfg(not(any(windows, target_os = "macos")))]
fn posix_shell(shell: &Path) -> std::path::PathBuf {
    const KNOWN: [&str; 6] = ["bash", "dash", "fish", "ksh", "sh", "zsh"];
    let name = shell.file_name().and_then(std::ffi::OsStr::to_str);
    let is_known = shell.is_absolute() && name.is_some_and(|name| KNOWN.contains(&name));
    if is_known { shell.to_owned() } else { "/bin/sh".into() }
}

/// Paths of this program hold no NUL, the one character that cannot be quoted.
#[cfg(not(windows))]
fn quote(words: &[impl AsRef<str>]) -> String {
    let words = words.iter().map(AsRef::as_ref);
    shlex::try_join(words).unwrap_or_default()
}

#[cfg(all(test, not(any(windows, target_os = "macos"))))]
mod tests {
    use super::*;

    /// The arguments of Debian's alternative.
    fn line(words: &[&str], shell: &str) -> Vec<String> {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        let terminals = terminals(Path::new("/"), &words, Path::new(shell));
        let is_debian = |it: &&Command| it.as_std().get_program() == "x-terminal-emulator";
        let arguments = terminals.iter().find(is_debian).map(|it| it.as_std().get_args());
        arguments.into_iter().flatten().map(|it| it.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn the_users_shell_runs_the_quoted_words_and_stays() {
        let words = ["/opt/a b/gatehouse", "--home", "/it's", "run", "codex"];
        let quoted =
            "trap : INT; '/opt/a b/gatehouse' --home \"/it's\" run codex; exec /usr/bin/zsh -i";
        assert_eq!(line(&words, "/usr/bin/zsh"), ["-e", "/usr/bin/zsh", "-l", "-i", "-c", quoted]);
    }

    #[test]
    fn a_shell_with_a_language_of_its_own_is_not_asked() {
        for shell in ["/usr/bin/nu", "/usr/bin/pwsh", "bash", ""] {
            assert_eq!(line(&["gatehouse"], shell).get(1).map(String::as_str), Some("/bin/sh"));
        }
    }

    #[tokio::test]
    async fn a_terminal_that_fails_at_once_is_told_from_one_that_opens() {
        let start = |program: &str| Command::new(program).spawn().expect("started");
        let failed = watch_start(start("false")).await.expect_err("it failed");
        assert!(failed.to_string().contains("ended at once"), "{failed}");
        watch_start(start("true")).await.expect("a server has it");
    }
}
