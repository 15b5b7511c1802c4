/** The period's requests, newest first, virtualised if there are many. */
import { ListTree } from "lucide-react";
import { useMemo } from "react";
import { RequestDrawer } from "@/features/usage/request-drawer";
import { RequestsFilter } from "@/features/usage/requests-filter";
import { Tokens } from "@/features/usage/tokens";
import type { RequestFilter } from "@/features/usage/usage-place";
import { Button } from "@/components/button";
import { Cost } from "@/components/cost";
import { DataTable, type Column } from "@/components/data-table";
import { EmptyState } from "@/components/empty-state";
import { Moment } from "@/components/moment";
import { Reading } from "@/components/reading";
import { SkeletonRows } from "@/components/skeleton";
import { StateMark } from "@/components/state-mark";
import type { RequestView, TimeZoneChoice } from "@/ipc/bindings";
import { useRequests, type RequestsQueryFilter } from "@/ipc/queries";
import { classNames } from "@/lib/class-names";
import { formatDuration } from "@/lib/quantity";
import { REQUEST } from "@/lib/tables";

/** The scroll target of links to the requests. */
export const REQUESTS_ID = "requests";

const dash = <span className="text-ink-3">–</span>;

const COLUMNS: Column<RequestView>[] = [
  {
    id: "model",
    header: "Model",
    value: (request) => request.model_asked,
    cell: (request) => (
      <span className="flex items-center gap-2.5" title={request.error ?? undefined}>
        <StateMark sign={REQUEST[request.state]} />
        <span className="sr-only">{REQUEST[request.state].word}, </span>
        <span className="truncate text-ink-1">{request.model_asked}</span>
      </span>
    ),
  },
  {
    id: "state",
    header: "State",
    width: "100px",
    from: "800",
    value: (request) => REQUEST[request.state].word,
    cell: (request) => (
      <span className={request.state === "failed" ? "text-bad" : "text-ink-2"}>{REQUEST[request.state].word}</span>
    ),
  },
  {
    id: "client",
    header: "Client",
    width: "120px",
    from: "640",
    value: (request) => request.client,
    cell: (request) => <span className="text-ink-2">{request.client}</span>,
  },
  {
    id: "first",
    header: "First token",
    width: "104px",
    numeric: true,
    from: "1000",
    value: (request) => request.first_token_ms,
    cell: (request) => (request.first_token_ms === null ? dash : formatDuration(request.first_token_ms)),
  },
  {
    id: "total",
    header: "Total",
    width: "80px",
    numeric: true,
    value: (request) => request.total_ms,
    cell: (request) => (request.total_ms === null ? dash : formatDuration(request.total_ms)),
  },
  {
    id: "in",
    header: "In",
    width: "80px",
    numeric: true,
    value: (request) => request.input_tokens,
    cell: (request) => <Tokens count={request.input_tokens} basis={request.usage_basis} unknown={dash} />,
  },
  {
    id: "out",
    header: "Out",
    width: "72px",
    numeric: true,
    value: (request) => request.output_tokens,
    cell: (request) => <Tokens count={request.output_tokens} basis={request.usage_basis} unknown={dash} />,
  },
  {
    id: "cost",
    header: "Cost",
    width: "100px",
    numeric: true,
    value: (request) => request.cost_nano_usd,
    cell: (request) =>
      request.state === "failed" && request.cost_basis === "not_billed" ? (
        dash
      ) : (
        <Cost cost={request.cost_nano_usd} basis={request.cost_basis} />
      ),
  },
  {
    id: "when",
    header: "When",
    width: "104px",
    numeric: true,
    value: (request) => request.started_at,
    cell: (request) => (
      <span className="text-ink-2">
        <Moment at={request.started_at} />
      </span>
    ),
  },
];

interface RequestsTableProps {
  /** The start of the displayed period; undefined until it is known. */
  since: number | undefined;
  filter: RequestFilter;
  zone: TimeZoneChoice;
  onFilter: (filter: RequestFilter) => void;
  openId: string | null;
  onOpen: (id: string) => void;
  onClose: () => void;
}

export function RequestsTable({ since, filter, zone, onFilter, openId, onOpen, onClose }: RequestsTableProps) {
  const requests = useRequests(queryOf(filter, since));
  const rows = useMemo(() => requests.data?.pages.flatMap((page) => page.requests) ?? [], [requests.data]);
  const isFiltered = Object.keys(filter).length > 0;
  return (
    <section id={REQUESTS_ID} tabIndex={-1} aria-label="Requests" className="flex flex-col gap-3 pt-2 outline-none">
      <header className="flex flex-wrap items-center gap-2">
        <h2 className="mr-1 text-15 font-semibold">Requests</h2>
        <RequestsFilter filter={filter} zone={zone} onChange={onFilter} />
        {isFiltered && (
          <Button size="small" look="quiet" onClick={() => onFilter({})}>
            Clear all
          </Button>
        )}
      </header>
      <Reading
        of={requests}
        skeleton={
          <div className="rounded-card border border-line bg-surface-1">
            <SkeletonRows rows={6} label="Loading requests" />
          </div>
        }
      >
        {() => (
          <DataTable
            label="Requests"
            className={classNames("max-h-[60vh]", requests.isPlaceholderData && "opacity-60")}
            columns={COLUMNS}
            rows={rows}
            rowId={(request) => request.id}
            onOpen={(request) => onOpen(request.id)}
            empty={<NoRequests isFiltered={isFiltered} />}
            after={
              requests.hasNextPage ? (
                <div className="flex justify-center border-t border-line p-2">
                  <Button
                    size="small"
                    look="quiet"
                    busy={requests.isFetchingNextPage}
                    onClick={() => void requests.fetchNextPage()}
                  >
                    Show older
                  </Button>
                </div>
              ) : null
            }
          />
        )}
      </Reading>
      <RequestDrawer request={rows.find((request) => request.id === openId)} onClose={onClose} />
    </section>
  );
}

function NoRequests({ isFiltered }: { isFiltered: boolean }) {
  return isFiltered ? (
    <EmptyState icon={ListTree} title="No matching requests">
      No request in this period matches the filters.
    </EmptyState>
  ) : (
    <EmptyState icon={ListTree} title="No requests in this period">
      Point a tool at the gateway. Each of its requests is listed here with its cost.
    </EmptyState>
  );
}

/** The query for the filters. A part of a model's name matches every name that contains it. */
function queryOf(
  { outcome, status, backend, client, route, model, since, until }: RequestFilter,
  periodStart?: number,
): RequestsQueryFilter {
  return {
    backend: backend ?? null,
    client: client ?? null,
    route: route ?? null,
    model: model === undefined ? null : `*${model}*`,
    http_status: status ?? null,
    state: outcome ?? null,
    since: since ?? periodStart ?? null,
    until: until ?? null,
  };
}
