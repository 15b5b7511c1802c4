/** The period's totals, and how much of them is known. */
import { periodFilter } from "@/features/usage/requests-link";
import { Notice } from "@/components/notice";
import { PanelLink } from "@/components/panel-link";
import type { ReactNode } from "react";
import type { UsageView } from "@/ipc/bindings";
import { formatMoney } from "@/lib/money";
import { formatCount, formatCounted, formatCountShort } from "@/lib/quantity";
import { requestsPath } from "@/lib/request-filter";

export function Totals({ usage }: { usage: UsageView }) {
  const { totals } = usage;
  const period = periodFilter(usage);
  return (
    <>
      <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-card border border-line bg-line @min-[560px]:grid-cols-4">
        <Total
          name="Cost"
          value={formatMoney(totals.cost_nano_usd)}
          note={
            totals.requests === 0
              ? "no requests"
              : totals.unpriced_requests === 0
                ? "every request is priced"
                : `excludes ${formatCount(totals.unpriced_requests)} unpriced`
          }
        />
        <Total
          name="Requests"
          value={
            <PanelLink look="none" path={requestsPath(period)} className="rounded-mark hover:underline">
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
        <Total
          name="Tokens in"
          value={formatCountShort(totals.input_tokens)}
          exact={totals.input_tokens}
          note={`${formatCountShort(totals.cache_read_tokens)} from caches`}
        />
        <Total
          name="Tokens out"
          value={formatCountShort(totals.output_tokens)}
          exact={totals.output_tokens}
          note={`${formatCountShort(totals.reasoning_tokens)} reasoning`}
        />
      </dl>
      {totals.unpriced_requests > 0 && (
        <Notice
          tone="warn"
          title={`The cost of ${formatCounted(totals.unpriced_requests, "request is", "requests is")} not known.`}
          action={
            <PanelLink path={requestsPath({ ...period, unpriced: true })} className="text-12 whitespace-nowrap">
              Show them
            </PanelLink>
          }
        >
          The usage or the price is unknown, so the cost is not included in totals.{" "}
          <PanelLink path="/prices">Prices</PanelLink>
        </Notice>
      )}
    </>
  );
}

function Total({ name, value, note, exact }: { name: string; value: ReactNode; note: ReactNode; exact?: number }) {
  return (
    <div className="flex flex-col bg-surface-1 px-4 py-3">
      <dt className="text-12 text-ink-3">{name}</dt>
      <dd
        className="text-24 leading-8 font-semibold tracking-[-0.02em]"
        title={exact === undefined ? undefined : formatCount(exact)}
      >
        {value}
      </dd>
      <dd className="truncate text-12 text-ink-2">{note}</dd>
    </div>
  );
}
