/** Requests and tokens of the period; the tokens by class, because each class has its price. */
import { periodFilter } from "@/features/usage/requests-link";
import { usageFilter } from "@/features/usage/usage-period";
import type { UsagePlace } from "@/features/usage/usage-place";
import { Figure } from "@/components/text/figure";
import { PanelLink } from "@/components/layout/panel-link";
import { ShareBar } from "@/components/chart/share-bar";
import { PinButton } from "@/connected/pin-dialog";
import type { UsageTotalsView, UsageView } from "@/ipc/bindings";
import { formatCount, formatCountShort } from "@/lib/quantity";
import { requestsPath } from "@/lib/request-filter";

export function ActivityTotals({ usage, place }: { usage: UsageView; place: UsagePlace }) {
  const { totals } = usage;
  const period = periodFilter(usage, place);
  return (
    <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-card border border-line bg-line @min-[640px]:grid-cols-[1fr_1fr_2fr]">
      <Figure
        name="Requests"
        action={<PinButton measure="requests" range={place.range} {...usageFilter(place)} />}
        value={
          <PanelLink look="plain" path={requestsPath(period)}>
            {formatCount(totals.requests)}
          </PanelLink>
        }
        note={
          totals.failed_requests === 0 ? (
            "none failed"
          ) : (
            <PanelLink
              look="none"
              path={requestsPath({ ...period, state: "failed" })}
              className="rounded-mark text-bad underline decoration-bad/40 underline-offset-2 hover:decoration-bad"
            >
              {formatCount(totals.failed_requests)} failed
            </PanelLink>
          )
        }
      />
      <Figure
        name="Tokens"
        action={<PinButton measure="tokens" range={place.range} {...usageFilter(place)} />}
        value={
          <span title={formatCount(totals.input_tokens + totals.output_tokens)}>
            {formatCountShort(totals.input_tokens + totals.output_tokens)}
          </span>
        }
        note={`${formatCountShort(totals.input_tokens)} in, ${formatCountShort(totals.output_tokens)} out`}
      />
      <div className="col-span-2 flex flex-col bg-surface-1 px-4 py-3 @min-[640px]:col-span-1">
        <dt className="flex h-6 items-center text-12 text-ink-3">Tokens by class</dt>
        <dd className="mt-2">
          {totals.input_tokens + totals.output_tokens === 0 ? (
            <span className="text-ink-2">No tokens in this period</span>
          ) : (
            <ShareBar label="Tokens by class" shares={classesOf(totals)} />
          )}
        </dd>
      </div>
    </dl>
  );
}

/** The classes do not overlap. Their shares are rounded down, so the largest one takes what is left of 100. */
function classesOf({ input_tokens, cache_read_tokens, output_tokens, reasoning_tokens }: UsageTotalsView) {
  const classes = [
    { key: "input", label: "Input", tokens: input_tokens - cache_read_tokens, colour: "var(--series-1)" },
    { key: "cached", label: "From caches", tokens: cache_read_tokens, colour: "var(--series-2)" },
    { key: "output", label: "Output", tokens: output_tokens - reasoning_tokens, colour: "var(--series-3)" },
    { key: "reasoning", label: "Reasoning", tokens: reasoning_tokens, colour: "var(--series-4)" },
  ];
  const all = input_tokens + output_tokens;
  const shares = classes.map((one) => ({ ...one, percent: Math.floor((one.tokens / all) * 100) }));
  const left = 100 - shares.reduce((sum, share) => sum + share.percent, 0);
  const most = shares.reduce((best, share) => (share.tokens > best.tokens ? share : best));
  return shares.map((share) => (share === most ? { ...share, percent: share.percent + left } : share));
}
