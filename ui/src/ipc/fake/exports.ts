/** Exports and imports of settings and keys in the fake data. */
import type { Doing } from "@/ipc/fake/doing";
import { wholePath } from "@/ipc/fake/backups";
import { fault } from "@/ipc/fake/rules";
import type { ConfigImport, ConfigImportView } from "@/ipc/bindings";
import type { Host } from "@/ipc/host";

function checkPassphrase(passphrase: string): void {
  if (passphrase.length < 8)
    throw fault("invalid_input", "the passphrase is too short; use at least 8 characters", "passphrase");
}

function importView(req: ConfigImport): ConfigImportView {
  wholePath(req.path);
  const port = {
    path: "gateway.port",
    kind: "differs" as const,
    fields: [{ name: "", here: "4283", there: "5000" }],
  };
  const budget = {
    path: "budgets.team",
    kind: "only_there" as const,
    fields: [{ name: "limit_usd", here: null, there: "20" }],
  };
  return {
    changes: req.on_conflict === "replace" ? [port, budget] : [budget],
    kept: req.on_conflict === "replace" ? [] : [port],
    detached: [],
    new_clients: ["laptop"],
    keys: { missing: ["groq"], unknown: null },
  };
}

export function fakeExports({
  world,
  answer,
  changed,
}: Doing): Pick<Host, "configExport" | "configImportPlan" | "configImport" | "secretsExport" | "secretsImport"> {
  const keys = world.keys.map(({ id }) => id);
  return {
    configExport: (req) =>
      answer(() => ({
        path: req.path === null ? "/home/dev/Downloads/gatehouse-settings.toml" : wholePath(req.path),
        backends: world.backends.length,
        routes: 2,
        clients: world.clients.length,
        budgets: 1,
      })),
    configImportPlan: (req) => answer(() => importView(req)),
    configImport: (req) =>
      answer(() => {
        changed("settings", "backends", "clients");
        return importView(req);
      }),
    secretsExport: (req) =>
      answer(() => {
        checkPassphrase(req.passphrase);
        return { path: wholePath(req.path), keys, clients: [], missing: [] };
      }),
    secretsImport: (req) =>
      answer(() => {
        checkPassphrase(req.passphrase);
        wholePath(req.path);
        changed("keys");
        return { imported: [], same: keys, kept: [], unknown: [] };
      }),
  };
}
