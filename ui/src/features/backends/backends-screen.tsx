/** Every backend with its state and the available actions. */
import { Plus, Server } from "lucide-react";
import { useMemo, useState } from "react";
import { useBackendSwitch } from "@/features/backends/backend-actions";
import { AvailabilityBadge } from "@/components/state/availability";
import { Button } from "@/components/button/button";
import { DataTable, type Column } from "@/components/table/data-table";
import { EmptyState } from "@/components/notice/empty-state";
import { Gone } from "@/components/notice/gone";
import { FilterInput } from "@/components/filter/filter-input";
import { lazyOverlay } from "@/components/overlay/lazy";
import { Moment } from "@/components/text/moment";
import { Page } from "@/components/layout/page";
import { Reading } from "@/components/notice/reading";
import { SkeletonRows } from "@/components/notice/skeleton";
import { Spend } from "@/components/text/spend";
import { spendValue } from "@/lib/cost-sum";
import { StateBadge } from "@/components/state/state-mark";
import { Switch } from "@/components/form/switch";
import type { EndpointView, BackendCountsView, BackendView } from "@/ipc/bindings";
import { useBackends, useStatus } from "@/ipc/queries";
import { useAccesses } from "@/ipc/route-queries";
import { matchesFilter } from "@/lib/filter";
import { formatCount, formatCounted, formatDuration } from "@/lib/quantity";
import { healthSign } from "@/lib/states";

const BackendDrawer = lazyOverlay(
  async () => (await import("@/features/backends/backend-drawer")).BackendDrawer,
  ({ backend }) => backend !== undefined,
);
const AddBackendDialog = lazyOverlay(
  async () => (await import("@/features/backends/add-backend")).AddBackendDialog,
  ({ open }) => open,
);

interface BackendsScreenProps {
  openId: string | null;
  adding: boolean;
  /** A model of the open backend is asked. */
  asking: boolean;
  onOpen: (id: string) => void;
  onAsk: (id: string, asks: boolean) => void;
  onAdd: () => void;
  onClose: () => void;
}

export function BackendsScreen({ openId, adding, asking, onOpen, onAsk, onAdd, onClose }: BackendsScreenProps) {
  const backends = useBackends();
  const counts = useStatus().data?.backends;
  const [filter, setFilter] = useState("");
  const columns = useColumns();
  const open = backends.data?.find((backend) => backend.id === openId);
  return (
    <Page
      filled
      title="Backends"
      lead={counts && sayCounts(counts)}
      actions={
        <>
          <FilterInput label="Filter backends" value={filter} onChange={setFilter} />
          <Button look="primary" icon={Plus} onClick={onAdd}>
            Add backend
          </Button>
        </>
      }
    >
      <Reading
        of={backends}
        skeleton={
          <div className="rounded-card border border-line bg-surface-1">
            <SkeletonRows rows={6} label="Loading backends" />
          </div>
        }
      >
        {(all) => (
          <DataTable
            label="Backends"
            className="min-h-0"
            columns={columns}
            rows={all.filter((backend) =>
              matchesFilter(filter, [
                backend.id,
                backend.label,
                backend.base_url,
                healthSign(backend.health).word,
                backend.health.reason,
              ]),
            )}
            rowId={(backend) => backend.id}
            onOpen={(backend) => onOpen(backend.id)}
            empty={
              <EmptyState icon={Server} title="No matching backends">
                Nothing matches by name, address or state.
              </EmptyState>
            }
          />
        )}
      </Reading>
      {backends.data?.every((backend) => backend.built_in) === true && (
        <section aria-label="First backend" className="rounded-card border border-dashed border-line-strong/60">
          <EmptyState
            icon={Server}
            title="No real backends yet"
            action={
              <Button icon={Plus} onClick={onAdd}>
                Add a backend
              </Button>
            }
          >
            The built-in mock returns sample text, free and without a key. Add a provider or a local server to do real
            work.
          </EmptyState>
        </section>
      )}
      {openId !== null && backends.data !== undefined && open === undefined && (
        <Gone what="backend" id={openId} onDismiss={onClose} />
      )}
      <BackendDrawer backend={open} asking={asking} onAsk={(asks) => open && onAsk(open.id, asks)} onClose={onClose} />
      <AddBackendDialog open={adding} onClose={onClose} onOpen={onOpen} />
    </Page>
  );
}

