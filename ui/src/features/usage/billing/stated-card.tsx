/** What backends state in their answers beside what the price list computes for the same ones. */
import { DRIFT_DAYS, Difference } from "@/features/usage/billing/drift";
import { Card } from "@/components/layout/card";
import { DataTable, type Column } from "@/components/table/data-table";
import type { StatedDriftView } from "@/ipc/bindings";
import { useBillingDrift } from "@/ipc/usage-queries";
import { formatMoney } from "@/lib/money";
import { formatCount } from "@/lib/quantity";

const COLUMNS: Column<StatedDriftView>[] = [
  { id: "backend", header: "Backend", width: "128px", value: (row) => row.backend, cell: (row) => row.backend },
  {
    id: "model",
    header: "Model",
    value: (row) => row.model,
    cell: (row) => <span title={row.model}>{row.model}</span>,
  },
  {
    id: "answers",
    header: "Answers",
    numeric: true,
    width: "96px",
    from: "640",
    value: (row) => row.answers,
    cell: (row) => formatCount(row.answers),
  },
  {
    id: "compared",
    header: "Compared",
    numeric: true,
    width: "104px",
    from: "800",
    value: (row) => row.compared,
    cell: (row) => formatCount(row.compared),
  },
  amount("stated", "Stated", (row) => row.stated_nano_usd),
  amount("computed", "Computed", (row) => row.computed_nano_usd),
  {
    id: "difference",
    header: "Difference",
    numeric: true,
    width: "120px",
    value: (row) => row.difference_nano_usd,
    cell: (row) => <Difference of={row} />,
  },
];

function amount(id: string, header: string, of: (row: StatedDriftView) => number | null): Column<StatedDriftView> {
  const cell = (row: StatedDriftView) => {
    const nano = of(row);
    return nano === null ? <span className="text-ink-3">no price</span> : formatMoney(nano);
  };
  return { id, header, numeric: true, width: "104px", value: of, cell };
}

/** Nothing where no backend states costs, as most do not. */
export function StatedCard() {
  const { data } = useBillingDrift({ days: DRIFT_DAYS });
  if (data === undefined || data.stated_finding === null) return null;
  return (
    <Card title="Stated and computed" note={`what backends say in their answers counts; the last ${DRIFT_DAYS} days`}>
      <div className="flex flex-col gap-3">
        <p className="text-ink-1">{data.stated_finding}</p>
        <DataTable
          nested
          label="Stated and computed by model"
          columns={COLUMNS}
          rows={data.stated}
          rowId={(row) => `${row.backend} ${row.model}`}
          empty={null}
          className="max-h-80"
        />
      </div>
    </Card>
  );
}
