/** The bars as a table: a row for each bar, a column for the total and each colour. */
import { barFilter, groupFilter, groupId } from "@/features/usage/requests-link";
import type { UsagePlace } from "@/features/usage/usage-place";
import { ChartTable } from "@/components/chart/chart-table";
import { PanelLink } from "@/components/layout/panel-link";
import { isNothing } from "@/lib/cost-sum";
import type { UsageSegmentView, UsageView } from "@/ipc/bindings";
import { requestsPath } from "@/lib/request-filter";

interface BarsTableProps {
  label: string;
  height: number;
  usage: UsageView;
  amountOf: (segment: UsageSegmentView) => string;
  place: UsagePlace;
}

export function BarsTable({ label, height, usage, amountOf, place }: BarsTableProps) {
  const rows = usage.buckets.map((bucket, index) => {
    const bar = barFilter(usage.buckets, index, place);
    return {
      key: String(bucket.start),
      cells: [
        <PanelLink
          key="start"
          look="plain"
          path={requestsPath(bar)}
          aria-label={`Requests of ${bucket.label}`}
          className="hover:text-ink-1"
        >
          {bucket.label}
        </PanelLink>,
        <Amount key="total" of={bucket.total} amountOf={amountOf} path={requestsPath(bar)} />,
        ...bucket.segments.map((segment, index) => {
          const one = usage.series[index];
          const filter = one && groupFilter(one, place.group);
          const path = filter && requestsPath({ ...filter, ...bar });
          return <Amount key={one === undefined ? index : groupId(one)} of={segment} amountOf={amountOf} path={path} />;
        }),
      ],
    };
  });
  const columns = ["Start", "Total", ...usage.series.map(({ label }) => label)];
  return <ChartTable label={label} height={height} columns={columns} rows={rows} />;
}

interface AmountProps {
  of: UsageSegmentView;
  amountOf: (segment: UsageSegmentView) => string;
  path: string | null | undefined;
}

function Amount({ of, amountOf, path }: AmountProps) {
  if (isNothing(of)) return <span className="text-ink-3">–</span>;
  if (path === null || path === undefined) return amountOf(of);
  return (
    <PanelLink look="plain" path={path}>
      {amountOf(of)}
    </PanelLink>
  );
}
