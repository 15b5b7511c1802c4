/** The last starts: a bar of the stages of each, the slow ones marked, and the numbers behind the newest. */
import { durationText } from "@/features/health/duration-text";
import { seriesColour } from "@/components/chart/series-colour";
import { DisclosureSummary } from "@/components/layout/disclosure-summary";
import { Moment } from "@/components/text/moment";
import type { StartView } from "@/ipc/bindings";

const SHOWN = 5;

export function LocalStarts({ starts }: { starts: StartView[] }) {
  const longest = Math.max(1, ...starts.map((start) => start.ready_ms ?? 0));
  const rest = starts.slice(SHOWN);
  if (starts.length === 0)
    return <p className="px-4 py-3 text-ink-2">No start is recorded yet; each is saved some seconds after it.</p>;
  return (
    <>
      <ol aria-label="Starts, newest first">
        {starts.slice(0, SHOWN).map((start) => (
          <Start key={start.at} start={start} longest={longest} />
        ))}
      </ol>
      {rest.length > 0 && (
        <details className="group px-4 py-2">
          <DisclosureSummary className="w-fit cursor-pointer rounded-mark text-12 text-ink-2">
            {rest.length} earlier
          </DisclosureSummary>
          <ol className="-mx-4" aria-label="Earlier starts">
            {rest.map((start) => (
              <Start key={start.at} start={start} longest={longest} />
            ))}
          </ol>
        </details>
      )}
    </>
  );
}

function Start({ start, longest }: { start: StartView; longest: number }) {
  return (
    <li className="border-b border-line px-4 py-2.5 last:border-b-0">
      <details className="group">
        <DisclosureSummary className="cursor-pointer rounded-mark">
          <span className="w-24 shrink-0 text-12 text-ink-2">
            <Moment at={start.at} />
          </span>
          <span aria-hidden className="flex h-2 min-w-0 flex-1 gap-px overflow-hidden rounded-full bg-surface-3">
            {start.stages.map(({ stage, meaning, ms }, index) => (
              <span
                data-mark
                key={stage}
                title={`${meaning}: ${durationText(ms)}`}
                style={{ width: `${((ms ?? 0) / longest) * 100}%`, background: seriesColour(index) }}
              />
            ))}
          </span>
          <span className="numeric w-16 shrink-0 font-medium text-ink-1">{durationText(start.ready_ms)}</span>
          <span
            className={`hidden w-76 shrink-0 truncate text-12 @2xl:block ${start.is_slow ? "text-warn" : "text-ink-3"}`}
          >
            {start.is_slow && "▲ Slow. "}
            {start.finding}
          </span>
        </DisclosureSummary>
        <Stages start={start} />
      </details>
    </li>
  );
}

const capitalized = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1);

function Stages({ start }: { start: StartView }) {
  const later: [string, number | null][] = [
    ["First result of a probe", start.first_probe_ms],
    ["Panel painted", start.panel_ms],
  ];
  return (
    <table className="mt-2 w-full max-w-md text-12">
      <tbody>
        {start.stages.map(({ stage, meaning, ms }, index) => (
          <tr key={stage}>
            <th scope="row" className="py-0.5 pr-3 text-left font-normal text-ink-2">
              <span
                data-mark
                className="mr-1.5 inline-block size-2 rounded-[2px]"
                style={{ background: seriesColour(index) }}
              />
              {capitalized(meaning)}
            </th>
            <td className="numeric py-0.5 text-ink-1">{durationText(ms)}</td>
          </tr>
        ))}
        {later.map(([name, ms]) =>
          ms === null ? null : (
            <tr key={name}>
              <th scope="row" className="py-0.5 pr-3 text-left font-normal text-ink-3">
                {name}, from the beginning
              </th>
              <td className="numeric py-0.5 text-ink-2">{durationText(ms)}</td>
            </tr>
          ),
        )}
        <tr>
          <th scope="row" className="py-0.5 pr-3 text-left font-normal text-ink-3">
            Version
          </th>
          <td className="numeric py-0.5 text-ink-2">{start.version}</td>
        </tr>
      </tbody>
    </table>
  );
}
