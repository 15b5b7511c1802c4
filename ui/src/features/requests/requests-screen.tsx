/** Requests: each one, found by filters over all of them, live, with its whole way in a drawer. */
import { ColumnsMenu, useColumns } from "@/features/requests/columns";
import { LiveTailButton, useLiveTail } from "@/features/requests/live-tail";
import { RequestDrawer } from "@/features/requests/request-drawer";
import { RequestsExport } from "@/features/requests/requests-export";
import { RequestsFilters } from "@/features/requests/requests-filters";
import { filterOf, type RequestsPlace } from "@/features/requests/requests-place";
import { RequestsTable } from "@/features/requests/requests-table";
import { SavedViews } from "@/features/requests/saved-views";
import { Button } from "@/components/button/button";
import { Page } from "@/components/layout/page";
import type { RequestFilter } from "@/lib/request-filter";

interface RequestsScreenProps {
  place: RequestsPlace;
  onMove: (place: RequestsPlace) => void;
}

export function RequestsScreen({ place, onMove }: RequestsScreenProps) {
  const filter = filterOf(place);
  const chosen = useColumns();
  const tail = useLiveTail();
  // A part of time that has ended gets no new requests.
  const isOpenEnded = filter.until === undefined;
  const isFiltered = Object.keys(filter).length > 0;
  const paused = isOpenEnded && tail.pausedAt !== null ? { until: tail.pausedAt } : {};
  const move = (next: RequestFilter) => onMove(next);
  return (
    <Page
      title="Requests"
      lead={isFiltered ? "Those that match all filters, newest first" : "All requests, newest first"}
      filled
      actions={
        <>
          {isOpenEnded && <LiveTailButton tail={tail} filter={filter} />}
          <SavedViews filter={filter} onChoose={move} />
          <RequestsExport filter={{ ...filter, ...paused }} />
          <ColumnsMenu chosen={chosen} />
        </>
      }
    >
      <div role="search" aria-label="Filters" className="flex shrink-0 flex-wrap items-center gap-2">
        <RequestsFilters filter={filter} onChange={move} />
        {isFiltered && (
          <Button size="small" look="quiet" onClick={() => move({})}>
            Clear all
          </Button>
        )}
      </div>
      <RequestsTable
        query={{ ...filter, ...paused }}
        isFiltered={isFiltered}
        chosen={chosen}
        onOpen={(request) => onMove({ ...filter, request })}
      />
      {place.request !== undefined && <RequestDrawer id={place.request} onClose={() => onMove(filter)} />}
    </Page>
  );
}
