/** What the invoice counts: tokens by kind, calls of server tools, with what each cost. */
import { DataTable, type Column } from "@/components/table/data-table";
import { formatPercent } from "@/lib/percent";
import { PanelLink } from "@/components/layout/panel-link";
import { Unpriced } from "@/components/text/unpriced";
import type { MeterTotalsView } from "@/ipc/bindings";
import { spendValue } from "@/lib/cost-sum";
import { formatMoney } from "@/lib/money";
import { formatCount, formatCountShort } from "@/lib/quantity";
import { requestsPath, type RequestFilter } from "@/lib/request-filter";

const columnsOf = (period: RequestFilter): Column<MeterTotalsView>[] => [
  {
    id: "meter",
    header: "Counted",
    value: (row) => row.label,
    cell: (row) => <span className="truncate font-medium text-ink-1">{row.label}</span>,
  },
  {
    id: "share",
    header: "Share of cost",
    value: (row) => row.cost_share_percent,
    cell: (row) => <ShareBar percent={row.cost_share_percent} />,
    from: "640",
  },
  {
    id: "cost",
    header: "Cost",
    numeric: true,
    width: "112px",
    value: spendValue,
    cell: (row) => (row.is_cost_unknown ? <Unpriced /> : formatMoney(row.cost_nano_usd)),
  },
  {
    id: "quantity",
    header: "Quantity",
    numeric: true,
    width: "150px",
    value: (row) => row.quantity,
    cell: (row) => (
      <span title={formatCount(row.quantity)}>
        {formatCountShort(row.quantity)} <span className="text-ink-3">{row.unit}</span>
      </span>
    ),
  },
  {
    id: "unpriced",
    header: "No rate",
    numeric: true,
    width: "96px",
    from: "800",
    value: (row) => row.unpriced_quantity,
    cell: (row) =>
      row.unpriced_quantity > 0 ? (
        <PanelLink look="plain" path={requestsPath({ ...period, unpriced: true })} className="text-warn">
          {formatCountShort(row.unpriced_quantity)}
        </PanelLink>
      ) : (
        <span className="text-ink-3">0</span>
      ),
  },
];

interface MetersTableProps {
  meters: MeterTotalsView[];
  /** The requests of the period. */
  period: RequestFilter;
}

export function MetersTable({ meters, period }: MetersTableProps) {
  if (meters.length === 0) return null;
  const columns = columnsOf(period);
  return <DataTable label="Usage by meter" columns={columns} rows={meters} rowId={(row) => row.meter} empty={null} />;
}

function ShareBar({ percent }: { percent: number | null }) {
  if (percent === null) return "–";
  return (
    <span className="flex items-center gap-2">
      <span aria-hidden data-mark className="h-1.5 min-w-0 flex-1 overflow-hidden rounded-full bg-surface-3">
        <span className="block h-full rounded-full bg-series-1" style={{ width: `${percent}%` }} />
      </span>
      <span className="w-11 text-right tabular-nums">{formatPercent(percent)}</span>
    </span>
  );
}
