/** Throws answers away: all, or those of one backend, model or client, or the old ones. It cannot be undone, so it asks. */
import { Trash2 } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/button";
import { Dialog, DialogBody, DialogFoot } from "@/components/dialog";
import { ErrorNotice } from "@/components/error-notice";
import { Field, Select } from "@/components/field";
import { notify } from "@/components/toast";
import { useAction } from "@/ipc/actions";
import { useBackends, useClients } from "@/ipc/queries";
import type { CachePurgeWhat } from "@/ipc/bindings";

type Kind = Exclude<CachePurgeWhat["kind"], "key">;

const KINDS: readonly { value: Kind; label: string }[] = [
  { value: "everything", label: "All answers" },
  { value: "backend", label: "Those of one backend" },
  { value: "model", label: "Those of one model" },
  { value: "client", label: "Those of one client" },
  { value: "older_than", label: "Those that are older" },
];

const AGES = [
  { value: "3600", label: "than an hour" },
  { value: "86400", label: "than a day" },
  { value: "604800", label: "than a week" },
];

function whatOf(kind: Kind, which: string): CachePurgeWhat {
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
  const purge = useAction(["cache"], (host, what: CachePurgeWhat) => host.cachePurge({ what }));
  return (
    <Dialog open onClose={onClose} title="Purge the cache">
      <DialogBody className="flex flex-col gap-4">
        <Field label="What is thrown away">
          {(given) => (
            <Select {...given} value={kind} onChange={(event) => setKind(event.target.value as Kind)}>
              {KINDS.map(({ value, label }) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </Select>
          )}
        </Field>
        {choices.length > 0 && (
          <Field label="Which">
            {(given) => (
              <Select {...given} value={which} onChange={(event) => setChosen(event.target.value)}>
                {choices.map(({ value, label }) => (
                  <option key={value} value={value}>
                    {label}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        )}
        <p className="text-ink-2">
          The same questions are asked and paid again, once each. No request that is running is touched, and what was
          saved so far stays in the sums.
        </p>
        <ErrorNotice error={purge.error} />
      </DialogBody>
      <DialogFoot>
        <Button onClick={onClose}>Keep them</Button>
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
          Throw away
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
