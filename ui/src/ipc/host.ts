/**
 * Everything the panel may ask of the core. Three hosts implement it: the desktop window
 * (`tauri-host`), a browser on loopback (`http-host`) and a typed world for development and tests
 * (`fake-host`). An operation that a host lacks does not compile.
 *
 * Every promise rejects with an `ApiError` and with nothing else.
 */
import type { AccessForce, AccessRef, AccessView, BackendAdd, BackendEdit, BackendRef, BackendSwitch, BackendTestView, BackendView, BacktestQuery, BacktestView, BreakerTimelineQuery, BreakerTimelineView, CachePurge, CachePurgedView, CacheQuery, CacheView, ClientAdd, ClientEdit, ClientRef, ClientView, KeyAdd, KeyRef, KeyReplace, KeyVerificationView, KeyView, LedgerBackupView, LedgerRepair, LedgerRestore, LedgerRestoredView, LedgerSalvageView, LedgerView, NotificationTestView, PanelEvent, PlaygroundRawView, PlaygroundRef, PlaygroundRunView, PlaygroundSend, PlaygroundSnippetsView, PresetView, ReadinessStart, ReadinessView, RequestPathView, RequestRef, RequestsQuery, RequestsView, RouteAsk, RouteDecisionView, RouteEdit, RouteRef, RouteSimulation, RouteSimulationView, RoutesOrder, RoutesView, RouteView, RunView, SettingsValues, SettingsView, StatusView, UsageQuery, UsageView, VaultChangeView, VaultMove, VaultSet, VaultUnlock, VaultView } from "./bindings";
import type { Session } from "./session";

export interface Host {
  /** The browser's session with the core; `null` where there is none to end (the window). */
  session: Session | null;

  status(): Promise<StatusView>;

  backends(): Promise<BackendView[]>;
  presets(): Promise<PresetView[]>;
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
  /** Asks the vault again how it is. */
  vaultCheck(): Promise<VaultView>;
  /** Opens the encrypted file vault, or makes it when there is none yet. */
  vaultUnlock(req: VaultUnlock): Promise<VaultView>;
  /** Uses another vault from now on, with the keys or without. A new passphrase is asked for twice before. */
  vaultSet(req: VaultSet): Promise<VaultChangeView>;
  /** Moves keys that are still in another vault into the one in use. */
  vaultMove(req: VaultMove): Promise<VaultChangeView>;

  clients(): Promise<ClientView[]>;
  clientAdd(req: ClientAdd): Promise<ClientView>;
  /** Changes a client's limits, its cache and its priority; its token stays. */
  clientEdit(req: ClientEdit): Promise<ClientView>;
  clientRevoke(req: ClientRef): Promise<null>;

  usage(req: UsageQuery): Promise<UsageView>;
  requests(req: RequestsQuery): Promise<RequestsView>;
  /** The attempts of one request, who was passed over, and what the cache did. */
  requestPath(req: RequestRef): Promise<RequestPathView>;

  routes(): Promise<RoutesView>;
  /** Makes a route, or changes one. */
  routeSet(req: RouteEdit): Promise<RouteView>;
  routeRemove(req: RouteRef): Promise<null>;
  routesOrder(req: RoutesOrder): Promise<RoutesView>;
  /** Which backend would serve a request now, and why; nothing is sent. */
  routeExplain(req: RouteAsk): Promise<RouteDecisionView>;
  /** Where many such requests would go; nothing is sent. */
  routeSimulate(req: RouteSimulation): Promise<RouteSimulationView>;

  /** Every backend with each of its keys, and what holds it back. */
  accesses(): Promise<AccessView[]>;
  accessForce(req: AccessForce): Promise<AccessView>;
  accessReset(req: AccessRef): Promise<AccessView>;
  breakerTimeline(req: BreakerTimelineQuery): Promise<BreakerTimelineView>;
  breakerBacktest(req: BacktestQuery): Promise<BacktestView>;

  cache(req: CacheQuery): Promise<CacheView>;
  cachePurge(req: CachePurge): Promise<CachePurgedView>;

  readiness(): Promise<ReadinessView>;
  readinessStart(req: ReadinessStart): Promise<RunView>;
  readinessCancel(): Promise<null>;

  /** The runs that are still in memory, oldest first. */
  playground(): Promise<PlaygroundRunView[]>;
  /** Sends a prompt through the gateway; the answer comes as events. */
  playgroundSend(req: PlaygroundSend): Promise<PlaygroundRunView>;
  playgroundCancel(req: PlaygroundRef): Promise<null>;
  playgroundRaw(req: PlaygroundRef): Promise<PlaygroundRawView>;
  playgroundSnippets(req: PlaygroundSend): Promise<PlaygroundSnippetsView>;

  ledger(): Promise<LedgerView>;
  ledgerBackup(): Promise<LedgerBackupView>;
  /** Requests recorded since the backup stay. */
  ledgerRestore(req: LedgerRestore): Promise<LedgerRestoredView>;
  /** Counts what can be read of a damaged file; changes nothing. */
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

  /** Says that the first data is on the screen, so that the core can write down how long the start took. */
  painted(): Promise<null>;

  /** Calls `listener` for every event until the returned function is called. */
  subscribe(listener: (event: PanelEvent) => void): () => void;
}
