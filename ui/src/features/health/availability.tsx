/** How long a backend or a service was seen to answer: its days as a strip, and the figures behind them. */
import { useState } from "react";
import { ChartTable } from "@/components/chart/chart-table";
import { DayStrip, spellDay } from "@/components/chart/day-strip";
import type { AvailabilityShareView, StripDayView } from "@/ipc/bindings";
import { formatPercent } from "@/lib/percent";
import { STRIP_CELL } from "@/lib/tables";

const TABLE_HEIGHT_PX = 160;

interface AvailabilityProps {
  label: string;
  availability: AvailabilityShareView[];
  strip: StripDayView[];
}

/** The last 90 days, and in words the whole of them or the day under the cursor. */
export function AvailabilityStrip({ label, availability, strip }: AvailabilityProps) {
  const [day, setDay] = useState<StripDayView | null>(null);
  return (
    <>
      <DayStrip label={`${label}, last 90 days`} days={strip} onPoint={setDay} />
      <p className="truncate text-12 text-ink-3">
        {day === null ? (availability.at(-1)?.sentence ?? "not observed") : spellDay(day)}
      </p>
    </>
  );
}

export function AvailabilityList({ availability }: Pick<AvailabilityProps, "availability">) {
  return (
    <>
      <h3 className="text-12 font-medium text-ink-1">Availability</h3>
      <ul className="text-12 text-ink-2">
        {availability.map(({ period, sentence, coverage_percent: coverage }) => (
          <li key={period}>
            {period}: {sentence} <span className="text-ink-3">({formatPercent(coverage)} of the time)</span>
          </li>
        ))}
      </ul>
    </>
  );
}

/** The days with an observation, the newest first. */
export function ObservedDays({ label, strip }: Pick<AvailabilityProps, "label" | "strip">) {
  const seen = strip.filter(({ percent }) => percent !== null).toReversed();
  if (seen.length === 0) return null;
  return (
    <ChartTable
      label={`Days of ${label}`}
      height={TABLE_HEIGHT_PX}
      columns={["Day (UTC)", "", "Answered", "Down"]}
      rows={seen.map((day) => ({
        key: day.day,
        cells: [day.day, STRIP_CELL[day.cell].word, formatPercent(day.percent), `${day.down_minutes} min`],
      }))}
    />
  );
}
