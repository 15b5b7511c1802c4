//! The window's Tauri commands, generated from the table of operations. Each one calls its
//! operation.

use control::view::*;
use control::{ApiError, Core};
use tauri::{AppHandle, State, Wry};

use crate::tool_launch::{self, ToolLaunch, ToolLauncher};

macro_rules! commands {
    ($($(#[$doc:meta])* $name:ident($($req:ident: $Req:ty)?) -> $View:ty, $effect:ident [$($tag:ident),*] $(, audit $audit:literal)? $(, tool $tool:literal $permission:ident)?;)*) => {
        $(
            $(#[$doc])*
            #[tauri::command]
            #[specta::specta]
            async fn $name(core: State<'_, Core> $(, $req: $Req)?) -> Result<$View, ApiError> {
                control::$name(&core $(, $req)?).await
            }
        )*

        /// All commands, for the invoke handler and the TypeScript bindings.
        pub(crate) fn collect() -> tauri_specta::Commands<tauri::Wry> {
            tauri_specta::collect_commands![$($name,)* choose_folder, launch_tool, open_url, painted]
        }
    };
}

control::operations!(commands);

/// The window's capability file: it may hear events and call these commands, and nothing else.
/// Tauri refuses a command that the file does not name.
#[must_use]
pub fn capability() -> String {
    let events = ["core:event:allow-listen", "core:event:allow-unlisten"].map(str::to_owned);
    let operations = control::OPERATIONS.iter().map(|operation| operation.name);
    let commands = operations.chain(["choose_folder", "launch_tool", "open_url", "painted"]);
    let commands = commands.map(|name| format!("allow-{}", name.replace('_', "-")));
    let permissions: Vec<String> =
        events.into_iter().chain(commands).map(|name| format!("    \"{name}\"")).collect();
    format!("{CAPABILITY_HEAD}{}\n  ]\n}}\n", permissions.join(",\n"))
}

const CAPABILITY_HEAD: &str = r#"{
  "$schema": "https://schema.tauri.app/config/2/capability",
  "identifier": "panel",
  "description": "What the one window may do: hear the core's events and call the core's own operations, and start a client tool in a terminal. No file system, shell, HTTP or window permissions.",
  "windows": [
    "panel"
  ],
  "permissions": [
"#;

/// Asks for a folder. The text is the dialog's title. None if the user leaves the dialog.
#[tauri::command]
#[specta::specta]
async fn choose_folder(app: AppHandle<Wry>, req: String) -> Result<Option<String>, ApiError> {
    tool_launch::choose_folder(&app, req).await
}

/// Opens a terminal in which `gatehouse run` starts the tool.
#[tauri::command]
#[specta::specta]
async fn launch_tool(
    core: State<'_, Core>,
    launcher: State<'_, ToolLauncher>,
    req: ToolLaunch,
) -> Result<(), ApiError> {
    launcher.launch(&core, req).await
}

/// Opens a page in the user's browser. Only `https` is allowed (never `file:` or `smb:`).
#[tauri::command]
#[specta::specta]
async fn open_url(req: String) -> Result<(), ApiError> {
    crate::browser::open(&req)
}

/// Called when the first data is on the screen, and every half a minute from then on.
#[tauri::command]
#[specta::specta]
async fn painted(core: State<'_, Core>) -> Result<(), ApiError> {
    core.record_drawn_page();
    Ok(())
}

#[cfg(test)]
mod tests {
    /// A command missing from the committed capability fails only at run time, and an entry beyond
    /// the table would allow a command that nobody reviews.
    #[test]
    fn the_capability_allows_the_operations_and_nothing_more() {
        assert_eq!(include_str!("../capabilities/panel.json"), super::capability());
    }
}
