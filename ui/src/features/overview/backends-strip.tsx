/** A tile for each backend: name, state, the last day's shape. */
import { PanelLink } from "@/components/panel-link";
import { Reading } from "@/components/reading";
import { Skeleton } from "@/components/skeleton";
import { Sparkline } from "@/components/sparkline";
import { StateBadge } from "@/components/state-mark";
import type { BackendView } from "@/ipc/bindings";
import { useBackends } from "@/ipc/queries";
import { formatCount, formatCounted, formatDuration } from "@/lib/quantity";
import { HEALTH } from "@/lib/states";

const TILES_MAX = 6;

export function BackendsStrip() {
  const backends = useBackends();
  return (
    <section aria-label="Backends">
      <Reading of={backends} skeleton={<Skeleton className="h-[92px] rounded-card" />}>
        {(all) => (
          <ul className="grid auto-cols-[minmax(148px,1fr)] grid-flow-col gap-2 overflow-x-auto">
            {all.slice(0, TILES_MAX).map((backend) => (
              <li key={backend.id} className="min-w-0">
                <Tile backend={backend} />
              </li>
            ))}
            {all.length > TILES_MAX && (
              <li className="flex items-center justify-center rounded-card border border-line">
                <PanelLink path="/backends">{all.length - TILES_MAX} more</PanelLink>
              </li>
            )}
          </ul>
        )}
      </Reading>
    </section>
  );
}

function Tile({ backend }: { backend: BackendView }) {
  const { last_day: day, health } = backend;
  return (
    <PanelLink
      look="none"
      path={`/backends/${encodeURIComponent(backend.id)}`}
      title={health.reason}
      className="focus-inset flex h-[92px] flex-col rounded-card border border-line bg-surface-1 px-3 py-2.5 transition-colors duration-150 hover:border-line-strong"
    >
      <span className="flex items-center justify-between gap-2">
        <span className="truncate font-medium text-ink-1">{backend.label}</span>
        <span className="text-12">
          <StateBadge sign={HEALTH[health.state]} />
        </span>
      </span>
      <span className="mt-auto mb-1.5 block">
        <Sparkline values={day.requests_per_hour} label={`${formatCounted(day.spend.requests, "request", "requests")} in 24 hours`} />
      </span>
      <span className="flex justify-between gap-2 text-11 whitespace-nowrap text-ink-3">
        <span>{day.spend.requests === 0 ? "idle today" : `${formatCount(day.spend.requests)} req / 24 h`}</span>
        {day.first_token_ms !== null && <span title="Mean time to the first token">{formatDuration(day.first_token_ms)}</span>}
      </span>
    </PanelLink>
  );
}
