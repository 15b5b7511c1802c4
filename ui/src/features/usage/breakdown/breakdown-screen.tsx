/** Where the money went: any two dimensions crossed, what single requests cost, and the most expensive ones. */
import { CrossCard } from "@/features/usage/breakdown/cross-card";
import { ExpensiveCard } from "@/features/usage/breakdown/expensive-card";
import { PeriodBar } from "@/features/usage/period-bar";
import { periodOf, periodWords } from "@/features/usage/usage-period";
import { isFiltered, type BreakdownPlace } from "@/features/usage/usage-place";
import { Page } from "@/components/layout/page";
import { UsageTabs } from "@/components/layout/usage-tabs";
import type { UsageExpensiveView } from "@/ipc/bindings";
import { useUsageExpensive } from "@/ipc/usage-queries";
import type { RequestFilter } from "@/lib/request-filter";

interface BreakdownScreenProps {
  place: BreakdownPlace;
  onMove: (place: BreakdownPlace) => void;
  /** Opens the requests of a tile or a bar. */
  onRequests: (filter: RequestFilter) => void;
}

export function BreakdownScreen({ place, onMove, onRequests }: BreakdownScreenProps) {
  const expensive = useUsageExpensive(periodOf(place));
  const { rows, columns, look } = place;
  return (
    <Page title="Usage" lead={expensive.data && leadOf(expensive.data, place)}>
      <UsageTabs current="breakdown" />
      <PeriodBar place={place} onMove={(next) => onMove({ ...next, rows, columns, look })} withoutGroups />
      <CrossCard place={place} onMove={onMove} onRequests={onRequests} />
      <ExpensiveCard place={place} onRequests={onRequests} />
    </Page>
  );
}

function leadOf({ finding, histogram }: UsageExpensiveView, place: BreakdownPlace): string {
  if (histogram.length > 0) return `${finding}.`;
  return `No request ${isFiltered(place) ? "of the filter " : ""}has a known cost ${periodWords(place)}.`;
}
