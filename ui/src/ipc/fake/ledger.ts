/** The ledger of the fake data: intact with backups, or damaged and set aside in the failing scenario. */
import type { LedgerIncidentView, LedgerView } from "@/ipc/bindings";
import type { Doing } from "@/ipc/fake/doing";
import { wholePath } from "@/ipc/fake/backups";
import { ledgerPerformance } from "@/ipc/fake/local";
import { fault } from "@/ipc/fake/rules";
import type { World } from "@/ipc/fake/world";
import type { Host } from "@/ipc/host";
import { DAY_MS, HOUR_MS } from "@/lib/time";

const KEPT = "ledger.sqlite.kept-damaged-2026-11-21T07-12-40Z";

const backupName = (at: number) => `ledger-${new Date(at).toISOString().slice(0, 19).replaceAll(":", "-")}Z.sqlite`;

export function ledgerView(world: World, now: number): LedgerView {
  const isUsed = world.requests.length > 0;
  const incident: LedgerIncidentView | null = world.ledgerIncident
    ? {
        cause: "damaged",
        at: now - 2 * HOUR_MS,
        detail: "database disk image is malformed",
        kept: KEPT,
        requests_before: 4_636,
        lacks_records: true,
      }
    : null;
  return {
    state: "current",
    waiting_records: 0,
    problems: incident
      ? [
          {
            id: "ledger/damaged",
            level: "problem",
            title: "The ledger file was damaged",
            detail: `4,636 requests recorded before that are missing; a new ledger was started. The old file is kept as ${KEPT}. \`gatehouse ledger restore\` restores the newest backup, \`gatehouse ledger repair\` what is readable.`,
            since: incident.at,
          },
        ]
      : [],
    incident,
    path: "/home/dev/.local/share/gatehouse/ledger.sqlite",
    bytes: 4_321_280,
    backup_folder: "/home/dev/.local/share/gatehouse/backups",
    backups: isUsed
      ? [0, 1, 2].map((days) => {
          const at = now - 5 * HOUR_MS - days * DAY_MS;
          return { name: backupName(at), at, bytes: 4_198_400 - days * 61_440 };
        })
      : [],
    kept_files: incident ? [KEPT] : [],
    performance: ledgerPerformance(world, now),
    devices: isUsed
      ? [
          { name: "laptop", requests: 1_204, merged: now - 3 * DAY_MS },
          { name: "workstation", requests: 18_310, merged: now - 9 * DAY_MS },
        ]
      : [],
  };
}

const MERGE = { device: "laptop", added: 96, known: 1_204, replaced: 3, unfinished: 1 };

/** Any path is an export, but for those of a picture. */
function exportAt(path: string): void {
  if (wholePath(path).endsWith(".png"))
    throw fault(
      "invalid_input",
      `${path} is no sound export of a ledger: it is not an SQLite database`,
      "Make one on the other machine: gatehouse ledger export FILE",
      "path",
    );
}

export function fakeLedger({
  world,
  now,
  answer,
  changed,
}: Doing): Pick<
  Host,
  | "ledger"
  | "ledgerBackup"
  | "ledgerRestore"
  | "ledgerExamine"
  | "ledgerRepair"
  | "ledgerAcknowledge"
  | "ledgerExport"
  | "ledgerMerge"
  | "ledgerMergePlan"
> {
  const restored = (from: string) => {
    world.ledgerIncident = false;
    changed("ledger", "status", "usage");
    return { from, requests: 4_702, added: 66, kept: "ledger.sqlite.kept-before-restore", skipped: [] };
  };
  return {
    ledger: () => answer(() => ledgerView(world, now())),
    ledgerBackup: () =>
      answer(() => {
        changed("ledger", "status");
        return { name: backupName(now()), at: now(), bytes: 4_210_688 };
      }),
    ledgerRestore: (req) =>
      answer(() => {
        const [newest] = ledgerView(world, now()).backups;
        if (newest === undefined) throw fault("failed", "There is no usable backup of the ledger.", null);
        return restored(req.backup ?? newest.name);
      }),
    ledgerExamine: () =>
      answer(() => ({
        file: KEPT,
        requests: 4_571,
        requests_before: 4_636,
        attempts: 4_718,
        sums: 1_204,
        other_rows: 388,
        damaged_tables: ["requests"],
      })),
    ledgerExport: (req) =>
      answer(() => ({
        path: req.path === null ? "/home/dev/Downloads/gatehouse-ledger.sqlite" : wholePath(req.path),
        device: req.device ?? "desk",
        requests: 4_702,
        bytes: 4_198_400,
      })),
    ledgerMergePlan: (req) =>
      answer(() => {
        exportAt(req.path);
        return { ...MERGE, first: now() - 3 * DAY_MS, last: now() - 2 * HOUR_MS };
      }),
    ledgerMerge: (req) =>
      answer(() => {
        exportAt(req.path);
        changed("ledger", "status", "usage");
        return { ...MERGE, is_cancelled: false };
      }),
    ledgerRepair: (req) => answer(() => restored(req.file ?? KEPT)),
    ledgerAcknowledge: () =>
      answer(() => {
        world.ledgerIncident = false;
        changed("ledger", "status");
        return ledgerView(world, now());
      }),
  };
}
