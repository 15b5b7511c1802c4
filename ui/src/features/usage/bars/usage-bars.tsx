/** The bar chart, with a title that states its finding. */
import { ChartColumn, ZoomOut } from "lucide-react";
import { BarsTable } from "@/features/usage/bars/bars-table";
import { seriesColour } from "@/components/chart/series-colour";
import { barFilter, groupId } from "@/features/usage/requests-link";
import { barUnit, periodLabel } from "@/features/usage/usage-period";
import { isFiltered, type DaySpan, type Measure, type UsagePlace } from "@/features/usage/usage-place";
import { Button } from "@/components/button/button";
import { type ChartRange } from "@/components/chart/chart-cursor";
import { ChartCard } from "@/components/chart/chart-card";
import { Choice, type Option } from "@/components/form/choice";
import { EmptyState } from "@/components/notice/empty-state";
import { isNothing, spendText } from "@/lib/cost-sum";
import { StackedBars } from "@/components/chart/stacked-bars";
import type { TimeZoneChoice, UsageSegmentView, UsageTotalsView, UsageView } from "@/ipc/bindings";
import { useMoneyUnit } from "@/ipc/queries";
import { formatMoney, formatMoneyTick } from "@/lib/money";
import { formatCount, formatCountShort } from "@/lib/quantity";
import type { RequestFilter } from "@/lib/request-filter";
import { HALF_DAY_MS, dayOf } from "@/lib/time";
import { formatPercent } from "@/lib/percent";

const HEIGHT_PX = 224;

interface UsageBarsProps {
  usage: UsageView;
  measures: readonly Option<Measure>[];
  place: UsagePlace;
  onMeasure: (measure: Measure) => void;
  onRequests: (filter: RequestFilter) => void;
  /** To the days that were marked in the chart; to the period before them with none. */
  onZoom: (days: DaySpan | undefined) => void;
}

function amountOf(segment: UsageSegmentView, measure: Measure): number {
  return measure === "cost" ? segment.cost_nano_usd : segment[measure];
}

function countOf({ requests, input_tokens, output_tokens }: UsageTotalsView, measure: "requests" | "tokens"): number {
  return measure === "requests" ? requests : input_tokens + output_tokens;
}

/** The finding of the bars in one sentence. The core provides the one about cost. */
function findingOf({ finding, groups, totals }: UsageView, measure: Measure): string {
  if (measure === "cost") return finding;
  const total = countOf(totals, measure);
  const [most] = groups.toSorted((left, right) => countOf(right.totals, measure) - countOf(left.totals, measure));
  if (most === undefined || total === 0) return `No ${measure}`;
  const percent = (countOf(most.totals, measure) / total) * 100;
  return `${most.label}: ${formatPercent(percent)} of ${formatCount(total)} ${measure}`;
}

/** The days that the marked bars stand for. */
function daysOf(buckets: { start: number }[], { first, last }: ChartRange, zone: TimeZoneChoice): DaySpan | undefined {
  const [from, to] = [buckets[first], buckets[last]];
  // Noon: a day begins an hour earlier or later where the clock was changed or the core's zone is another.
  return from && to && { first: dayOf(from.start + HALF_DAY_MS, zone), last: dayOf(to.start + HALF_DAY_MS, zone) };
}

/** Why there is no cost, though there are requests. */
function flatOf({ cost_basis: basis, finding, totals }: UsageView): string {
  if (basis !== "known") return finding;
  if (totals.is_cost_unknown) return "No price is known for any of these requests";
  return totals.unpriced_requests > 0 ? "No charges for requests with a known price" : "Nothing was billed";
}

const UNITS = { requests: "requests", tokens: "tokens, in and out" };

export function UsageBars({ usage, measures, place, onMeasure, onRequests, onZoom }: UsageBarsProps) {
  const { measure } = place;
  const per = barUnit(place);
  const format = measure === "cost" ? formatMoney : formatCount;
  const money = useMoneyUnit();
  const unit = measure === "cost" ? money : UNITS[measure];
  const finding = findingOf(usage, measure);
  const wordsOf = (segment: UsageSegmentView) =>
    measure === "cost" ? spendText(segment, usage.unpriced_word) : format(amountOf(segment, measure));
  return (
    <ChartCard
      finding={finding}
      note={`${periodLabel(place)}, ${unit} by ${per}`}
      controls={
        <>
          {place.days !== undefined && (
            <Button size="small" look="quiet" icon={ZoomOut} onClick={() => onZoom(undefined)}>
              Zoom out
            </Button>
          )}
          <Choice label="Measure" options={measures} value={measure} onChange={onMeasure} />
        </>
      }
      table={
        <BarsTable label={`${unit} by ${per}`} height={HEIGHT_PX} usage={usage} place={place} amountOf={wordsOf} />
      }
    >
      {isNothing(usage.totals) ? (
        <div style={{ height: HEIGHT_PX }} className="flex items-center justify-center">
          {isFiltered(place) ? (
            <EmptyState icon={ChartColumn} title="No requests match the filter">
              Choose a longer period or remove a part of the filter.
            </EmptyState>
          ) : (
            <EmptyState icon={ChartColumn} title="No requests in this period">
              Bars appear with the first request.
            </EmptyState>
          )}
        </div>
      ) : (
        <StackedBars
          label={`${unit} by ${per}`}
          height={HEIGHT_PX}
          groups={usage.series.map((one, index) => ({
            key: groupId(one),
            label: one.label,
            colour: seriesColour(index),
          }))}
          bars={usage.buckets.map((bucket) => ({
            key: String(bucket.start),
            label: bucket.label,
            values: bucket.segments.map((segment) => amountOf(segment, measure)),
            total: amountOf(bucket.total, measure),
            ...(measure === "cost" && {
              isUnknown: bucket.total.is_cost_unknown,
              words: [bucket.total, ...bucket.segments].map((one) => (isNothing(one) ? null : wordsOf(one))),
            }),
          }))}
          onChoose={(index) => onRequests(barFilter(usage.buckets, index, place))}
          onZoom={per === "day" ? (range) => onZoom(daysOf(usage.buckets, range, place.zone)) : undefined}
          flat={measure === "cost" ? flatOf(usage) : `No ${measure}`}
          format={format}
          formatTick={measure === "cost" ? formatMoneyTick : formatCountShort}
        />
      )}
    </ChartCard>
  );
}
