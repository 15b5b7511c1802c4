/** The groups of the bars as a table. Its colour swatches are the legend. */
import { useMemo, type ReactNode } from "react";
import { seriesColour } from "@/components/chart/series-colour";
import { groupFilter, groupId, periodFilter } from "@/features/usage/requests-link";
import { GROUPS, type UsagePlace } from "@/features/usage/usage-place";
import { Change } from "@/components/text/change";
import { DataTable, type Column } from "@/components/table/data-table";
import { PanelLink } from "@/components/layout/panel-link";
import { SetPriceButton } from "@/connected/set-price";
import { Spend } from "@/components/text/spend";
import { isNothing, spendValue } from "@/lib/cost-sum";
import type { GroupBy, UsageGroupView, UsageView } from "@/ipc/bindings";
import { formatCount, formatCountShort } from "@/lib/quantity";
import { requestsPath, type RequestFilter } from "@/lib/request-filter";
import { formatPercent } from "@/lib/percent";

interface GroupsTableProps {
  usage: UsageView;
  place: UsagePlace;
  /** Leaves the money out. */
  withoutCost?: boolean;
}

type Totals = UsageGroupView["totals"];

function tokensColumn(
  column: Pick<Column<UsageGroupView>, "id" | "header" | "width" | "from">,
  tokensOf: (totals: Totals) => number,
): Column<UsageGroupView> {
  return {
    ...column,
    numeric: true,
    value: (row) => tokensOf(row.totals),
    cell: (row) => <span title={formatCount(tokensOf(row.totals))}>{formatCountShort(tokensOf(row.totals))}</span>,
  };
}

const TOKENS_COLUMNS = [
  tokensColumn({ id: "in", header: "Tokens in", width: "100px" }, (totals) => totals.input_tokens),
  tokensColumn({ id: "cached", header: "Cached", width: "96px", from: "800" }, (totals) => totals.cache_read_tokens),
  tokensColumn({ id: "out", header: "Tokens out", width: "112px", from: "640" }, (totals) => totals.output_tokens),
];

const SHARE_COLUMNS: Column<UsageGroupView>[] = [
  {
    id: "share",
    header: "Share",
    numeric: true,
    width: "84px",
    value: (row) => row.cost_share_percent,
    cell: (row) => formatPercent(row.cost_share_percent),
  },
  {
    id: "change",
    header: "Change",
    numeric: true,
    width: "100px",
    from: "1000",
    value: (row) => row.cost_change_percent,
    cell: (row) =>
      row.cost_change_percent === null ? (
        <span className="text-ink-3">–</span>
      ) : (
        <Change percent={row.cost_change_percent} />
      ),
  },
];

function costColumn(usage: UsageView): Column<UsageGroupView> {
  return {
    id: "cost",
    header: "Cost",
    numeric: true,
    width: "124px",
    value: (row) => spendValue(row.totals),
    cell: (row) =>
      isNothing(row.totals) ? (
        <span className="text-ink-3">–</span>
      ) : (
        <Spend spend={row.totals} word={usage.unpriced_word} />
      ),
  };
}

function lacksPrice({ kind, totals }: UsageGroupView): boolean {
  return kind === "named" && totals.unpriced_requests > 0;
}

/** Where models lack a price: a column of its own, so that the amounts stay in line. */
function priceColumns(usage: UsageView, group: GroupBy): Column<UsageGroupView>[] {
  if (group !== "model" || usage.cost_basis !== "known" || !usage.groups.some(lacksPrice)) return [];
  const unpricedOf = (row: UsageGroupView) => usage.unpriced.find(({ model }) => model === row.label);
  const cell = (row: UsageGroupView) =>
    lacksPrice(row) && (
      <SetPriceButton
        backend={unpricedOf(row)?.backend ?? null}
        model={row.label}
        missing={unpricedOf(row)?.why?.missing}
      />
    );
  return [{ id: "price", header: "Price", width: "96px", cell }];
}

/** Leads to the requests of a row, where a filter selects them. */
type Linked = (row: UsageGroupView, content: ReactNode, more?: RequestFilter) => ReactNode;

function labelColumn(header: string, groups: UsageGroupView[], linked: Linked): Column<UsageGroupView> {
  const colours = new Map(groups.map((one, index) => [groupId(one), seriesColour(index)]));
  return {
    id: "label",
    header,
    value: (row) => row.label,
    cell: (row) => (
      <span className="flex items-center gap-2.5">
        <span data-mark className="size-2.5 shrink-0 rounded-[3px]" style={{ background: colours.get(groupId(row)) }} />
        <span className="truncate font-medium text-ink-1">{linked(row, row.label)}</span>
      </span>
    ),
  };
}

function countColumns(linked: Linked): Column<UsageGroupView>[] {
  return [
    {
      id: "requests",
      header: "Requests",
      numeric: true,
      width: "100px",
      value: (row) => row.totals.requests,
      cell: (row) => linked(row, formatCount(row.totals.requests)),
    },
    {
      id: "failed",
      header: "Failed",
      numeric: true,
      width: "76px",
      from: "640",
      value: (row) => row.totals.failed_requests,
      cell: (row) => (
        <span className={row.totals.failed_requests > 0 ? "text-bad" : "text-ink-3"}>
          {row.totals.failed_requests === 0
            ? "0"
            : linked(row, formatCount(row.totals.failed_requests), { state: "failed" })}
        </span>
      ),
    },
  ];
}

export function GroupsTable({ usage, place, withoutCost = false }: GroupsTableProps) {
  const { group } = place;
  const header = GROUPS.find((option) => option.value === group)?.label ?? "";
  const columns = useMemo<Column<UsageGroupView>[]>(() => {
    const linked: Linked = (row, content, more = {}) => {
      const filter = groupFilter(row, group);
      if (filter === null) return content;
      return (
        <PanelLink look="plain" path={requestsPath({ ...filter, ...more, ...periodFilter(usage, place) })}>
          {content}
        </PanelLink>
      );
    };
    return [
      labelColumn(header, usage.groups, linked),
      ...(withoutCost ? [] : [costColumn(usage), ...priceColumns(usage, group), ...SHARE_COLUMNS]),
      ...countColumns(linked),
      ...TOKENS_COLUMNS,
    ];
  }, [header, group, usage, place, withoutCost]);
  if (usage.groups.length === 0) return null;
  return (
    <DataTable
      label={`Usage by ${header.toLowerCase()}`}
      columns={columns}
      rows={usage.groups}
      rowId={groupId}
      empty={null}
    />
  );
}
