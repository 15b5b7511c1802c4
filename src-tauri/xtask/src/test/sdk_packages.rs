//! Installs the vendors' SDKs for Node and Python, the coding tools, and the judges of the MCP server.
//!
//! On a new machine this waits minutes for the registries, so it runs beside the steps that compile.

use std::ffi::OsString;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, bail};

use crate::call::{EnvironmentVariable, ProgramCall};
use crate::panel;
use crate::repository::Repository;

/// npm projects below `tests/sdk`, each with the stamp of its packages and the variable by which the
/// tests find its folder.
const NPM_PROJECTS: [(&str, &str, &str); 3] = [
    ("", "sdk-packages", "GATEHOUSE_SDK_NODE"),
    ("programs", "sdk-programs", "GATEHOUSE_SDK_PROGRAMS"),
    ("agents", "sdk-agents", "GATEHOUSE_SDK_AGENTS"),
];

/// Held while packages are installed, so that the step waits for what was begun beside other steps.
static INSTALLING: Mutex<()> = Mutex::new(());

/// Installs what is missing, in the versions that `requirements.txt` and each `package-lock.json`
/// pin. Returns the variables by which the tests find it.
pub(super) fn install(repository: &Repository) -> Result<Vec<EnvironmentVariable>> {
    let _installing = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let sdk = repository.root.join("tests/sdk");
    let mut variables: Vec<EnvironmentVariable> = Vec::new();
    for (name, stamp, variable) in NPM_PROJECTS {
        let folder = sdk.join(name);
        panel::install_packages(repository, &folder, stamp)?;
        variables.push((variable.to_owned(), Some(folder.into_os_string())));
    }
    let python = python_interpreter(repository, &sdk.join("requirements.txt"))?;
    variables.push(("GATEHOUSE_SDK_PYTHON".to_owned(), Some(python)));
    Ok(variables)
}

/// Creates a virtual environment and returns its interpreter. pip does nothing if all packages are
/// installed.
fn python_interpreter(repository: &Repository, requirements: &Path) -> Result<OsString> {
    let root = &repository.root;
    let folder = repository.scratch()?.join("python");
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
