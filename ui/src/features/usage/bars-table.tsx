/** The bars as a table: a row for each bar, a column for the total and each group. */
import type { UsageSegmentView, UsageView } from "@/ipc/bindings";

interface BarsTableProps {
  label: string;
  height: number;
  usage: UsageView;
  amountOf: (segment: UsageSegmentView) => string;
  /** Lists the requests of the bar with this index. */
  onChoose: (index: number) => void;
}

export function BarsTable({ label, height, usage, amountOf, onChoose }: BarsTableProps) {
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
                <button
                  type="button"
                  aria-label={`Requests of ${bucket.label}`}
                  className="rounded-mark hover:text-ink-1 hover:underline hover:underline-offset-2"
                  onClick={() => onChoose(index)}
                >
                  {bucket.label}
                </button>
              </th>
              <Amount of={bucket.total} amountOf={amountOf} />
              {bucket.segments.map((segment, place) => (
                <Amount key={usage.groups[place]?.key ?? place} of={segment} amountOf={amountOf} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Amount({ of, amountOf }: { of: UsageSegmentView; amountOf: (segment: UsageSegmentView) => string }) {
  return (
    <td className="numeric border-t border-line py-1.5 pl-4">
      {of.requests === 0 ? <span className="text-ink-3">–</span> : amountOf(of)}
    </td>
  );
}
