//! Why a file with a plain copy is left to its owner, and what to do there.

use std::fmt;
use std::fs::Metadata;
use std::path::{Path, PathBuf};

use super::StoredKey;
use super::edit::CopyEdit;
use super::find::CopyFormat;
use super::git::is_tracked;
use crate::agent_program::AgentProgram;
use crate::client_tool::ClientTool;
use crate::files::read_config;
use crate::record::Records;
use crate::tool::WiredTool as _;

/// Names of scripts that shells run at their start.
const SHELL_SCRIPTS: [&str; 9] = [
    ".bashrc",
    ".bash_profile",
    ".bash_login",
    ".profile",
    ".zshenv",
    ".zprofile",
    ".zshrc",
    ".zlogin",
    "config.fish",
];

const SHELL_ENDINGS: [&str; 5] = ["sh", "bash", "zsh", "fish", "ps1"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CopyObstacle {
    /// What follows in a script may rely on the line.
    ShellScript,
    /// Of a kind for which there is no reader.
    UnknownFormat,
    OutsideHome,
    LinkOutsideHome(PathBuf),
    /// A new file would no longer be the one that the other names lead to.
    SeveralNames,
    OtherOwner,
    ReadOnly,
    /// The undo of the wiring would bring the key back.
    Wired(&'static str),
    Unreadable(String),
}

impl fmt::Display for CopyObstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShellScript => f.write_str(
                "is a shell script, in which other lines may need this one. Delete the line in an \
                 editor, and open a new terminal",
            ),
            Self::UnknownFormat => f.write_str(
                "is of a kind that Gatehouse does not change. Delete the key in an editor",
            ),
            Self::OutsideHome => f.write_str(
                "is outside of your home folder, where others may use it. Delete the key in an editor",
            ),
            Self::LinkOutsideHome(target) => write!(
                f,
                "is a link to {}, outside of your home folder. Delete the key there",
                target.display()
            ),
            Self::SeveralNames => f.write_str(
                "has several names (hard links), and a new file would have one. Delete the key in an \
                 editor that writes in place",
            ),
            Self::OtherOwner => {
                f.write_str("belongs to another user. Ask its owner to delete the key")
            }
            Self::ReadOnly => {
                f.write_str("is read-only. Allow yourself to write it, and look again")
            }
            Self::Wired(tool) => write!(
                f,
                "is wired for {tool}, and undoing that would bring the key back. Unwire {tool}, remove \
                 the copy, and wire it again"
            ),
            Self::Unreadable(what) => write!(f, "{what}. Delete the key in an editor"),
        }
    }
}

/// What decides whether a file may be changed.
pub(super) struct Surroundings {
    home: PathBuf,
    tools: Records<ClientTool>,
    agents: Records<AgentProgram>,
}

impl Surroundings {
    pub(super) fn new(home: &Path, state_folder: &Path) -> Self {
        Self {
            home: home.canonicalize().unwrap_or_else(|_| home.to_owned()),
            tools: Records::new(state_folder),
            agents: Records::new(state_folder),
        }
    }

    /// The edit that empties the copies in a file, or why there is none, as a sentence.
    pub(super) fn prepare(&self, path: &Path, keys: &[StoredKey]) -> Result<CopyEdit, String> {
        let sentence = |obstacle: CopyObstacle| format!("The file {obstacle}.");
        if let Some(obstacle) = self.obstacle(path).or_else(|| self.wired(path)) {
            return Err(sentence(obstacle));
        }
        let unreadable = |what: String| sentence(CopyObstacle::Unreadable(what));
        let format = CopyFormat::of_path(path).ok_or_else(|| sentence(format_obstacle(path)))?;
        let text = match read_config(path) {
            Ok(text) => text.ok_or_else(|| unreadable("does not exist any more".to_owned()))?,
            Err(crate::WiringError::File(problem)) => return Err(unreadable(problem.what)),
            Err(_) => return Err(unreadable("cannot be read".to_owned())),
        };
        let edit = CopyEdit::new(path, format, text, keys);
        let mut edit = edit.map_err(|found| {
            let line =
                found.position.map_or_else(String::new, |(line, _)| format!(" (line {line})"));
            unreadable(format!("{}{line}", found.what))
        })?;
        edit.is_tracked = is_tracked(&path.canonicalize().unwrap_or_else(|_| path.to_owned()));
        Ok(edit)
    }

    /// Why the file is not replaced; none if it may be.
    pub(super) fn obstacle(&self, path: &Path) -> Option<CopyObstacle> {
        let Ok(real) = path.canonicalize() else {
            return Some(CopyObstacle::Unreadable("cannot be found".to_owned()));
        };
        if !real.starts_with(&self.home) {
            return Some(match path.is_symlink() {
                true => CopyObstacle::LinkOutsideHome(real),
                false => CopyObstacle::OutsideHome,
            });
        }
        let Ok(metadata) = real.metadata() else {
            return Some(CopyObstacle::Unreadable("cannot be read".to_owned()));
        };
        let folder = real.parent().and_then(|folder| folder.metadata().ok());
        if metadata.permissions().readonly() || folder.is_none_or(|it| it.permissions().readonly())
        {
            return Some(CopyObstacle::ReadOnly);
        }
        ownership_obstacle(&metadata, &self.home)
    }

    fn wired(&self, path: &Path) -> Option<CopyObstacle> {
        let real = &path.canonicalize().ok()?;
        let tool = |path| self.tools.wires(path).map(|tool| tool.full_name());
        let agent = |path| self.agents.wires(path).map(|program| program.full_name());
        [path, real]
            .into_iter()
            .find_map(|path| tool(path).or_else(|| agent(path)))
            .map(CopyObstacle::Wired)
    }
}

fn format_obstacle(path: &Path) -> CopyObstacle {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    match SHELL_SCRIPTS.contains(&name.as_str()) || SHELL_ENDINGS.contains(&ending) {
        true => CopyObstacle::ShellScript,
        false => CopyObstacle::UnknownFormat,
    }
}

/// Files of another owner than the home folder's, and files with a second name.
#[cfg(unix)]
fn ownership_obstacle(metadata: &Metadata, home: &Path) -> Option<CopyObstacle> {
    use std::os::unix::fs::MetadataExt as _;
    if home.metadata().is_ok_and(|home| home.uid() != metadata.uid()) {
        return Some(CopyObstacle::OtherOwner);
    }
    (metadata.nlink() > 1).then_some(CopyObstacle::SeveralNames)
}

#[cfg(not(unix))]
fn ownership_obstacle(_: &Metadata, _: &Path) -> Option<CopyObstacle> {
    None
}
