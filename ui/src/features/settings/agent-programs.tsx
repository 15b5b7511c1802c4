/** The programs whose agents can be given our MCP server: whether each has it, and how to change that. */
import { useState } from "react";
import { Plug, RotateCw, Unplug } from "lucide-react";
import { AgentProgramSheet, type ProgramChange } from "@/features/settings/agent-program-sheet";
import { Button } from "@/components/button/button";
import { Card } from "@/components/layout/card";
import { Reading } from "@/components/notice/reading";
import { SkeletonRows } from "@/components/notice/skeleton";
import { StateBadge } from "@/components/state/state-mark";
import { WithCode } from "@/components/text/with-code";
import { useAgentPrograms } from "@/ipc/agent-queries";
import type { AgentProgramView, WiringState } from "@/ipc/bindings";
import { wiringSign } from "@/lib/wiring-sign";

export function AgentPrograms() {
  const programs = useAgentPrograms();
  const [change, setChange] = useState<ProgramChange | null>(null);
  const shown = programs.data?.find(({ tool }) => tool === change?.tool);
  return (
    <Card title="Programs with agents" note="Each starts the server itself; no file holds a secret" flush>
      <Reading of={programs} skeleton={<SkeletonRows rows={4} label="Loading programs" />}>
        {(all) => (
          <ul aria-label="Programs with agents" className="divide-y divide-line">
            {all.map((program) => (
              <li key={program.tool}>
                <Program
                  program={program}
                  onChange={setChange}
                  onCheckAgain={() => void programs.refetch()}
                  isChecking={programs.isFetching}
                />
              </li>
            ))}
          </ul>
        )}
      </Reading>
      <AgentProgramSheet program={shown} change={change} onClose={() => setChange(null)} />
    </Card>
  );
}

interface ProgramProps {
  program: AgentProgramView;
  onChange: (change: ProgramChange) => void;
  onCheckAgain: () => void;
  isChecking: boolean;
}

function Program(props: ProgramProps) {
  const { name, version, state, sentence, files } = props.program;
  return (
    <div className="grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-6 px-4 py-2.5">
      <div className="min-w-0">
        <div className="flex flex-wrap items-center gap-x-2">
          <span className="font-medium text-ink-1">{name}</span>
          {version !== null && <span className="text-12 text-ink-3">{version}</span>}
          <span className="text-12">
            <StateBadge sign={wiringSign(props.program)} />
          </span>
        </div>
        <p className="text-12 text-ink-2 [overflow-wrap:anywhere]">
          <WithCode>{sentence}</WithCode>
        </p>
        {state !== "not_installed" &&
          files.map((file) => (
            <p key={file} className="truncate font-mono text-11 text-ink-3" title={file}>
              {file}
            </p>
          ))}
      </div>
      <div className="flex gap-2">
        <Steps {...props} />
      </div>
    </div>
  );
}

type Step = "add" | "reapply" | "remove" | "again";

/** `again` looks at the files anew. */
const STEPS: Record<WiringState, Step[]> = {
  not_installed: [],
  not_wired: ["add"],
  wired: ["remove"],
  token_not_entered: ["remove"],
  drifted: ["reapply", "remove"],
  conflict: ["again", "remove"],
  broken: ["again"],
};

function Steps({ program: { tool, name, state }, onChange, onCheckAgain, isChecking }: ProgramProps) {
  return STEPS[state].map((step) => {
    switch (step) {
      case "add":
        return (
          <Button
            key={step}
            size="small"
            icon={Plug}
            aria-label={`Add to ${name}`}
            onClick={() => onChange({ kind: "add", tool })}
          >
            Add
          </Button>
        );
      case "reapply":
        return (
          <Button
            key={step}
            size="small"
            icon={RotateCw}
            aria-label={`Re-apply to ${name}`}
            onClick={() => onChange({ kind: "add", tool })}
          >
            Re-apply
          </Button>
        );
      case "again":
        return (
          <Button
            key={step}
            size="small"
            icon={RotateCw}
            busy={isChecking}
            aria-label={`Check ${name} again`}
            onClick={onCheckAgain}
          >
            Check again
          </Button>
        );
      case "remove":
        return (
          <Button
            key={step}
            size="small"
            icon={Unplug}
            aria-label={`Remove from ${name}`}
            onClick={() => onChange({ kind: "remove", tool })}
          >
            Remove
          </Button>
        );
    }
  });
}
