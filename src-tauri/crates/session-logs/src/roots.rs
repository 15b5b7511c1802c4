//! Where each tool keeps its logs for this user.

use std::path::{Path, PathBuf};

use domain::SessionTool;

/// Environment variables that move the tools' folders.
pub const VARIABLES: &[&str] =
    &["CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME", "OPENCODE_DB", "XDG_DATA_HOME"];

/// A place that holds one tool's logs. It need not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRoot {
    pub tool: SessionTool,
    /// A folder, or the database of OpenCode.
    pub path: PathBuf,
}

impl LogRoot {
    /// The places of the user whose home folder is `home`; `variable` reads one of [`VARIABLES`].
    pub fn of_user(home: &Path, variable: impl Fn(&str) -> Option<String>) -> Vec<Self> {
        let value = |name| variable(name).filter(|value| !value.trim().is_empty());
        let listed = |name| {
            let folders = |list: String| {
                let parts = list.split(',').map(str::trim).filter(|part| !part.is_empty());
                parts.map(|part| expand_home(home, part)).collect::<Vec<_>>()
            };
            value(name).map(folders)
        };
        let claude = listed("CLAUDE_CONFIG_DIR")
            .unwrap_or_else(|| vec![home.join(".claude"), home.join(".config/claude")]);
        let codex = listed("CODEX_HOME").unwrap_or_else(|| vec![home.join(".codex")]);
        let gemini = value("GEMINI_CLI_HOME").map_or_else(|| home.to_owned(), PathBuf::from);
        let data = value("XDG_DATA_HOME").map_or_else(|| home.join(".local/share"), PathBuf::from);
        let opencode = data.join("opencode");
        let database = value("OPENCODE_DB").map(|path| opencode.join(path));
        let of = |tool, path| Self { tool, path };
        let claude = claude.iter().map(|root| of(SessionTool::ClaudeCode, root.join("projects")));
        let codex = codex.iter().flat_map(|root| {
            ["sessions", "archived_sessions"].map(|name| of(SessionTool::Codex, root.join(name)))
        });
        let gemini = of(SessionTool::GeminiCli, gemini.join(".gemini/tmp"));
        let opencode = std::iter::once(opencode).chain(database);
        claude
            .chain(codex)
            .chain(std::iter::once(gemini))
            .chain(opencode.map(|path| of(SessionTool::OpenCode, path)))
            .collect()
    }
}

fn expand_home(home: &Path, path: &str) -> PathBuf {
    path.strip_prefix("~/").map_or_else(|| PathBuf::from(path), |rest| home.join(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(variables: &[(&str, &str)]) -> Vec<String> {
        let read = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let roots = LogRoot::of_user(Path::new("/home/dev"), read);
        roots.iter().map(|root| format!("{} {}", root.tool, root.path.display())).collect()
    }

    #[test]
    fn the_tools_have_places_in_the_home_folder() {
        assert_eq!(
            places(&[("CODEX_HOME", " ")]),
            [
                "claude-code /home/dev/.claude/projects",
                "claude-code /home/dev/.config/claude/projects",
                "codex /home/dev/.codex/sessions",
                "codex /home/dev/.codex/archived_sessions",
                "gemini-cli /home/dev/.gemini/tmp",
                "opencode /home/dev/.local/share/opencode",
            ]
        );
    }

    #[test]
    fn variables_move_them() {
        let moved = places(&[
            ("CLAUDE_CONFIG_DIR", "/a, ~/b"),
            ("CODEX_HOME", "/c"),
            ("GEMINI_CLI_HOME", "/g"),
            ("OPENCODE_DB", "mine.db"),
            ("XDG_DATA_HOME", "/x"),
        ]);
        assert_eq!(
            moved,
            [
                "claude-code /a/projects",
                "claude-code /home/dev/b/projects",
                "codex /c/sessions",
                "codex /c/archived_sessions",
                "gemini-cli /g/.gemini/tmp",
                "opencode /x/opencode",
                "opencode /x/opencode/mine.db",
            ]
        );
    }
}
