//! The window's commands, made from the table of operations: each unwraps, calls once, returns.

use control::view::*;
use control::{ApiError, Core};
use tauri::State;

macro_rules! commands {
    ($($(#[$doc:meta])* $name:ident($($req:ident: $Req:ty)?) -> $View:ty, changes [$($tag:ident),*];)*) => {
        $(
            $(#[$doc])*
            #[tauri::command]
            #[specta::specta]
            async fn $name(core: State<'_, Core> $(, $req: $Req)?) -> Result<$View, ApiError> {
                control::$name(&core $(, $req)?).await
            }
        )*

        /// The commands, for the invoke handler and for the TypeScript bindings.
        pub(crate) fn collect() -> tauri_specta::Commands<tauri::Wry> {
            tauri_specta::collect_commands![$($name,)* open_url]
        }
    };
}

control::operations!(commands);

/// Opens a page in the user's browser. Only `https` (never `file:` or `smb:`).
#[tauri::command]
#[specta::specta]
async fn open_url(url: String) -> Result<(), ApiError> {
    crate::browser::open(&url)
}
