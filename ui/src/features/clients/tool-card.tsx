/** One client tool: what it is, whether it uses the gateway, what is in the way, and the next step. */
import { Cable, Play, RotateCw, Unplug, Zap } from "lucide-react";
import type { ReactNode } from "react";
import { programText } from "@/features/clients/client-actions";
import { ClientTargetSelect } from "@/features/clients/client-target";
import { GuideSteps } from "@/features/clients/guide-steps";
import { ToolAttempt } from "@/features/clients/tool-attempt";
import { Button } from "@/components/button/button";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Facts, type Fact } from "@/components/text/facts";
import { Spend } from "@/components/text/spend";
import { StateBadge, TONE_TEXT } from "@/components/state/state-mark";
import { WithCode } from "@/components/text/with-code";
import { useAction } from "@/ipc/actions";
import type { ChangedKeys, ClientTool, ClientView, ToolWiringView, WiringState } from "@/ipc/bindings";
import { classNames } from "@/lib/class-names";
import { formatCounted } from "@/lib/quantity";
import { wiringSign } from "@/lib/wiring-sign";

/** What is asked for a tool; it is shown before it is done. */
export type ToolChange =
  | { kind: "connect"; tool: ClientTool }
  | { kind: "launch"; tool: ClientTool }
  | { kind: "disconnect"; tool: ClientTool; changedKeys?: ChangedKeys };

interface ToolCardProps {
  tool: ToolWiringView;
  /** The client whose token it uses. */
  client: ClientView | undefined;
  onChange: (change: ToolChange) => void;
  onOpenClient: (id: string) => void;
  onCheckAgain: () => void;
  isChecking: boolean;
}

export function ToolCard(props: ToolCardProps) {
  const { tool, client, onOpenClient } = props;
  const sign = wiringSign(tool);
  const check = useAction("clientCheck", (call) => call({ tool: tool.tool }));
  return (
    <section
      aria-label={tool.name}
      className={classNames(
        "flex h-full flex-col rounded-card border bg-surface-1",
        sign.tone === "warn" ? "border-warn/45" : sign.tone === "bad" ? "border-bad/45" : "border-line",
      )}
    >
      <header className="flex items-center gap-3 px-4 pt-3.5">
        <h3 className="flex min-w-0 flex-1 items-baseline gap-2 font-semibold text-ink-1">
          <span className="truncate">{tool.name}</span>
          {tool.version !== null && <span className="text-12 font-normal text-ink-3">{tool.version}</span>}
        </h3>
        <span className="text-12">
          <StateBadge sign={sign} />
        </span>
      </header>
      <div className="flex flex-1 flex-col gap-3 px-4 py-3 text-12">
        {!isSaidByState(tool) && (
          <p className="text-13 text-pretty text-ink-2 [overflow-wrap:anywhere]">
            <WithCode>{tool.sentence}</WithCode>
          </p>
        )}
        <Facts facts={factsOf(tool, client, onOpenClient)} />
        <Problems tool={tool} />
        {check.data !== undefined && <ToolAttempt tried={check.data} />}
        <ErrorNotice error={check.error} />
        {(tool.state === "wired" || tool.state === "token_not_entered") && (
          <GuideSteps name={tool.name} steps={tool.steps} />
        )}
      </div>
      <footer className="flex flex-wrap items-center gap-2 border-t border-line px-4 py-2">
        <Steps {...props} onTry={() => check.mutate(undefined)} isTrying={check.isPending} />
        {tool.restart && <span className="ml-auto text-12 text-ink-3">Restart it after a change</span>}
      </footer>
    </section>
  );
}

/** True if the sentence only says what the state beside the name does. */
function isSaidByState({ name, state, sentence }: ToolWiringView): boolean {
  return state === "not_wired" || (state === "wired" && sentence === `${name} uses the gateway.`);
}

