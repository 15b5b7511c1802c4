/** What adding our MCP server to a program, or removing it, would change, shown before anything is written. */
import { useState } from "react";
import { Button } from "@/components/button/button";
import { Choice } from "@/components/form/choice";
import { DialogBody, DialogFoot, Drawer } from "@/components/overlay/dialog";
import { ErrorNotice } from "@/components/notice/error-notice";
import { notify, notifyError } from "@/components/overlay/toast";
import { ChangedKeyList, CHANGED_KEYS, WiringPlan } from "@/components/text/wiring-plan";
import { WithCode } from "@/components/text/with-code";
import { useAction } from "@/ipc/actions";
import { useAgentProgramPlan } from "@/ipc/agent-queries";
import type { AgentProgram, AgentProgramView, ChangedKeys } from "@/ipc/bindings";

export interface ProgramChange {
  kind: "add" | "remove";
  tool: AgentProgram;
}

interface AgentProgramSheetProps {
  program: AgentProgramView | undefined;
  change: ProgramChange | null;
  onClose: () => void;
}

export function AgentProgramSheet({ program, change, onClose }: AgentProgramSheetProps) {
  if (program === undefined || change === null) return null;
  const isAdding = change.kind === "add";
  const Plan = isAdding ? AddPlan : RemovePlan;
  return (
    <Drawer
      open
      onClose={onClose}
      title={isAdding ? `Add Gatehouse to ${program.name}` : `Remove Gatehouse from ${program.name}`}
      description="This is what would change. Nothing is written yet."
    >
      <Plan program={program} onClose={onClose} />
    </Drawer>
  );
}

interface PlanProps {
  program: AgentProgramView;
  onClose: () => void;
}

function AddPlan({ program: { tool, name }, onClose }: PlanProps) {
  const plan = useAgentProgramPlan({ tool, undo: false });
  const add = useAction("agentProgramAdd", (call, fingerprint: string) => call({ tool, fingerprint }));
  const remove = useAction("agentProgramRemove", (call) => call({ tool, changed_keys: "refuse" }));
  const apply = (fingerprint: string) =>
    add.mutate(fingerprint, {
      onSuccess: (added) => {
        onClose();
        const isAdded = added.state === "wired";
        notify({
          title: isAdded ? `Agents of ${name} have Gatehouse` : `${name}: ${added.sentence}`,
          ...(!isAdded && { tone: "warn" as const }),
          detail: `Restart ${name} if it is running.`,
          undo: () =>
            remove.mutate(undefined, {
              onError: notifyError,
            }),
        });
      },
      // Someone changed the file in the meantime: the next look is at what is there now.
      onError: () => void plan.refetch(),
    });
  return (
    <>
      <DialogBody className="flex flex-col gap-4">
        <p className="text-ink-2">
          <WithCode>Its agents start `gatehouse mcp`. What they may do is set here, not in this file.</WithCode>{" "}
          Everything else in the file is kept, and you can undo this at any time.
        </p>
        <WiringPlan of={plan} />
        <ErrorNotice error={add.error} />
      </DialogBody>
      <DialogFoot>
        <Button onClick={onClose}>Cancel</Button>
        <Button
          look="primary"
          busy={add.isPending}
          disabled={plan.data === undefined}
          onClick={() => plan.data && apply(plan.data.fingerprint)}
        >
          Add
        </Button>
      </DialogFoot>
    </>
  );
}

function RemovePlan({ program: { tool, name, drift }, onClose }: PlanProps) {
  const [chosen, setChosen] = useState<"keep" | "restore">("keep");
  const asks = drift.length > 0;
  const changed_keys: ChangedKeys = asks ? chosen : "refuse";
  const plan = useAgentProgramPlan({ tool, undo: true, changed_keys });
  const remove = useAction("agentProgramRemove", (call) => call({ tool, changed_keys }));
  const apply = () =>
    remove.mutate(undefined, {
      onSuccess: () => {
        onClose();
        notify({ title: `${name} no longer has Gatehouse`, detail: `Restart ${name} if it is running.` });
      },
    });
  return (
    <>
      <DialogBody className="flex flex-col gap-4">
        <p className="text-ink-2">Gatehouse takes its own entry out. What else is in the file stays.</p>
        {asks && (
          <section aria-label="Changed keys" className="flex flex-col gap-2">
            <p className="font-medium text-ink-1">This was changed since it was added:</p>
            <ChangedKeyList changes={drift} />
            <Choice label="Changed keys" options={CHANGED_KEYS} value={chosen} onChange={setChosen} />
          </section>
        )}
        <WiringPlan of={plan} />
        <ErrorNotice error={remove.error} />
      </DialogBody>
      <DialogFoot>
        <Button onClick={onClose}>Cancel</Button>
        <Button look="primary" busy={remove.isPending} disabled={plan.data === undefined} onClick={apply}>
          Remove
        </Button>
      </DialogFoot>
    </>
  );
}
