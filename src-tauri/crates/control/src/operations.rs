//! The table of all operations. Each row becomes a command of the window, a path of the control
//! listener and a function for the command line. A row with `tool` is also a tool of the MCP server,
//! with this name and permission. The implementations are in `operation/`.
//!
//! A row either `reads` or `changes`. `reads` lists what makes an answer stale that screens keep, and is
//! empty if nothing does. `changes` lists what every open panel is told after a call, and is empty if
//! there is nothing that screens keep; so a row without either does not compile.
//!
//! Calls of operations that change something are in the audit log. `audit true` adds one that changes
//! what no panel shows: it spends money, writes a file or hands out access. `audit false` leaves out
//! one that only looks, though what panels show is stale because of what it sees.
//!
//! Each function returns a boxed future: the body of an `async fn` is compiled again in every crate
//! that awaits it, which made the program a third larger.

use domain::Secret;
use engine::Topic;
use futures_util::future::BoxFuture;
use zeroize::Zeroizing;

use crate::agent_tool::{AgentPermission, AgentTool, NoInput, json_schema};
use crate::audit::AuditedCall;
use crate::core::Core;
use crate::panel_event::ChangeTag;
use crate::view::*;
use crate::{ApiError, operation};

/// Passes the table to `$then!`, once for each interface that is generated from it.
#[macro_export]
macro_rules! operations {
    ($then:ident) => {
        $then! {
            /// Returns the verdict, the gateway, the vault, counts and spend.
            status() -> StatusView, reads [Status], tool "status" Read;
            /// Refuses new requests to models until the gateway is resumed or started anew. Those in flight go on.
            gateway_pause() -> GatewayView, changes [Status];
            /// Lets a paused gateway answer again.
            gateway_resume() -> GatewayView, changes [Status];
            /// Lists all backends, the built-in mock first.
            backends() -> Vec<BackendView>, reads [Backends, Routes, Prices], tool "list_backends" Read;
            /// Lists templates for providers and local servers.
            presets() -> Vec<BackendPresetView>, reads [];
            /// Adds a backend, with a new key, a stored key or none.
            backend_add(req: BackendAdd) -> BackendView, changes [Backends, Keys, Status, Settings];
            /// Changes a backend. A key that is bound to another origin is refused.
            backend_edit(req: BackendEdit) -> BackendView, changes [Backends, Endpoints, Keys, Status, Settings];
            /// Switches a backend on or off.
            backend_switch(req: BackendSwitch) -> BackendView, changes [Backends, Status, Settings], tool "switch_backend" Change;
            /// Tests a backend step by step. Nothing is billed.
            backend_test(req: BackendRef) -> BackendTestView, changes [Backends, Keys, Status], audit false;
            /// Says what asking a model of a backend would cost at most, and which models there are. No model is asked; a list that is missing is fetched.
            backend_ask_price(req: BackendAskQuery) -> BackendAskPriceView, reads [Routes, Prices];
            /// Sends one small prompt to a model of a backend, which is billed, at the price that was shown. Agents use `ask`.
            backend_ask(req: BackendAsk) -> BackendAnswerView, changes [Backends, Endpoints, Keys, Usage, Status];
            /// Stops asking a model of a backend. What it wrote so far may be billed.
            backend_ask_cancel(req: BackendRef) -> (), changes [];
            /// Removes a backend. Its key stays in the vault.
            backend_remove(req: BackendRef) -> (), changes [Backends, Keys, Status, Settings];
            /// Lists all keys, without their secrets.
            keys() -> Vec<KeyView>, reads [Keys, Routes];
            /// Puts a key into the vault.
            key_add(req: KeyAdd) -> KeyView, changes [Keys, Status, Settings];
            /// Adds a key of OAuth: its secret goes into the vault and is exchanged for access tokens.
            key_oauth_add(req: KeyOAuthAdd) -> KeyView, changes [Keys, Status, Settings];
            /// Looks for keys in plain text in shell profiles, files of tools, named files and the environment.
            keys_scan(req: KeysScan) -> KeysScanView, reads [Keys];
            /// Imports keys found in plain text into the vault. The files stay as they are until their copies are removed.
            keys_import(req: KeysImport) -> Vec<KeyImportView>, changes [Backends, Keys, Status, Settings];
            /// Shows how plain copies of keys that the vault holds would be removed from their files.
            key_copies_plan(req: KeyCopiesQuery) -> KeyCopiesPlanView, reads [Keys];
            /// Removes plain copies of keys that the vault holds, as the plan showed it.
            key_copies_remove(req: KeyCopiesRemove) -> Vec<KeyCopiesOutcomeView>, changes [Keys, Alerts];
            /// Lists removed plain copies, which can be put back.
            key_copies_removed() -> Vec<RemovedKeyCopyView>, reads [Keys];
            /// Puts the keys back into a file from which they were removed.
            key_copies_restore(req: RemovedKeyCopyRef) -> RemovedKeyCopyView, changes [Keys, Alerts];
            /// Changes the display name of a key and when it ends.
            key_edit(req: KeyEdit) -> KeyView, changes [Keys, Settings];
            /// Lists what happened to a key, newest first.
            key_history(req: KeyRef) -> KeyHistoryView, reads [Keys, Endpoints];
            /// Replaces a key. It stays bound to its origin.
            key_replace(req: KeyReplace) -> KeyView, changes [Keys, Backends, Status, Settings];
            /// Asks the provider whether it accepts the key. Nothing is billed.
            key_verify(req: KeyRef) -> KeyVerificationView, changes [Keys, Backends, Status], audit false;
            /// Asks the provider whether it still accepts the previous key. Nothing is billed.
            key_retired_check(req: KeyRef) -> RetiredKeyCheckView, changes [Keys], audit false;
            /// Removes a key from the vault and detaches it from its backends.
            key_remove(req: KeyRef) -> (), changes [Keys, Backends, Status, Settings];
            /// Checks the vault again.
            vault_check() -> VaultView, changes [Keys, Status, Settings], audit false;
            /// Opens the encrypted vault file, or creates it if there is none.
            vault_unlock(req: VaultUnlock) -> VaultView, changes [Keys, Backends, Status, Settings];
            /// Switches to another vault, with or without moving the keys.
            vault_set(req: VaultSet) -> VaultChangeView, changes [Keys, Backends, Clients, Status, Settings];
            /// Moves keys from another vault into the one in use.
            vault_move(req: VaultMove) -> VaultChangeView, changes [Keys, Backends, Clients, Status, Settings];
            /// Asks a provider for its cost report with its admin key, and stores it.
            billing_fetch(req: BillingFetch) -> BillingReportView, changes [Usage];
            /// Cancels the fetch of a cost report in progress. Nothing of it is stored.
            billing_cancel() -> (), changes [];
            /// Reads a file of billed costs that a provider's console exported, and stores it.
            billing_import(req: BillingImport) -> BillingReportView, changes [Usage];
            /// Compares what providers billed with what was computed, by UTC day.
            billing_drift(req: DriftQuery) -> DriftView, reads [Keys, Usage];
            /// Lists what happened lately, of all sources, newest first.
            recent_events(req: RecentEventsQuery) -> Vec<RecentEventView>, reads [Alerts, Audit, Health, Readiness, Endpoints];
            /// Returns how each backend has served: state, availability, first tokens and score.
            health() -> HealthReportView, reads [Health, Backends, Keys, Endpoints], tool "health" Read;
            /// Returns what answers depend on as a tree: the cause, and what it explains.
            health_tree() -> HealthTreeView, reads [Health, Backends, Keys, Endpoints];
            /// Returns the states of the network, the gateway and each backend over time.
            health_timeline(req: HealthTimelineQuery) -> HealthTimelineView, reads [Health, Backends, Keys, Endpoints];
            /// Returns objectives and what is left of the failures that they allow.
            service_levels() -> ServiceLevelsView, reads [Health], tool "service_levels" Read;
            /// Says what an objective would allow, and who would miss it. Changes nothing.
            service_level_preview(req: ServiceLevelSet) -> ServiceLevelPreviewView, reads [Health];
            /// Sets what is promised: a default, or the objective of one route, backend or service.
            service_level_set(req: ServiceLevelSet) -> ServiceLevelsView, changes [Health, Settings];
            /// Lists what work depends on beside the backends, and whether it works.
            services() -> ServicesView, reads [Health, Settings], tool "list_services" Read;
            /// Adds a service to watch, or changes one.
            service_set(req: ServiceSet) -> ServiceView, changes [Health, Keys, Status, Settings];
            /// Checks a service step by step. Nothing is billed.
            service_test(req: ServiceRef) -> ServiceTestView, changes [Health, Keys, Status], audit false;
            /// Removes a service. Its key stays in the vault.
            service_remove(req: ServiceRef) -> (), changes [Health, Keys, Status, Settings];
            /// Returns what Gatehouse and its machine use, how fast the ledger answers and how the starts went.
            local_health() -> LocalHealthView, reads [Health, Ledger];
            /// Lists the alerts that fire or are pending, what keeps which quiet, and silences.
            alerts() -> AlertsView, reads [Alerts];
            /// Takes a firing alert as seen until it ends: it is not shown again.
            alert_acknowledge(req: AlertRef) -> AlertsView, changes [Alerts];
            /// Keeps matching alerts from being shown until a time. They are still measured.
            alert_silence(req: AlertSilence) -> SilenceView, changes [Alerts];
            /// Removes a silence.
            silence_remove(req: SilenceRef) -> (), changes [Alerts];
            /// Lists the rules of alerts, and how often each fired.
            alert_rules() -> Vec<AlertRuleView>, reads [Alerts];
            /// Says when a rule would fire with other settings. Changes nothing.
            alert_rule_preview(req: AlertRuleSet) -> AlertRulePreviewView, reads [Alerts];
            /// Says when a rule would have fired in the last days, with other settings or the saved ones.
            alert_rule_backtest(req: AlertRuleBacktest) -> AlertBacktestView, reads [Alerts];
            /// Plays a rule on made-up facts: what it would tell, when and where. Shows and saves nothing.
            alert_rule_rehearse(req: AlertRuleSet) -> AlertRehearsalView, reads [Alerts];
            /// Sets what becomes of the alerts of a rule, and the numbers that it judges by.
            alert_rule_set(req: AlertRuleSet) -> Vec<AlertRuleView>, changes [Alerts, Settings];
            /// Lists the channels that alerts are sent through, and whether each works.
            alert_channels() -> Vec<AlertChannelView>, reads [Alerts];
            /// Returns who is told of an alert when, until somebody acknowledges it.
            alert_ladder() -> AlertLadderView, reads [Alerts];
            /// Sets after which wait and from which severity on a step of the ladder tells.
            alert_ladder_set(req: AlertLadderSet) -> AlertLadderView, changes [Alerts, Settings];
            /// Stores the address of the webhook or the password of the mail server.
            alert_channel_secret(req: AlertChannelSecret) -> AlertChannelView, changes [Alerts, Keys, Settings];
            /// Sends a test through a channel at once.
            alert_channel_test(req: AlertChannelRef) -> AlertChannelView, changes [Alerts];
            /// Records whether the user saw the last test of a channel.
            alert_test_answer(req: AlertTestAnswer) -> AlertChannelView, changes [Alerts];
            /// Lists alerts that fired, newest first.
            inbox(req: InboxQuery) -> InboxView, reads [Alerts];
            /// Marks an alert, or all, as seen.
            inbox_read(req: InboxRead) -> (), changes [Alerts];
            /// Returns an alert with its time line, and both as Markdown.
            incident(req: AlertRef) -> IncidentView, reads [Alerts];
            /// Adds a note to the time line of an alert.
            incident_note(req: IncidentNote) -> IncidentView, changes [Alerts];
            /// Lists budgets with what is spent of them.
            budgets() -> Vec<BudgetView>, reads [Usage], tool "list_budgets" Read;
            /// Adds or changes a budget.
            budget_set(req: BudgetSet) -> BudgetView, changes [Usage, Settings];
            /// Allows more than a budget's limit for a time, or takes that back.
            budget_allow(req: BudgetAllow) -> BudgetView, changes [Usage];
            /// Computes what a budget would have done to the requests of the last days. Changes nothing.
            budget_backtest(req: BudgetBacktest) -> BudgetBacktestView, changes [];
            /// Removes a budget.
            budget_remove(req: BudgetRef) -> (), changes [Usage, Settings];
            /// Lists profiles: sets of backends, one of which is in use at a time.
            profiles() -> ProfilesView, reads [Backends, Settings];
            /// Adds a profile, or replaces the backends of one.
            profile_set(req: ProfileSet) -> ProfilesView, changes [Settings, Backends, Routes, Status];
            /// Puts a profile in use, or none. Nothing restarts; requests in flight go on.
            profile_switch(req: ProfileSwitch) -> ProfilesView, changes [Settings, Backends, Routes, Status];
            /// Removes a profile. Its backends stay.
            profile_remove(req: ProfileRef) -> ProfilesView, changes [Settings, Backends, Routes, Status];
            /// Lists the calls of operations that change something, newest first.
            audit_log(req: AuditLogQuery) -> AuditLogView, reads [Audit];
            /// Lists all clients.
            clients() -> Vec<ClientView>, reads [Clients, Backends, Routes, Settings];
            /// Creates a client with a local token and stores the token in the vault.
            client_add(req: ClientAdd) -> ClientView, changes [Clients, Status, Settings, Usage];
            /// Changes a client's limits, cache mode, priority, scope and expiry. Its token stays.
            client_edit(req: ClientEdit) -> ClientView, changes [Clients, Settings];
            /// Sends a client's requests to one backend or route, or back to where the routing rules decide.
            client_switch(req: ClientSwitch) -> ClientView, changes [Clients, Routes, Settings], tool "switch_client" Change;
            /// Refuses a client's new requests until it is allowed again. Its token stays; requests in flight go on.
            client_block(req: ClientRef) -> ClientView, changes [Clients, Status, Settings];
            /// Lets a blocked client send requests again.
            client_allow(req: ClientRef) -> ClientView, changes [Clients, Status, Settings];
            /// Revokes a client's token at once. Its budget ends too: the one that has its name.
            client_revoke(req: ClientRef) -> RevokedClientView, changes [Clients, Status, Settings, Usage];
            /// Undoes that within ten minutes: the same token is valid again, and its budget is back.
            client_restore(req: ClientRef) -> ClientView, changes [Clients, Status, Settings, Usage];
            /// Lists client tools and whether they use the gateway.
            clients_wiring(req: CallerEnvironment) -> Vec<ToolWiringView>, reads [Clients];
            /// Lists client tools that are not wired, and how each reaches the gateway all the same.
            client_guides() -> Vec<ToolGuideView>, reads [Routes, Settings];
            /// Returns what pointing a tool at the gateway, or undoing that, would change.
            client_wiring_plan(req: WiringPlanQuery) -> WiringPlanView, reads [Clients];
            /// Points a tool at the gateway with a client of its own. No token is put into its files.
            client_wire(req: ClientWire) -> ToolWiringView, changes [Clients, Status, Settings];
            /// Tries what a wired tool does before its first prompt: gets its token, lists models.
            client_check(req: ClientCheck) -> ToolCheckView, changes [];
            /// Undoes that. What others changed in the tool's files stays.
            client_unwire(req: ClientUnwire) -> ToolWiringView, changes [Clients];
            /// Undoes it for every tool.
            clients_unwire_all(req: ClientsUnwireAll) -> Vec<UnwiredToolView>, changes [Clients];
            /// Returns what agents may do over MCP, with the tools of each permission.
            agent_access() -> AgentAccessView, reads [Clients, Settings];
            /// Lists programs, and whether their agents have the MCP server of Gatehouse.
            agent_programs(req: CallerEnvironment) -> Vec<AgentProgramView>, reads [Clients];
            /// Returns what adding our MCP server to a program, or removing it, would change.
            agent_program_plan(req: AgentProgramPlanQuery) -> WiringPlanView, reads [Clients];
            /// Adds our MCP server to a program's own file.
            agent_program_add(req: AgentProgramAdd) -> AgentProgramView, changes [Clients];
            /// Removes our MCP server from a program's own file.
            agent_program_remove(req: AgentProgramRemove) -> AgentProgramView, changes [Clients];
            /// Returns the currency that amounts are shown in, with its rate.
            currency() -> CurrencyView, reads [Settings];
            /// Sums the usage of a period.
            usage(req: UsageReportQuery) -> UsageView, reads [Usage], tool "usage_summary" Read;
            /// Suggests what to change to spend less.
            usage_advice(req: UsageAdviceQuery) -> UsageAdviceView, reads [Usage], tool "suggest_savings" Read;
            /// Finds what was unusual in the last days, and why.
            usage_anomalies(req: UsageAnomaliesQuery) -> UsageAnomaliesView, reads [Usage], tool "find_anomalies" Read;
            /// Remembers that something unusual is fine: it is in no list and no alert, unless it goes on.
            usage_anomaly_dismiss(req: UsageAnomalyFine) -> (), changes [Usage, Alerts];
            /// Takes `usage_anomaly_dismiss` back.
            usage_anomaly_restore(req: UsageAnomalyRef) -> (), changes [Usage, Alerts];
            /// Sums the usage of a period by two dimensions.
            usage_cross(req: UsageCrossQuery) -> UsageCrossView, reads [Usage];
            /// Returns the most expensive requests of a period, and how many cost how much.
            usage_expensive(req: UsagePeriodQuery) -> UsageExpensiveView, reads [Usage], tool "expensive_requests" Read;
            /// Sums what the caches saved and what was wasted in a period.
            usage_efficiency(req: UsagePeriodQuery) -> UsageEfficiencyView, reads [Usage], tool "usage_efficiency" Read;
            /// Forecasts what this month costs.
            usage_forecast(req: UsageForecastQuery) -> UsageForecastView, reads [Usage], tool "forecast_cost" Read;
            /// Counts the failed attempts of a period by class.
            usage_failures(req: UsagePeriodQuery) -> UsageFailuresView, reads [Usage], tool "usage_failures" Read;
            /// Returns the requests of the last hour by minute, what failed and how many a minute there are now.
            usage_recent() -> UsageRecentView, reads [Usage], tool "recent_usage" Read;
            /// Sums the usage of a period by weekday and hour.
            usage_heatmap(req: UsagePeriodQuery) -> UsageHeatmapView, reads [Usage];
            /// Returns percentiles of the latencies of a period.
            usage_latency(req: UsageLatencyQuery) -> UsageLatencyView, reads [Usage], tool "usage_latency" Read;
            /// Lists the figures that are pinned to the Overview, with their values.
            pins_list(req: PinsQuery) -> Vec<PinView>, reads [Usage];
            /// Pins a figure to the Overview, or changes one.
            pin_save(req: PinSave) -> (), changes [Settings, Usage];
            /// Removes a pinned figure.
            pin_delete(req: PinRef) -> (), changes [Settings, Usage];
            /// Writes the statement of a month as a page to print, CSV or JSON.
            statement(req: StatementQuery) -> TextFile, changes [];
            /// Saves the statement of a month in the folder for downloads.
            statement_save(req: StatementQuery) -> SavedFile, changes [], audit true;
            /// Lists single requests, newest first.
            requests(req: RequestsQuery) -> RequestsView, reads [Usage], tool "list_requests" Read;
            /// Reads filters that are written as one line of text, and lists the words that it may have.
            request_query(req: RequestQueryText) -> RequestQueryView, reads [];
            /// Writes the requests that match filters as CSV or JSON, newest first.
            requests_export(req: RequestsExport) -> TextFile, changes [];
            /// Saves the requests that match filters in the folder for downloads.
            requests_export_save(req: RequestsExport) -> SavedFile, changes [], audit true;
            /// Returns a request as code without a token.
            request_code(req: RequestRef) -> RequestCodeView, reads [];
            /// Lists the saved views of the requests.
            saved_views() -> Vec<SavedView>, reads [Settings];
            /// Saves filters of the requests under a name, which may be taken.
            saved_view_set(req: SavedView) -> (), changes [Settings];
            /// Removes a saved view.
            saved_view_remove(req: SavedViewRef) -> (), changes [Settings];
            /// Sums the usage from the session logs of coding tools, which no other sum holds.
            session_logs(req: SessionLogsQuery) -> SessionLogsView, reads [SessionLogs];
            /// Says what is left of the plans that coding tools are signed in to, as they were last
            /// told, and what their usage would have cost at list prices.
            plans() -> PlansView, reads [SessionLogs];
            /// Starts an import of what is new in the session logs. Progress comes as events.
            session_logs_import() -> LogImportView, changes [SessionLogs];
            /// Cancels the import of session logs in progress. What it has read stays.
            session_logs_cancel() -> (), changes [SessionLogs];
            /// Lists all routes with their current targets and their last 24 hours.
            routes() -> RoutesView, reads [Routes, Endpoints, Backends, Usage], tool "list_routes" Read;
            /// Creates or changes a route.
            route_set(req: RouteEdit) -> RouteView, changes [Routes, Settings, Status];
            /// Removes a route.
            route_remove(req: RouteRef) -> (), changes [Routes, Settings, Status];
            /// Reorders the routes. Routes that are not named stay behind the others.
            routes_order(req: RoutesOrder) -> RoutesView, changes [Routes, Settings];
            /// Returns the attempts of a request, its skipped candidates and its cache outcome.
            request_path(req: RequestRef) -> RequestPathView, reads [Usage], tool "explain_request" Read;
            /// Explains which backend would serve a request now. Nothing is sent.
            route_explain(req: HypotheticalRequest) -> RouteDecisionView, reads [Routes, Endpoints], tool "explain_route" Read;
            /// Simulates where many such requests would go. Nothing is sent.
            route_simulate(req: RouteSimulation) -> RouteSimulationView, reads [Routes];
            /// Lists every endpoint (a backend with one of its keys) and what restricts it.
            accesses() -> Vec<EndpointView>, reads [Endpoints];
            /// Forces a breaker into a state, for a time or until it is reset.
            access_force(req: EndpointForce) -> EndpointView, changes [Endpoints, Routes, Backends, Status];
            /// Resets an endpoint: closes its breaker and ends its cooldowns, block and override.
            access_reset(req: EndpointRef) -> EndpointView, changes [Endpoints, Routes, Backends, Status], tool "reset_endpoint" Change;
            /// Returns the history of a backend's endpoints.
            breaker_timeline(req: BreakerTimelineQuery) -> BreakerTimelineView, reads [Endpoints];
            /// Computes what a breaker with other thresholds would have done.
            breaker_backtest(req: BacktestQuery) -> BacktestView, reads [];
            /// Returns the cache's contents, its savings and its bypass reasons.
            cache(req: CacheQuery) -> CacheView, reads [Cache, Usage];
            /// Removes cached responses.
            cache_purge(req: CachePurge) -> CachePurgeResultView, changes [Cache], tool "purge_cache" Change;
            /// Lists prices with their source and date.
            prices(req: PricesQuery) -> PricesView, reads [Prices], tool "list_prices" Read;
            /// Sets one's own price of a model at a backend, from now on.
            price_set(req: PriceSet) -> PriceChangeView, changes [Prices, Usage, Status, Cache];
            /// Reads a price list and returns what it would change. Changes nothing.
            price_import(req: PriceImport) -> PriceImportView, changes [];
            /// Applies an import that was looked at.
            price_import_apply(req: PriceImportRef) -> PriceChangeView, changes [Prices, Usage, Status, Cache];
            /// Takes the last change of prices back.
            price_undo() -> PriceChangeView, changes [Prices, Usage, Status, Cache];
            /// Returns the readiness run in progress, or else the newest, and earlier scores.
            readiness() -> ReadinessView, reads [Readiness], tool "last_checks" Read;
            /// Starts a readiness run. Progress comes as events.
            readiness_start(req: ReadinessStart) -> ReadinessRunView, changes [Readiness, Status], tool "run_checks" Checks;
            /// Stops the readiness run in progress.
            readiness_cancel() -> (), changes [Readiness, Status];
            /// Lists the playground runs that are still in memory, oldest first.
            playground() -> Vec<PlaygroundRunView>, reads [Playground];
            /// Sends a prompt through the gateway. The response comes as events.
            playground_send(req: PlaygroundSend) -> PlaygroundRunView, changes [], audit true, tool "ask" Spend;
            /// Stops a playground run, if it is still in progress.
            playground_cancel(req: PlaygroundRef) -> (), changes [];
            /// Returns the HTTP exchange of a playground run, without its token.
            playground_raw(req: PlaygroundRef) -> PlaygroundRawExchangeView, reads [];
            /// Returns a playground request as code without a token.
            playground_snippets(req: PlaygroundSend) -> PlaygroundSnippetsView, reads [Clients, Settings];
            /// Returns the settings, their file and its problems.
            settings() -> SettingsView, reads [Settings];
            /// Changes the settings.
            settings_edit(req: SettingsValues) -> SettingsView, changes [Settings, Status, Backends, Cache, Usage, SessionLogs];
            /// Applies the proposed fix of the settings file.
            settings_fix() -> SettingsView, changes [Settings, Status, Backends, Keys, Clients];
            /// Puts the settings file back as it was before its last fix.
            settings_fix_undo() -> SettingsView, changes [Settings, Status, Backends, Keys, Clients];
            /// Returns the ledger's state, its file and its backups.
            ledger() -> LedgerView, reads [Ledger];
            /// Backs up the ledger now.
            ledger_backup() -> LedgerBackupView, changes [Ledger, Status];
            /// Restores the records of a backup. Records made since then stay.
            ledger_restore(req: LedgerRestore) -> LedgerRestoredView, changes [Ledger, Status, Usage];
            /// Counts what can be read from a damaged ledger file. Changes nothing.
            ledger_examine(req: LedgerRepair) -> LedgerSalvageView, changes [];
            /// Recovers what can be read from a damaged ledger file. Records made since then stay.
            ledger_repair(req: LedgerRepair) -> LedgerRestoredView, changes [Ledger, Status, Usage];
            /// Acknowledges an incident with the ledger's file. Kept files stay.
            ledger_acknowledge() -> LedgerView, changes [Ledger, Status];
            /// Copies the ledger into a new file, to be merged on another machine. It holds no secret.
            ledger_export(req: LedgerExport) -> LedgerExportedView, changes [], audit true;
            /// Counts what a merge of another machine's export would add. Changes nothing.
            ledger_merge_plan(req: LedgerMerge) -> LedgerMergePlanView, changes [];
            /// Adds the requests of another machine from its export.
            ledger_merge(req: LedgerMerge) -> LedgerMergedView, changes [Usage, Status, Ledger];
            /// Returns the last backup of everything, and where the next one goes.
            backups() -> BackupsView, reads [Ledger];
            /// Backs up settings and ledger into one new file. It holds no key.
            backup(req: BackupCreate) -> BackupView, changes [Ledger, Readiness];
            /// Restores a backup into a scratch folder and opens it there. Changes nothing.
            backup_check(req: BackupRef) -> BackupCheckView, changes [];
            /// Cancels the backup, check or restore in progress, unless it already replaces files, and the
            /// merge in progress. What a merge has added stays.
            backup_cancel() -> (), changes [];
            /// Checks a backup and returns what its restore would change.
            restore_plan(req: BackupRef) -> RestorePlanView, changes [];
            /// Restores settings and ledger from a backup. Records made since then stay.
            restore(req: BackupRef) -> RestoredView, changes [Settings, Status, Backends, Keys, Clients, Routes, Endpoints, Usage, Alerts, Prices, Ledger, Cache, SessionLogs, Readiness];
            /// Writes the settings, without any key, into a new file.
            config_export(req: ConfigExport) -> ConfigExportedView, changes [], audit true;
            /// Returns what an import of settings would change. Changes nothing.
            config_import_plan(req: ConfigImport) -> ConfigImportView, changes [];
            /// Imports settings from a file. Nothing that is here alone is removed.
            config_import(req: ConfigImport) -> ConfigImportView, changes [Settings, Status, Backends, Keys, Clients, Routes, Endpoints, Cache, Usage, SessionLogs];
            /// Writes all keys and local tokens, encrypted with a passphrase, into a new file.
            secrets_export(req: SecretsExport) -> SecretsExportedView, changes [], audit true;
            /// Imports keys from such a file into the vault: writes them, reads them back and compares.
            secrets_import(req: SecretsImport) -> SecretsImportedView, changes [Keys, Backends, Clients, Status, Settings];
            /// Sends a test notification.
            notification_test() -> NotificationTestView, changes [];
        }
    };
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// Also a path of the control listener and a permission of the window.
    pub name: &'static str,
    pub changes: &'static [ChangeTag],
    /// What makes its answer stale, if screens keep it.
    pub reads: Option<&'static [ChangeTag]>,
    pub is_audited: bool,
    run: JsonCall,
}