function sayCounts(counts: BackendCountsView): string {
  const parts = [
    counts.degraded > 0 ? `${counts.degraded} degraded` : null,
    counts.down > 0 ? `${counts.down} down` : null,
    counts.unknown > 0 ? `${counts.unknown} not confirmed yet` : null,
    counts.disabled > 0 ? `${counts.disabled} off` : null,
  ].filter((part) => part !== null);
  return [`${counts.up} of ${formatCounted(counts.total, "backend", "backends")} up`, ...parts].join(", ");
}

const NO_ACCESSES: EndpointView[] = [];

function useColumns(): Column<BackendView>[] {
  const toggle = useBackendSwitch();
  const change = toggle.change;
  const accesses = useAccesses().data ?? NO_ACCESSES;
  return useMemo(
    () => [
      {
        id: "name",
        header: "Name",
        width: "116px",
        value: (backend) => backend.label,
        cell: (backend) => <span className="font-medium text-ink-1">{backend.label}</span>,
      },
      {
        id: "state",
        header: "State",
        value: (backend) => backend.health.state,
        cell: (backend) => (
          <span className="flex min-w-0 items-center gap-2" title={backend.health.reason}>
            <StateBadge sign={healthSign(backend.health)} />
            {backend.health.state !== "up" && backend.enabled && (
              <span className="truncate text-12 text-ink-3">{backend.health.reason}</span>
            )}
          </span>
        ),
      },
      {
        id: "first",
        header: "First token",
        numeric: true,
        width: "104px",
        from: "1000",
        value: (backend) => backend.last_day.first_token_ms,
        cell: (backend) =>
          backend.last_day.first_token_ms === null ? <None /> : formatDuration(backend.last_day.first_token_ms),
      },
      {
        id: "requests",
        header: "Requests 24 h",
        numeric: true,
        width: "140px",
        value: (backend) => backend.last_day.spend.requests,
        cell: ({ last_day: day }) => (
          <span title={`${formatCounted(day.spend.requests, "request", "requests")}, ${day.failed} failed`}>
            {day.failed > 0 && (
              <>
                <span className="text-bad">{formatCount(day.failed)} failed</span>
                <span className="text-ink-3"> of </span>
              </>
            )}
            {formatCount(day.spend.requests)}
          </span>
        ),
      },
      {
        id: "spend",
        header: "Spend 24 h",
        numeric: true,
        width: "108px",
        from: "1000",
        value: (backend) => spendValue(backend.last_day.spend),
        cell: (backend) => <Spend spend={backend.last_day.spend} />,
      },
      {
        id: "breaker",
        header: "Breaker",
        width: "156px",
        from: "640",
        cell: (backend) => <Breaker accesses={accesses.filter((access) => access.backend === backend.id)} />,
      },
      {
        id: "key",
        header: "Key",
        width: "112px",
        from: "1100",
        value: (backend) => backend.credential,
        cell: (backend) => backend.credential ?? <None text="none" />,
      },
      {
        id: "checked",
        header: "Checked",
        width: "104px",
        numeric: true,
        from: "640",
        value: (backend) => backend.health.last_checked,
        cell: (backend) => (
          <span className="text-ink-2">
            {backend.health.last_checked === null ? <None text="never" /> : <Moment at={backend.health.last_checked} />}
          </span>
        ),
      },
      {
        id: "on",
        header: "On",
        width: "60px",
        cell: (backend) => (
          <span className="flex" onClick={(event) => event.stopPropagation()} role="presentation">
            <Switch
              label={`${backend.label} switched on`}
              checked={backend.enabled}
              onChange={(enabled) => change(backend, enabled)}
            />
          </span>
        ),
      },
    ],
    [change, accesses],
  );
}

/** What breaker, cooldown and block allow now, with the reason on hover; for several keys, how many are healthy. */
function Breaker({ accesses }: { accesses: EndpointView[] }) {
  const [first, ...others] = accesses;
  if (first === undefined) return <None />;
  const held = accesses.find((access) => access.availability.state !== "ready");
  const shown = held ?? first;
  const ready = accesses.filter((access) => access.availability.state === "ready").length;
  return (
    <span title={shown.availability.why}>
      {others.length === 0 || held === undefined ? (
        <AvailabilityBadge of={shown.availability} />
      ) : (
        `${ready} of ${accesses.length} keys healthy`
      )}
    </span>
  );
}

function None({ text = "–" }: { text?: string }) {
  return <span className="text-ink-3">{text}</span>;
}
