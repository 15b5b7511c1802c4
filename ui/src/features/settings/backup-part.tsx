/** Backups of everything in one file: make one, check one, restore one after a look at what it changes. */
import { useState } from "react";
import { Archive, RotateCcw, ShieldCheck, X } from "lucide-react";
import { SettingRow } from "@/features/settings/setting-row";
import { SettingsDifferences } from "@/features/settings/settings-differences";
import { Button } from "@/components/button/button";
import { Card } from "@/components/layout/card";
import { Dialog, DialogBody, DialogFoot } from "@/components/overlay/dialog";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Field, TextInput } from "@/components/form/field";
import { Moment } from "@/components/text/moment";
import { Notice } from "@/components/notice/notice";
import { Reading } from "@/components/notice/reading";
import { Skeleton } from "@/components/notice/skeleton";
import { notify } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { BackupsView, BackupTask, MissingKeysView, RestorePlanView } from "@/ipc/bindings";
import { useBackupProgress, useBackups } from "@/ipc/queries";
import { formatBytes, formatCounted } from "@/lib/quantity";
import { formatPercent } from "@/lib/percent";

export function BackupPart() {
  const backups = useBackups();
  return (
    <Card title="Backup" flush>
      <Reading of={backups} skeleton={<Skeleton className="m-4 h-24" />}>
        {(data) => <Body backups={data} />}
      </Reading>
    </Card>
  );
}

const DOING: Record<Exclude<BackupTask, "merge">, string> = {
  create: "Backing up",
  check: "Checking the backup",
  restore: "Restoring",
};

function Progress() {
  const progress = useBackupProgress();
  const cancel = useAction("backupCancel", (call) => call());
  if (progress === null || progress.task === "merge") return null;
  const percent = progress.percent === null ? "" : `, ${formatPercent(progress.percent)}`;
  return (
    <SettingRow label={<span role="status">{`${DOING[progress.task]}${percent}`}</span>} detail="" changed={false}>
      <Button icon={X} busy={cancel.isPending} onClick={() => cancel.mutate(undefined)}>
        Cancel
      </Button>
    </SettingRow>
  );
}

function Body({ backups }: { backups: BackupsView }) {
  const backup = useAction("backup", (call) => call({ path: null }));
  const { last } = backups;
  return (
    <>
      <SettingRow
        label={last === null ? "No backup yet" : "Last backup"}
        detail={
          last === null ? (
            `Settings, ledger and prices in one file in ${backups.folder}. Keys stay in the vault.`
          ) : (
            <>
              <Moment at={last.at} />, {formatCounted(last.requests, "request", "requests")}, {formatBytes(last.bytes)},
              in {last.path}
            </>
          )
        }
        changed={false}
      >
        <Button
          icon={Archive}
          busy={backup.isPending}
          onClick={() =>
            backup.mutate(undefined, { onSuccess: (made) => notify({ title: "Backed up", detail: made.path }) })
          }
        >
          Back up everything
        </Button>
      </SettingRow>
      <RestoreRow path={last?.path ?? ""} />
      <Progress />
      {backup.error && (
        <div className="p-3">
          <ErrorNotice error={backup.error} />
        </div>
      )}
    </>
  );
}

function RestoreRow({ path }: { path: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <SettingRow
        label="Restore"
        detail="Shows first what would change. Requests made since the backup stay, and the files before are kept."
        changed={false}
      >
        <Button icon={RotateCcw} onClick={() => setOpen(true)}>
          Restore…
        </Button>
      </SettingRow>
      {isOpen && <RestoreDialog path={path} onClose={() => setOpen(false)} />}
    </>
  );
}

function RestoreDialog({ path: known, onClose }: { path: string; onClose: () => void }) {
  const [path, setPath] = useState(known);
  const [plan, setPlan] = useState<RestorePlanView | null>(null);
  const look = useAction("restorePlan", (call, path: string) => call({ path }));
  const restore = useAction("restore", (call, path: string) => call({ path }));
  const fault = look.error?.field === "path" ? look.error.message : null;
  const change = (text: string) => {
    setPath(text);
    setPlan(null);
    look.reset();
  };
  return (
    <Dialog open onClose={onClose} title="Restore from a backup" width="wide">
      <DialogBody className="flex flex-col gap-3">
        <Field label="File" help="The whole path of a backup." fault={fault}>
          {(control) => <TextInput {...control} mono value={path} onChange={(event) => change(event.target.value)} />}
        </Field>
        {look.error && fault === null && <ErrorNotice error={look.error} />}
        {plan !== null && <Plan plan={plan} />}
        {restore.error && <ErrorNotice error={restore.error} />}
      </DialogBody>
      <DialogFoot>
        <Button onClick={onClose}>Close</Button>
        {plan === null ? (
          <Button
            look="primary"
            icon={ShieldCheck}
            busy={look.isPending}
            disabled={path.trim() === ""}
            onClick={() => look.mutate(path, { onSuccess: setPlan })}
          >
            Check
          </Button>
        ) : (
          <Button
            look="danger"
            busy={restore.isPending}
            onClick={() =>
              restore.mutate(path, {
                onSuccess: (done) => {
                  onClose();
                  notify({ title: done.sentence, detail: missingText(done.keys) });
                },
              })
            }
          >
            Restore
          </Button>
        )}
      </DialogFoot>
    </Dialog>
  );
}

function missingText({ missing, unknown }: MissingKeysView): string | null {
  if (missing.length > 0) return `To be added again: ${missing.join(", ")}`;
  return unknown === null ? null : `Could not check which keys are missing from the vault: ${unknown}`;
}

function Plan({ plan }: { plan: RestorePlanView }) {
  const missing = missingText(plan.keys);
  return (
    <>
      <Notice tone="info" title={plan.check.sentence}>
        Made <Moment at={plan.check.made} /> by Gatehouse {plan.check.app_version}.
      </Notice>
      {missing !== null && (
        <Notice tone="warn" title="The vault lacks keys">
          {missing}
        </Notice>
      )}
      <SettingsDifferences differences={plan.differences} />
    </>
  );
}
