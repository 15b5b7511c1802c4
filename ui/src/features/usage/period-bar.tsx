/** What a part of Usage shows: the period, the dimension, where the days begin, and the requests that count. */
import { useState } from "react";
import { UsageFilters } from "@/features/usage/usage-filters";
import { withBasis } from "@/features/usage/usage-period";
import { BASES, GROUPS, isDaySpan, RANGES, ZONES, type DaySpan, type UsagePlace } from "@/features/usage/usage-place";
import { Choice } from "@/components/form/choice";
import { TextInput } from "@/components/form/field";
import { Select } from "@/components/form/select";
import type { TimeZoneChoice, UsageRange } from "@/ipc/bindings";
import { useNow } from "@/lib/clock";
import { dayOf } from "@/lib/time";

const CUSTOM = "custom";
const PERIODS = [
  ...RANGES,
  { value: "this_month", label: "This month" },
  { value: "month_before", label: "Last month" },
  { value: "90_days", label: "90 days" },
  { value: CUSTOM, label: "Custom" },
] as const;
type PeriodChoice = (typeof PERIODS)[number]["value"];
const FIRST_DAYS = 14;

interface PeriodBarProps {
  place: UsagePlace;
  onMove: (place: UsagePlace) => void;
  /** Leaves the dimension out, where nothing is grouped by it. */
  withoutGroups?: boolean;
  /** Adds the basis of the costs, where they are shown on one. */
  withBases?: boolean;
}

export function PeriodBar({ place, onMove, withoutGroups = false, withBases = false }: PeriodBarProps) {
  const { days, ...rest } = place;
  const presets = presetDays(useNow(), place.zone);
  // Days that are typed may be those of another period for a moment.
  const [isOwn, setOwn] = useState(false);
  // The date fields keep what is typed; a chosen period fills them anew.
  const [chosen, setChosen] = useState(0);
  const choose = (period: PeriodChoice) => {
    setOwn(period === CUSTOM);
    setChosen((times) => times + 1);
    onMove(period in presets ? { ...rest, days: presets[period as Preset] } : { ...rest, range: period as UsageRange });
  };
  const ofDays = days && (isOwn ? CUSTOM : presetOf(days, presets));
  return (
    <div className="flex flex-wrap items-center gap-2">
      <Select aria-label="Period" options={PERIODS} value={ofDays ?? place.range} onChange={choose} className="w-32" />
      {days !== undefined && ofDays === CUSTOM && (
        <Days key={chosen} days={days} onChange={(next) => onMove({ ...rest, days: next })} />
      )}
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
      {withBases && (
        <Select
          aria-label="Costs summed up"
          options={BASES}
          value={place.basis ?? "known"}
          onChange={(basis) => onMove(withBasis(place, basis))}
          className="w-40"
        />
      )}
      <UsageFilters place={place} onMove={onMove} />
    </div>
  );
}

type Preset = Exclude<PeriodChoice, UsageRange>;

/** The days of the periods that begin or end on a day of the calendar; own days begin with the last two weeks. */
export function presetDays(now: number, zone: TimeZoneChoice): Record<Preset, DaySpan> {
  const today = dayOf(now, zone);
  const [year = 0, month = 1, date = 1] = today.split("-").map(Number);
  const day = (months: number, of: number) => dayOf(Date.UTC(year, month - 1 + months, of), "utc");
  const until = (first: string) => ({ first, last: today });
  return {
    this_month: until(day(0, 1)),
    month_before: { first: day(-1, 1), last: day(0, 0) },
    "90_days": until(day(0, date - 89)),
    custom: until(day(0, date - FIRST_DAYS + 1)),
  };
}

function presetOf({ first, last }: DaySpan, presets: Record<Preset, DaySpan>): Preset {
  const names = Object.keys(presets) as Preset[];
  return names.find((name) => presets[name].first === first && presets[name].last === last) ?? CUSTOM;
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
