/** Whether spending is unusual, in one line that leads to what is. */
import { ChevronRight } from "lucide-react";
import { anomalySign } from "@/features/usage/anomalies/anomaly";
import { parseLookBack, type UsagePlace } from "@/features/usage/usage-place";
import { PanelLink } from "@/components/layout/panel-link";
import { Reading } from "@/components/notice/reading";
import { Skeleton } from "@/components/notice/skeleton";
import { StateMark } from "@/components/state/state-mark";
import type { UsageAnomaliesView } from "@/ipc/bindings";
import { useUsageAnomalies } from "@/ipc/usage-queries";

export function AnomaliesLine({ place }: { place: UsagePlace }) {
  const anomalies = useUsageAnomalies({ zone: place.zone, days: Number(parseLookBack({})) });
  return (
    <Reading of={anomalies} skeleton={<Skeleton className="h-[42px] rounded-card" />}>
      {(data) => <Line view={data} />}
    </Reading>
  );
}

function Line({ view: { anomalies, finding, learning } }: { view: UsageAnomaliesView }) {
  const [first] = anomalies;
  return (
    <PanelLink
      look="none"
      path="/anomalies"
      className="focus-inset flex h-[42px] items-center gap-3 rounded-card border border-line bg-surface-1 px-4 transition-colors duration-150 hover:border-line-strong"
    >
      <StateMark sign={anomalySign(first)} />
      <span className="font-semibold whitespace-nowrap text-ink-1">{finding}</span>
      <span className="min-w-0 flex-1 truncate text-12 text-ink-3">
        {first?.finding}
        {learning && `${first ? "; " : ""}still learning what is usual`}
      </span>
      <ChevronRight size={14} strokeWidth={1.5} aria-hidden className="shrink-0 text-ink-3" />
    </PanelLink>
  );
}
