//! The one table of everything the doors may ask. A row here is a command of the window, an
//! endpoint of the control listener and a call of the command line; the code behind it stands in
//! `operation/`, and what a row changes is told to every open panel.

use domain::Secret;
use engine::{Engine, Topic};
use zeroize::Zeroizing;

use crate::core::Core;
use crate::event::Tag;
use crate::view::{
    AccessForce, AccessRef, AccessView, BackendAdd, BackendEdit, BackendRef, BackendSwitch,
    BackendTestView, BackendView, BacktestQuery, BacktestView, BreakerTimelineQuery,
    BreakerTimelineView, CachePurge, CachePurgedView, CacheQuery, CacheView, ClientAdd, ClientEdit,
    ClientRef, ClientView, IssuedToken, KeyAdd, KeyRef, KeyReplace, KeyVerificationView, KeyView,
    LedgerBackupView, LedgerRepair, LedgerRestore, LedgerRestoredView, LedgerSalvageView,
    LedgerView, NotificationTestView, PlaygroundRawView, PlaygroundRef, PlaygroundRunView,
    PlaygroundSend, PlaygroundSnippetsView, PresetView, ReadinessStart, ReadinessView,
    RequestPathView, RequestRef, RequestsQuery, RequestsView, RouteAsk, RouteDecisionView,
    RouteEdit, RouteRef, RouteSimulation, RouteSimulationView, RouteView, RoutesOrder, RoutesView,
    RunView, SettingsValues, SettingsView, StatusView, UsageQuery, UsageView, VaultChangeView,
    VaultMove, VaultSet, VaultUnlock, VaultView,
};
use crate::{ApiError, operation};

