/** What single requests cost: how many of each size, and the most expensive ones. */
import { useMemo, useState } from "react";
import { periodFilter } from "@/features/usage/requests-link";
import { periodLabel, periodOf } from "@/features/usage/usage-period";
import type { UsagePlace } from "@/features/usage/usage-place";
import { Button } from "@/components/button/button";
import { ChartCard } from "@/components/chart/chart-card";
import { ChartTable } from "@/components/chart/chart-table";
import { Cost } from "@/components/text/cost";
import { DataTable, type Column } from "@/components/table/data-table";
import { Moment } from "@/components/text/moment";
import { PanelLink } from "@/components/layout/panel-link";
import { Reading } from "@/components/notice/reading";
import { LoadingCard } from "@/components/notice/skeleton";
import { StackedBars } from "@/components/chart/stacked-bars";
import type { CostStepView, RequestView, UsageExpensiveView } from "@/ipc/bindings";
import { useUsageExpensive } from "@/ipc/usage-queries";
import { classNames } from "@/lib/class-names";
import { toCsv } from "@/lib/csv";
import { formatMoney, formatMoneyFine } from "@/lib/money";
import { formatCount, formatCounted, formatCountShort } from "@/lib/quantity";
import { requestsPath, type RequestFilter } from "@/lib/request-filter";

const HEIGHT_PX = 160;
/** Rows before all are asked for. */
const FEW_ROWS = 6;

interface ExpensiveCardProps {
  place: UsagePlace;
  onRequests: (filter: RequestFilter) => void;
}

export function ExpensiveCard({ place, onRequests }: ExpensiveCardProps) {
  const expensive = useUsageExpensive(periodOf(place));
  return (
    <Reading of={expensive} skeleton={<LoadingCard label="Loading requests" className="h-[523px]" />}>
      {(data) =>
        data.histogram.length === 0 ? null : (
          <div
            aria-busy={expensive.isPlaceholderData}
            className={classNames("flex flex-col gap-4", expensive.isPlaceholderData && "opacity-60")}
          >
            <Histogram expensive={data} place={place} onRequests={onRequests} />
            <MostExpensive requests={data.requests} period={periodFilter(data, place)} />
          </div>
        )
      }
    </Reading>
  );
}

function Histogram({ expensive, place, onRequests }: ExpensiveCardProps & { expensive: UsageExpensiveView }) {
  const { histogram: steps } = expensive;
  const filterOf = (step: CostStepView): RequestFilter => ({ ...periodFilter(expensive, place), ...costsOf(step) });
  return (
    <ChartCard
      finding={expensive.finding}
      note={`${periodLabel(place)}, requests by cost`}
      file={{ name: "gatehouse-request-costs", csv: () => stepsCsv(steps) }}
      table={
        <ChartTable
          label="Requests by cost"
          height={HEIGHT_PX}
          columns={["Cost of a request", "Requests", "Sum"]}
          rows={steps.map((step) => ({
            key: step.label,
            cells: [
              step.label,
              step.requests === 0 ? (
                "–"
              ) : (
                <PanelLink key="requests" look="plain" path={requestsPath(filterOf(step))}>
                  {formatCount(step.requests)}
                </PanelLink>
              ),
              step.requests === 0 ? "–" : formatMoney(step.cost_nano_usd),
            ],
          }))}
        />
      }
    >
      <StackedBars
        label="Requests by cost"
        height={HEIGHT_PX}
        groups={[{ key: "requests", label: "Requests", colour: "var(--series-1)" }]}
        bars={steps.map((step) => ({
          key: step.label,
          label: shortAmount(step.from_nano_usd),
          title: step.label,
          values: [step.requests],
          total: step.requests,
        }))}
        format={(count) => formatCounted(count, "request", "requests")}
        formatTick={formatCountShort}
        onChoose={(index) => steps[index] && onRequests(filterOf(steps[index]))}
      />
    </ChartCard>
  );
}

const CENT_NANO = 10_000_000;

/** `$0.10`, `$0.002`. */
function shortAmount(nano: number): string {
  if (nano >= CENT_NANO) return formatMoney(nano);
  const amount = formatMoneyFine(nano);
  return amount.includes(".") ? amount.replace(/\.?0+$/, "") : amount;
}

/** The costs of a step, which ends before the next one begins. Without a cost none is among them. */
function costsOf({ from_nano_usd: from, to_nano_usd: to }: CostStepView): RequestFilter {
  return { min_cost: dollars(Math.max(from, 1)), max_cost: dollars(to - 1) };
}

/** As the ledger reads it: `0.002`. */
function dollars(nano: number): string {
  return (nano / 1_000_000_000).toFixed(9).replace(/\.?0+$/, "");
}

function MostExpensive({ requests, period }: { requests: RequestView[]; period: RequestFilter }) {
  const [isWhole, setWhole] = useState(false);
  const columns = useMemo<Column<RequestView>[]>(
    () => [
      {
        id: "model",
        header: "Most expensive requests",
        value: (row) => row.model_asked,
        cell: (row) => (
          <PanelLink
            look="plain"
            path={requestsPath({ ...period, request: row.id })}
            className="truncate font-medium text-ink-1"
          >
            {row.model_billed ?? row.model_asked}
          </PanelLink>
        ),
      },
      { id: "cost", header: "Cost", numeric: true, width: "96px", value: (row) => row.cost_nano_usd, cell: costCell },
      named("client", "Client", "120px", (row) => row.client),
      { ...named("project", "Project", "120px", (row) => row.project), from: "800" },
      tokens("in", "Tokens in", (row) => row.input_tokens),
      tokens("out", "Tokens out", (row) => row.output_tokens),
      {
        id: "at",
        header: "When",
        numeric: true,
        width: "108px",
        value: (row) => row.started_at,
        cell: (row) => (
          <span className="text-ink-2">
            <Moment at={row.started_at} />
          </span>
        ),
      },
    ],
    [period],
  );
  if (requests.length === 0) return null;
  return (
    <DataTable
      label="Most expensive requests"
      columns={columns}
      rows={isWhole ? requests : requests.slice(0, FEW_ROWS)}
      rowId={(row) => row.id}
      empty={null}
      after={
        requests.length > FEW_ROWS && (
          <div className="border-t border-line px-1.5 py-1">
            <Button size="small" look="quiet" onClick={() => setWhole(!isWhole)}>
              {isWhole ? "Show fewer" : `Show all ${requests.length}`}
            </Button>
          </div>
        )
      }
    />
  );
}

function costCell({ cost_nano_usd: cost, cost_basis: basis }: RequestView) {
  return <Cost cost={cost} basis={basis} />;
}

function named(
  id: string,
  header: string,
  width: string,
  value: (row: RequestView) => string | null,
): Column<RequestView> {
  return {
    id,
    header,
    width,
    from: "640",
    value,
    cell: (row) => <span className="truncate text-ink-2">{value(row) ?? "–"}</span>,
  };
}

function tokens(id: string, header: string, value: (row: RequestView) => number | null): Column<RequestView> {
  return {
    id,
    header,
    width: "104px",
    numeric: true,
    from: "640",
    value,
    cell: (row) => {
      const count = value(row);
      return count === null ? "–" : <span title={formatCount(count)}>{formatCountShort(count)}</span>;
    },
  };
}

function stepsCsv(steps: CostStepView[]): string {
  return toCsv(
    ["from_nano_usd", "to_nano_usd", "requests", "cost_nano_usd"],
    steps.map((step) => [step.from_nano_usd, step.to_nano_usd, step.requests, step.cost_nano_usd]),
  );
}
