/** What a part of Usage shows: the period, the dimension, where the days begin, and the requests that count. */
import { UsageFilters } from "@/features/usage/usage-filters";
import { dayOf, GROUPS, isDaySpan, RANGES, ZONES, type DaySpan, type UsagePlace } from "@/features/usage/usage-place";
import { Choice } from "@/components/choice";
import { TextInput } from "@/components/field";
import type { TimeZoneChoice } from "@/ipc/bindings";
import { useNow } from "@/lib/clock";

const CUSTOM = "custom";
const PERIODS = [...RANGES, { value: CUSTOM, label: "Custom" }] as const;
const DAY_MS = 86_400_000;
const FIRST_DAYS = 14;

interface PeriodBarProps {
  place: UsagePlace;
  onMove: (place: UsagePlace) => void;
  /** Leaves the dimension out, where nothing is grouped by it. */
  withoutGroups?: boolean;
}

export function PeriodBar({ place, onMove, withoutGroups = false }: PeriodBarProps) {
  const { days, ...rest } = place;
  const now = useNow();
  return (
    <div className="flex flex-wrap items-center gap-2">
      <Choice
        label="Period"
        options={PERIODS}
        value={days === undefined ? place.range : CUSTOM}
        onChange={(range) =>
          onMove(range === CUSTOM ? { ...rest, days: lastDays(now, place.zone) } : { ...rest, range })
        }
      />
      {days !== undefined && <Days days={days} onChange={(next) => onMove({ ...rest, days: next })} />}
      {!withoutGroups && (
        <Choice
          label="Group by"
          options={GROUPS}
          value={place.group}
          onChange={(group) => onMove({ ...place, group })}
        />
      )}
      <Choice
        label="Time zone of the days"
        options={ZONES}
        value={place.zone}
        onChange={(zone) => onMove({ ...place, zone })}
      />
      <UsageFilters place={place} onMove={onMove} />
    </div>
  );
}

/** What the choice of own days begins with. */
function lastDays(now: number, zone: TimeZoneChoice): DaySpan {
  return { first: dayOf(now - (FIRST_DAYS - 1) * DAY_MS, zone), last: dayOf(now, zone) };
}

/** The first and the last day. Anything but two days in order waits until it is right. */
function Days({ days, onChange }: { days: DaySpan; onChange: (days: DaySpan) => void }) {
  const change = (next: DaySpan) => {
    if (isDaySpan(next)) onChange(next);
  };
  return (
    <span className="flex items-center gap-1.5 text-12 text-ink-3">
      {(["first", "last"] as const).map((end) => (
        <TextInput
          key={end}
          type="date"
          aria-label={end === "first" ? "First day" : "Last day"}
          placeholder="2026-11-01"
          defaultValue={days[end]}
          className="w-32"
          onChange={({ target }) => change({ ...days, [end]: target.value })}
        />
      ))}
    </span>
  );
}
