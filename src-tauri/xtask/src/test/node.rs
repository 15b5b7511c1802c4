//! Steps that run Node: the panel's checks, unit tests and browser tests. Also installs the
//! vendors' SDKs for Node and Python.

use std::ffi::OsString;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::counts::{self, Counts};
use super::{Outcome, Surroundings, rust};
use crate::call::{Call, Variable};
use crate::{install, panel};

pub(super) fn build(at: &Surroundings<'_>) -> Result<Outcome> {
    panel::build(at.repository)?;
    Ok(Outcome::Well)
}

/// Checks types, lint and unused code in one script, then runs the unit tests.
pub(super) fn panel_tests(at: &Surroundings<'_>) -> Result<Outcome> {
    panel::install(at.repository)?;
    let ui = at.repository.ui();
    let statics = Call::npm("run check", &ui).attempt()?;
    let report = fresh(at, "vitest.json")?;
    let output = format!("--outputFile.json={}", report.display());
    let call = Call::npm("run test -- --reporter=default --reporter=json", &ui).arg(output);
    let well = call.surroundings(&at.hermetic.environment()).attempt()?;
    let tests = counted(&report, well, counts::from_vitest)?;
    let statics = if statics { Counts::one_passed() } else { Counts::one_failed() };
    Ok(Outcome::Counted(tests.plus(statics)))
}

/// Tests the panel in a real browser: on its fake host, and for its session on the real program.
pub(super) fn browser(at: &Surroundings<'_>) -> Result<Outcome> {
    rust::build(at)?;
    let chromium = install::chromium(at.repository)?;
    let report = fresh(at, "playwright.json")?;
    let call = Call::npm("run test:browser -- --reporter=list,json", &at.repository.ui())
        .env("GATEHOUSE_CHROMIUM", chromium)
        .env("GATEHOUSE_PROGRAM", at.repository.built("gatehouse"))
        .env("PLAYWRIGHT_JSON_OUTPUT_FILE", &report);
    let well = call.surroundings(&at.hermetic.environment()).attempt()?;
    Ok(Outcome::Counted(counted(&report, well, counts::from_playwright)?))
}

/// Runs the vendors' SDKs against a running gateway. Their versions are pinned in tests/sdk
/// (requirements.txt and package-lock.json); the tests find them by two variables.
pub(super) fn sdk(at: &Surroundings<'_>) -> Result<Outcome> {
    let folder = at.repository.root.join("tests/sdk");
    let mut setting: Vec<Variable> = Vec::new();
    if folder.join("package-lock.json").is_file() {
        panel::packages(at.repository, &folder, "sdk-packages")?;
        setting.push(("GATEHOUSE_SDK_NODE".to_owned(), Some(folder.clone().into_os_string())));
    }
    let requirements = folder.join("requirements.txt");
    if requirements.is_file() {
        let python = python(at, &requirements)?;
        setting.push(("GATEHOUSE_SDK_PYTHON".to_owned(), Some(python)));
    }
    rust::sdk(at, &setting)
}

/// Creates a virtual environment and returns its interpreter. pip does nothing if all packages are
/// installed.
fn python(at: &Surroundings<'_>, requirements: &Path) -> Result<OsString> {
    let root = &at.repository.root;
    let folder = at.repository.scratch()?.join("python");
    let interpreter = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    if !interpreter.is_file() {
        let system = if cfg!(windows) { "python" } else { "python3" };
        // Google's SDK requires it.
        let asks = "import sys; sys.exit(sys.version_info < (3, 11))";
        if !Call::new(system, root).arg("-c").arg(asks).quietly_well() {
            bail!("Python 3.11 or newer is needed for the vendors' SDKs; install it as {system}");
        }
        Call::new(system, root).words("-m venv").arg(&folder).run()?;
    }
    let pip = "-m pip install --quiet --disable-pip-version-check --requirement";
    Call::new(&interpreter, root).words(pip).arg(requirements).run()?;
    Ok(interpreter.into_os_string())
}

/// The path of a new report; removes the old one.
fn fresh(at: &Surroundings<'_>, name: &str) -> Result<std::path::PathBuf> {
    let path = at.repository.scratch()?.join(name);
    if path.exists() {
        std::fs::remove_file(&path)
            .with_context(|| format!("could not remove the last report {}", path.display()))?;
    }
    Ok(path)
}

fn counted(report: &Path, well: bool, read: fn(&str) -> Result<Counts>) -> Result<Counts> {
    let text = std::fs::read_to_string(report)
        .with_context(|| format!("the tests did not run: there is no {}", report.display()))?;
    let counts = read(&text)?;
    if !well && counts.failed == 0 {
        bail!("the runner failed though no test did; its own words are above");
    }
    Ok(counts)
}
