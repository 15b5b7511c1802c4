/** The requests that match, newest first, virtualised if there are many. */
import { ListTree } from "lucide-react";
import { useMemo } from "react";
import type { ChosenColumns } from "@/features/requests/columns";
import { Button } from "@/components/button/button";
import { DataTable } from "@/components/table/data-table";
import { EmptyState } from "@/components/notice/empty-state";
import { Moment } from "@/components/text/moment";
import { Reading } from "@/components/notice/reading";
import { SkeletonRows } from "@/components/notice/skeleton";
import { useRequests, type RequestsQueryFilter } from "@/ipc/queries";
import { classNames } from "@/lib/class-names";

interface RequestsTableProps {
  query: RequestsQueryFilter;
  isFiltered: boolean;
  chosen: ChosenColumns;
  onOpen: (id: string) => void;
}

export function RequestsTable({ query, isFiltered, chosen, onOpen }: RequestsTableProps) {
  const requests = useRequests(query);
  const rows = useMemo(() => requests.data?.pages.flatMap((page) => page.requests) ?? [], [requests.data]);
  const lookedBackTo = requests.data?.pages.at(-1)?.looked_back_to ?? null;
  const left = requests.data?.pages[0]?.no_longer_kept ?? null;
  const older = (label: string) => (
    <Button size="small" look="quiet" busy={requests.isFetchingNextPage} onClick={() => void requests.fetchNextPage()}>
      {label}
    </Button>
  );
  return (
    <Reading
      of={requests}
      skeleton={
        <div className="rounded-card border border-line bg-surface-1">
          <SkeletonRows rows={10} label="Loading requests" />
        </div>
      }
    >
      {() => (
        <DataTable
          label="Requests"
          className={classNames("min-h-0 flex-1", requests.isPlaceholderData && "opacity-60")}
          columns={chosen.columns}
          minWidth={chosen.minWidth}
          rows={rows}
          rowId={(request) => request.id}
          onOpen={(request) => onOpen(request.id)}
          empty={lookedBackTo === null && <NoRequests isFiltered={isFiltered} left={left} />}
          after={
            requests.hasNextPage ? (
              <div
                className={classNames(
                  "flex flex-wrap items-center justify-center gap-x-3 p-2 text-12 text-ink-2",
                  rows.length > 0 && "border-t border-line",
                )}
              >
                {lookedBackTo === null ? (
                  older("Show older")
                ) : (
                  <>
                    <span>
                      {rows.length === 0 && "No match so far. "}
                      Looked back to <Moment at={lookedBackTo} />; older requests may match.
                    </span>
                    {older("Look further back")}
                  </>
                )}
              </div>
            ) : (
              rows.length > 0 && left !== null && <p className="border-t border-line p-2 text-12 text-ink-2">{left}</p>
            )
          }
        />
      )}
    </Reading>
  );
}

function NoRequests({ isFiltered, left }: { isFiltered: boolean; left: string | null }) {
  return isFiltered ? (
    <EmptyState icon={ListTree} title="No matching requests">
      {left ?? "No request matches the filters. Remove one to see more."}
    </EmptyState>
  ) : (
    <EmptyState icon={ListTree} title="No requests yet">
      Point a tool at the gateway. Each of its requests is listed here with its cost.
    </EmptyState>
  );
}
