/** A tile for each backend: name, state, and a sparkline of the last day. */
import { Plus, Server, type LucideIcon } from "lucide-react";
import type { CSSProperties } from "react";
import { PanelLink } from "@/components/layout/panel-link";
import { Reading } from "@/components/notice/reading";
import { Skeleton } from "@/components/notice/skeleton";
import { Sparkline } from "@/components/chart/sparkline";
import { StateBadge } from "@/components/state/state-mark";
import type { BackendView, ShownHealth } from "@/ipc/bindings";
import { useBackends } from "@/ipc/queries";
import { classNames } from "@/lib/class-names";
import { formatPercent } from "@/lib/percent";
import { formatCount, formatCounted, formatDuration } from "@/lib/quantity";
import { healthSign } from "@/lib/states";

const TILES_MAX = 6;
const ROOMY = 3;
const ROOMY_COLUMNS = 4;

export function BackendsStrip() {
  const backends = useBackends();
  return (
    <section aria-label="Backends">
      <Reading of={backends} skeleton={<Skeleton className="h-[92px] rounded-card" />}>
        {(all) => <Tiles backends={all} />}
      </Reading>
    </section>
  );
}

const URGENCY: Record<ShownHealth, number> = { down: 0, degraded: 1, unknown: 2, up: 3, disabled: 4 };

function urgency({ health }: BackendView): number {
  return URGENCY[health.state];
}

/**
 * Six in a row on a wide screen, three on a narrow one. If not all fit, those that are down or degraded come first. One or two keep
 * a tile's width, and the rest of the row offers to add a backend.
 */
function Tiles({ backends: all }: { backends: BackendView[] }) {
  const isTooMany = all.length > TILES_MAX;
  const ordered = isTooMany ? all.toSorted((left, right) => urgency(left) - urgency(right)) : all;
  const shown = ordered.slice(0, isTooMany ? TILES_MAX - 1 : TILES_MAX);
  const rest = ordered.slice(shown.length);
  const hidden = rest.length;
  const hiddenDown = rest.filter(({ health }) => health.state === "down").length;
  const isRoomy = shown.length < ROOMY;
  const places = isRoomy ? ROOMY_COLUMNS : shown.length + (hidden > 0 ? 1 : 0);
  const columns = { "--narrow": 3, "--wide": Math.min(places, TILES_MAX) } as CSSProperties;
  return (
    <ul
      style={columns}
      className="grid grid-cols-[repeat(var(--narrow),minmax(0,1fr))] gap-2 @min-[960px]:grid-cols-[repeat(var(--wide),minmax(0,1fr))]"
    >
      {shown.map((backend) => (
        <li key={backend.id} className="min-w-0">
          <Tile backend={backend} share={shareOf(backend, all)} />
        </li>
      ))}
      {hidden > 0 && (
        <LinkTile
          path="/backends"
          icon={Server}
          label={hiddenDown === 0 ? `${hidden} more` : `${hidden} more, ${hiddenDown} down`}
        />
      )}
      {isRoomy && (
        <LinkTile
          path="/backends?add=true"
          icon={Plus}
          label={all.every((backend) => backend.built_in) ? "Add a provider or a local server" : "Add a backend"}
          className={shown.length === 1 ? "col-span-2 @min-[960px]:col-span-3" : "@min-[960px]:col-span-2"}
        />
      )}
    </ul>
  );
}

interface LinkTileProps {
  path: string;
  icon: LucideIcon;
  label: string;
  className?: string;
}

function LinkTile({ path, icon: Icon, label, className }: LinkTileProps) {
  return (
    <li className={classNames("min-w-0", className)}>
      <PanelLink
        look="none"
        path={path}
        className="focus-inset flex h-[92px] items-center justify-center gap-2 rounded-card border border-dashed border-line-strong/60 text-ink-2 transition-colors duration-150 hover:border-line-strong hover:text-ink-1"
      >
        <Icon size={16} strokeWidth={1.5} aria-hidden />
        {label}
      </PanelLink>
    </li>
  );
}

/** Percentage of the last day's requests; null while one backend had them all. */
function shareOf(backend: BackendView, all: readonly BackendView[]): number | null {
  const { requests } = backend.last_day.spend;
  const total = all.reduce((sum, { last_day: day }) => sum + day.spend.requests, 0);
  return requests === total ? null : (requests / total) * 100;
}

function requestsWords(requests: number, share: number | null): string {
  if (requests === 0) return "no requests in 24 h";
  const count = `${formatCount(requests)} req`;
  return share === null ? `${count} / 24 h` : `${count} · ${formatPercent(share)}`;
}

function Tile({ backend, share }: { backend: BackendView; share: number | null }) {
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
          <StateBadge sign={healthSign(health)} />
        </span>
      </span>
      <span className="mt-auto mb-1.5 block">
        <Sparkline
          values={day.requests_per_hour}
          failed={day.failed_per_hour ?? []}
          label={`${formatCounted(day.spend.requests, "request", "requests")} in 24 hours, ${formatCount(day.failed)} failed`}
        />
      </span>
      <span className="flex justify-between gap-2 text-11 whitespace-nowrap text-ink-3">
        <span title={share === null ? undefined : "Requests in 24 hours, and their share of all"}>
          {requestsWords(day.spend.requests, share)}
        </span>
        {day.first_token_ms !== null && (
          <span title="Mean time to first token">{formatDuration(day.first_token_ms)}</span>
        )}
      </span>
    </PanelLink>
  );
}
