/** Percentiles of one part of the latency by backend, model or route. A row shows its lines in the chart. */
import { useMemo } from "react";
import { formatLatency, LATENCY_GROUPS, latencyOf, type LatencyGroup } from "@/features/usage/activity/latency-words";
import { latencyFilter } from "@/features/usage/requests-link";
import { DataTable, type Column } from "@/components/table/data-table";
import { PanelLink } from "@/components/layout/panel-link";
import type { LatencyGroupBy, LatencyGroupView, LatencyPart, LatencyPartView, UsageLatencyView } from "@/ipc/bindings";
import { formatCount } from "@/lib/quantity";
import { requestsPath, type RequestFilter } from "@/lib/request-filter";

interface LatencyTableProps {
  latency: UsageLatencyView;
  part: LatencyPart;
  by: LatencyGroupBy;
  /** Key of the group in the chart. */
  chosen: string | null;
  /** The requests of the period. */
  period: RequestFilter;
  onChoose: (group: LatencyGroup) => void;
}

export function LatencyTable({ latency, part, by, chosen, period, onChoose }: LatencyTableProps) {
  const columns = useMemo<Column<LatencyGroupView>[]>(
    () => [
      {
        id: "label",
        header: by === "all" ? "Name" : (LATENCY_GROUPS.find((one) => one.value === by)?.label ?? ""),
        value: (row) => row.label,
        cell: (row) => (
          <span className="flex items-baseline gap-2">
            <span className="truncate font-medium">{row.label}</span>{" "}
            {row.key === chosen && <span className="text-12 whitespace-nowrap text-ink-3">in the chart</span>}
          </span>
        ),
      },
      {
        id: "count",
        header: "Requests",
        numeric: true,
        width: "104px",
        value: (row) => latencyOf(row.parts, part)?.count ?? 0,
        cell: (row) => {
          const count = formatCount(latencyOf(row.parts, part)?.count ?? 0);
          const filter = latencyFilter(row.key, by);
          if (filter === null) return count;
          return (
            <PanelLink
              look="plain"
              path={requestsPath({ ...filter, ...period })}
              onClick={(event) => event.stopPropagation()}
            >
              {count}
            </PanelLink>
          );
        },
      },
      time("p50", part, (one) => one.p50_ms),
      time("p95", part, (one) => one.p95_ms),
      time("p99", part, (one) => one.p99_ms),
      { ...time("Longest", part, (one) => one.max_ms), from: "640" },
    ],
    [part, by, chosen, period],
  );
  return (
    <DataTable
      label={by === "all" ? "Times of all requests" : `Times by ${by}`}
      columns={columns}
      rows={by === "all" ? [{ key: "", label: "All", parts: latency.parts }] : latency.groups}
      rowId={(row) => row.key}
      {...(by === "all" ? {} : { onOpen: onChoose })}
      empty={<p className="p-4 text-ink-2">No backend answered a request to the end in this period.</p>}
      className="rounded-t-none border-0"
    />
  );
}

function time(
  header: string,
  part: LatencyPart,
  of: (one: LatencyPartView) => number | null,
): Column<LatencyGroupView> {
  const value = (row: LatencyGroupView) => {
    const one = latencyOf(row.parts, part);
    return one && of(one);
  };
  return { id: header, header, numeric: true, width: "104px", value, cell: (row) => formatLatency(value(row)) };
}