function factsOf(tool: ToolWiringView, client: ClientView | undefined, onOpenClient: (id: string) => void): Fact[] {
  const facts: Fact[] = [{ name: "Token", value: <WithCode>{tool.rung_sentence}</WithCode> }];
  if (tool.files.length > 0)
    facts.push({
      name: tool.files.length === 1 ? "File" : "Files",
      value: tool.files.map((file) => (
        <span key={file} className="block truncate font-mono text-11 leading-[18px]" title={file}>
          {file}
        </span>
      )),
    });
  if (client !== undefined)
    facts.push({
      name: "Client",
      value: (
        <>
          <button
            type="button"
            className="rounded-mark text-ink-1 underline decoration-line-strong underline-offset-2 hover:decoration-current"
            onClick={() => onOpenClient(client.id)}
          >
            {client.id}
          </button>
          <span className="text-ink-3">
            {" "}
            {formatCounted(client.last_month.requests, "request", "requests")}, <Spend spend={client.last_month} /> in
            30 days
          </span>
        </>
      ),
    });
  if (client?.program) facts.push({ name: "Last called with", value: programText(client) });
  if (client !== undefined && client.targets.length > 1)
    facts.push({ name: "Requests go to", value: <ClientTargetSelect client={client} /> });
  return facts;
}

/** The values that others changed, and what is used instead of the gateway unless the sentence above says it. */
function Problems({ tool: { state, drift, conflicts: all } }: { tool: ToolWiringView }) {
  const conflicts = state === "conflict" ? all.slice(1) : all;
  if (drift.length === 0 && conflicts.length === 0) return null;
  return (
    <ul aria-label="Problems" className="flex flex-col gap-1.5 border-t border-line pt-2.5">
      {drift.map((change) => (
        <Problem key={`${change.file} ${change.key}`}>
          <code className="font-mono text-11">{change.key}</code> is{" "}
          {change.found === null ? "gone" : <code className="font-mono text-11">{change.found}</code>}
          {change.expected !== null && (
            <>
              , was <code className="font-mono text-11">{change.expected}</code>
            </>
          )}
        </Problem>
      ))}
      {conflicts.map((conflict) => (
        <Problem key={`${conflict.place} ${conflict.key}`}>
          <WithCode>{conflict.explanation}</WithCode>
        </Problem>
      ))}
    </ul>
  );
}

function Problem({ children }: { children: ReactNode }) {
  return (
    <li className="flex gap-2 text-ink-2 [overflow-wrap:anywhere]">
      <span aria-hidden className={TONE_TEXT.warn}>
        –
      </span>
      <span className="min-w-0">{children}</span>
    </li>
  );
}

type Step = "connect" | "try" | "again" | "reapply" | "release" | "disconnect";

const STEPS: Record<WiringState, Step[]> = {
  not_installed: [],
  not_wired: ["connect"],
  wired: ["try", "disconnect"],
  token_not_entered: ["try", "again", "disconnect"],
  drifted: ["reapply", "release"],
  conflict: ["again", "disconnect"],
  broken: ["again"],
};

interface StepsProps extends ToolCardProps {
  onTry: () => void;
  isTrying: boolean;
}

/** `again` looks at the files anew, `try` does what the tool does. */
function Steps({
  tool: { tool, state, run_command, run_obstacle },
  onChange,
  onCheckAgain,
  isChecking,
  onTry,
  isTrying,
}: StepsProps) {
  const buttons: Record<Step, ReactNode> = {
    try: (
      <Button key="try" size="small" icon={Zap} busy={isTrying} onClick={onTry}>
        Try it
      </Button>
    ),
    again: (
      <Button key="again" size="small" icon={RotateCw} busy={isChecking} onClick={onCheckAgain}>
        Check again
      </Button>
    ),
    connect: (
      <Button
        key="connect"
        size="small"
        look="primary"
        icon={Cable}
        onClick={() => onChange({ kind: "connect", tool })}
      >
        Connect
      </Button>
    ),
    reapply: (
      <Button
        key="reapply"
        size="small"
        look="primary"
        icon={RotateCw}
        onClick={() => onChange({ kind: "connect", tool })}
      >
        Re-apply
      </Button>
    ),
    release: (
      <Button key="release" size="small" onClick={() => onChange({ kind: "disconnect", tool, changedKeys: "keep" })}>
        Release
      </Button>
    ),
    disconnect: (
      <Button key="disconnect" size="small" icon={Unplug} onClick={() => onChange({ kind: "disconnect", tool })}>
        Disconnect
      </Button>
    ),
  };
  const [first, ...rest] = STEPS[state];
  return (
    <>
      {first !== undefined && buttons[first]}
      {(run_command ?? run_obstacle) !== null && (
        <Button size="small" icon={Play} onClick={() => onChange({ kind: "launch", tool })}>
          Launch…
        </Button>
      )}
      {rest.map((step) => buttons[step])}
    </>
  );
}
