//! `cargo xtask ci`: the tests as CI runs them. It is `test` and nothing else, with a frozen lock file,
//! so that a build which would change Cargo.lock is red there and cannot go unnoticed.

use std::process::ExitCode;

use anyhow::Result;

use crate::repository::Repository;
use crate::test::{self, Lock};

/// What `ci` understands.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    selection: test::Selection,
}

/// Runs the tests with a frozen lock file.
pub(crate) fn run(repository: &Repository, arguments: &Arguments) -> Result<ExitCode> {
    test::perform(repository, &arguments.selection, Lock::Frozen)
}
