/** How right the costs are: what invoices count, what providers billed, and what has no price. */
import { DriftCard } from "@/features/usage/billing/drift-card";
import { MetersTable } from "@/features/usage/billing/meters-table";
import { periodFilter } from "@/features/usage/requests-link";
import { PeriodBar } from "@/features/usage/period-bar";
import { StatedCard } from "@/features/usage/billing/stated-card";
import { UnpricedCard } from "@/features/usage/billing/unpriced-card";
import { periodOf, periodWords } from "@/features/usage/usage-period";
import { isFiltered, type UsagePlace } from "@/features/usage/usage-place";
import { Page } from "@/components/layout/page";
import { Reading } from "@/components/notice/reading";
import { Skeleton } from "@/components/notice/skeleton";
import { UsageTabs } from "@/components/layout/usage-tabs";
import type { UsageView } from "@/ipc/bindings";
import { useUsage } from "@/ipc/queries";
import { classNames } from "@/lib/class-names";
import { formatCount, formatCounted } from "@/lib/quantity";

interface BillingScreenProps {
  place: UsagePlace;
  onMove: (place: UsagePlace) => void;
}

export function BillingScreen({ place, onMove }: BillingScreenProps) {
  const usage = useUsage({ ...periodOf(place), group_by: place.group, compare: true });
  return (
    <Page title="Usage" lead={usage.data && leadOf(usage.data, place)}>
      <UsageTabs current="billing" />
      <PeriodBar place={place} onMove={onMove} withoutGroups />
      <Reading of={usage} skeleton={<BillingSkeleton />}>
        {(data) => (
          <div
            aria-busy={usage.isPlaceholderData}
            className={classNames("flex flex-col gap-4", usage.isPlaceholderData && "opacity-60")}
          >
            {data.totals.unpriced_requests > 0 && <UnpricedCard usage={data} place={place} />}
            {isFiltered(place) ? (
              <p className="text-12 text-ink-3">
                Meters and what providers billed are for all requests only. Remove the filter to see them.
              </p>
            ) : (
              <>
                <DriftCard />
                <StatedCard />
                <MetersTable meters={data.meters} period={periodFilter(data, place)} />
              </>
            )}
          </div>
        )}
      </Reading>
    </Page>
  );
}

function leadOf({ totals }: UsageView, place: UsagePlace): string {
  const { requests, unpriced_requests: unpriced } = totals;
  if (requests === 0) return `No requests ${periodWords(place)}.`;
  const all = formatCounted(requests, "request", "requests");
  if (unpriced === 0 && totals.priced_percent === null) {
    const isRefused = totals.failed_requests === requests;
    return `None of the ${all} ${periodWords(place)} ${isRefused ? "was billed" : "lacks a price"}.`;
  }
  if (unpriced === 0) return `Every request ${periodWords(place)} is priced: ${all}.`;
  return `${formatCount(unpriced)} of ${all} ${periodWords(place)} ${unpriced === 1 ? "has" : "have"} no price.`;
}

function BillingSkeleton() {
  return (
    <div role="status" aria-label="Loading billing" className="flex flex-col gap-4">
      <Skeleton className="h-[166px] rounded-card" />
      <Skeleton className="h-[240px] rounded-card" />
    </div>
  );
}
