//! The steps that cargo carries out.
//!
//! All of them build with `--workspace`: cargo unifies features over the packages of a call, and two
//! calls with different packages would compile half of the dependencies twice.

use anyhow::{Context, Result, bail};

use super::counts::{self, Counts};
use super::{Lock, Outcome, Surroundings};
use crate::call::Call;
use crate::{install, panel};

/// Where nextest leaves its report, by the profile in .config/nextest.toml.
const REPORT: &str = "nextest/report/junit.xml";

/// Tests of steps of their own: they need a screen, or the vendors' SDKs.
const APART: &str = "not (package(acceptance) and (binary(window) or binary(sdk)))";

pub(super) fn fmt(at: &Surroundings<'_>) -> Result<Outcome> {
    Call::cargo("fmt --all --check", &at.repository.root).run()?;
    Ok(Outcome::Well)
}

pub(super) fn clippy(at: &Surroundings<'_>) -> Result<Outcome> {
    panel::build(at.repository)?;
    cargo(at, "clippy --workspace --all-targets -- -D warnings").run()?;
    Ok(Outcome::Well)
}

/// The programs are built first: the acceptance tests start them.
pub(super) fn all(at: &Surroundings<'_>) -> Result<Outcome> {
    build(at)?;
    nextest(at, "--workspace", Some(APART))
}

pub(super) fn window(at: &Surroundings<'_>) -> Result<Outcome> {
    if !cfg!(target_os = "linux") {
        return Ok(Outcome::Skipped("the window is driven through WebKitGTK, so on Linux only"));
    }
    build(at)?;
    nextest(at, "--workspace --test window --run-ignored all", None)
}

/// Runs the acceptance tests with the vendors' SDKs. `setting` says where those were installed.
pub(super) fn sdk(
    at: &Surroundings<'_>,
    setting: &[(String, Option<std::ffi::OsString>)],
) -> Result<Outcome> {
    build(at)?;
    run_nextest(at, "--workspace --test sdk --run-ignored all", None, setting)
}

pub(super) fn doc(at: &Surroundings<'_>) -> Result<Outcome> {
    panel::build(at.repository)?;
    cargo(at, "doc --workspace --no-deps --quiet").env("RUSTDOCFLAGS", "-D warnings").run()?;
    println!("$ cargo test --doc --workspace");
    let call = cargo(at, "test --doc --workspace --quiet");
    let said = call.surroundings(&at.hermetic.environment()).capture()?;
    print!("{}", said.stdout);
    let counts = counts::from_doc_tests(&said.stdout);
    if !said.well && counts.failed == 0 {
        bail!("`cargo test --doc --workspace` failed; its own words are above");
    }
    Ok(Outcome::Counted(counts.plus(Counts::one_passed())))
}

/// Licences, sources and bans need no network. Advisories are fetched from GitHub, which is not
/// reachable from everywhere; then that part is left out, aloud.
pub(super) fn deny(at: &Surroundings<'_>) -> Result<Outcome> {
    if !install::ensure_deny(at.repository) {
        return Ok(Outcome::Skipped("cargo-deny could not be installed"));
    }
    let root = &at.repository.root;
    Call::cargo("deny check --hide-inclusion-graph bans licenses sources", root).run()?;
    if !Call::cargo("deny fetch db", root).attempt()? {
        println!("SKIPPED: advisories; their database could not be fetched from here");
        return Ok(Outcome::Counted(Counts::one_passed().plus(Counts::one_skipped())));
    }
    Call::cargo("deny check --disable-fetch --hide-inclusion-graph advisories", root).run()?;
    Ok(Outcome::Counted(Counts { passed: 2, ..Counts::default() }))
}

fn build(at: &Surroundings<'_>) -> Result<()> {
    panel::build(at.repository)?;
    cargo(at, "build --workspace --bins --examples").run()
}

fn nextest(at: &Surroundings<'_>, words: &str, filter: Option<&str>) -> Result<Outcome> {
    run_nextest(at, words, filter, &[])
}

/// Compiles in the real environment and runs in the tests' own.
fn run_nextest(
    at: &Surroundings<'_>,
    words: &str,
    filter: Option<&str>,
    setting: &[(String, Option<std::ffi::OsString>)],
) -> Result<Outcome> {
    let words = format!("nextest run --profile report {words}");
    cargo(at, &words).arg("--no-run").run()?;
    let report = at.repository.target.join(REPORT);
    if report.exists() {
        std::fs::remove_file(&report).context("could not remove the last test report")?;
    }
    let call =
        filter.into_iter().fold(cargo(at, &words), |call, filter| call.arg("-E").arg(filter));
    let well = call.surroundings(&at.hermetic.environment()).surroundings(setting).attempt()?;
    let text = std::fs::read_to_string(&report)
        .with_context(|| format!("the tests did not run: there is no {}", report.display()))?;
    let counts = counts::from_junit(&text)?;
    if !well && counts.failed == 0 {
        bail!("nextest failed though no test did; its own words are above");
    }
    Ok(Outcome::Counted(counts))
}

fn cargo(at: &Surroundings<'_>, words: &str) -> Call {
    let (subcommand, rest) = words.split_once(' ').unwrap_or((words, ""));
    let call = Call::new("cargo", &at.repository.root).words(subcommand);
    let call = if subcommand == "nextest" { call.words("run") } else { call };
    let rest = rest.strip_prefix("run ").filter(|_| subcommand == "nextest").unwrap_or(rest);
    let call = if at.lock == Lock::Frozen { call.words("--locked") } else { call };
    call.words(rest)
}