/// Hands the table to `$then!`, once for each door that is made from it.
#[macro_export]
macro_rules! operations {
    ($then:ident) => {
        $then! {
            /// The verdict, the gateway, the vault, counts and spend.
            status() -> StatusView, changes [];
            /// All backends, the built-in mock first.
            backends() -> Vec<BackendView>, changes [];
            /// Providers and local servers to start from.
            presets() -> Vec<PresetView>, changes [];
            /// Adds a backend, with a new key, a stored one or none.
            backend_add(req: BackendAdd) -> BackendView, changes [Backends, Keys, Status, Settings];
            /// Changes a backend; another origin detaches its key.
            backend_edit(req: BackendEdit) -> BackendView, changes [Backends, Keys, Status, Settings];
            /// Switches a backend on or off.
            backend_switch(req: BackendSwitch) -> BackendView, changes [Backends, Status, Settings];
            /// Tests a backend step by step; nothing is billed.
            backend_test(req: BackendRef) -> BackendTestView, changes [Backends, Keys, Status];
            /// Removes a backend; its key stays in the vault.
            backend_remove(req: BackendRef) -> (), changes [Backends, Keys, Status, Settings];
            /// All keys, without the keys.
            keys() -> Vec<KeyView>, changes [];
            /// Puts a key into the vault.
            key_add(req: KeyAdd) -> KeyView, changes [Keys, Status, Settings];
            /// Replaces a key in place; it stays bound to its origin.
            key_replace(req: KeyReplace) -> KeyView, changes [Keys, Backends, Status, Settings];
            /// Asks the provider whether it accepts the key; nothing is billed.
            key_verify(req: KeyRef) -> KeyVerificationView, changes [Keys, Backends, Status];
            /// Removes a key from the vault and detaches it from its backends.
            key_remove(req: KeyRef) -> (), changes [Keys, Backends, Status, Settings];
            /// Checks the vault again.
            vault_check() -> VaultView, changes [Keys, Status, Settings];
            /// Opens the encrypted file vault, or makes it when there is none yet.
            vault_unlock(req: VaultUnlock) -> VaultView, changes [Keys, Backends, Status, Settings];
            /// Uses another vault from now on, with the keys or without.
            vault_set(req: VaultSet) -> VaultChangeView, changes [Keys, Backends, Clients, Status, Settings];
            /// Moves keys that are still in another vault into this one.
            vault_move(req: VaultMove) -> VaultChangeView, changes [Keys, Backends, Clients, Status, Settings];
            /// All client tools.
            clients() -> Vec<ClientView>, changes [];
            /// Makes a local token for a client and keeps it in the vault.
            client_add(req: ClientAdd) -> ClientView, changes [Clients, Status, Settings];
            /// Changes a client's limits, its cache and its priority; its token stays.
            client_edit(req: ClientEdit) -> ClientView, changes [Clients, Settings];
            /// Ends a client's token at once.
            client_revoke(req: ClientRef) -> (), changes [Clients, Status, Settings];
            /// Sums of a period.
            usage(req: UsageQuery) -> UsageView, changes [];
            /// Single requests, newest first.
            requests(req: RequestsQuery) -> RequestsView, changes [];
            /// All routes, with where each leads now and where its requests went.
            routes() -> RoutesView, changes [];
            /// Makes a route, or changes one.
            route_set(req: RouteEdit) -> RouteView, changes [Routes, Settings, Status];
            /// Removes a route.
            route_remove(req: RouteRef) -> (), changes [Routes, Settings, Status];
            /// Puts the routes in another order; those that are not named stay behind.
            routes_order(req: RoutesOrder) -> RoutesView, changes [Routes, Settings];
            /// The attempts of one request, who was passed over, and what the cache did.
            request_path(req: RequestRef) -> RequestPathView, changes [];
            /// Which backend would serve a request now, and why; nothing is sent.
            route_explain(req: RouteAsk) -> RouteDecisionView, changes [];
            /// Where many such requests would go; nothing is sent.
            route_simulate(req: RouteSimulation) -> RouteSimulationView, changes [];
            /// Every backend with each of its keys, and what holds it back.
            accesses() -> Vec<AccessView>, changes [];
            /// Sets a breaker by hand, for a time or until it is reset.
            access_force(req: AccessForce) -> AccessView, changes [Accesses, Routes, Backends, Status];
            /// Begins anew: closed, no cooldown, no block, nothing set by hand.
            access_reset(req: AccessRef) -> AccessView, changes [Accesses, Routes, Backends, Status];
            /// What a backend went through.
            breaker_timeline(req: BreakerTimelineQuery) -> BreakerTimelineView, changes [];
            /// What a breaker with other numbers would have done.
            breaker_backtest(req: BacktestQuery) -> BacktestView, changes [];
            /// The cache of answers, what it saved, and why requests went past it.
            cache(req: CacheQuery) -> CacheView, changes [];
            /// Throws kept answers away.
            cache_purge(req: CachePurge) -> CachePurgedView, changes [Cache];
            /// The run that goes, or else the newest, and the scores before it.
            readiness() -> ReadinessView, changes [];
            /// Starts a run; progress comes as events.
            readiness_start(req: ReadinessStart) -> RunView, changes [Readiness, Status];
            /// Stops the run that goes.
            readiness_cancel() -> (), changes [Readiness, Status];
            /// The playground's runs that are still in memory, oldest first.
            playground() -> Vec<PlaygroundRunView>, changes [];
            /// Sends a prompt through the gateway; the answer comes as events.
            playground_send(req: PlaygroundSend) -> PlaygroundRunView, changes [];
            /// Stops a run of the playground, if it still goes.
            playground_cancel(req: PlaygroundRef) -> (), changes [];
            /// What a run of the playground sent and got, without its token.
            playground_raw(req: PlaygroundRef) -> PlaygroundRawView, changes [];
            /// The same request for a tool of one's own, as code without a token.
            playground_snippets(req: PlaygroundSend) -> PlaygroundSnippetsView, changes [];
            /// The settings, their file, and what is wrong with it.
            settings() -> SettingsView, changes [];
            /// Changes the settings.
            settings_edit(req: SettingsValues) -> SettingsView, changes [Settings, Status, Backends];
            /// Applies the proposed repair of the settings file.
            settings_fix() -> SettingsView, changes [Settings, Status, Backends, Keys, Clients];
            /// The ledger's state, its file and its backups.
            ledger() -> LedgerView, changes [];
            /// Makes a backup of the ledger now.
            ledger_backup() -> LedgerBackupView, changes [Ledger, Status];
            /// Puts the records of a backup back; what was recorded since stays.
            ledger_restore(req: LedgerRestore) -> LedgerRestoredView, changes [Ledger, Status, Usage];
            /// Counts what can be read of a damaged ledger file; changes nothing.
            ledger_examine(req: LedgerRepair) -> LedgerSalvageView, changes [];
            /// Puts back what can be read of a damaged ledger file; what was recorded since stays.
            ledger_repair(req: LedgerRepair) -> LedgerRestoredView, changes [Ledger, Status, Usage];
            /// Accepts what happened to the ledger's file; kept files stay.
            ledger_acknowledge() -> LedgerView, changes [Ledger, Status];
            /// Sends a notification, to see that it arrives.
            notification_test() -> NotificationTestView, changes [];
        }
    };
}

