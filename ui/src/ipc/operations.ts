/**
 * Every operation of the host, once, with its kind of argument. Transports are built from this table, so an operation
 * that is missing in a transport does not compile.
 */
import type { Host } from "@/ipc/host";

type Operation = Exclude<keyof Host, "session" | "subscribe" | "openUrl" | "painted">;

/** `none` takes no request, `req` takes one. */
export const OPERATIONS: { [Name in Operation]: Host[Name] extends () => unknown ? "none" : "req" } = {
  status: "none",
  backends: "none",
  presets: "none",
  backendAdd: "req",
  backendEdit: "req",
  backendSwitch: "req",
  backendTest: "req",
  backendRemove: "req",
  keys: "none",
  keyAdd: "req",
  keyReplace: "req",
  keyVerify: "req",
  keyRemove: "req",
  clients: "none",
  clientAdd: "req",
  clientEdit: "req",
  clientRevoke: "req",
  usage: "req",
  requests: "req",
  requestPath: "req",
  routes: "none",
  routeSet: "req",
  routeRemove: "req",
  routesOrder: "req",
  routeExplain: "req",
  routeSimulate: "req",
  accesses: "none",
  accessForce: "req",
  accessReset: "req",
  breakerTimeline: "req",
  breakerBacktest: "req",
  cache: "req",
  cachePurge: "req",
  readiness: "none",
  readinessStart: "req",
  readinessCancel: "none",
  playground: "none",
  playgroundSend: "req",
  playgroundCancel: "req",
  playgroundRaw: "req",
  playgroundSnippets: "req",
  settings: "none",
  settingsEdit: "req",
  settingsFix: "none",
  ledger: "none",
  ledgerBackup: "none",
  ledgerRestore: "req",
  ledgerExamine: "req",
  ledgerRepair: "req",
  ledgerAcknowledge: "none",
  notificationTest: "none",
  vaultCheck: "none",
  vaultUnlock: "req",
  vaultSet: "req",
  vaultMove: "req",
};

type Operations = Pick<Host, Operation>;

/** Builds all operations from one function that sends a name and a request to the core. */
export function buildOperations(call: (name: string, req: unknown) => Promise<unknown>): Operations {
  const built = Object.keys(OPERATIONS).map((name) => [name, (req?: unknown) => call(name, req ?? null)]);
  return Object.fromEntries(built) as Operations;
}
