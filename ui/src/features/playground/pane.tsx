/** One side's answer, and the other views of the response. */
import { Answer } from "@/features/playground/answer";
import { Code } from "@/features/playground/code";
import { Details } from "@/features/playground/details";
import type { Seat } from "@/features/playground/draft";
import { Raw } from "@/features/playground/raw";
import { SeatBadge } from "@/features/playground/seat-badge";
import { spokenPart } from "@/features/playground/spoken";
import { Tabs } from "@/components/layout/tabs";
import type { PlaygroundRunView, PlaygroundSend } from "@/ipc/bindings";
import { classNames } from "@/lib/class-names";
import { PLAYGROUND } from "@/lib/tables";

interface PaneProps {
  /** Set if there are two sides. */
  seat: Seat | null;
  run: PlaygroundRunView | undefined;
  sending: boolean;
  /** The request as it would be sent now, for the code. */
  request: PlaygroundSend;
  suggest: ((prompt: string) => void) | null;
}

export function Pane({ seat, run, sending, request, suggest }: PaneProps) {
  const name = seat === null ? "Answer" : `Answer ${seat.toUpperCase()}`;
  // A single pane has the model directly above it, unless another one was chosen since.
  const isNamed = seat !== null || (run !== undefined && run.model !== request.model);
  return (
    <section
      aria-label={name}
      className="relative flex min-h-0 min-w-0 flex-col rounded-card border border-line bg-surface-1 [--inset:16px]"
    >
      <div className="pointer-events-none absolute top-0 right-4 flex h-9 max-w-[45%] items-center gap-2">
        {isNamed && (
          <span
            className={classNames(
              "truncate font-mono text-11 text-ink-3",
              seat !== null && "hidden @min-[960px]:inline",
            )}
          >
            {run?.model ?? request.model}
          </span>
        )}
        {seat !== null && <SeatBadge seat={seat} />}
      </div>
      <Tabs
        label={name}
        tabs={[
          { id: "answer", label: "Answer", content: <Answer run={run} sending={sending} suggest={suggest} /> },
          { id: "details", label: "Details", content: <Details run={run} /> },
          { id: "raw", label: "Raw", content: <Raw run={run} /> },
          { id: "code", label: "Code", content: <Code request={request} /> },
        ]}
      />
      <p role="status" className="sr-only">
        {run === undefined ? "" : `${name}, ${PLAYGROUND[run.state].word}. ${spokenPart(run)}`}
      </p>
    </section>
  );
}
