/** What connecting or disconnecting a tool would change, shown before anything is written. */
import { useState } from "react";
import type { ToolChange } from "@/features/clients/tool-card";
import { Button } from "@/components/button/button";
import { Choice } from "@/components/form/choice";
import { Drawer, DialogBody, DialogFoot } from "@/components/overlay/dialog";
import { ErrorNotice } from "@/components/notice/error-notice";
import { notify, notifyError } from "@/components/overlay/toast";
import { ChangedKeyList, CHANGED_KEYS, WiringPlan } from "@/components/text/wiring-plan";
import { WithCode } from "@/components/text/with-code";
import { useAction } from "@/ipc/actions";
import type { ChangedKeys, ToolWiringView } from "@/ipc/bindings";
import { useWiringPlan } from "@/ipc/queries";

interface WiringSheetProps {
  tool: ToolWiringView | undefined;
  change: ToolChange | null;
  onClose: () => void;
}

export function WiringSheet({ tool, change, onClose }: WiringSheetProps) {
  if (tool === undefined || change === null || change.kind === "launch") return null;

  return (
    <Drawer
      open
      onClose={onClose}
      title={`${change.kind === "connect" ? "Connect" : "Disconnect"} ${tool.name}`}
      description="This is what would change. Nothing is written yet."
    >
      {change.kind === "connect" ? (
        <ConnectPlan tool={tool} onClose={onClose} />
      ) : (
        <DisconnectPlan tool={tool} initial={change.changedKeys} onClose={onClose} />
      )}
    </Drawer>
  );
}

interface PlanProps {
  tool: ToolWiringView;
  onClose: () => void;
}

function ConnectPlan({ tool, onClose }: PlanProps) {
  const plan = useWiringPlan({ tool: tool.tool, undo: false });
  const wire = useAction("clientWire", (call, fingerprint: string) => call({ tool: tool.tool, fingerprint }));
  const unwire = useAction("clientUnwire", (call) => call({ tool: tool.tool, changed_keys: "refuse" }));
  const check = useAction("clientCheck", (call) => call({ tool: tool.tool }));
  const tell = (wired: ToolWiringView, works: boolean, tried: string) => {
    onClose();
    notify({
      title: wired.state === "wired" ? `${tool.name} is connected` : wired.sentence,
      ...((wired.state !== "wired" || !works) && { tone: "warn" as const }),
      detail: wired.restart ? `${tried} Restart ${tool.name} if it is running.` : tried,
      undo: () => unwire.mutate(undefined, { onError: notifyError }),
    });
  };
  const apply = (fingerprint: string) =>
    wire.mutate(fingerprint, {
      // What the tool would do is tried at once, so that a connection that fails is not left for it to find.
      onSuccess: (wired) =>
        check.mutate(undefined, {
          onSuccess: ({ outcome, sentence, steps }) => {
            const reason = steps.find((step) => step.state === "fail")?.detail;
            tell(wired, outcome !== "fails", reason === undefined ? sentence : `${tool.name} would fail: ${reason}`);
          },
          onError: ({ message }) => tell(wired, false, `It could not be tried: ${message}.`),
        }),
      // Someone changed a file in the meantime: the next look is at what is there now.
      onError: () => void plan.refetch(),
    });
  return (
    <>
      <DialogBody className="flex flex-col gap-4">
        <p className="text-ink-2">
          <WithCode>{tool.rung_sentence}</WithCode> Everything else in its files is kept, and you can undo this at any
          time.
        </p>
        <WiringPlan of={plan} />
        <ErrorNotice error={wire.error} />
      </DialogBody>
      <DialogFoot>
        <Button onClick={onClose}>Cancel</Button>
        <Button
          look="primary"
          busy={wire.isPending || check.isPending}
          disabled={plan.data === undefined}
          onClick={() => plan.data && apply(plan.data.fingerprint)}
        >
          Connect
        </Button>
      </DialogFoot>
    </>
  );
}

/** Where others changed our keys, only the user knows whose value is meant. */
function DisconnectPlan({ tool, initial, onClose }: PlanProps & { initial: ChangedKeys | undefined }) {
  const [chosen, setChosen] = useState<"keep" | "restore">(initial === "restore" ? "restore" : "keep");
  const asks = tool.drift.length > 0;
  const changed_keys: ChangedKeys = asks ? chosen : "refuse";
  const plan = useWiringPlan({ tool: tool.tool, undo: true, changed_keys });
  const unwire = useAction("clientUnwire", (call) => call({ tool: tool.tool, changed_keys }));
  const apply = () =>
    unwire.mutate(undefined, {
      onSuccess: () => {
        onClose();
        notify({
          title: `${tool.name} is disconnected`,
          detail: tool.client === null ? null : `The client ${tool.client} and its history stay.`,
        });
      },
    });
  return (
    <>
      <DialogBody className="flex flex-col gap-4">
        <p className="text-ink-2">
          Gatehouse takes back its own keys. What you or {tool.name} changed elsewhere in the files stays.
        </p>
        {asks && (
          <section aria-label="Changed keys" className="flex flex-col gap-2">
            <p className="font-medium text-ink-1">These were changed since {tool.name} was connected:</p>
            <ChangedKeyList changes={tool.drift} />
            <Choice label="Changed keys" options={CHANGED_KEYS} value={chosen} onChange={setChosen} />
          </section>
        )}
        <WiringPlan of={plan} />
        <ErrorNotice error={unwire.error} />
      </DialogBody>
      <DialogFoot>
        <Button onClick={onClose}>Cancel</Button>
        <Button look="primary" busy={unwire.isPending} disabled={plan.data === undefined} onClick={apply}>
          Disconnect
        </Button>
      </DialogFoot>
    </>
  );
}
