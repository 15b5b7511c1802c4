/** Settings as a file without keys, for another machine, and the keys in a file of their own, encrypted. */
import { useState } from "react";
import { Download, FileUp, KeyRound } from "lucide-react";
import { SecretsDialog } from "@/features/settings/secrets-dialog";
import { SettingRow } from "@/features/settings/setting-row";
import { SettingsDifferences } from "@/features/settings/settings-differences";
import { Button } from "@/components/button/button";
import { Card } from "@/components/layout/card";
import { Choice } from "@/components/form/choice";
import { Dialog, DialogBody, DialogFoot } from "@/components/overlay/dialog";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Field, TextInput } from "@/components/form/field";
import { Notice } from "@/components/notice/notice";
import { notify, notifyError } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { ConfigImport, ConfigImportView, ConflictChoice } from "@/ipc/bindings";
import { faultElsewhere, faultOf } from "@/lib/fault";
import { formatCounted } from "@/lib/quantity";

export function ExportPart() {
  const [open, setOpen] = useState<"import" | "export-keys" | "import-keys" | null>(null);
  const exportSettings = useAction("configExport", (call) => call({ path: null }));
  const close = () => setOpen(null);
  return (
    <Card title="Export" flush>
      <SettingRow
        label="Settings"
        detail="Backends, routes, clients, budgets and all settings in one file, to read, keep or bring to another machine. It holds no key."
        changed={false}
      >
        <span className="flex gap-2">
          <Button
            icon={Download}
            busy={exportSettings.isPending}
            onClick={() =>
              exportSettings.mutate(undefined, {
                onSuccess: ({ path }) => notify({ title: "Settings exported", detail: path }),
                onError: notifyError,
              })
            }
          >
            Export settings
          </Button>
          <Button icon={FileUp} onClick={() => setOpen("import")}>
            Import…
          </Button>
        </span>
      </SettingRow>
      <SettingRow label="Keys" detail="Encrypted with a passphrase. `age -d` opens the file too." changed={false}>
        <span className="flex gap-2">
          <Button icon={KeyRound} onClick={() => setOpen("export-keys")}>
            Export keys…
          </Button>
          <Button icon={FileUp} onClick={() => setOpen("import-keys")}>
            Import keys…
          </Button>
        </span>
      </SettingRow>
      {open === "import" && <ImportDialog onClose={close} />}
      {open === "export-keys" && <SecretsDialog way="export" onClose={close} />}
      {open === "import-keys" && <SecretsDialog way="import" onClose={close} />}
    </Card>
  );
}

const CHOICES = [
  { value: "skip", label: "Keep mine" },
  { value: "replace", label: "Take the file's" },
] as const;

function ImportDialog({ onClose }: { onClose: () => void }) {
  const [path, setPath] = useState("");
  const [choice, setChoice] = useState<ConflictChoice>("skip");
  const [plan, setPlan] = useState<ConfigImportView | null>(null);
  const look = useAction("configImportPlan", (call, req: ConfigImport) => call(req));
  const bring = useAction("configImport", (call, req: ConfigImport) => call(req));
  const req = { path, on_conflict: choice };
  const forget = () => {
    setPlan(null);
    look.reset();
    bring.reset();
  };
  return (
    <Dialog open onClose={onClose} title="Import settings" width="wide">
      <DialogBody className="flex flex-col gap-3">
        <Field label="File" help="The whole path of an exported file." fault={faultOf(look.error, "path")}>
          {(control) => (
            <TextInput
              {...control}
              mono
              value={path}
              onChange={(event) => {
                setPath(event.target.value);
                forget();
              }}
            />
          )}
        </Field>
        <div className="flex items-center gap-3 text-12 text-ink-2">
          Where both differ
          <Choice
            label="Where both differ"
            options={CHOICES}
            value={choice}
            onChange={(next) => {
              setChoice(next);
              forget();
            }}
          />
        </div>
        <ErrorNotice error={faultElsewhere(look.error, ["path"]) ?? bring.error} />
        {plan !== null && <Plan plan={plan} />}
      </DialogBody>
      <DialogFoot>
        <Button onClick={onClose}>Close</Button>
        {plan === null ? (
          <Button
            look="primary"
            busy={look.isPending}
            disabled={path.trim() === ""}
            onClick={() => look.mutate(req, { onSuccess: setPlan })}
          >
            Show changes
          </Button>
        ) : (
          <Button
            look="primary"
            busy={bring.isPending}
            disabled={plan.changes.length === 0}
            onClick={() =>
              bring.mutate(req, {
                onSuccess: ({ changes }) => {
                  onClose();
                  notify({ title: `Imported: ${formatCounted(changes.length, "change", "changes")}` });
                },
              })
            }
          >
            Import
          </Button>
        )}
      </DialogFoot>
    </Dialog>
  );
}

function Plan({ plan }: { plan: ConfigImportView }) {
  const { changes, kept, detached, new_clients: clients, keys } = plan;
  return (
    <>
      {clients.length > 0 && (
        <Notice tone="warn" title={`New clients: ${clients.join(", ")}`}>
          Whoever has their tokens can call the gateway.
        </Notice>
      )}
      {detached.length > 0 && (
        <Notice tone="warn" title="Backends lose their key">
          {detached.join(", ")}: bound to another host.
        </Notice>
      )}
      {keys.missing.length > 0 && <Notice tone="info" title={`The vault lacks: ${keys.missing.join(", ")}`} />}
      {changes.length === 0 ? (
        <p className="text-ink-2">Nothing to import: everything in the file is already here.</p>
      ) : (
        <SettingsDifferences differences={changes} />
      )}
      {kept.length > 0 && (
        <p className="text-12 text-ink-3">
          Different in the file, kept as here: {kept.map((difference) => difference.path).join(", ")}
        </p>
      )}
    </>
  );
}
