/** The ledger: whether it is complete, its backups, and how to restore records. */
import { useState } from "react";
import { Archive, RotateCcw, Wrench } from "lucide-react";
import { DevicesRow } from "@/features/settings/ledger-devices";
import { SettingRow } from "@/features/settings/setting-row";
import { Button } from "@/components/button/button";
import { Card } from "@/components/layout/card";
import { Confirm } from "@/components/overlay/confirm";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Moment } from "@/components/text/moment";
import { Notice } from "@/components/notice/notice";
import { Reading } from "@/components/notice/reading";
import { Skeleton } from "@/components/notice/skeleton";
import { StateBadge } from "@/components/state/state-mark";
import { notify, notifyError } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { LedgerBackupView, LedgerRestoredView, LedgerSalvageView, LedgerView } from "@/ipc/bindings";
import { useLedger } from "@/ipc/queries";
import { LEDGER } from "@/lib/tables";
import { formatBytes, formatCount, formatCounted } from "@/lib/quantity";

export function LedgerPart() {
  const ledger = useLedger();
  return (
    <Card title="Ledger" flush>
      <Reading of={ledger} skeleton={<Skeleton className="m-4 h-24" />}>
        {(data) => <Body ledger={data} />}
      </Reading>
    </Card>
  );
}

function Body({ ledger }: { ledger: LedgerView }) {
  const backup = useAction("ledgerBackup", (call) => call());
  const [newest] = ledger.backups;
  return (
    <>
      {ledger.problems.length > 0 && (
        <div className="flex flex-col gap-2 border-b border-line p-3">
          {ledger.problems.map((problem) => (
            <Notice key={problem.id} tone={problem.level === "problem" ? "bad" : "warn"} title={problem.title}>
              {problem.detail}
            </Notice>
          ))}
        </div>
      )}
      <SettingRow
        label={<StateBadge sign={LEDGER[ledger.state]} />}
        detail={`${formatBytes(ledger.bytes)} in ${ledger.path}`}
        changed={false}
      >
        {ledger.incident !== null && <Acknowledge />}
      </SettingRow>
      <SettingRow
        label={formatCounted(ledger.backups.length, "backup", "backups")}
        detail={
          newest ? (
            <>
              Newest <Moment at={newest.at} />, {formatBytes(newest.bytes)}. One a day, seven are kept, in{" "}
              {ledger.backup_folder}
            </>
          ) : (
            "The first one is made after the first request, then one a day."
          )
        }
        changed={false}
      >
        <span className="flex gap-2">
          <Button icon={Archive} busy={backup.isPending} onClick={() => backup.mutate(undefined)}>
            Back up now
          </Button>
          {newest && <Restore newest={newest} />}
        </span>
      </SettingRow>
      <DevicesRow devices={ledger.devices} />
      {ledger.kept_files.length > 0 && <Repair ledger={ledger} />}
      {backup.error && (
        <div className="p-3">
          <ErrorNotice error={backup.error} />
        </div>
      )}
    </>
  );
}

function tell(restored: LedgerRestoredView) {
  const [skipped] = restored.skipped;
  notify({
    title: `Restored from ${restored.from}: ${formatCounted(restored.requests, "request", "requests")}`,
    ...(skipped && { detail: `${skipped.name} could not be used: ${skipped.reason}` }),
  });
}

function Restore({ newest }: { newest: LedgerBackupView }) {
  const [isAsking, setAsking] = useState(false);
  const restore = useAction("ledgerRestore", (call) => call({ backup: null }));
  return (
    <>
      <Button icon={RotateCcw} onClick={() => setAsking(true)}>
        Restore…
      </Button>
      <Confirm
        open={isAsking}
        title="Restore the newest backup?"
        losses={[
          `This restores records from ${newest.name}, or from an older backup if it is damaged.`,
          "Newer records stay.",
          "The current file is kept next to the ledger.",
        ]}
        verb="Restore"
        busy={restore.isPending}
        error={restore.error}
        onConfirm={() =>
          restore.mutate(undefined, {
            onSuccess: (restored) => {
              setAsking(false);
              tell(restored);
            },
          })
        }
        onClose={() => setAsking(false)}
      />
    </>
  );
}

function Repair({ ledger }: { ledger: LedgerView }) {
  const [found, setFound] = useState<LedgerSalvageView | null>(null);
  const examine = useAction("ledgerExamine", (call) => call({ file: null }));
  const repair = useAction("ledgerRepair", (call, file: string) => call({ file }));
  const close = () => setFound(null);
  return (
    <>
      <SettingRow
        label={formatCounted(ledger.kept_files.length, "kept file", "kept files")}
        detail={`Read-only, next to the ledger: ${ledger.kept_files.join(", ")}`}
        changed={false}
      >
        <Button
          icon={Wrench}
          busy={examine.isPending}
          onClick={() => examine.mutate(undefined, { onSuccess: (salvage) => setFound(salvage) })}
        >
          Repair…
        </Button>
      </SettingRow>
      {examine.error && (
        <div className="p-3">
          <ErrorNotice error={examine.error} />
        </div>
      )}
      <Confirm
        open={found !== null}
        title="Recover what can be read?"
        losses={found === null ? [] : salvageOf(found)}
        verb="Repair"
        busy={repair.isPending}
        error={repair.error}
        onConfirm={() => {
          if (found === null) return;
          repair.mutate(found.file, {
            onSuccess: (restored) => {
              close();
              tell(restored);
            },
          });
        }}
        onClose={close}
      />
    </>
  );
}

function salvageOf(found: LedgerSalvageView): string[] {
  const of = found.requests_before === null ? "" : ` of ${formatCount(found.requests_before)}`;
  return [
    `${formatCount(found.requests)}${of} requests and ${formatCount(found.sums)} totals can be read in ${found.file}.`,
    found.damaged_tables.length === 0 ? "Every table can be read." : `Damage in: ${found.damaged_tables.join(", ")}.`,
    "Newer records stay, and the damaged file is kept.",
  ];
}

function Acknowledge() {
  const acknowledge = useAction("ledgerAcknowledge", (call) => call());
  return (
    <Button
      busy={acknowledge.isPending}
      onClick={() =>
        acknowledge.mutate(undefined, {
          onError: notifyError,
        })
      }
    >
      Acknowledge
    </Button>
  );
}
