/** The answer while it streams. It never scrolls by itself, so that it can be read meanwhile. */
import { CornerLeftUp } from "lucide-react";
import { Button } from "@/components/button/button";
import { CopyButton } from "@/components/button/copy-button";
import { Notice } from "@/components/notice/notice";
import { PanelLink } from "@/components/layout/panel-link";
import type { PlaygroundRunView } from "@/ipc/bindings";
import { formatCounted } from "@/lib/quantity";
import { requestsPath } from "@/lib/request-filter";

const SUGGESTIONS = [
  "Explain what a circuit breaker does, in two sentences.",
  "Write a haiku about a gate that never sleeps.",
  "List five ways an HTTP client can reduce load on a server.",
];

interface AnswerProps {
  run: PlaygroundRunView | undefined;
  sending: boolean;
  /** Puts a prompt into the field. Only the first side offers prompts. */
  suggest: ((prompt: string) => void) | null;
}

export function Answer({ run, sending, suggest }: AnswerProps) {
  if (run === undefined) return sending ? null : <Nothing suggest={suggest} />;
  return (
    <div aria-busy={run.is_running} className="flex flex-col gap-3">
      {run.thinking !== "" && (
        <details className="rounded-control border border-line bg-surface-0">
          <summary className="focus-inset rounded-control px-3 py-1.5 text-12 text-ink-2">
            Thinking, {formatCounted(run.thinking.length, "character", "characters")}
          </summary>
          <p className="px-3 pb-2.5 text-12 whitespace-pre-wrap text-ink-2 [overflow-wrap:anywhere]">{run.thinking}</p>
        </details>
      )}
      {run.text !== "" && (
        <p className="max-w-[76ch] leading-[1.6] whitespace-pre-wrap text-ink-1 [overflow-wrap:anywhere]">{run.text}</p>
      )}
      {run.state === "waiting" && <p className="text-ink-3">Waiting for the first token…</p>}
      {run.error !== null && <Failure run={run} message={run.error.message} />}
      {run.state === "cancelled" && (
        <p className="text-12 text-ink-3">
          {run.text === "" ? "Cancelled before the response started." : "Cancelled. The partial response is kept."}
        </p>
      )}
      {!run.is_running && run.text !== "" && (
        <div className="-ml-2.5">
          <CopyButton text={run.text} label="Copy response" />
        </div>
      )}
    </div>
  );
}

function Failure({ run, message }: { run: PlaygroundRunView; message: string }) {
  return (
    <Notice tone={run.state === "partial" ? "warn" : "bad"} title={message}>
      <span className="flex flex-wrap gap-x-3">
        {run.http_status !== null && run.http_status !== 200 && <span>Status {run.http_status}</span>}
        {run.backend !== null && (
          <PanelLink path={`/backends/${encodeURIComponent(run.backend)}`}>Open {run.backend}</PanelLink>
        )}
        {run.request !== null && <PanelLink path={requestsPath({ request: run.request })}>Open the request</PanelLink>}
      </span>
    </Notice>
  );
}

function Nothing({ suggest }: { suggest: AnswerProps["suggest"] }) {
  if (suggest === null) return <p className="text-ink-3">Gets the same prompt at the same time.</p>;
  return (
    <div className="flex max-w-[76ch] flex-col gap-3">
      <p className="text-ink-2">
        <strong className="font-medium text-ink-1">Nothing sent yet.</strong> Prompts go through the gateway like any
        other request. Try one of these, or write your own.
      </p>
      <ul aria-label="Example prompts" className="flex flex-col items-start gap-1.5">
        {SUGGESTIONS.map((prompt) => (
          <li key={prompt}>
            <Button size="small" icon={CornerLeftUp} onClick={() => suggest(prompt)}>
              {prompt}
            </Button>
          </li>
        ))}
      </ul>
    </div>
  );
}
