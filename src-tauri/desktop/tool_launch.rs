//! Starts a client tool in the user's terminal, by `gatehouse run`: the window's own door, since a
//! terminal opens only where the user sits.

use std::path::{Path, PathBuf};

use control::view::{CallerEnvironment, ClientTool};
use control::{ApiError, Core, EngineConfig};
use serde::{Deserialize, Serialize};
use specta::Type;
use tauri::{AppHandle, Manager as _, Wry};
use tauri_plugin_dialog::DialogExt as _;

use crate::terminal::open_terminal;
use crate::window::PANEL;

/// Longest path of a folder that is looked at, in bytes: Linux's `PATH_MAX`.
const FOLDER_BYTES_MAX: usize = 4_096;

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub(crate) struct ToolLaunch {
    pub tool: ClientTool,
    /// Where it starts: a whole path, or one that begins with `~`.
    pub folder: String,
}

/// What is needed to start `gatehouse` in a terminal.
pub(crate) struct ToolLauncher {
    command_line: Option<PathBuf>,
    /// Where this program keeps its data, unless in the usual place.
    data_home: Option<PathBuf>,
    user_home: Option<PathBuf>,
    shell: PathBuf,
}

impl ToolLauncher {
    pub(crate) fn new(config: &EngineConfig, shell: Option<PathBuf>) -> Self {
        Self {
            command_line: config.command_line.clone(),
            data_home: config.home.clone(),
            user_home: config.tools.as_ref().map(|tools| tools.home.clone()),
            shell: shell.unwrap_or_default(),
        }
    }

    /// Fails for a tool that `gatehouse run` would not lead to the gateway.
    pub(crate) async fn launch(&self, core: &Core, req: ToolLaunch) -> Result<(), ApiError> {
        let folder = self.folder(&req.folder)?;
        // The project's own settings of the tool may lead past the gateway.
        let project = Some(folder.to_string_lossy().into_owned());
        let caller = CallerEnvironment { project, ..CallerEnvironment::default() };
        let tools = control::clients_wiring(core, caller).await?;
        let tool = tools.into_iter().find(|tool| tool.tool == req.tool);
        let tool = tool.ok_or_else(|| ApiError::not_found("the tool is not known"))?;
        if tool.run_command.is_none() {
            let message = format!("{} would not reach the gateway from there", tool.name);
            return Err(
                ApiError::failed(message).with_hint(tool.run_obstacle.unwrap_or(tool.sentence))
            );
        }
        let client = tool.client.as_deref().unwrap_or_else(|| req.tool.word());
        let words = self.words(&req.tool.run_arguments(client))?;
        open_terminal(&folder, &words, &self.shell).await.map_err(|error| {
            let typed = req.tool.run_command(client);
            ApiError::failed(error.to_string())
                .with_hint(format!("Open a terminal yourself and type `{typed}`."))
        })
    }

    fn words(&self, arguments: &[&str]) -> Result<Vec<String>, ApiError> {
        let text = |path: &Path| {
            let text = path.to_str().map(str::to_owned);
            text.ok_or_else(|| ApiError::failed(format!("{} is not UTF-8", path.display())))
        };
        let program = self.command_line.as_deref().ok_or_else(|| {
            ApiError::failed("the program `gatehouse` is not beside this one")
                .with_hint("Install Gatehouse again.")
        })?;
        let mut words = vec![text(program)?];
        if let Some(home) = &self.data_home {
            words.extend(["--home".to_owned(), text(home)?]);
        }
        words.extend(arguments.iter().map(|word| (*word).to_owned()));
        Ok(words)
    }

    fn folder(&self, typed: &str) -> Result<PathBuf, ApiError> {
        let typed = typed.trim();
        if typed.len() > FOLDER_BYTES_MAX {
            return Err(ApiError::invalid("folder", "the path is too long"));
        }
        let path = match (typed.strip_prefix('~'), &self.user_home) {
            (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with(['/', '\\']) => {
                home.join(rest.trim_start_matches(['/', '\\']))
            }
            _ => PathBuf::from(typed),
        };
        if !path.is_absolute() {
            return Err(ApiError::invalid("folder", "not a whole path")
                .with_hint("Begin with / or ~, or choose a folder."));
        }
        if !path.is_dir() {
            let message = format!("there is no folder {}", path.display());
            return Err(ApiError::invalid("folder", message));
        }
        Ok(path)
    }
}

/// Asks for a folder in the desktop's own dialog. None if the user leaves it.
pub(crate) async fn choose_folder(
    app: &AppHandle<Wry>,
    title: String,
) -> Result<Option<String>, ApiError> {
    let not_text = || ApiError::failed("the name of that folder is not UTF-8");
    let (chosen, answer) = tokio::sync::oneshot::channel();
    let mut dialog = app.dialog().file().set_title(title);
    if let Some(window) = app.get_webview_window(PANEL) {
        dialog = dialog.set_parent(&window);
    }
    dialog.pick_folder(move |folder| drop(chosen.send(folder)));
    let Some(folder) = answer.await.ok().flatten() else { return Ok(None) };
    let folder = folder.into_path().map_err(|_| not_text())?;
    folder.to_str().map(|folder| Some(folder.to_owned())).ok_or_else(not_text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launcher(user_home: &Path) -> ToolLauncher {
        ToolLauncher {
            command_line: Some("/opt/gatehouse".into()),
            data_home: None,
            user_home: Some(user_home.to_owned()),
            shell: PathBuf::new(),
        }
    }

    #[test]
    fn a_folder_is_a_whole_path_that_exists_or_begins_at_home() {
        let home = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(home.path().join("project")).expect("created");
        let launcher = launcher(home.path());
        let found = |typed: &str| launcher.folder(typed).ok();
        assert_eq!(found("~").as_deref(), Some(home.path()));
        assert_eq!(found(" ~/project "), Some(home.path().join("project")));
        assert_eq!(found(home.path().to_str().expect("UTF-8")).as_deref(), Some(home.path()));
        for refused in ["", "project", "./project", "~other", "~/gone", "/no/such/folder"] {
            let error = launcher.folder(refused).expect_err(refused);
            assert_eq!(error.field.as_deref(), Some("folder"), "{refused}");
        }
        assert!(found(&format!("/{}", "x".repeat(FOLDER_BYTES_MAX))).is_none());
    }

    #[test]
    fn the_command_names_this_programs_own_data_and_the_client() {
        let home = tempfile::tempdir().expect("a folder");
        let mut launcher = launcher(home.path());
        let arguments = ClientTool::Codex.run_arguments("codex");
        assert_eq!(launcher.words(&arguments).expect("words"), ["/opt/gatehouse", "run", "codex"]);
        launcher.data_home = Some("/my data".into());
        let arguments = ClientTool::ClaudeCode.run_arguments("work");
        assert_eq!(
            launcher.words(&arguments).expect("words"),
            ["/opt/gatehouse", "--home", "/my data", "run", "work", "--", "claude"]
        );
        launcher.command_line = None;
        assert!(launcher.words(&arguments).is_err());
    }
}
