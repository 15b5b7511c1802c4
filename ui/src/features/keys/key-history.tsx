/** What happened to a key, newest first. */
import { Moment } from "@/components/text/moment";
import { Reading } from "@/components/notice/reading";
import { LoadingCard } from "@/components/notice/skeleton";
import { StateMark } from "@/components/state/state-mark";
import type { KeyHistoryView } from "@/ipc/bindings";
import { useKeyHistory } from "@/ipc/queries";
import { KEY_EVENT } from "@/lib/tables";

/** Keys of the environment have none: nothing of them is recorded here. */
export function KeyHistory({ id, readOnly }: { id: string; readOnly: boolean }) {
  const history = useKeyHistory(id, !readOnly);
  if (readOnly) return null;
  return (
    <section aria-label="History" className="flex flex-col gap-2 border-t border-line pt-4">
      <h3 className="font-semibold">History</h3>
      <Reading of={history} skeleton={<LoadingCard label="Loading history" className="h-16" />}>
        {(found) => <Events found={found} />}
      </Reading>
    </section>
  );
}

function Events({ found: { events, is_whole: isWhole } }: { found: KeyHistoryView }) {
  return (
    <>
      <ol className="flex flex-col gap-1.5 text-12">
        {events.map(({ at, event, sentence }) => (
          <li key={`${at} ${event} ${sentence}`} className="flex items-baseline gap-2">
            <StateMark sign={KEY_EVENT[event]} />
            <span className="sr-only">{KEY_EVENT[event].word}: </span>
            <span className="min-w-0 flex-1 break-words text-ink-1">{sentence}</span>
            <span className="whitespace-nowrap text-ink-3">
              <Moment at={at} focusable />
            </span>
          </li>
        ))}
      </ol>
      {!isWhole && <p className="text-12 text-ink-3">Older events are left out.</p>}
    </>
  );
}
