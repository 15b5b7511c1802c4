//! The repository's own commands, so that developers, CI and the README run exactly the same thing.
//!
//! Each command is one file. A command installs, builds or names everything that it needs itself,
//! so there is no order to remember.

#![expect(clippy::print_stdout, reason = "a command line program: its output is its job")]
#![expect(
    clippy::disallowed_methods,
    reason = "tooling reads the environment, measures real time and writes generated files"
)]

mod bench;
mod bindings;
mod call;
mod icons;
mod install;
mod layers;
mod package;
mod panel;
mod repository;
mod run;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::repository::Repository;

/// Everything one does with this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct XtaskCommandLine {
    #[command(subcommand)]
    task: XtaskCommand,
}

#[derive(Subcommand)]
enum XtaskCommand {
    /// Install what is missing, build, and open the panel
    Run(run::RunArguments),
    /// Install what is missing, then run every test there is
    ///
    /// CI runs this very command: there is no second way that could pass where the first fails.
    #[command(visible_alias = "ci")]
    Test(test::TestArguments),
    /// Regenerate the panel's TypeScript types from the Rust ones
    Bindings(bindings::BindingsArguments),
    /// Check which crate may import which
    Layers,
    /// Check file and function lengths, names, module docs and leftovers
    Tidy,
    /// Draw every icon size again from the SVG drawings in icons/
    Icons,
    /// Build the installable packages
    Package,
    /// Measure the built programs beside the direct way and nginx
    Bench(bench::BenchArguments),
}

fn main() -> ExitCode {
    let task = XtaskCommandLine::parse().task;
    match Repository::locate().and_then(|repository| run_task(task, &repository)) {
        Ok(code) => code,
        Err(error) => {
            println!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run_task(task: XtaskCommand, repository: &Repository) -> anyhow::Result<ExitCode> {
    match task {
        XtaskCommand::Run(arguments) => run::run(repository, &arguments)?,
        XtaskCommand::Test(arguments) => return test::run(repository, &arguments),
        XtaskCommand::Bindings(arguments) => bindings::run(repository, &arguments)?,
        XtaskCommand::Layers => layers::run(repository)?,
        XtaskCommand::Tidy => tidy::run(repository)?,
        XtaskCommand::Icons => icons::run(repository)?,
        XtaskCommand::Package => package::run(repository)?,
        XtaskCommand::Bench(arguments) => bench::run(repository, &arguments)?,
    }
    Ok(ExitCode::SUCCESS)
}
