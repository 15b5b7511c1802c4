/** Takes Gatehouse out of every tool, and says which ones still have it. */
import { useState } from "react";
import { Button } from "@/components/button/button";
import { Choice } from "@/components/form/choice";
import { Dialog, DialogBody, DialogFoot } from "@/components/overlay/dialog";
import { ErrorNotice } from "@/components/notice/error-notice";
import { StateMark } from "@/components/state/state-mark";
import { notify } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { ToolWiringView, UnwiredToolView } from "@/ipc/bindings";
import { formatCounted } from "@/lib/quantity";
import type { Sign } from "@/lib/tables";

const CHANGED_KEYS = [
  { value: "keep", label: "Keep changed keys" },
  { value: "restore", label: "Restore all keys" },
] as const;
type Chosen = (typeof CHANGED_KEYS)[number]["value"];

const STILL: Sign = { word: "Still connected", shape: "barred", tone: "bad" };
const DONE: Sign = { word: "Disconnected", shape: "disc", tone: "ok" };

interface DisconnectAllProps {
  open: boolean;
  /** Tools that Gatehouse has changed. */
  tools: ToolWiringView[];
  onClose: () => void;
}

export function DisconnectAllDialog({ open, tools, onClose }: DisconnectAllProps) {
  return (
    <Dialog open={open} onClose={onClose} title="Disconnect every tool?">
      <DisconnectAll tools={tools} onClose={onClose} />
    </Dialog>
  );
}

function DisconnectAll({ tools, onClose }: Omit<DisconnectAllProps, "open">) {
  const [chosen, setChosen] = useState<Chosen>("keep");
  const unwire = useAction("clientsUnwireAll", (call, changed_keys: Chosen) => call({ changed_keys }));
  const apply = () =>
    unwire.mutate(chosen, {
      onSuccess: (outcomes) => {
        if (outcomes.some(({ error }) => error !== null)) return;
        onClose();
        notify({ title: `Disconnected ${formatCounted(outcomes.length, "tool", "tools")}` });
      },
    });
  if (tools.length === 0 && unwire.data === undefined && !unwire.isPending)
    return (
      <>
        <DialogBody>
          <p className="text-ink-2">No tool is connected.</p>
        </DialogBody>
        <DialogFoot>
          <Button onClick={onClose}>Close</Button>
        </DialogFoot>
      </>
    );
  return (
    <>
      <DialogBody className="flex flex-col gap-3">
        {unwire.data ? <Outcomes outcomes={unwire.data} /> : <About tools={tools} />}
        {unwire.data === undefined && tools.some(({ drift }) => drift.length > 0) && (
          <Choice label="Changed keys" options={CHANGED_KEYS} value={chosen} onChange={setChosen} />
        )}
        <ErrorNotice error={unwire.error} />
      </DialogBody>
      <DialogFoot>
        <Button onClick={onClose}>{unwire.data ? "Close" : "Cancel"}</Button>
        {unwire.data === undefined && (
          <Button look="danger" busy={unwire.isPending} onClick={apply}>
            Disconnect all
          </Button>
        )}
      </DialogFoot>
    </>
  );
}

function About({ tools }: { tools: ToolWiringView[] }) {
  return (
    <ul className="flex list-disc flex-col gap-1 pl-4 text-ink-2 marker:text-ink-3">
      <li>These tools stop using the gateway: {tools.map(({ name }) => name).join(", ")}.</li>
      <li>Only Gatehouse&apos;s own keys are taken out of their files.</li>
      <li>Their clients, past requests and costs stay.</li>
    </ul>
  );
}

function Outcomes({ outcomes }: { outcomes: UnwiredToolView[] }) {
  return (
    <ul aria-label="Outcome" className="flex flex-col gap-2">
      {outcomes.map(({ tool, name, error }) => (
        <li key={tool} className="flex gap-2">
          <span className="pt-1">
            <StateMark sign={error === null ? DONE : STILL} />
          </span>
          <span className="[overflow-wrap:anywhere]">
            <span className="font-medium">{name}</span> <span className="text-ink-2">{error ?? "is disconnected"}</span>
          </span>
        </li>
      ))}
    </ul>
  );
}