/// Calls an operation with its request as JSON, and returns its view as JSON.
type JsonCall = for<'a> fn(&'a Core, &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, ApiError>>;

macro_rules! entry_points {
    ($($(#[doc = $doc:literal])* $name:ident($($req:ident: $Req:ty)?) -> $View:ty, $effect:ident [$($tag:ident),*] $(, audit $audit:literal)? $(, tool $tool:literal $permission:ident)?;)*) => {
        $(
            $(#[doc = $doc])*
            pub fn $name(core: &Core $(, $req: $Req)?) -> BoxFuture<'_, Result<$View, ApiError>> {
                Box::pin(async move {
                    match core {
                        Core::Local(engine, caller) => {
                            let changes: &[ChangeTag] = entry_points!(@changes $effect [$($tag),*]);
                            let request = entry_points!(@body $($req)?);
                            let call = entry_points!(@audited [$($audit)?] $effect [$($tag)*])
                                .then(|| AuditedCall::begin(engine, caller, stringify!($name), request));
                            let outcome = operation::$name(engine $(, $req)?).await;
                            if outcome.is_ok() {
                                core.announce_changes(changes);
                            }
                            if let Some(call) = call {
                                call.end(&outcome).await;
                            }
                            outcome
                        }
                        Core::Remote(owner) => owner.call(stringify!($name), entry_points!(@body $($req)?)).await,
                    }
                })
            }
        )*

        pub const OPERATIONS: &[Operation] = &[$(Operation {
            name: stringify!($name),
            changes: entry_points!(@changes $effect [$($tag),*]),
            reads: entry_points!(@reads $effect [$($tag),*]),
            is_audited: entry_points!(@audited [$($audit)?] $effect [$($tag)*]),
            run: {
                // A function of its own: in one for all of them, the compiler would take minutes.
                fn run<'a>(core: &'a Core, _body: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, ApiError>> {
                    Box::pin(async move {
                        $(let $req: $Req = crate::json::parse_request(_body)?;)?
                        crate::json::serialize_view(&$name(core $(, $req)?).await?)
                    })
                }
                run
            },
        }),*];

        /// The operations that agents can call, in the order of the table.
        pub fn agent_tools() -> impl Iterator<Item = AgentTool> {
            [$(entry_points!(@tool [$($tool $permission)?] {
                operation: stringify!($name),
                description: concat!($($doc),*),
                input_schema: json_schema::<entry_points!(@request $($Req)?)>,
                output_schema: json_schema::<$View>,
            })),*].into_iter().flatten()
        }

    };
    (@changes changes [$($tag:ident),*]) => { &[$(ChangeTag::$tag),*] };
    (@changes reads [$($tag:ident),*]) => { &[] };
    (@reads changes [$($tag:ident),*]) => { None };
    (@reads reads [$($tag:ident),*]) => { Some(&[$(ChangeTag::$tag),*]) };
    (@audited [$audit:literal] $effect:ident [$($tag:ident)*]) => { $audit };
    (@audited [] changes [$($tag:ident)+]) => { true };
    (@audited [] $effect:ident [$($tag:ident)*]) => { false };
    (@tool [] $row:tt) => { None };
    (@tool [$tool:literal $permission:ident] { $($row:tt)* }) => {
        Some(AgentTool { name: $tool, permission: AgentPermission::$permission, $($row)* })
    };
    (@request) => { NoInput };
    (@request $Req:ty) => { $Req };
    (@body) => { &() };
    (@body $req:ident) => { &$req };
}

operations!(entry_points);

/// Calls an operation by name. Its request and the returned view are JSON.
pub fn call<'a>(
    core: &'a Core,
    name: &str,
    body: &'a [u8],
) -> BoxFuture<'a, Result<Vec<u8>, ApiError>> {
    match OPERATIONS.iter().find(|row| row.name == name) {
        Some(row) => (row.run)(core, body),
        None => {
            let error = ApiError::not_found(format!("there is no operation {name:?}"));
            Box::pin(std::future::ready(Err(error)))
        }
    }
}

