/** What has no price yet, by model, each one step from its price. */
import { periodFilter } from "@/features/usage/requests-link";
import { periodOf, type UsagePlace } from "@/features/usage/usage-place";
import { Card } from "@/components/card";
import { PanelLink } from "@/components/panel-link";
import { Unpriced } from "@/components/unpriced";
import type { UsageView } from "@/ipc/bindings";
import { useUsage } from "@/ipc/queries";
import { SetPriceButton } from "@/ipc/set-price";
import { formatCounted } from "@/lib/quantity";
import { requestsPath } from "@/lib/request-filter";

export function UnpricedCard({ usage, place }: { usage: UsageView; place: UsagePlace }) {
  const models = useUsage({ ...periodOf(place), group_by: "model" });
  const unpriced = (models.data?.groups ?? []).filter(
    (model) => model.totals.unpriced_requests > 0 && model.key !== "other" && model.key !== "",
  );
  const period = periodFilter(usage, place);
  return (
    <Card
      title={`The cost of ${formatCounted(usage.totals.unpriced_requests, "request is", "requests is")} not known`}
      note="in no total"
      action={
        <PanelLink path={requestsPath({ ...period, unpriced: true })} className="text-12 whitespace-nowrap">
          Show them
        </PanelLink>
      }
    >
      <ul aria-label="Models without a price" className="-my-1 grid gap-x-8 @min-[820px]:grid-cols-2">
        {unpriced.map(({ key, label, totals }) => (
          <li key={key} className="flex h-9 items-center gap-3">
            <span className="min-w-0 flex-1 truncate font-medium" title={label}>
              {label}
            </span>
            <PanelLink
              look="none"
              path={requestsPath({ ...period, model: key, unpriced: true })}
              className="rounded-mark text-12 hover:underline hover:underline-offset-2"
            >
              <Unpriced requests={totals.unpriced_requests} />
            </PanelLink>
            <SetPriceButton backend={null} model={key} />
          </li>
        ))}
      </ul>
    </Card>
  );
}
