/** What a part of Usage shows: the period, the dimension, and where the days begin. */
import { GROUPS, RANGES, ZONES, type UsagePlace } from "@/features/usage/usage-place";
import { Choice } from "@/components/choice";

interface PeriodBarProps {
  place: UsagePlace;
  onMove: (place: UsagePlace) => void;
}

export function PeriodBar({ place, onMove }: PeriodBarProps) {
  return (
    <div className="flex flex-wrap items-center gap-2">
      <Choice label="Period" options={RANGES} value={place.range} onChange={(range) => onMove({ ...place, range })} />
      <Choice label="Group by" options={GROUPS} value={place.group} onChange={(group) => onMove({ ...place, group })} />
      <span className="ml-auto">
        <Choice
          label="Time zone of the days"
          options={ZONES}
          value={place.zone}
          onChange={(zone) => onMove({ ...place, zone })}
        />
      </span>
    </div>
  );
}
