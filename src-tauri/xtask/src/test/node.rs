//! Steps that run Node: the panel's checks, unit tests and browser tests.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::counts::{self, TestCounts};
use super::{StepContext, StepOutcome, rust, sdk_packages};
use crate::call::ProgramCall;
use crate::{install, panel};

pub(super) fn build(at: &StepContext<'_>) -> Result<StepOutcome> {
    panel::build(at.repository)?;
    panel::check_start_script(at.repository)?;
    Ok(StepOutcome::Passed)
}

/// Checks types, lint and unused code in one script, then runs the unit tests.
pub(super) fn panel_tests(at: &StepContext<'_>) -> Result<StepOutcome> {
    panel::install(at.repository)?;
    let ui = at.repository.ui();
    let statics = ProgramCall::npm("run check", &ui).try_run()?;
    let report = fresh_report_path(at, "vitest.json")?;
    let output = format!("--outputFile.json={}", report.display());
    let call = ProgramCall::npm("run test -- --reporter=default --reporter=json", &ui).arg(output);
    let well = call.envs(&at.hermetic.environment()).try_run()?;
    let tests = read_counts(&report, well, counts::from_vitest)?;
    let statics = if statics { TestCounts::one_passed() } else { TestCounts::one_failed() };
    Ok(StepOutcome::Counted(tests.plus(statics)))
}

/// Tests the panel in a real browser: on its fake host, and for its session on the real program.
pub(super) fn browser(at: &StepContext<'_>) -> Result<StepOutcome> {
    rust::build(at)?;
    let chromium = install::chromium(at.repository)?;
    let report = fresh_report_path(at, "playwright.json")?;
    let call = ProgramCall::npm("run test:browser -- --reporter=list,json", &at.repository.ui())
        .env("GATEHOUSE_CHROMIUM", chromium)
        .env("GATEHOUSE_PROGRAM", at.repository.built("gatehouse"))
        .env("PLAYWRIGHT_JSON_OUTPUT_FILE", &report);
    let well = call.envs(&at.hermetic.environment()).try_run()?;
    Ok(StepOutcome::Counted(read_counts(&report, well, counts::from_playwright)?))
}

/// Runs the vendors' SDKs against a running gateway.
pub(super) fn sdk(at: &StepContext<'_>) -> Result<StepOutcome> {
    rust::sdk(at, &sdk_packages::install(at.repository)?)
}

/// The path of a new report; removes the old one.
fn fresh_report_path(at: &StepContext<'_>, name: &str) -> Result<std::path::PathBuf> {
    let path = at.repository.scratch()?.join(name);
    if path.exists() {
        std::fs::remove_file(&path)
            .with_context(|| format!("could not remove the last report {}", path.display()))?;
    }
    Ok(path)
}

fn read_counts(
    report: &Path,
    well: bool,
    read: fn(&str) -> Result<TestCounts>,
) -> Result<TestCounts> {
    let text = std::fs::read_to_string(report)
        .with_context(|| format!("the tests did not run: there is no {}", report.display()))?;
    let counts = read(&text)?;
    if !well && counts.failed == 0 {
        bail!("the runner failed though no test did; its own words are above");
    }
    Ok(counts)
}
