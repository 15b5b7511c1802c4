/** The history of a backend: a strip for each key, and every transition with its rule and the requests behind it. */
import { useState } from "react";
import { Choice } from "@/components/form/choice";
import { PanelLink } from "@/components/layout/panel-link";
import { Reading } from "@/components/notice/reading";
import { Skeleton } from "@/components/notice/skeleton";
import { StateMark } from "@/components/state/state-mark";
import { StateStrip } from "@/components/chart/state-strip";
import { useBreakerTimeline } from "@/ipc/route-queries";
import type { BreakerTimelineView, BreakerTransitionView } from "@/ipc/bindings";
import { classNames } from "@/lib/class-names";
import { AVAILABILITY } from "@/lib/tables";
import { formatExact, formatSpan } from "@/lib/time";
import { requestsPath } from "@/lib/request-filter";
import { Moment } from "@/components/text/moment";

const RANGES = [
  { value: "1", label: "1 h" },
  { value: "24", label: "24 h" },
  { value: "168", label: "7 days" },
] as const;

export function BreakerTimeline({ backend }: { backend: string }) {
  const [hours, setHours] = useState<(typeof RANGES)[number]["value"]>("24");
  const reading = useBreakerTimeline({ backend, hours: Number(hours) });
  return (
    <section aria-label="Timeline" className="flex flex-col gap-3 border-t border-line pt-4">
      <Reading of={reading} skeleton={<TimelineSkeleton />}>
        {(timeline) => (
          <figure
            aria-label={timeline.finding}
            aria-busy={reading.isPlaceholderData}
            className={classNames("flex flex-col gap-3", reading.isPlaceholderData && "opacity-60")}
          >
            <figcaption className="flex items-start gap-3">
              <h3 className="min-w-0 flex-1 pt-1.5 leading-5 font-semibold text-pretty">{timeline.finding}</h3>
              <Choice label="Period" options={RANGES} value={hours} onChange={setHours} />
            </figcaption>
            <Strips timeline={timeline} />
            <Transitions all={timeline.transitions} hasKeys={timeline.strips.length > 1} />
          </figure>
        )}
      </Reading>
    </section>
  );
}

function Strips({ timeline: { strips, from, to } }: { timeline: BreakerTimelineView }) {
  return strips.map((strip) => (
    <div key={strip.credential ?? ""}>
      {strips.length > 1 && <p className="mb-1 text-12 text-ink-2">{strip.credential ?? "no key"}</p>}
      <StateStrip
        label={`States${strips.length > 1 ? ` with ${strip.credential ?? "no key"}` : ""}`}
        from={from}
        to={to}
        spans={strip.spans}
      />
    </div>
  ));
}

function Transitions({ all, hasKeys }: { all: BreakerTransitionView[]; hasKeys: boolean }) {
  if (all.length === 0) return <p className="text-12 text-ink-3">No changes in this period.</p>;
  const head = "pb-1.5 text-left font-medium";
  const cell = "border-t border-line py-1.5 pr-3 align-top";
  return (
    <table className="w-full border-separate border-spacing-0 text-12">
      <thead className="text-ink-3">
        <tr>
          <th scope="col" className={head}>
            When
          </th>
          {hasKeys && (
            <th scope="col" className={head}>
              Key
            </th>
          )}
          <th scope="col" className={head}>
            State
          </th>
          <th scope="col" className={head}>
            Reason
          </th>
        </tr>
      </thead>
      <tbody>
        {all.map((one) => (
          <tr key={`${one.at}${one.credential}`}>
            <td className={classNames(cell, "whitespace-nowrap text-ink-2")} title={formatExact(one.at)}>
              <Moment at={one.at} />
            </td>
            {hasKeys && <td className={classNames(cell, "text-ink-2")}>{one.credential ?? "none"}</td>}
            <td className={classNames(cell, "whitespace-nowrap")}>
              <span className="inline-flex items-center gap-1.5">
                <StateMark sign={AVAILABILITY[one.to]} />
                {AVAILABILITY[one.to].word}
                {one.for_secs !== null && <span className="text-ink-3">{formatSpan(one.for_secs * 1_000)}</span>}
              </span>
            </td>
            <td className={classNames(cell, "text-ink-2")}>
              {one.rule}
              {one.evidence.length > 0 && (
                <span className="block text-ink-3">
                  Requests:{" "}
                  {one.evidence.map((request, index) => (
                    <span key={request}>
                      {index > 0 && ", "}
                      <PanelLink path={requestsPath({ request })} className="font-mono text-11">
                        {request}
                      </PanelLink>
                    </span>
                  ))}
                </span>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function TimelineSkeleton() {
  return (
    <div role="status" aria-label="Loading timeline" className="flex flex-col gap-3">
      <Skeleton className="h-4 w-3/5" />
      <Skeleton className="h-[62px]" />
      <Skeleton className="h-16" />
    </div>
  );
}
