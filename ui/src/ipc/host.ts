/**
 * Every operation of the core that the panel uses. Three hosts implement it: the desktop window (`tauri-host`), a
 * browser on loopback (`http-host`) and typed fake data for development and tests (`fake-host`). A host without one of
 * the operations does not compile.
 *
 * Every promise rejects with an `ApiError` and nothing else.
 */
import type { EndpointForce, EndpointRef, EndpointView, BackendAdd, BackendEdit, BackendRef, BackendSwitch, BackendTestView, BackendView, BacktestQuery, BacktestView, BreakerTimelineQuery, BreakerTimelineView, CachePurge, CachePurgeResultView, CacheQuery, CacheView, ClientAdd, ClientEdit, ClientRef, ClientView, KeyAdd, KeyRef, KeyReplace, KeyVerificationView, KeyView, LedgerBackupView, LedgerRepair, LedgerRestore, LedgerRestoredView, LedgerSalvageView, LedgerView, NotificationTestView, PanelEvent, PlaygroundRawExchangeView, PlaygroundRef, PlaygroundRunView, PlaygroundSend, PlaygroundSnippetsView, BackendPresetView, ReadinessStart, ReadinessView, RequestPathView, RequestRef, RequestsQuery, RequestsView, HypotheticalRequest, RouteDecisionView, RouteEdit, RouteRef, RouteSimulation, RouteSimulationView, RoutesOrder, RoutesView, RouteView, ReadinessRunView, SettingsValues, SettingsView, StatusView, UsageReportQuery, UsageView, VaultChangeView, VaultMove, VaultSet, VaultUnlock, VaultView } from "./bindings";
import type { Session } from "./session";

export interface Host {
  /** The browser's session with the core; `null` if there is none to end (in the window). */
  session: Session | null;

  status(): Promise<StatusView>;

  backends(): Promise<BackendView[]>;
  presets(): Promise<BackendPresetView[]>;
  backendAdd(req: BackendAdd): Promise<BackendView>;
  backendEdit(req: BackendEdit): Promise<BackendView>;
  backendSwitch(req: BackendSwitch): Promise<BackendView>;
  backendTest(req: BackendRef): Promise<BackendTestView>;
  backendRemove(req: BackendRef): Promise<null>;

  keys(): Promise<KeyView[]>;
  keyAdd(req: KeyAdd): Promise<KeyView>;
  keyReplace(req: KeyReplace): Promise<KeyView>;
  keyVerify(req: KeyRef): Promise<KeyVerificationView>;
  keyRemove(req: KeyRef): Promise<null>;
  /** Checks the vault's state again. */
  vaultCheck(): Promise<VaultView>;
  /** Opens the encrypted file vault, or creates it. */
  vaultUnlock(req: VaultUnlock): Promise<VaultView>;
  /** Switches to another vault, with or without the keys. The caller has the user enter a new passphrase twice. */
  vaultSet(req: VaultSet): Promise<VaultChangeView>;
  /** Moves keys that are still in another vault to the current one. */
  vaultMove(req: VaultMove): Promise<VaultChangeView>;

  clients(): Promise<ClientView[]>;
  clientAdd(req: ClientAdd): Promise<ClientView>;
  /** Changes a client's limits, cache mode and priority; its token stays. */
  clientEdit(req: ClientEdit): Promise<ClientView>;
  clientRevoke(req: ClientRef): Promise<null>;

  usage(req: UsageReportQuery): Promise<UsageView>;
  requests(req: RequestsQuery): Promise<RequestsView>;
  /** The attempts of one request, the skipped backends, and the cache's part. */
  requestPath(req: RequestRef): Promise<RequestPathView>;

  routes(): Promise<RoutesView>;
  /** Creates or changes a route. */
  routeSet(req: RouteEdit): Promise<RouteView>;
  routeRemove(req: RouteRef): Promise<null>;
  routesOrder(req: RoutesOrder): Promise<RoutesView>;
  /** Which backend would serve a request now, and why; nothing is sent. */
  routeExplain(req: HypotheticalRequest): Promise<RouteDecisionView>;
  /** Where many such requests would go; nothing is sent. */
  routeSimulate(req: RouteSimulation): Promise<RouteSimulationView>;

  /** Every backend with each of its keys and their restrictions. */
  accesses(): Promise<EndpointView[]>;
  accessForce(req: EndpointForce): Promise<EndpointView>;
  accessReset(req: EndpointRef): Promise<EndpointView>;
  breakerTimeline(req: BreakerTimelineQuery): Promise<BreakerTimelineView>;
  breakerBacktest(req: BacktestQuery): Promise<BacktestView>;

  cache(req: CacheQuery): Promise<CacheView>;
  cachePurge(req: CachePurge): Promise<CachePurgeResultView>;

  readiness(): Promise<ReadinessView>;
  readinessStart(req: ReadinessStart): Promise<ReadinessRunView>;
  readinessCancel(): Promise<null>;

  /** The runs still in memory, oldest first. */
  playground(): Promise<PlaygroundRunView[]>;
  /** Sends a prompt through the gateway; the answer comes as events. */
  playgroundSend(req: PlaygroundSend): Promise<PlaygroundRunView>;
  playgroundCancel(req: PlaygroundRef): Promise<null>;
  playgroundRaw(req: PlaygroundRef): Promise<PlaygroundRawExchangeView>;
  playgroundSnippets(req: PlaygroundSend): Promise<PlaygroundSnippetsView>;

  ledger(): Promise<LedgerView>;
  ledgerBackup(): Promise<LedgerBackupView>;
  /** Requests recorded since the backup stay. */
  ledgerRestore(req: LedgerRestore): Promise<LedgerRestoredView>;
  /** Counts the readable records of a damaged file; changes nothing. */
  ledgerExamine(req: LedgerRepair): Promise<LedgerSalvageView>;
  ledgerRepair(req: LedgerRepair): Promise<LedgerRestoredView>;
  /** Ends the incident; kept files stay. */
  ledgerAcknowledge(): Promise<LedgerView>;

  settings(): Promise<SettingsView>;
  settingsEdit(req: SettingsValues): Promise<SettingsView>;
  settingsFix(): Promise<SettingsView>;
  notificationTest(): Promise<NotificationTestView>;

  /** Opens an https page in the user's browser. */
  openUrl(url: string): Promise<null>;

  /** Reports that the first data is on the screen, so that the core can log the start-up time. */
  painted(): Promise<null>;

  /** Calls `listener` for every event until the returned function is called. */
  subscribe(listener: (event: PanelEvent) => void): () => void;
}
