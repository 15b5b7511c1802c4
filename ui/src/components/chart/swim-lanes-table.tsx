/** The lanes in numbers: a row for each time in which one was not up. */
import { ChartTable } from "@/components/chart/chart-table";
import { StateBadge } from "@/components/state/state-mark";
import type { HealthLaneView } from "@/ipc/bindings";
import { DEPENDENCY } from "@/lib/tables";
import { formatExact, formatSpan } from "@/lib/time";

const HEIGHT_PX = 300;

export function SwimLanesTable({ lanes }: { lanes: HealthLaneView[] }) {
  const spans = lanes
    .flatMap(({ id, label, spans: own }) => own.map((span) => ({ id, label, span })))
    .filter(({ span }) => span.state !== "up")
    .toSorted((left, right) => right.span.from - left.span.from);
  return (
    <ChartTable
      label="Times in which something was not up"
      height={HEIGHT_PX}
      columns={["Of", "State", "Lasted", "Began", "Reason"]}
      rows={spans.map(({ id, label, span }) => ({
        key: `${id} ${span.from}`,
        cells: [
          label,
          <StateBadge key="state" sign={DEPENDENCY[span.state]} />,
          formatSpan(span.to - span.from),
          formatExact(span.from),
          span.why,
        ],
      }))}
    />
  );
}
