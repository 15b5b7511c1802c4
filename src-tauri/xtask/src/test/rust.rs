//! Steps that run cargo.
//!
//! All of them build with `--workspace`: cargo unifies features over the packages of a call, and
//! two calls with different packages would compile half of the dependencies twice.

use std::env::consts::EXE_EXTENSION;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::counts::{self, TestCounts};
use super::junit::JunitReport;
use super::{StepContext, StepOutcome};
use crate::call::{EnvironmentVariable, ProgramCall};
use crate::{install, panel};

/// The path of nextest's report for the profile in .config/nextest.toml: always below the root,
/// even if `CARGO_TARGET_DIR` is set.
const REPORT: &str = "target/nextest/report/junit.xml";

/// Names the targets so that cargo unifies features over the examples and tests too, as clippy's
/// call does; a plain `cargo doc` would check half of the dependencies once more. The desktop
/// program is left out: it has the same name as its library, so one page would overwrite the other.
const DOC: &str = "doc --workspace --lib --bin gatehouse --bin xtask --examples --no-deps --quiet";

pub(super) fn fmt(at: &StepContext<'_>) -> Result<StepOutcome> {
    cargo(at, "fmt --all --check").run()?;
    Ok(StepOutcome::Passed)
}

pub(super) fn clippy(at: &StepContext<'_>) -> Result<StepOutcome> {
    panel::build(at.repository)?;
    cargo(at, "clippy --workspace --all-targets -- -D warnings").run()?;
    Ok(StepOutcome::Passed)
}

/// Builds the programs first, since the acceptance tests start them. Tests that need a screen or
/// the vendors' SDKs are marked `#[ignore]`; the steps `window` and `sdk` run those.
pub(super) fn run_all_tests(at: &StepContext<'_>) -> Result<StepOutcome> {
    build(at)?;
    nextest(at, "--workspace", &[])
}

pub(super) fn window(at: &StepContext<'_>) -> Result<StepOutcome> {
    if !cfg!(target_os = "linux") {
        return Ok(StepOutcome::Skipped(
            "the window is driven through WebKitGTK, so on Linux only",
        ));
    }
    build(at)?;
    nextest(at, "--workspace --test window --run-ignored all", &[])
}

/// Runs the acceptance tests with the vendors' SDKs. `setting` holds the variables with their
/// paths.
pub(super) fn sdk(at: &StepContext<'_>, setting: &[EnvironmentVariable]) -> Result<StepOutcome> {
    build(at)?;
    nextest(at, "--workspace --test sdk --run-ignored all", setting)
}

pub(super) fn doc(at: &StepContext<'_>) -> Result<StepOutcome> {
    panel::build(at.repository)?;
    cargo(at, DOC).env("RUSTDOCFLAGS", "-D warnings").envs(&clippy_environment()).run()?;
    println!("$ cargo test --doc --workspace");
    let call = cargo(at, "test --doc --workspace --quiet");
    let said = call.envs(&at.hermetic.environment()).capture()?;
    print!("{}", said.stdout);
    let counts = counts::from_doc_tests(&said.stdout);
    if !said.succeeded && counts.failed == 0 {
        bail!("`cargo test --doc --workspace` failed; its own words are above");
    }
    Ok(StepOutcome::Counted(counts.plus(TestCounts::one_passed())))
}

/// What `cargo clippy -- -D warnings` sets for the compiler. With the same setting, the documentation
/// is made from what clippy has checked; without it, cargo checks the whole workspace once more.
fn clippy_environment() -> Vec<EnvironmentVariable> {
    let cargo = std::env::var_os("CARGO").map(PathBuf::from);
    let driver =
        cargo.map(|path| path.with_file_name("clippy-driver").with_extension(EXE_EXTENSION));
    let Some(driver) = driver.filter(|path| path.is_file()) else { return Vec::new() };
    let denied = "-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__";
    vec![
        ("RUSTC_WORKSPACE_WRAPPER".to_owned(), Some(driver.into())),
        ("CLIPPY_ARGS".to_owned(), Some(denied.into())),
    ]
}

/// Licences, sources and bans need no network. Advisories are fetched from GitHub, which may be
/// unreachable; that part is then skipped with a message.
pub(super) fn deny(at: &StepContext<'_>) -> Result<StepOutcome> {
    if !install::ensure_deny(at.repository) {
        return Ok(StepOutcome::Skipped("cargo-deny could not be installed"));
    }
    cargo(at, "deny check --hide-inclusion-graph bans licenses sources").run()?;
    if !cargo(at, "deny fetch db").try_run()? {
        println!("SKIPPED: advisories; their database could not be fetched from here");
        return Ok(StepOutcome::Counted(TestCounts::one_passed().plus(TestCounts::one_skipped())));
    }
    cargo(at, "deny check --disable-fetch --hide-inclusion-graph advisories").run()?;
    Ok(StepOutcome::Counted(TestCounts { passed: 2, ..TestCounts::default() }))
}

/// Builds the programs, with the panel inside.
pub(super) fn build(at: &StepContext<'_>) -> Result<()> {
    panel::build(at.repository)?;
    cargo(at, "build --workspace --bins --examples").run()
}

/// Compiles in the real environment and runs in the tests' own, with `setting` added.
fn nextest(
    at: &StepContext<'_>,
    words: &str,
    setting: &[EnvironmentVariable],
) -> Result<StepOutcome> {
    let words = format!("nextest run --profile report {words}");
    cargo(at, &words).arg("--no-run").run()?;
    let report = at.repository.root.join(REPORT);
    if report.exists() {
        std::fs::remove_file(&report).context("could not remove the last test report")?;
    }
    let call = cargo(at, &words).envs(&at.hermetic.environment()).envs(setting);
    let well = call.try_run()?;
    let text = std::fs::read_to_string(&report)
        .with_context(|| format!("the tests did not run: there is no {}", report.display()))?;
    let junit = JunitReport::parse(&text)?;
    std::fs::write(&report, &junit.text).context("could not write the test report")?;
    for (test, reason) in &junit.skipped {
        println!("SKIPPED {test}: {reason}");
    }
    let counts = junit.counts;
    if !well && counts.failed == 0 {
        bail!("nextest failed though no test did; its own words are above");
    }
    Ok(StepOutcome::Counted(counts))
}

fn cargo(at: &StepContext<'_>, words: &str) -> ProgramCall {
    ProgramCall::cargo(words, &at.repository.root)
}
