//! Runs other programs, and prints each call so that it can be repeated by hand.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Variables that `cargo run` sets for this program. If passed on, they would make some build
/// scripts rerun whenever manual builds and `cargo xtask` alternate.
const CARGO_VARIABLE_PREFIXES: [&str; 3] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"];

/// A variable for a called program: its name, and its value or `None` to remove it.
pub(crate) type EnvironmentVariable = (String, Option<OsString>);

pub(crate) struct ProgramCall {
    command: Command,
    shown: String,
}

pub(crate) struct CapturedOutput {
    /// True if the program ended with 0.
    pub(crate) succeeded: bool,
    /// Standard output; bytes that are not UTF-8 are replaced.
    pub(crate) stdout: String,
}

impl ProgramCall {
    /// A call of `program` in `folder`.
    pub(crate) fn new(program: impl AsRef<OsStr>, folder: &Path) -> Self {
        let mut command = Command::new(program.as_ref());
        command.current_dir(folder).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            let shown = name.to_string_lossy();
            if CARGO_VARIABLE_PREFIXES.iter().any(|prefix| shown.starts_with(prefix)) {
                command.env_remove(&name);
            }
        }
        Self { command, shown: program.as_ref().to_string_lossy().into_owned() }
    }

    /// `cargo` with these arguments, separated by blanks.
    pub(crate) fn cargo(arguments: &str, folder: &Path) -> Self {
        Self::new("cargo", folder).words(arguments)
    }

    /// `npm` with these arguments, separated by blanks.
    pub(crate) fn npm(arguments: &str, folder: &Path) -> Self {
        Self::new(if cfg!(windows) { "npm.cmd" } else { "npm" }, folder).words(arguments)
    }

    /// Adds arguments that contain no blanks.
    pub(crate) fn words(self, words: &str) -> Self {
        words.split_whitespace().fold(self, Self::arg)
    }

    /// Adds one argument unchanged.
    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.shown.push(' ');
        self.shown.push_str(&quoted(argument.as_ref()));
        self.command.arg(argument);
        self
    }

    /// Sets one variable for the called program, and prints it with the call.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.shown = format!("{name}={} {}", quoted(value.as_ref()), self.shown);
        self.command.env(name, value);
        self
    }

    /// Sets variables for the called program without printing them.
    pub(crate) fn envs(mut self, variables: &[EnvironmentVariable]) -> Self {
        for (name, value) in variables {
            match value {
                Some(value) => self.command.env(name, value),
                None => self.command.env_remove(name),
            };
        }
        self
    }

    /// Connects the called program to standard input.
    pub(crate) fn interactive(mut self) -> Self {
        self.command.stdin(Stdio::inherit());
        self
    }

    /// Prints the call and runs it. True if it ended with 0.
    pub(crate) fn try_run(mut self) -> Result<bool> {
        println!("$ {}", self.shown);
        let status = self.command.status().with_context(|| self.not_started())?;
        Ok(status.success())
    }

    /// Prints the call and runs it. Any exit code but 0 is an error that names the call.
    pub(crate) fn run(self) -> Result<()> {
        let shown = self.shown.clone();
        if !self.try_run()? {
            bail!("`{shown}` failed; its own words are above");
        }
        Ok(())
    }

    /// Runs the call silently and returns its output. Its standard error still reaches the
    /// terminal.
    pub(crate) fn capture(mut self) -> Result<CapturedOutput> {
        self.command.stderr(Stdio::inherit());
        let output = self.command.output().with_context(|| self.not_started())?;
        Ok(CapturedOutput {
            succeeded: output.status.success(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        })
    }

    /// Runs the call without output. True if the program exists and ended with 0.
    pub(crate) fn succeeds_silently(mut self) -> bool {
        self.command.stdout(Stdio::null()).stderr(Stdio::null());
        self.command.status().is_ok_and(|status| status.success())
    }

    fn not_started(&self) -> String {
        format!("could not start `{}`; is it installed and on the PATH?", self.shown)
    }
}

fn quoted(argument: &OsStr) -> String {
    let text = argument.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@+%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::path::Path;

    use super::{ProgramCall, quoted};

    #[test]
    fn what_is_shown_can_be_typed() {
        let call = ProgramCall::cargo("doc --workspace", Path::new("."))
            .env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(call.shown, "RUSTDOCFLAGS='-D warnings' cargo doc --workspace");
        assert_eq!(quoted(OsStr::new("it's")), r"'it'\''s'");
        assert_eq!(quoted(OsStr::new("")), "''");
    }

    #[test]
    fn a_failing_program_is_an_error_that_names_the_call() {
        let error = ProgramCall::cargo("no-such-subcommand", Path::new(".")).run().unwrap_err();
        assert!(error.to_string().contains("`cargo no-such-subcommand` failed"), "{error}");
        let error = ProgramCall::new("no-such-program", Path::new(".")).run().unwrap_err();
        assert!(error.to_string().contains("could not start `no-such-program`"), "{error}");
    }
}
