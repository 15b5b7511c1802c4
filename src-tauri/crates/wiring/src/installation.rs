//! Whether a tool is installed, and in which version. No program is run for that.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::environment::ToolEnvironment;
use crate::files::read_config;
use crate::tool::ClientToolDefinition;

/// Folders above a program in which its version is looked for.
const ANCESTORS_MAX: usize = 6;

/// A tool on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// None if only the tool's folder was found.
    pub program: Option<PathBuf>,
    /// As the tool's package or its folder says; None if neither does.
    pub version: Option<String>,
}

impl Installation {
    pub(crate) fn of_tool<G>(
        tool: &ClientToolDefinition<G>,
        environment: &ToolEnvironment,
    ) -> Option<Self> {
        Self::find(Some(tool.program), &(tool.folder)(environment), environment)
    }

    /// Finds a tool by its program or by the folder of its files.
    pub(crate) fn find(
        program: Option<&str>,
        folder: &Path,
        environment: &ToolEnvironment,
    ) -> Option<Self> {
        let program = program.and_then(|name| environment.find_program(name));
        if program.is_none() && !folder.is_dir() {
            return None;
        }
        let version = program.as_deref().and_then(find_version);
        Some(Self { program, version })
    }
}

/// Reads the version from the package that the program belongs to, or from a folder or file named
/// after it, as native installers and Homebrew do.
fn find_version(program: &Path) -> Option<String> {
    let real = program.canonicalize().ok()?;
    real.ancestors().take(ANCESTORS_MAX).find_map(|place| {
        let name = place.file_name()?.to_str()?;
        if is_version(name) {
            return Some(name.to_owned());
        }
        let package = read_config(&place.join("package.json")).ok().flatten()?;
        let package: Value = serde_json::from_str(&package).ok()?;
        let version = package.get("version")?.as_str()?;
        is_version(version).then(|| version.to_owned())
    })
}

/// True for `1.2` and longer, with a suffix such as `-alpha.1`.
fn is_version(text: &str) -> bool {
    let numbers = text.split(['-', '+']).next().unwrap_or_default();
    numbers.contains('.')
        && numbers
            .split('.')
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::is_version;

    #[test]
    fn versions_are_told_from_names() {
        for version in ["2.1.329", "0.169.0-alpha.1", "1.2"] {
            assert!(is_version(version), "{version}");
        }
        for name in ["bin", "22", "python3.12", "codex.js", ".local", "1..2", "v1.2"] {
            assert!(!is_version(name), "{name}");
        }
    }
}
