/** What the caches saved and what was wasted. */
import { useState } from "react";
import { groupFilter, groupId, periodFilter } from "@/features/usage/requests-link";
import { periodOf } from "@/features/usage/usage-period";
import type { UsagePlace } from "@/features/usage/usage-place";
import { Card } from "@/components/layout/card";
import { Choice } from "@/components/form/choice";
import { PanelLink } from "@/components/layout/panel-link";
import { RankedBars } from "@/components/chart/ranked-bars";
import { Reading } from "@/components/notice/reading";
import { LoadingCard } from "@/components/notice/skeleton";
import { amountText, spendText } from "@/lib/cost-sum";
import { Unpriced } from "@/components/text/unpriced";
import type { UsageEfficiencyView, UsageSavingView, UsageWasteView } from "@/ipc/bindings";
import { useUsageEfficiency } from "@/ipc/usage-queries";
import { classNames } from "@/lib/class-names";
import { formatMoney } from "@/lib/money";
import { formatCount, formatCounted, formatDuration } from "@/lib/quantity";
import { requestsPath, type RequestFilter } from "@/lib/request-filter";
import { formatPercent } from "@/lib/percent";

const GROUPS_MAX = 5;

const SAVING_GROUPS = [
  { value: "route", label: "Route" },
  { value: "model", label: "Model" },
  { value: "client", label: "Client" },
] as const;
type SavingGroup = (typeof SAVING_GROUPS)[number]["value"];

const SAVINGS: Record<SavingGroup, (efficiency: UsageEfficiencyView) => UsageSavingView[]> = {
  route: (efficiency) => efficiency.cache_savings,
  model: (efficiency) => efficiency.cache_savings_by_model,
  client: (efficiency) => efficiency.cache_savings_by_client,
};

export function EfficiencyCards({ place }: { place: UsagePlace }) {
  const efficiency = useUsageEfficiency(periodOf(place));
  const [by, setBy] = useState<SavingGroup>("route");
  return (
    <div
      aria-busy={efficiency.isPlaceholderData}
      className={classNames(
        "grid items-stretch gap-4 @min-[760px]:grid-cols-2",
        efficiency.isPlaceholderData && "opacity-60",
      )}
    >
      <Card
        title="Saved by the cache"
        action={<Choice label="Group savings by" options={SAVING_GROUPS} value={by} onChange={setBy} />}
      >
        <Reading of={efficiency} skeleton={<LoadingCard label="Loading savings" className="h-[190px]" />}>
          {(data) => <Savings efficiency={data} by={by} period={periodFilter(data, place)} />}
        </Reading>
      </Card>
      <Card title="Wasted" note="spent without an answer">
        <Reading of={efficiency} skeleton={<LoadingCard label="Loading waste" className="h-[190px]" />}>
          {(data) => <Waste efficiency={data} period={periodFilter(data, place)} />}
        </Reading>
      </Card>
    </div>
  );
}

interface EfficiencyProps {
  efficiency: UsageEfficiencyView;
  /** The requests of the period. */
  period: RequestFilter;
}

function Savings({ efficiency, by, period }: EfficiencyProps & { by: SavingGroup }) {
  const { without_cache_nano_usd: without, provider_cache_read_percent: read } = efficiency;
  const { unpriced_requests: unpriced, cost_nano_usd: paid } = efficiency;
  const groups = SAVINGS[by](efficiency).slice(0, GROUPS_MAX);
  return (
    <div className="flex h-full min-h-[190px] flex-col gap-3">
      <RankedBars
        label="Cost with and without the cache"
        bars={[
          {
            key: "without",
            label: "Without the cache",
            value: without,
            amount: spendText({ ...efficiency, cost_nano_usd: without }),
          },
          { key: "paid", label: "Paid", value: paid, amount: spendText(efficiency) },
        ]}
      />
      {unpriced > 0 && (
        <p className="text-12">
          <PanelLink look="plain" path={requestsPath({ ...period, unpriced: true })}>
            <Unpriced requests={unpriced} />
          </PanelLink>
        </p>
      )}
      {groups.length === 0 ? (
        <p className="text-ink-2">
          No request looked into the cache. <PanelLink path="/cache">Cache</PanelLink>
        </p>
      ) : (
        <ul aria-label={`Savings by ${by}`} className="border-t border-line pt-1.5 text-12 text-ink-2">
          {groups.map((group) => (
            <SavingRow key={groupId(group)} group={group} by={by} period={period} />
          ))}
        </ul>
      )}
      {read !== null && (
        <p className="mt-auto text-12 text-ink-3">
          Providers read {formatPercent(read)} of the input tokens from their own caches, at their lower price.
        </p>
      )}
    </div>
  );
}

function SavingRow({ group, by, period }: { group: UsageSavingView; by: SavingGroup; period: RequestFilter }) {
  const filter = groupFilter(group, by);
  return (
    <li className="flex items-baseline gap-3 py-1">
      <span className="min-w-0 flex-1 truncate text-ink-1" title={group.label}>
        {filter === null ? (
          group.label
        ) : (
          <PanelLink look="plain" path={requestsPath({ ...filter, cache: "hit", ...period })}>
            {group.label}
          </PanelLink>
        )}
      </span>
      <span
        className="truncate whitespace-nowrap text-ink-3"
        title={`${formatDuration(group.saved_ms)} less waiting`}
      >{`${formatCount(group.hits)} of ${formatCounted(group.eligible_requests, "lookup", "lookups")}`}</span>
      <span className="min-w-16 text-right text-ink-1">{formatMoney(group.saved_nano_usd)}</span>
    </li>
  );
}

function Waste({ efficiency, period }: EfficiencyProps) {
  const kinds = efficiency.waste
    .filter((one) => one.requests > 0)
    .toSorted((left, right) => right.cost_nano_usd - left.cost_nano_usd || right.requests - left.requests);
  if (kinds.length === 0) return <p className="min-h-[190px] text-ink-2">Nothing was wasted in this period.</p>;
  return (
    <div className="flex h-full min-h-[190px] flex-col gap-3">
      <RankedBars
        label="Waste"
        colour="var(--series-3)"
        bars={kinds.map((one) => ({
          key: one.kind,
          label: one.label,
          value: one.cost_nano_usd,
          amount: amountText(one),
          note: noteOf(one),
          path: requestsPath({ ...period, waste: one.kind }),
        }))}
      />
      <p className="mt-auto text-12 text-ink-3">
        Gatehouse&apos;s own measurements and checks are in no other total and use no budget.
      </p>
    </div>
  );
}

function noteOf(waste: UsageWasteView): string {
  const count = formatCounted(waste.requests, "request", "requests");
  return waste.unpriced > 0 && !waste.is_cost_unknown ? `${count}, ${formatCount(waste.unpriced)} unpriced` : count;
}
