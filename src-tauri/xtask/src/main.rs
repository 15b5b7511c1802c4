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
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what is missing, build, and open the panel
    Run(run::Arguments),
    /// Install what is missing, then run every test there is
    ///
    /// CI runs this very command: there is no second way that could pass where the first fails.
    #[command(visible_alias = "ci")]
    Test(test::Arguments),
    /// Regenerate the panel's TypeScript types from the Rust ones
    Bindings(bindings::Arguments),
    /// Check which crate may import which
    Layers,
    /// Check file and function lengths, names, module docs and leftovers
    Tidy,
    /// Draw every icon size again from the SVG drawings in icons/
    Icons,
    /// Build the installable packages
    Package,
    /// Measure the built programs beside the direct way and nginx
    Bench(bench::Arguments),
}

fn main() -> ExitCode {
    let task = Arguments::parse().task;
    match Repository::locate().and_then(|repository| perform(task, &repository)) {
        Ok(code) => code,
        Err(error) => {
            println!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task, repository: &Repository) -> anyhow::Result<ExitCode> {
    match task {
        Task::Run(arguments) => run::run(repository, &arguments)?,
        Task::Test(arguments) => return test::run(repository, &arguments),
        Task::Bindings(arguments) => bindings::run(repository, &arguments)?,
        Task::Layers => layers::run(repository)?,
        Task::Tidy => tidy::run(repository)?,
        Task::Icons => icons::run(repository)?,
        Task::Package => package::run(repository)?,
        Task::Bench(arguments) => bench::run(repository, &arguments)?,
    }
    Ok(ExitCode::SUCCESS)
}
