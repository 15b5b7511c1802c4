/** What has no price yet, by reason and most requests first, each one step from its price. */
import { periodFilter } from "@/features/usage/requests-link";
import type { UsagePlace } from "@/features/usage/usage-place";
import { Card } from "@/components/layout/card";
import { PanelLink } from "@/components/layout/panel-link";
import type { UnpricedModelView, UsageView } from "@/ipc/bindings";
import { SetPriceButton } from "@/connected/set-price";
import { groupBy } from "@/lib/group";
import { formatCount, formatCounted } from "@/lib/quantity";
import { requestsPath, type RequestFilter } from "@/lib/request-filter";

export function UnpricedCard({ usage, place }: { usage: UsageView; place: UsagePlace }) {
  const { unpriced } = usage;
  const period = periodFilter(usage, place);
  const listed = unpriced.reduce((sum, one) => sum + one.requests, 0);
  const others = usage.totals.unpriced_requests - listed;
  return (
    <Card
      title={`${formatCounted(usage.totals.unpriced_requests, "request", "requests")} without a known cost`}
      note="not in any total"
      action={
        <PanelLink path={requestsPath({ ...period, unpriced: true })} className="text-12 whitespace-nowrap">
          Show them
        </PanelLink>
      }
    >
      <div className="flex flex-col gap-3">
        {[...groupBy(unpriced, ({ why }) => why?.sentence ?? "The reason is not known.")].map(([reason, models]) => (
          <div key={reason}>
            <h3 className="pb-1 text-12 text-ink-2">{reason}</h3>
            <ul aria-label={reason} className="grid gap-x-8 @min-[820px]:grid-cols-2">
              {models.map((one) => (
                <UnpricedModel key={`${one.backend} ${one.model}`} of={one} period={period} />
              ))}
            </ul>
          </div>
        ))}
      </div>
      {others > 0 && <p className="mt-2 text-12 text-ink-3">{formatCount(others)} more are of other models.</p>}
    </Card>
  );
}

function UnpricedModel({ of, period }: { of: UnpricedModelView; period: RequestFilter }) {
  const { model, backend, backend_label: label, requests, why } = of;
  return (
    <li className="grid min-h-9 grid-cols-[minmax(0,1fr)_auto_64px] items-center gap-3 border-t border-line py-1">
      <p className="truncate" title={label === null ? model : `${model} at ${label}`}>
        <span className="font-medium text-ink-1">{model === "" ? "No model" : model}</span>
        {label !== null && <span className="text-ink-3"> at {label}</span>}
      </p>
      <PanelLink
        look="plain"
        path={requestsPath({
          ...period,
          ...(model !== "" && { model }),
          ...(backend !== null && { backend }),
          unpriced: true,
        })}
        className="text-right text-12 whitespace-nowrap text-warn"
      >
        {formatCounted(requests, "request", "requests")}
      </PanelLink>
      {model !== "" && why?.missing !== null && (
        <span className="-mr-2.5 justify-self-end">
          <SetPriceButton backend={backend} model={model} missing={why?.missing} />
        </span>
      )}
    </li>
  );
}
