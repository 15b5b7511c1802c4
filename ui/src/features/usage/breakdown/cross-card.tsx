/** Any two dimensions crossed: a bar or a tile for each of one, divided by the other. */
import { groupFilter, groupId, periodFilter } from "@/features/usage/requests-link";
import { seriesColour } from "@/components/chart/series-colour";
import { periodLabel, periodOf } from "@/features/usage/usage-period";
import { CROSS_GROUPS, CROSS_LOOKS, type BreakdownPlace } from "@/features/usage/usage-place";
import { ChartCard } from "@/components/chart/chart-card";
import { ChartTable } from "@/components/chart/chart-table";
import { Choice } from "@/components/form/choice";
import { PanelLink } from "@/components/layout/panel-link";
import { RankedBars } from "@/components/chart/ranked-bars";
import { Reading } from "@/components/notice/reading";
import { Select } from "@/components/form/select";
import { LoadingCard } from "@/components/notice/skeleton";
import { Spend } from "@/components/text/spend";
import { isNothing, spendText, spendValue } from "@/lib/cost-sum";
import { Treemap } from "@/components/chart/treemap";
import type { GroupBy, UsageCrossGroupView, UsageCrossView } from "@/ipc/bindings";
import { useMoneyUnit, useUsageCross } from "@/ipc/queries";
import { toCsv } from "@/lib/csv";
import { formatMoney } from "@/lib/money";
import { formatCount, formatCounted } from "@/lib/quantity";
import { requestsPath, type RequestFilter } from "@/lib/request-filter";
import { formatPercent } from "@/lib/percent";

const BARS_MAX = 10;
const TREEMAP_PX = 300;

const ROW_PX = 38;

/** The word of a dimension inside a sentence. */
function wordOf(group: GroupBy): string {
  return CROSS_GROUPS.find((one) => one.value === group)?.label.toLowerCase() ?? group;
}

interface CrossCardProps {
  place: BreakdownPlace;
  onMove: (place: BreakdownPlace) => void;
  /** Opens the requests of a tile. */
  onRequests: (filter: RequestFilter) => void;
}

export function CrossCard({ place, onMove, onRequests }: CrossCardProps) {
  const { rows, columns, look } = place;
  const dimension = (name: "rows" | "columns") => ({
    options: CROSS_GROUPS,
    value: place[name],
    onChange: (group: GroupBy) => onMove({ ...place, [name]: group }),
    className: "w-28",
  });
  const unit = useMoneyUnit();
  const cross = useUsageCross({ period: periodOf(place), rows, columns });
  const controls = (
    <div className="flex flex-wrap items-center justify-end gap-2 text-12 text-ink-2">
      <Choice
        label="Look of the sums"
        options={CROSS_LOOKS}
        value={look}
        onChange={(next) => onMove({ ...place, look: next })}
      />
      <Select aria-label="A bar for each" {...dimension("rows")} />
      by
      <Select aria-label="Divided by" {...dimension("columns")} />
    </div>
  );
  return (
    <Reading of={cross} skeleton={<LoadingCard label="Loading breakdown" className="h-[260px]" />}>
      {(data) => (
        <ChartCard
          finding={findingOf(data, rows)}
          note={`${periodLabel(place)}, ${unit} by ${wordOf(rows)} and ${wordOf(columns)}`}
          controls={controls}
          file={{ name: `gatehouse-${rows}-by-${columns}`, csv: () => crossCsv(data, rows, columns) }}
          table={<CrossTable cross={data} rows={rows} columns={columns} period={periodFilter(data, place)} />}
        >
          {look === "bars" ? (
            <CrossBars cross={data} rows={rows} columns={columns} period={periodFilter(data, place)} />
          ) : (
            <CrossTreemap
              cross={data}
              rows={rows}
              columns={columns}
              onRow={(row) => {
                const filter = groupFilter(row, rows);
                if (filter !== null) onRequests({ ...filter, ...periodFilter(data, place) });
              }}
            />
          )}
          <p className="mt-3 text-12 text-ink-3">{basisOf(data)}</p>
        </ChartCard>
      )}
    </Reading>
  );
}

function findingOf({ rows, totals }: UsageCrossView, group: GroupBy): string {
  const [most] = rows;
  if (most === undefined || isNothing(totals)) return "No requests in this period";
  const { requests, unpriced_requests: unpriced } = totals;
  if (totals.is_cost_unknown) return `${formatCounted(requests, "request", "requests")}, none with a known price`;
  if (most.cost_share_percent === null)
    return `Nothing billed, by ${wordOf(group)}${unpriced > 0 ? `; ${formatCount(unpriced)} unpriced` : ""}`;
  const name = most.kind === "unnamed" ? `no ${wordOf(group)}` : most.label;
  return `Most for ${name}: ${formatPercent(most.cost_share_percent)} of ${spendText(totals)}`;
}

/** What the sums rest on, and what they leave out. */
function basisOf({ basis, totals }: UsageCrossView): string {
  const { unpriced_requests: unpriced } = totals;
  if (unpriced === 0) return `${basis}.`;
  return `${basis}; excludes ${formatCounted(unpriced, "unpriced request", "unpriced requests")}.`;
}

