/** One prompt to one model, or to two side by side, sent like any client's request. */
import type { KeyboardEvent } from "react";
import { Composer } from "@/features/playground/composer";
import { requestOf, SEATS, seatsOf, useDraft, type Mode, type Seat } from "@/features/playground/draft";
import { Pane } from "@/features/playground/pane";
import { Race } from "@/features/playground/race";
import { Choice } from "@/components/form/choice";
import { Page } from "@/components/layout/page";
import { Reading } from "@/components/notice/reading";
import { Skeleton } from "@/components/notice/skeleton";
import { notifyError } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { PlaygroundRunView, PlaygroundSend } from "@/ipc/bindings";
import { usePlayground } from "@/ipc/playground-queries";
import { classNames } from "@/lib/class-names";
import { formatMoney } from "@/lib/money";
import { formatDuration } from "@/lib/quantity";

const MODES = [
  { value: "one", label: "One model" },
  { value: "two", label: "Compare two" },
] as const satisfies { value: Mode; label: string }[];

export function PlaygroundScreen({ model }: { model: string | null }) {
  const runs = usePlayground();
  const [draft, change] = useDraft(model);
  const first = useSend();
  const second = useSend();
  const sends = { a: first, b: second };
  const cancel = useAction("playgroundCancel", (call, run: string) => call({ run }));
  const seats = seatsOf(draft);
  const runAt = (seat: Seat) => runs.data?.find((run) => run.id === draft.runs[seat]);
  // A run continues after its pane was closed, and is stopped together with the others.
  const going = SEATS.flatMap((seat) => runAt(seat) ?? []).filter((run) => run.is_running);
  const isGoing = going.length > 0 || SEATS.some((seat) => sends[seat].isPending);

  const send = () => {
    if (isGoing) return;
    change((now) => ({ ...now, runs: { a: null, b: null } }));
    for (const seat of seats)
      sends[seat].mutate(requestOf(draft, seat), {
        onSuccess: (run) => change((now) => ({ ...now, runs: { ...now.runs, [seat]: run.id } })),
      });
  };
  const stop = () => {
    for (const run of going)
      cancel.mutate(run.id, {
        onError: notifyError,
      });
  };
  const press = (event: KeyboardEvent) => {
    if (event.defaultPrevented) return;
    const isSend = event.key === "Enter" && (event.ctrlKey || event.metaKey);
    if (!isSend && !(event.key === "Escape" && isGoing)) return;
    event.preventDefault();
    if (isSend) send();
    else stop();
  };

  return (
    <div onKeyDown={press} role="presentation" className="h-full">
      <Page
        title="Playground"
        lead={leadOf(seats.map(runAt))}
        filled
        actions={
          <Choice
            label="Mode"
            options={MODES}
            value={draft.mode}
            onChange={(mode) => change((now) => ({ ...now, mode }))}
          />
        }
      >
        <Composer
          draft={draft}
          change={change}
          going={isGoing}
          error={sends.a.error ?? (draft.mode === "two" ? sends.b.error : null)}
          onSend={send}
          onStop={stop}
        />
        <Reading of={runs} skeleton={<PanesSkeleton />}>
          {() => (
            <>
              <Race
                runners={seats.map((seat) => ({
                  seat,
                  model: draft.models[seat],
                  run: runAt(seat),
                  sending: sends[seat].isPending,
                }))}
                locked={isGoing}
                onModel={(seat, model) => change((now) => ({ ...now, models: { ...now.models, [seat]: model } }))}
              />
              <div
                className={classNames(
                  "grid min-h-56 flex-1 grid-cols-1 gap-4",
                  draft.mode === "two" && "@min-[560px]:grid-cols-2",
                )}
              >
                {seats.map((seat) => (
                  <Pane
                    key={seat}
                    seat={draft.mode === "two" ? seat : null}
                    run={runAt(seat)}
                    sending={sends[seat].isPending}
                    request={requestOf(draft, seat)}
                    suggest={seat === "a" ? (prompt) => change((now) => ({ ...now, prompt })) : null}
                  />
                ))}
              </div>
            </>
          )}
        </Reading>
      </Page>
    </div>
  );
}

function useSend() {
  return useAction("playgroundSend", (call, req: PlaygroundSend) => call(req));
}

/** The screen's answer: the result of the last prompt. */
function leadOf(shown: (PlaygroundRunView | undefined)[]): string {
  const runs = shown.flatMap((run) => run ?? []);
  if (runs.length === 0) return "Send prompts through the gateway, as your tools do.";
  const [first, second] = runs;
  if (first?.state === "complete" && second?.state === "complete")
    return `${first.model} took ${formatDuration(first.elapsed_ms)}, ${second.model} ${formatDuration(second.elapsed_ms)}.`;
  return runs.map((run) => sentenceOf(run)).join(" ");
}

function sentenceOf(run: PlaygroundRunView): string {
  const took = formatDuration(run.elapsed_ms);
  switch (run.state) {
    case "waiting":
      return `Waiting for ${run.model}.`;
    case "streaming":
      return `${run.model} is responding.`;
    case "complete":
      return `${run.model} responded in ${took}${costOf(run)}.`;
    case "partial":
      return `${run.model} was cut off after ${took}.`;
    case "failed":
      return `${run.model} failed.`;
    case "cancelled":
      return `${run.model} was cancelled.`;
  }
}

function costOf({ record }: PlaygroundRunView): string {
  if (record === null) return "";
  if (record.cost_basis === "not_billed") return ", free";
  return record.cost_nano_usd === null ? ", cost unknown" : ` for ${formatMoney(record.cost_nano_usd)}`;
}

function PanesSkeleton() {
  return (
    <div role="status" aria-label="Loading playground" className="flex flex-1 flex-col gap-4">
      <Skeleton className="h-[70px] rounded-card" />
      <Skeleton className="min-h-56 flex-1 rounded-card" />
    </div>
  );
}