macro_rules! entry_points {
    ($($(#[$doc:meta])* $name:ident($($req:ident: $Req:ty)?) -> $View:ty, changes [$($tag:ident),*];)*) => {
        $(
            $(#[$doc])*
            pub async fn $name(core: &Core $(, $req: $Req)?) -> Result<$View, ApiError> {
                match core {
                    Core::Local(engine) => {
                        let view = operation::$name(engine $(, $req)?).await?;
                        core.announce(&[$(Tag::$tag),*]);
                        Ok(view)
                    }
                    Core::Remote(owner) => owner.call(stringify!($name), entry_points!(@body $($req)?)).await,
                }
            }
        )*

        /// The names of all operations, as they stand in the control listener's paths and in the
        /// window's permissions.
        pub const OPERATIONS: &[&str] = &[$(stringify!($name)),*];

        /// Calls an operation by name with its request as JSON, and answers with its view as JSON.
        pub async fn call(core: &Core, name: &str, body: &[u8]) -> Result<Vec<u8>, ApiError> {
            match name {
                $(stringify!($name) => {
                    $(let $req: $Req = crate::json::read(body)?;)?
                    crate::json::write(&$name(core $(, $req)?).await?)
                })*
                _ => Err(ApiError::not_found(format!("there is no operation {name:?}"))),
            }
        }
    };
    (@body) => { &() };
    (@body $req:ident) => { &$req };
}

operations!(entry_points);

/// A client's local token, for the command line only: no panel may call this.
pub async fn client_token(core: &Core, req: ClientRef) -> Result<Secret, ApiError> {
    match core {
        Core::Local(engine) => operation::client_token(engine, req).await,
        Core::Remote(owner) => owner.call("client_token", &req).await,
    }
}

/// A new address that opens the panel in a browser once, for the command line only.
pub async fn panel_address(core: &Core) -> Result<Zeroizing<String>, ApiError> {
    match core {
        Core::Local(engine) => operation::panel_address(engine),
        Core::Remote(owner) => owner.call("panel_address", &()).await,
    }
}

/// Makes a client and hands out its token, for the command line only: no panel may call this.
pub async fn client_issue(core: &Core, req: ClientAdd) -> Result<IssuedToken, ApiError> {
    match core {
        Core::Local(engine) => {
            let token = operation::client_issue(engine, req).await?;
            client_changed(engine);
            Ok(token)
        }
        Core::Remote(owner) => owner.call("client_issue", &req).await,
    }
}

/// Tells every open panel that clients have changed.
pub(crate) fn client_changed(engine: &Engine) {
    engine.events().changed(&[Topic::Clients, Topic::Status, Topic::Settings]);
}
