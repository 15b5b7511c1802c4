/**
 * Purges cached responses: all, those of one backend, model or client, or old ones. Asks first, because it cannot be
 * undone.
 */
import { Trash2 } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/button/button";
import { Dialog, DialogBody, DialogFoot } from "@/components/overlay/dialog";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Field } from "@/components/form/field";
import { Select } from "@/components/form/select";
import { notify } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import { useBackends, useClients } from "@/ipc/queries";
import type { CachePurgeSelector } from "@/ipc/bindings";

type Kind = Exclude<CachePurgeSelector["kind"], "key">;

const KINDS: readonly { value: Kind; label: string }[] = [
  { value: "everything", label: "Everything" },
  { value: "backend", label: "One backend" },
  { value: "model", label: "One model" },
  { value: "client", label: "One client" },
  { value: "older_than", label: "Older than" },
];

const AGES = [
  { value: "3600", label: "an hour" },
  { value: "86400", label: "a day" },
  { value: "604800", label: "a week" },
];

function whatOf(kind: Kind, which: string): CachePurgeSelector {
  switch (kind) {
    case "everything":
      return { kind };
    case "model":
      return { kind, name: which };
    case "older_than":
      return { kind, secs: Number(which) };
    default:
      return { kind, id: which };
  }
}

export function PurgeButton() {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button icon={Trash2} onClick={() => setOpen(true)}>
        Purge
      </Button>
      {isOpen && <PurgeDialog onClose={() => setOpen(false)} />}
    </>
  );
}

function PurgeDialog({ onClose }: { onClose: () => void }) {
  const [kind, setKind] = useState<Kind>("everything");
  const [chosen, setChosen] = useState("");
  const choices = useChoices(kind);
  const which = choices.some((choice) => choice.value === chosen) ? chosen : (choices[0]?.value ?? "");
  const purge = useAction("cachePurge", (call, what: CachePurgeSelector) => call({ what }));
  return (
    <Dialog open onClose={onClose} title="Purge the cache">
      <DialogBody className="flex flex-col gap-4">
        <Field label="Purge">{(given) => <Select {...given} value={kind} onChange={setKind} options={KINDS} />}</Field>
        {choices.length > 0 && (
          <Field label="Which">
            {(given) => <Select {...given} value={which} onChange={setChosen} options={choices} />}
          </Field>
        )}
        <p className="text-ink-2">
          Purged requests go to the provider again and are billed again. Running requests are not affected, and past
          savings stay in the totals.
        </p>
        <ErrorNotice error={purge.error} />
      </DialogBody>
      <DialogFoot>
        <Button onClick={onClose}>Cancel</Button>
        <Button
          look="danger"
          busy={purge.isPending}
          disabled={kind !== "everything" && which === ""}
          onClick={() =>
            purge.mutate(whatOf(kind, which), {
              onSuccess: ({ sentence }) => {
                notify({ title: sentence });
                onClose();
              },
            })
          }
        >
          Purge
        </Button>
      </DialogFoot>
    </Dialog>
  );
}

function useChoices(kind: Kind): { value: string; label: string }[] {
  const backends = useBackends().data ?? [];
  const clients = useClients().data ?? [];
  switch (kind) {
    case "everything":
      return [];
    case "backend":
      return backends.map(({ id, label }) => ({ value: id, label }));
    case "model": {
      const names = new Set(backends.flatMap((backend) => backend.models.map((model) => model.id)));
      return [...names].map((name) => ({ value: name, label: name }));
    }
    case "client":
      return clients.map(({ id }) => ({ value: id, label: id }));
    case "older_than":
      return AGES;
  }
}
