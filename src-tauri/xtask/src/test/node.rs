//! Steps that run Node: the panel's checks, unit tests and browser tests. Also installs the
//! vendors' SDKs for Node and Python.

use std::ffi::OsString;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::counts::{self, TestCounts};
use super::{StepContext, StepOutcome, rust};
use crate::call::{EnvironmentVariable, ProgramCall};
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

/// Runs the vendors' SDKs against a running gateway. Their versions are pinned in tests/sdk
/// (requirements.txt and package-lock.json), those of the coding tools in tests/sdk/programs,
/// and the judges of the MCP server in tests/sdk/agents; the tests find them by four variables.
pub(super) fn sdk(at: &StepContext<'_>) -> Result<StepOutcome> {
    let folder = at.repository.root.join("tests/sdk");
    let mut setting: Vec<EnvironmentVariable> = Vec::new();
    if folder.join("package-lock.json").is_file() {
        panel::install_packages(at.repository, &folder, "sdk-packages")?;
        setting.push(("GATEHOUSE_SDK_NODE".to_owned(), Some(folder.clone().into_os_string())));
    }
    let programs = folder.join("programs");
    if programs.join("package-lock.json").is_file() {
        panel::install_packages(at.repository, &programs, "sdk-programs")?;
        setting.push(("GATEHOUSE_SDK_PROGRAMS".to_owned(), Some(programs.into_os_string())));
    }
    let agents = folder.join("agents");
    if agents.join("package-lock.json").is_file() {
        panel::install_packages(at.repository, &agents, "sdk-agents")?;
        setting.push(("GATEHOUSE_SDK_AGENTS".to_owned(), Some(agents.into_os_string())));
    }
    let requirements = folder.join("requirements.txt");
    if requirements.is_file() {
        let python = python_interpreter(at, &requirements)?;
        setting.push(("GATEHOUSE_SDK_PYTHON".to_owned(), Some(python)));
    }
    rust::sdk(at, &setting)
}

/// Creates a virtual environment and returns its interpreter. pip does nothing if all packages are
/// installed.
fn python_interpreter(at: &StepContext<'_>, requirements: &Path) -> Result<OsString> {
    let root = &at.repository.root;
    let folder = at.repository.scratch()?.join("python");
    let interpreter = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    if !interpreter.is_file() {
        let system = if cfg!(windows) { "python" } else { "python3" };
        // Google's SDK requires it.
        let asks = "import sys; sys.exit(sys.version_info < (3, 11))";
        if !ProgramCall::new(system, root).arg("-c").arg(asks).succeeds_silently() {
            bail!("Python 3.11 or newer is needed for the vendors' SDKs; install it as {system}");
        }
        ProgramCall::new(system, root).words("-m venv").arg(&folder).run()?;
    }
    let pip = "-m pip install --quiet --disable-pip-version-check --requirement";
    ProgramCall::new(&interpreter, root).words(pip).arg(requirements).run()?;
    Ok(interpreter.into_os_string())
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
