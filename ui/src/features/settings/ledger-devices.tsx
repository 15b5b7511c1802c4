/** Requests of the user's other machines: exported there as a file, merged here after a look at what is new. */
import { useState } from "react";
import { Download, FileUp, X } from "lucide-react";
import { SettingRow } from "@/features/settings/setting-row";
import { Button } from "@/components/button/button";
import { Dialog, DialogBody, DialogFoot } from "@/components/overlay/dialog";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Field, TextInput } from "@/components/form/field";
import { Moment } from "@/components/text/moment";
import { Notice } from "@/components/notice/notice";
import { notify, notifyError } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { LedgerDeviceView, LedgerMergePlanView, LedgerMergedView } from "@/ipc/bindings";
import { useBackupProgress } from "@/ipc/queries";
import { faultElsewhere, faultOf } from "@/lib/fault";
import { formatBytes, formatCount, formatCounted } from "@/lib/quantity";
import { formatExact } from "@/lib/time";
import { formatPercent } from "@/lib/percent";

export function DevicesRow({ devices }: { devices: LedgerDeviceView[] }) {
  const [isMerging, setMerging] = useState(false);
  const exportLedger = useAction("ledgerExport", (call) => call({ path: null, device: null }));
  return (
    <>
      <SettingRow
        label="Other machines"
        detail="Export the ledger on one machine and merge it on another, so that usage and costs there count both. Merging again adds only what is new, in any order."
        changed={false}
      >
        <span className="flex gap-2">
          <Button
            icon={Download}
            busy={exportLedger.isPending}
            onClick={() =>
              exportLedger.mutate(undefined, {
                onSuccess: (made) =>
                  notify({
                    title: `Exported ${formatCounted(made.requests, "request", "requests")}, ${formatBytes(made.bytes)}`,
                    detail: made.path,
                  }),
                onError: notifyError,
              })
            }
          >
            Export
          </Button>
          <Button icon={FileUp} onClick={() => setMerging(true)}>
            Merge…
          </Button>
        </span>
      </SettingRow>
      {devices.map((device) => (
        <SettingRow
          key={`${device.name} ${device.merged}`}
          label={device.name}
          detail={`${formatCounted(device.requests, "request", "requests")} merged`}
          changed={false}
        >
          <span className="text-12 text-ink-2">
            Last merge <Moment at={device.merged} />
          </span>
        </SettingRow>
      ))}
      {isMerging && <MergeDialog onClose={() => setMerging(false)} />}
    </>
  );
}

function MergeDialog({ onClose }: { onClose: () => void }) {
  const [path, setPath] = useState("");
  const [plan, setPlan] = useState<LedgerMergePlanView | null>(null);
  const look = useAction("ledgerMergePlan", (call, path: string) => call({ path }));
  const merge = useAction("ledgerMerge", (call, path: string) => call({ path }));
  const error = look.error ?? merge.error;
  return (
    <Dialog open onClose={onClose} title="Merge another machine's requests" width="wide">
      <DialogBody className="flex flex-col gap-3">
        <Field
          label="File"
          help="The whole path of a file that “Export” made on the other machine."
          fault={faultOf(error, "path")}
        >
          {(control) => (
            <TextInput
              {...control}
              mono
              value={path}
              disabled={merge.isPending}
              onChange={(event) => {
                setPath(event.target.value);
                setPlan(null);
                look.reset();
                merge.reset();
              }}
            />
          )}
        </Field>
        <ErrorNotice error={faultElsewhere(error, ["path"])} />
        {plan !== null && <Plan plan={plan} />}
        {merge.isPending && <Progress />}
      </DialogBody>
      <DialogFoot>
        <Button onClick={onClose}>Close</Button>
        {plan === null ? (
          <Button
            look="primary"
            busy={look.isPending}
            disabled={path.trim() === ""}
            onClick={() => look.mutate(path.trim(), { onSuccess: setPlan })}
          >
            Show what is new
          </Button>
        ) : (
          <Button
            look="primary"
            busy={merge.isPending}
            disabled={plan.added + plan.replaced === 0}
            onClick={() =>
              merge.mutate(path.trim(), {
                onSuccess: (merged) => {
                  onClose();
                  notify({ title: mergedTitle(merged) });
                },
              })
            }
          >
            Merge
          </Button>
        )}
      </DialogFoot>
    </Dialog>
  );
}

function mergedTitle({ added, device, is_cancelled: isCancelled }: LedgerMergedView): string {
  const requests = `${formatCounted(added, "request", "requests")} of ${device ?? "this machine"}`;
  return isCancelled ? `Cancelled after ${requests}; merge again for the rest` : `Merged ${requests}`;
}

function Plan({ plan }: { plan: LedgerMergePlanView }) {
  const { device, added, first, last, known, replaced, unfinished } = plan;
  const title =
    added + replaced === 0
      ? `Nothing new: all requests of ${device ?? "this machine"} in the file are here`
      : `${formatCounted(added, "new request", "new requests")} of ${device ?? "this machine"}`;
  return (
    <Notice tone="info" title={title}>
      {first !== null && last !== null && `From ${formatExact(first)} to ${formatExact(last)}. `}
      {known > 0 && added > 0 && `${formatCount(known)} are here already. `}
      {replaced > 0 &&
        `Of ${formatCounted(replaced, "known request", "known requests")} the file has the later version, such as a cost. `}
      {unfinished > 0 &&
        `${formatCounted(unfinished, "request", "requests")} had not ended when the file was made; a later export has them.`}
    </Notice>
  );
}

function Progress() {
  const progress = useBackupProgress();
  const cancel = useAction("backupCancel", (call) => call());
  if (progress?.task !== "merge") return null;
  const percent = progress.percent === null ? "" : `, ${formatPercent(progress.percent)}`;
  return (
    <div className="flex items-center justify-between gap-3">
      <p role="status" className="text-12 text-ink-2">{`Merging${percent}`}</p>
      <Button size="small" icon={X} busy={cancel.isPending} onClick={() => cancel.mutate(undefined)}>
        Cancel the merge
      </Button>
    </div>
  );
}
