//! `cargo xtask run`: opens the panel from a fresh checkout.

use anyhow::Result;

use crate::call::ProgramCall;
use crate::install::{self, Prerequisite};
use crate::panel;
use crate::repository::Repository;

#[derive(clap::Args)]
pub(crate) struct RunArguments {
    /// Arguments for the started program, after `--`
    #[arg(last = true)]
    passed_on: Vec<String>,
}

/// Installs, builds and starts the window, or the browser panel if there is no display.
pub(crate) fn run(repository: &Repository, arguments: &RunArguments) -> Result<()> {
    if has_display() { window(repository, arguments) } else { served(repository, arguments) }
}

fn window(repository: &Repository, arguments: &RunArguments) -> Result<()> {
    install::ensure(repository, &[Prerequisite::WebView])?;
    panel::build(repository)?;
    // The command line program has to be beside the desktop program, since it starts it.
    let build = "build --package gatehouse-desktop --package cli --bins";
    ProgramCall::cargo(build, &repository.root).run()?;
    start(repository, "gatehouse-desktop", "", arguments)
}

fn served(repository: &Repository, arguments: &RunArguments) -> Result<()> {
    println!("No display here: the panel is served to a browser instead; its address follows.");
    install::ensure(repository, &[Prerequisite::Keychain])?;
    panel::build(repository)?;
    ProgramCall::cargo("build --package cli --bin gatehouse", &repository.root).run()?;
    start(repository, "gatehouse", "serve --panel", arguments)
}

fn start(repository: &Repository, name: &str, words: &str, arguments: &RunArguments) -> Result<()> {
    let call =
        ProgramCall::new(repository.built(name), &repository.root).words(words).interactive();
    arguments.passed_on.iter().fold(call, ProgramCall::arg).run()
}

fn has_display() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}
