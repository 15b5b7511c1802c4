/** The cost of the period, and how much of it is known. */
import { use } from "react";
import { periodFilter } from "@/features/usage/requests-link";
import { periodLabel, usageFilter } from "@/features/usage/usage-period";
import type { UsagePlace } from "@/features/usage/usage-place";
import { Change } from "@/components/text/change";
import { PanelLink } from "@/components/layout/panel-link";
import { KeptWords } from "@/components/layout/usage-tabs";
import { amountText, spendText } from "@/lib/cost-sum";
import type { UsagePreviousView, UsageView } from "@/ipc/bindings";
import { PinButton } from "@/connected/pin-dialog";
import { RateNote } from "@/connected/rate-note";
import { classNames } from "@/lib/class-names";
import { formatCount, formatCounted } from "@/lib/quantity";
import { pathWith, requestsPath } from "@/lib/request-filter";

interface CostHeroProps {
  usage: UsageView;
  place: UsagePlace;
}

export function CostHero({ usage, place }: CostHeroProps) {
  const { requests, failed_requests: failed, unpriced_requests: unpriced } = usage.totals;
  const { previous, unpriced_word: word } = usage;
  // Pins, the requests without a price and what sets one are about all known costs.
  const isOfAll = usage.cost_basis === "known";
  const period = periodFilter(usage, place);
  const kept = use(KeptWords);
  return (
    <section aria-label="Cost" className="flex min-w-0 flex-col bg-surface-1 px-4 py-3">
      <h2 className="flex h-6 items-center justify-between text-12 text-ink-3">
        Cost, {periodLabel(place)}
        <span className={classNames("-mr-1.5", !isOfAll && "invisible")}>
          <PinButton measure="cost" range={place.range} {...usageFilter(place)} />
        </span>
      </h2>
      <p className="text-32 leading-10 font-semibold tracking-[-0.02em]">{amountText(usage.totals, word)}</p>
      <p className="min-h-[18px] truncate text-12 text-ink-2">{previous && <Comparison previous={previous} />}</p>
      <p className="mt-auto flex flex-wrap gap-x-3 pt-2 text-12 text-ink-2">
        <PanelLink look="plain" path={requestsPath(period)}>
          {formatCounted(requests, "request", "requests")}
        </PanelLink>
        {failed > 0 && (
          <PanelLink
            look="none"
            path={requestsPath({ ...period, state: "failed" })}
            className="rounded-mark text-bad underline decoration-bad/40 underline-offset-2 hover:decoration-bad"
          >
            {formatCount(failed)} failed
          </PanelLink>
        )}
        {isOfAll && requests > 0 && unpriced === 0 && <span>every request is priced</span>}
        {isOfAll && unpriced > 0 && (
          <PanelLink
            look="none"
            path={requestsPath({ ...period, unpriced: true })}
            className="rounded-mark text-warn underline decoration-warn/40 underline-offset-2 hover:decoration-warn"
          >
            excludes {formatCount(unpriced)} {word}
          </PanelLink>
        )}
      </p>
      {/* Two lines on each basis: choosing another moves nothing. */}
      <p className="min-h-[32px] text-11 text-pretty text-ink-3">
        {usage.basis} {isOfAll && unpriced > 0 && <PanelLink path={pathWith("/billing", kept)}>Set prices</PanelLink>}
        {!isOfAll && unpriced > 0 && (
          <span className="block">
            excludes {formatCount(unpriced)} {word}
          </span>
        )}
      </p>
      <RateNote />
    </section>
  );
}

function Comparison({ previous }: { previous: UsagePreviousView }) {
  const { cost_change_percent: percent, label, totals } = previous;
  if (totals.requests === 0) return <span className="text-ink-3">no requests in {label}</span>;
  if (percent === null)
    return (
      <span className="text-ink-3">
        {label}: {formatCounted(totals.requests, "request", "requests")}, cost unknown or zero
      </span>
    );
  return (
    <span title={`${spendText(totals)} in ${label}`}>
      <Change percent={percent} against={`in ${label}`} />
    </span>
  );
}
