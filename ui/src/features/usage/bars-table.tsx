/** The bars as a table: a row for each bar, a column for the total and each group. */
import { barFilter, groupFilter } from "@/features/usage/requests-link";
import { PanelLink } from "@/components/panel-link";
import type { GroupBy, UsageSegmentView, UsageView } from "@/ipc/bindings";
import { requestsPath } from "@/lib/request-filter";

interface BarsTableProps {
  label: string;
  height: number;
  usage: UsageView;
  amountOf: (segment: UsageSegmentView) => string;
  /** What the groups are. */
  group: GroupBy;
}

export function BarsTable({ label, height, usage, amountOf, group }: BarsTableProps) {
  return (
    <div role="region" aria-label={label} tabIndex={0} style={{ height }} className="focus-inset overflow-auto">
      <table className="w-full border-separate border-spacing-0">
        <thead>
          <tr className="text-12 text-ink-3">
            <th scope="col" className="sticky top-0 bg-surface-1 pb-1.5 text-left font-medium">
              Start
            </th>
            <th scope="col" className="numeric sticky top-0 bg-surface-1 pb-1.5 pl-4 font-medium">
              Total
            </th>
            {usage.groups.map((group) => (
              <th key={group.key} scope="col" className="numeric sticky top-0 bg-surface-1 pb-1.5 pl-4 font-medium">
                {group.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {usage.buckets.map((bucket, index) => (
            <tr key={bucket.start}>
              <th
                scope="row"
                className="border-t border-line py-1.5 text-left font-normal whitespace-nowrap text-ink-2"
              >
                <PanelLink
                  look="none"
                  path={requestsPath(barFilter(usage, index))}
                  aria-label={`Requests of ${bucket.label}`}
                  className="rounded-mark hover:text-ink-1 hover:underline hover:underline-offset-2"
                >
                  {bucket.label}
                </PanelLink>
              </th>
              <Amount of={bucket.total} amountOf={amountOf} path={requestsPath(barFilter(usage, index))} />
              {bucket.segments.map((segment, place) => {
                const one = usage.groups[place];
                const filter = one && groupFilter(one, group);
                return (
                  <Amount
                    key={one?.key ?? place}
                    of={segment}
                    amountOf={amountOf}
                    path={filter && requestsPath({ ...filter, ...barFilter(usage, index) })}
                  />
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface AmountProps {
  of: UsageSegmentView;
  amountOf: (segment: UsageSegmentView) => string;
  path: string | null | undefined;
}

function Amount({ of, amountOf, path }: AmountProps) {
  return (
    <td className="numeric border-t border-line py-1.5 pl-4">
      {of.requests === 0 ? (
        <span className="text-ink-3">–</span>
      ) : path == null ? (
        amountOf(of)
      ) : (
        <PanelLink look="none" path={path} className="rounded-mark hover:underline hover:underline-offset-2">
          {amountOf(of)}
        </PanelLink>
      )}
    </td>
  );
}