/// Returns a client's local token. For the command line only; no panel may call this.
pub async fn client_token(core: &Core, req: ClientRef) -> Result<Secret, ApiError> {
    match core {
        Core::Local(engine, caller) => {
            let call = AuditedCall::begin(engine, caller, "client_token", &req);
            let token = operation::client_token(engine, req).await;
            call.end(&token).await;
            token
        }
        Core::Remote(owner) => owner.call("client_token", &req).await,
    }
}

/// Refuses a tool that the settings do not allow agents, and writes that down. For agents only.
pub async fn agent_authorize(core: &Core, req: AgentToolRef) -> Result<(), ApiError> {
    match core {
        Core::Local(engine, caller) => operation::agent_authorize(engine, caller, req).await,
        Core::Remote(owner) => owner.call("agent_authorize", &req).await,
    }
}

/// Returns a new address that opens the panel in a browser once. For the command line only.
pub async fn panel_address(core: &Core) -> Result<Zeroizing<String>, ApiError> {
    match core {
        Core::Local(engine, caller) => {
            let call = AuditedCall::begin(engine, caller, "panel_address", &());
            let address = operation::panel_address(engine);
            call.end(&address).await;
            address
        }
        Core::Remote(owner) => owner.call("panel_address", &()).await,
    }
}

/// Creates a client and returns its token. For the command line only; no panel may call this.
pub async fn client_issue(core: &Core, req: ClientAdd) -> Result<IssuedToken, ApiError> {
    match core {
        Core::Local(engine, caller) => {
            let call = AuditedCall::begin(engine, caller, "client_issue", &req);
            let issued = operation::client_issue(engine, req).await;
            if issued.is_ok() {
                engine.events().send_changed(&[
                    Topic::Clients,
                    Topic::Status,
                    Topic::Settings,
                    Topic::Usage,
                ]);
            }
            call.end(&issued).await;
            issued
        }
        Core::Remote(owner) => owner.call("client_issue", &req).await,
    }
}