interface CrossTreemapProps {
  cross: UsageCrossView;
  rows: GroupBy;
  columns: GroupBy;
  onRow: (row: UsageCrossGroupView) => void;
}

function CrossTreemap({ cross, rows, columns, onRow }: CrossTreemapProps) {
  const tiles = cross.rows.flatMap((row, index) =>
    row.totals.cost_nano_usd === 0
      ? []
      : {
          row,
          key: groupId(row),
          label: row.label,
          value: row.totals.cost_nano_usd,
          colour: seriesColour(index),
          opens: groupFilter(row, rows) !== null,
          note: row.cost_share_percent === null ? undefined : formatPercent(row.cost_share_percent),
          parts: cross.columns.flatMap((column, place) => {
            const cost = cross.cells[index]?.[place]?.cost_nano_usd ?? 0;
            return cost === 0
              ? []
              : { key: groupId(column), label: column.label, value: cost, colour: seriesColour(place) };
          }),
        },
  );
  const { is_cost_unknown: isUnknown, unpriced_requests: unpriced } = cross.totals;
  if (tiles.length === 0)
    return (
      <p style={{ minHeight: TREEMAP_PX }} className="text-ink-2">
        {isUnknown ? "No price is known for any of these requests." : "Nothing was billed in this period."}
        {!isUnknown && unpriced > 0 && ` ${formatCounted(unpriced, "request is", "requests are")} unpriced.`}
      </p>
    );
  return (
    <Treemap
      label={`Cost by ${wordOf(rows)} and ${wordOf(columns)}`}
      height={TREEMAP_PX}
      tiles={tiles}
      format={formatMoney}
      onChoose={(index) => tiles[index] && onRow(tiles[index].row)}
    />
  );
}

interface CrossProps {
  cross: UsageCrossView;
  rows: GroupBy;
  columns: GroupBy;
  /** The requests of the period. */
  period: RequestFilter;
}

function CrossBars({ cross, rows, period }: CrossProps) {
  return (
    <>
      <RankedBars
        label={`Cost by ${wordOf(rows)}`}
        bars={cross.rows.slice(0, BARS_MAX).map((row, index) => {
          const filter = groupFilter(row, rows);
          return {
            key: groupId(row),
            label: row.label,
            value: row.totals.cost_nano_usd,
            amount: spendText(row.totals),
            note: row.cost_share_percent === null ? "" : formatPercent(row.cost_share_percent),
            path: filter && requestsPath({ ...filter, ...period }),
            parts: cross.columns.flatMap((column, place) => {
              const cell = cross.cells[index]?.[place];
              if (cell === undefined || isNothing(cell)) return [];
              return {
                key: groupId(column),
                label: `${column.label}: ${spendText(cell)}`,
                value: cell.cost_nano_usd,
                colour: seriesColour(place),
              };
            }),
          };
        })}
      />
      <ul aria-label="Colours" className="mt-3 flex flex-wrap gap-x-4 gap-y-1 text-12 text-ink-2">
        {cross.columns.map((column, place) => (
          <li key={groupId(column)} className="flex items-center gap-1.5">
            <span data-mark className="size-2 rounded-[2px]" style={{ background: seriesColour(place) }} />
            {column.label}
          </li>
        ))}
      </ul>
    </>
  );
}

function CrossTable({ cross, rows, columns, period }: CrossProps) {
  return (
    <ChartTable
      label={`Cost by ${wordOf(rows)} and ${wordOf(columns)}`}
      height={Math.min(cross.rows.length, BARS_MAX) * ROW_PX + 24}
      columns={[wordOf(rows), "Total", ...cross.columns.map((column) => column.label)]}
      rows={cross.rows.map((row, index) => ({
        key: groupId(row),
        cells: [
          row.label,
          <Spend key="total" spend={row.totals} />,
          ...cross.columns.map((column, place) => {
            const cell = cross.cells[index]?.[place];
            if (cell === undefined || isNothing(cell)) return "–";
            const [one, other] = [groupFilter(row, rows), groupFilter(column, columns)];
            if (one === null || other === null) return <Spend key={groupId(column)} spend={cell} />;
            return (
              <PanelLink key={groupId(column)} look="plain" path={requestsPath({ ...one, ...other, ...period })}>
                <Spend spend={cell} />
              </PanelLink>
            );
          }),
        ],
      }))}
    />
  );
}

function crossCsv({ rows, columns, cells }: UsageCrossView, rowName: GroupBy, columnName: GroupBy): string {
  return toCsv(
    [rowName, columnName, "cost_nano_usd", "requests", "unpriced_requests"],
    rows.flatMap((row, index) =>
      columns.map((column, place) => {
        const cell = cells[index]?.[place];
        const cost = cell ? spendValue(cell) : 0;
        return [row.label, column.label, cost, cell?.requests ?? 0, cell?.unpriced_requests ?? 0];
      }),
    ),
  );
}
