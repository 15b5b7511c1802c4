/** The time of a request to scale: its wait in the queue, each attempt and the pauses between them. */
import type { RequestPathView } from "@/ipc/bindings";
import { classNames } from "@/lib/class-names";
import { formatDuration } from "@/lib/quantity";

interface Bar {
  label: string;
  word: string;
  start: number;
  length: number;
  look: string;
}

/** Bars of the path in order, in milliseconds from the arrival of the request. */
function barsOf({ attempts, queued_ms, request }: RequestPathView): Bar[] {
  let time = 0;
  const bars: Bar[] = [];
  const add = (label: string, word: string, length: number, look: string) => {
    if (length > 0) bars.push({ label, word, start: time, length, look });
    time += length;
  };
  add("Queue", "waited", queued_ms ?? 0, "bg-line-strong");
  for (const attempt of attempts) {
    add("Pause", "waited", attempt.waited_ms, "bg-line-strong");
    const hasFailed = attempt.class !== null;
    add(attempt.backend, hasFailed ? "failed" : "answered", attempt.duration_ms, hasFailed ? "bg-bad" : "bg-accent");
  }
  if (attempts.length === 0 && request.total_ms !== null) add("No attempt", "took", request.total_ms, "bg-line-strong");
  return bars;
}

export function Waterfall({ path }: { path: RequestPathView }) {
  const { first_token_ms: first, total_ms: total } = path.request;
  const bars = barsOf(path);
  const end = Math.max(total ?? 0, ...bars.map(({ start, length }) => start + length));
  if (end === 0) return null;
  const percent = (ms: number) => `${(ms / end) * 100}%`;
  return (
    <figure aria-label="Waterfall" className="flex flex-col gap-1.5">
      <figcaption className="flex justify-between text-12 text-ink-2">
        <span>{first === null ? "No first token" : `First token after ${formatDuration(first)}`}</span>
        {total !== null && <span>{formatDuration(total)} in total</span>}
      </figcaption>
      <ol className="flex flex-col gap-1">
        {bars.map(({ label, word, start, length, look }, index) => (
          <li
            key={index}
            aria-label={`${label}: ${word} ${formatDuration(length)}, from ${formatDuration(start)}`}
            className="grid grid-cols-[88px_minmax(0,1fr)_64px] items-center gap-2 text-12"
          >
            <span className="truncate text-ink-2">{label}</span>
            <span className="relative h-2 rounded-full bg-surface-3">
              <span
                data-mark
                className={classNames("absolute inset-y-0 min-w-[2px] rounded-full", look)}
                style={{ left: percent(start), width: percent(length) }}
              />
              {first !== null && (
                <span
                  data-mark
                  aria-hidden
                  className="absolute -inset-y-0.5 w-px bg-ink-1"
                  style={{ left: percent(Math.min(first, end)) }}
                />
              )}
            </span>
            <span className="numeric text-ink-3">{formatDuration(length)}</span>
          </li>
        ))}
      </ol>
    </figure>
  );
}
