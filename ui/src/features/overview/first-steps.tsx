/** Four steps for a new installation, each with its button, completed when the core reports them done. */
import { Check } from "lucide-react";
import { ActionButton } from "@/connected/action-button";
import { Card } from "@/components/layout/card";
import { CodeBlock } from "@/components/button/copy-button";
import type { PanelActionView, FirstStepsView } from "@/ipc/bindings";
import { useClients } from "@/ipc/queries";
import { classNames } from "@/lib/class-names";

interface Step {
  done: (steps: FirstStepsView) => boolean;
  title: string;
  detail: string;
  action: PanelActionView | null;
  /** Done outside the panel, with a client's snippet. */
  isTried?: true;
}

const STEPS: Step[] = [
  {
    done: (steps) => steps.backend_added,
    title: "Add a backend",
    detail: "A provider with its API key, or a local server. The built-in mock already works.",
    action: { kind: "add_backend" },
  },
  {
    done: (steps) => steps.client_added,
    title: "Connect a client",
    detail: "Each tool gets its own token, which you can revoke.",
    action: { kind: "add_client" },
  },
  {
    done: (steps) => steps.request_seen,
    title: "Send a request",
    detail: "Paste the client's snippet; the request shows up here immediately.",
    action: null,
    isTried: true,
  },
  {
    done: (steps) => steps.checks_run,
    title: "Run the checks",
    detail: "Free. Finds problems and tells you how to fix them.",
    action: { kind: "run_checks" },
  },
];

export function areFirstStepsDone(steps: FirstStepsView): boolean {
  return STEPS.every((step) => step.done(steps));
}

export function FirstSteps({ steps }: { steps: FirstStepsView }) {
  const done = STEPS.filter((step) => step.done(steps)).length;
  const next = STEPS.findIndex((step) => !step.done(steps));
  return (
    <Card
      title="First steps"
      note={`${done} of ${STEPS.length} done`}
      flush
      action={
        <span aria-hidden className="flex gap-1">
          {STEPS.map((step, index) => (
            <span
              key={step.title}
              data-mark
              className={classNames("h-1 w-6 rounded-full", index < done ? "bg-ok" : "bg-surface-3")}
            />
          ))}
        </span>
      }
    >
      <ol>
        {STEPS.map((step, index) => {
          const isDone = step.done(steps);
          return (
            <li
              key={step.title}
              className="flex min-h-[56px] items-center gap-3 border-b border-line px-4 py-2 last:border-b-0"
            >
              <span
                className={classNames(
                  "mt-2 flex size-6 shrink-0 items-center self-start justify-center rounded-full border text-12 font-medium",
                  isDone
                    ? "border-ok/50 bg-ok-wash text-ok"
                    : index === next
                      ? "border-accent text-accent"
                      : "border-line text-ink-3",
                )}
              >
                {isDone ? <Check size={14} strokeWidth={2} aria-hidden /> : index + 1}
              </span>
              <div className="min-w-0 flex-1">
                <p className={classNames("font-medium", isDone ? "text-ink-2" : "text-ink-1")}>
                  {step.title}
                  {isDone && <span className="sr-only"> (done)</span>}
                </p>
                <p className="text-12 text-ink-2">{step.detail}</p>
                {!isDone && step.isTried && steps.client_added && <FirstSnippet />}
              </div>
              {!isDone && step.action && (
                <ActionButton action={step.action} look={index === next ? "primary" : "plain"} />
              )}
            </li>
          );
        })}
      </ol>
    </Card>
  );
}

/** The newest client's first snippet, ready to copy and run. */
function FirstSnippet() {
  const snippet = useClients().data?.at(-1)?.snippets[0];
  if (snippet === undefined) return null;
  return (
    <div className="mt-2 mb-1">
      <CodeBlock title={snippet.title} code={snippet.code} />
    </div>
  );
}
