/** How a backend has served: its days, availability with how much of the time was observed, its score, its objectives. */
import { useState } from "react";
import { DayStrip, spellDay } from "@/components/chart/day-strip";
import { HealthScore } from "@/components/state/health-score";
import { PanelLink } from "@/components/layout/panel-link";
import { StateBadge } from "@/components/state/state-mark";
import type { StripDayView } from "@/ipc/bindings";
import { useHealth, useServiceLevels } from "@/ipc/health-queries";
import { formatPercent } from "@/lib/percent";
import { SERVICE_LEVEL } from "@/lib/tables";

export function ServiceSummary({ id }: { id: string }) {
  const health = useHealth().data?.backends.find((backend) => backend.id === id);
  const levels = useServiceLevels().data?.levels.filter((level) => level.kind === "backend" && level.id === id) ?? [];
  const [day, setDay] = useState<StripDayView | null>(null);
  if (health === undefined) return null;
  const quarter = health.availability.at(-1);
  return (
    <section aria-label="How it served" className="flex flex-col gap-3 border-t border-line pt-4">
      <h3 className="font-semibold">How it served</h3>
      <div>
        <DayStrip label={`${health.label}, last 90 days`} days={health.strip} onPoint={setDay} />
        <p className="truncate text-12 text-ink-2">
          {day === null ? `90 days: ${quarter?.sentence ?? "not observed"}` : spellDay(day)}
        </p>
      </div>
      <ul className="text-12 text-ink-2">
        {health.availability.slice(0, 2).map(({ period, sentence, coverage_percent: coverage }) => (
          <li key={period}>
            {period}: {sentence} <span className="text-ink-3">({formatPercent(coverage)} of the time)</span>
          </li>
        ))}
        {levels.map(({ indicator, objective, state, budget_left_percent: left }) => (
          <li key={indicator} className="flex flex-wrap items-center gap-x-2">
            <PanelLink path="/health/levels">
              {indicator === "first-token" ? `First token: ${objective}` : objective}
            </PanelLink>
            <StateBadge sign={SERVICE_LEVEL[state]} />
            {left !== null && <span className="text-ink-3">{left.toFixed(0)} % of the allowed failures left</span>}
          </li>
        ))}
      </ul>
      <HealthScore score={health.score} />
    </section>
  );
}
