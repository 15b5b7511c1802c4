/** Single requests, newest first, drawn only where visible once there are many. */
import { ListTree } from "lucide-react";
import { useMemo, useState } from "react";
import { RequestDrawer } from "@/features/usage/request-drawer";
import { Tokens } from "@/features/usage/tokens";
import { Button } from "@/components/button";
import { Cost } from "@/components/cost";
import { DataTable, type Column } from "@/components/data-table";
import { EmptyState } from "@/components/empty-state";
import { FilterInput } from "@/components/filter-input";
import { Moment } from "@/components/moment";
import { Reading } from "@/components/reading";
import { SkeletonRows } from "@/components/skeleton";
import { StateMark } from "@/components/state-mark";
import type { RequestView } from "@/ipc/bindings";
import { useRequests } from "@/ipc/queries";
import { matchesFilter } from "@/lib/filter";
import { formatDuration } from "@/lib/quantity";
import { REQUEST } from "@/lib/states";

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
    value: (request) => request.cost,
    cell: (request) => <Cost cost={request.cost} basis={request.cost_basis} />,
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
  openId: string | null;
  onOpen: (id: string) => void;
  onClose: () => void;
}

export function RequestsTable({ openId, onOpen, onClose }: RequestsTableProps) {
  const requests = useRequests({ backend: null, client: null });
  const [filter, setFilter] = useState("");
  const all = useMemo(() => requests.data?.pages.flatMap((page) => page.requests) ?? [], [requests.data]);
  const rows = useMemo(
    () =>
      all.filter((request) =>
        matchesFilter(filter, [
          request.id,
          request.model_asked,
          request.client,
          request.backend,
          REQUEST[request.state].word,
          request.cost === null ? "unpriced" : null,
        ]),
      ),
    [all, filter],
  );
  return (
    <section aria-label="Requests" className="flex flex-col gap-3 pt-2">
      <header className="flex items-center gap-3">
        <h2 className="text-15 font-semibold">Requests</h2>
        <span className="text-12 text-ink-3">newest first</span>
        <span className="ml-auto">
          <FilterInput label="Filter requests" value={filter} onChange={setFilter} />
        </span>
      </header>
      <Reading
        of={requests}
        skeleton={
          <div className="rounded-card border border-line bg-surface-1">
            <SkeletonRows rows={6} label="Reading the requests" />
          </div>
        }
      >
        {() => (
          <DataTable
            label="Requests"
            className="max-h-[60vh]"
            columns={COLUMNS}
            rows={rows}
            rowId={(request) => request.id}
            onOpen={(request) => onOpen(request.id)}
            empty={
              <EmptyState icon={ListTree} title={all.length === 0 ? "No request yet" : "No request matches"}>
                {all.length === 0
                  ? "Point a tool at the gateway; each of its requests is listed here with its cost."
                  : "Among those read so far. Show older ones to look further back."}
              </EmptyState>
            }
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
      <RequestDrawer request={all.find((request) => request.id === openId)} onClose={onClose} />
    </section>
  );
}
