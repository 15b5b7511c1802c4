//! The user's home folder and variables, as far as client tools look at them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::client_tool::ClientTool;
use crate::opencode_variable::{CONFIG_VARIABLE, deciding_part};

/// Variables with folders or files of tools, and the search path.
const PATH_VARIABLES: &[&str] = &[
    "APPDATA",
    "CLAUDE_CONFIG_DIR",
    "CODEX_HOME",
    "CONTINUE_GLOBAL_DIR",
    "GEMINI_CLI_HOME",
    "OPENCODE_CONFIG",
    "OPENCODE_CONFIG_DIR",
    "PATH",
    "XDG_CONFIG_HOME",
];

/// Where tools are installed that the search path of a desktop session may not name, from the home
/// folder and from the root of the file system.
const HOME_PROGRAM_FOLDERS: &[&str] =
    &[".local/bin", ".claude/local", ".npm-global/bin", ".bun/bin", ".volta/bin", ".cargo/bin"];
const SYSTEM_PROGRAM_FOLDERS: &[&str] = &["usr/local/bin", "opt/homebrew/bin", "usr/bin"];

/// What client tools see of this user. Holds no secret: of variables with a key it is only known
/// that they are set.
#[derive(Debug, Clone)]
pub struct ToolEnvironment {
    pub home: PathBuf,
    /// The folder whose project settings are looked at.
    pub project: Option<PathBuf>,
    /// `/`; another folder in tests.
    pub system_root: PathBuf,
    paths: BTreeMap<String, String>,
    /// What decides about our provider in variables that hold a configuration.
    configs: BTreeMap<String, Value>,
    set: Vec<String>,
}

impl ToolEnvironment {
    /// A variable with no more of its value than [`Self::new`] keeps: none of a key is copied.
    #[must_use]
    pub fn reduce(name: &str, value: &str) -> (String, String) {
        let is_kept = PATH_VARIABLES.contains(&name);
        let is_set = !value.trim().is_empty();
        let reduced = if is_kept {
            value.to_owned()
        } else if is_set && name == CONFIG_VARIABLE {
            deciding_part(value).to_string()
        } else if is_set {
            "set".to_owned()
        } else {
            String::new()
        };
        (name.to_owned(), reduced)
    }

    pub fn new(home: PathBuf, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let (mut paths, mut configs, mut set) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for (name, value) in variables {
            if value.trim().is_empty() {
                continue;
            }
            if PATH_VARIABLES.contains(&name.as_str()) {
                paths.insert(name, value);
            } else if name == CONFIG_VARIABLE {
                configs.insert(name, deciding_part(&value));
            } else {
                set.push(name);
            }
        }
        let system_root = PathBuf::from(if cfg!(windows) { "C:\\" } else { "/" });
        Self { home, project: None, system_root, paths, configs, set }
    }

    /// With the settings of the project in `folder`.
    #[must_use]
    pub fn in_project(mut self, folder: Option<PathBuf>) -> Self {
        // The user's own files also lie in the home folder's `.claude`.
        self.project = folder.filter(|folder| *folder != self.home);
        self
    }

    /// With those of the named variables that outrank a tool's wiring.
    #[must_use]
    pub fn with_set_variables(mut self, names: &[String]) -> Self {
        let known = ClientTool::outranking_variables();
        let named = known.filter(|known| names.iter().any(|name| name == known));
        self.set.extend(named.map(str::to_owned));
        self
    }

    /// The project's folder and those above it, up to the root of its repository; without one, that folder
    /// alone. The user's own files also lie in the home folder, which is left out.
    pub(crate) fn project_folders(&self) -> Vec<&Path> {
        let Some(project) = &self.project else { return Vec::new() };
        let root = repository_root(project).unwrap_or(project);
        let folders = project.ancestors().take_while(|folder| folder.starts_with(root));
        folders.filter(|folder| *folder != self.home).collect()
    }

    /// The folder that `variable` names, or else `default` in the home folder.
    pub(crate) fn folder(&self, variable: &str, default: &str) -> PathBuf {
        self.path(variable).unwrap_or_else(|| self.home.join(default))
    }

    /// The folder or file that `variable` names.
    pub(crate) fn path(&self, variable: &str) -> Option<PathBuf> {
        self.paths.get(variable).map(|value| match value.strip_prefix("~/") {
            Some(rest) => self.home.join(rest),
            None => self.home.join(value),
        })
    }

    pub(crate) fn is_set(&self, variable: &str) -> bool {
        self.set.iter().any(|name| name == variable)
    }

    /// What decides about our provider in the configuration that `variable` holds.
    pub(crate) fn config(&self, variable: &str) -> Option<&Value> {
        self.configs.get(variable)
    }

    /// True if `program`, as a tool's file names it, can be started.
    pub(crate) fn has_program(&self, program: &Path) -> bool {
        match program.strip_prefix("/") {
            Ok(inside) => is_program(&self.system_root.join(inside)),
            Err(_) if program.is_absolute() => is_program(program),
            Err(_) => program.to_str().is_some_and(|name| self.find_program(name).is_some()),
        }
    }

    /// Finds a program in the search path and in the usual places.
    pub(crate) fn find_program(&self, name: &str) -> Option<PathBuf> {
        let path = self.paths.get("PATH").map(std::env::split_paths);
        let home = HOME_PROGRAM_FOLDERS.iter().map(|folder| self.home.join(folder));
        let system = SYSTEM_PROGRAM_FOLDERS.iter().map(|folder| self.system_root.join(folder));
        let folders = path.into_iter().flatten().chain(home).chain(system);
        let ends: &[&str] = if cfg!(windows) { &[".exe", ".cmd"] } else { &[""] };
        let files = folders
            .filter(|folder| folder.is_absolute())
            .flat_map(|folder| ends.iter().map(move |end| folder.join(format!("{name}{end}"))));
        files.into_iter().find(|file| is_program(file))
    }
}

pub(crate) fn repository_root(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|folder| folder.join(".git").exists())
}

#[cfg(unix)]
fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(file: &Path) -> bool {
    file.is_file()
}
