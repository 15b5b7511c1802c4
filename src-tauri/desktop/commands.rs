//! The window's Tauri commands, generated from the table of operations. Each one calls its
//! operation.

use control::view::{
    BackendAdd, BackendEdit, BackendPresetView, BackendRef, BackendSwitch, BackendTestView,
    BackendView, BacktestQuery, BacktestView, BreakerTimelineQuery, BreakerTimelineView,
    CachePurge, CachePurgeResultView, CacheQuery, CacheView, ClientAdd, ClientEdit, ClientRef,
    ClientView, EndpointForce, EndpointRef, EndpointView, HypotheticalRequest, KeyAdd, KeyRef,
    KeyReplace, KeyVerificationView, KeyView, LedgerBackupView, LedgerRepair, LedgerRestore,
    LedgerRestoredView, LedgerSalvageView, LedgerView, NotificationTestView,
    PlaygroundRawExchangeView, PlaygroundRef, PlaygroundRunView, PlaygroundSend,
    PlaygroundSnippetsView, ReadinessRunView, ReadinessStart, ReadinessView, RequestPathView,
    RequestRef, RequestsQuery, RequestsView, RouteDecisionView, RouteEdit, RouteRef,
    RouteSimulation, RouteSimulationView, RouteView, RoutesOrder, RoutesView, SettingsValues,
    SettingsView, StatusView, UsageReportQuery, UsageView, VaultChangeView, VaultMove, VaultSet,
    VaultUnlock, VaultView,
};
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

        /// All commands, for the invoke handler and the TypeScript bindings.
        pub(crate) fn collect() -> tauri_specta::Commands<tauri::Wry> {
            tauri_specta::collect_commands![$($name,)* open_url, painted]
        }
    };
}

control::operations!(commands);

/// Opens a page in the user's browser. Only `https` is allowed (never `file:` or `smb:`).
#[tauri::command]
#[specta::specta]
async fn open_url(req: String) -> Result<(), ApiError> {
    crate::browser::open(&req)
}

/// Called when the first data is on the screen; logs the duration of the start.
#[tauri::command]
#[specta::specta]
async fn painted(core: State<'_, Core>) -> Result<(), ApiError> {
    core.log_first_paint();
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    /// A command missing from the capability fails only at run time, and an entry beyond the table
    /// would allow a command that nobody reviews.
    #[test]
    fn the_capability_allows_the_operations_and_nothing_more() {
        let capability = include_str!("../capabilities/panel.json");
        let capability: serde_json::Value = serde_json::from_str(capability).expect("JSON");
        let permissions = capability["permissions"].as_array().expect("a list");
        let allowed: BTreeSet<String> = permissions
            .iter()
            .filter_map(|name| name.as_str()?.strip_prefix("allow-"))
            .map(|name| name.replace('-', "_"))
            .collect();
        let operations = control::OPERATIONS.iter().map(|(name, _)| *name);
        let expected = operations.chain(["open_url", "painted"]).map(str::to_owned).collect();
        assert_eq!(allowed, expected);
        let others: Vec<_> = permissions
            .iter()
            .filter_map(|name| name.as_str().filter(|name| !name.starts_with("allow-")))
            .collect();
        assert_eq!(others, ["core:event:allow-listen", "core:event:allow-unlisten"]);
    }
}
