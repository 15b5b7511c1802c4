/** Backups of everything in the fake data: one of last week, and archives that are always sound. */
import type { BackupCheckView, BackupView, MissingKeysView } from "@/ipc/bindings";
import type { Doing } from "@/ipc/fake/doing";
import { fault } from "@/ipc/fake/rules";
import type { Host } from "@/ipc/host";
import { DAY_MS } from "@/lib/time";

const FOLDER = "/home/dev/Downloads";

/** The core refuses the same: a relative path depends on where it was started. */
export function wholePath(path: string): string {
  if (path.startsWith("/")) return path;
  throw fault("invalid_input", "give the whole path, from the root on", null, "path");
}

export function fakeBackups({
  world,
  now,
  answer,
  changed,
}: Doing): Pick<Host, "backups" | "backup" | "backupCheck" | "backupCancel" | "restorePlan" | "restore"> {
  const requests = world.requests.length;
  let last: BackupView | null =
    requests === 0
      ? null
      : { path: `${FOLDER}/gatehouse-2026-11-16.tar.zst`, at: now() - 6 * DAY_MS, bytes: 812_000, requests };
  const check = (path: string): BackupCheckView => ({
    path: wholePath(path),
    made: now() - 6 * DAY_MS,
    app_version: "0.1.0",
    bytes: 4_198_400,
    requests,
    backends: world.backends.length,
    routes: 2,
    clients: world.clients.length,
    budgets: 1,
    keys: world.keys.length,
    took_ms: 412,
    sentence: `Sound: ${requests} requests, ${world.backends.length} backends and ${world.clients.length} clients. Restored into a scratch folder and opened in 0.4 s.`,
  });
  const keys: MissingKeysView = { missing: ["groq"], unknown: null };
  return {
    backups: () => answer(() => ({ last, folder: FOLDER })),
    backup: (req) =>
      answer(() => {
        const path = req.path === null ? `${FOLDER}/gatehouse-now.tar.zst` : wholePath(req.path);
        last = { path, at: now(), bytes: 820_000, requests };
        changed("ledger", "readiness");
        return last;
      }),
    backupCheck: (req) => answer(() => check(req.path)),
    backupCancel: () => answer(() => null),
    restorePlan: (req) =>
      answer(() => ({
        check: check(req.path),
        differences: [
          { path: "gateway.port", kind: "differs", fields: [{ name: "", here: "4283", there: "5000" }] },
          { path: "budgets.monthly", kind: "only_there", fields: [{ name: "limit_usd", here: null, there: "20" }] },
        ],
        requests_here: requests,
        keys,
      })),
    restore: (req) =>
      answer(() => {
        wholePath(req.path);
        changed("ledger", "settings", "usage");
        return {
          made: now() - 6 * DAY_MS,
          requests,
          added: 66,
          ledger_kept: "ledger.sqlite.kept-before-restore",
          settings_kept: "/home/dev/.config/gatehouse/settings.before-restore.toml",
          keys,
          sentence: `Restored: ${requests} requests and all settings of the backup. The vault lacks 1 key, to be added again.`,
        };
      }),
  };
}
