/** The test of one backend step by step: what was tried, what was observed, what to do. */
import { Button } from "@/components/button/button";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Notice } from "@/components/notice/notice";
import { StateMark } from "@/components/state/state-mark";
import { MessageCircleQuestion, Zap } from "lucide-react";
import { useAction } from "@/ipc/actions";
import type { BackendTestView, BackendTestStepView } from "@/ipc/bindings";
import { formatDuration } from "@/lib/quantity";
import { TEST_STEP, type Sign } from "@/lib/tables";

const RUNNING: Sign = { word: "Testing", shape: "turning", tone: "info" };

export function useBackendTest() {
  return useAction("backendTest", (call, id: string) => call({ id }));
}

interface BackendTestProps {
  id: string;
  /** May be that of another backend. */
  test: ReturnType<typeof useBackendTest>;
  onAsk: () => void;
}

/** The test with its button, for the drawer. */
export function BackendTest({ id, test, onAsk }: BackendTestProps) {
  const isOwn = test.variables === id;
  const result = isOwn ? test.data : undefined;
  return (
    <div className="flex flex-col gap-3">
      <div className="flex items-center justify-between gap-4">
        <p className="text-ink-2">Connects, checks the key and lists models. Free.</p>
        <Button icon={Zap} busy={test.isPending} onClick={() => test.mutate(id)}>
          {result ? "Test again" : "Test"}
        </Button>
      </div>
      <ErrorNotice error={isOwn ? test.error : null} />
      <TestSteps result={result} running={isOwn && test.isPending} />
      <div className="mt-1 flex items-center justify-between gap-4 border-t border-line pt-4">
        <p className="text-ink-2">Sends one real request to a model. Billed, after its price is shown.</p>
        <Button icon={MessageCircleQuestion} onClick={onAsk}>
          Ask a model…
        </Button>
      </div>
    </div>
  );
}

export function TestSteps({ result, running }: { result: BackendTestView | undefined; running: boolean }) {
  if (running) {
    return (
      <p role="status" className="flex h-11 items-center gap-2.5 rounded-control border border-line px-3 text-ink-2">
        <StateMark sign={RUNNING} /> Connecting, checking the key, listing models…
      </p>
    );
  }
  if (result === undefined) return null;
  return (
    <div role="status" className="flex flex-col gap-3">
      {result.passed ? (
        <Notice tone="info" title="It works. All steps passed." />
      ) : (
        <Notice tone="bad" title="It doesn't work yet. See the failed step." />
      )}
      <ol className="overflow-hidden rounded-control border border-line">
        {result.steps.map((step) => (
          <Step key={step.title} step={step} />
        ))}
      </ol>
    </div>
  );
}

function Step({ step }: { step: BackendTestStepView }) {
  const sign = TEST_STEP[step.state];
  return (
    <li className="flex gap-2.5 border-b border-line px-3 py-2.5 last:border-b-0">
      <span className="pt-[3px]">
        <StateMark sign={sign} />
      </span>
      <div className="min-w-0 flex-1 [overflow-wrap:anywhere]">
        <p className="font-medium">
          {step.title} <span className="font-normal text-ink-3">{sign.word.toLowerCase()}</span>
        </p>
        <p className="text-12 text-ink-2">{step.detail}</p>
        {step.fix !== null && <p className="mt-1 text-12 text-ink-1">{step.fix}</p>}
      </div>
      {step.duration_ms !== null && (
        <span className="numeric text-12 text-ink-3">{formatDuration(step.duration_ms)}</span>
      )}
    </li>
  );
}
