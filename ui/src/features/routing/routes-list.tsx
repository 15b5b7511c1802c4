/** The routes in order: names, policy, current candidates, and traffic. */
import { CandidatesStrip } from "@/features/routing/candidates-strip";
import { policyOf } from "@/features/routing/policies";
import { useRouteChanges } from "@/features/routing/route-changes";
import { SortableList } from "@/components/table/sortable-list";
import { Switch } from "@/components/form/switch";
import type { RouteView } from "@/ipc/bindings";
import { classNames } from "@/lib/class-names";
import { formatCount } from "@/lib/quantity";
import type { ReactNode } from "react";

interface RoutesListProps {
  routes: RouteView[];
  /** True if a filter hides some routes; then the order cannot be changed. */
  isFiltered: boolean;
  onOpen: (id: string) => void;
}

export function RoutesList({ routes, isFiltered, onOpen }: RoutesListProps) {
  const { order } = useRouteChanges();
  const row = (route: RouteView, handle: ReactNode) => <Row route={route} handle={handle} onOpen={onOpen} />;
  const frame = "@container overflow-hidden rounded-card border border-line bg-surface-1";
  if (isFiltered)
    return (
      <ol aria-label="Routes" className={frame}>
        {routes.map((route) => (
          <li key={route.id}>{row(route, null)}</li>
        ))}
      </ol>
    );
  return (
    <SortableList
      label="Routes"
      className={frame}
      items={routes}
      idOf={(route) => route.id}
      nameOf={(route) => `route ${route.id}`}
      onOrder={(ids) => order(ids)}
    >
      {row}
    </SortableList>
  );
}

function Row({ route, handle, onOpen }: { route: RouteView; handle: ReactNode; onOpen: (id: string) => void }) {
  const { change } = useRouteChanges();
  const policy = policyOf(route.policy);
  return (
    <div className="flex items-start gap-2 border-t border-line bg-surface-1 py-3 pr-4 pl-2 in-[li:first-child]:border-t-0">
      {handle ?? <span className="w-5 shrink-0" />}
      <div className="min-w-0 flex-1">
        <div className="flex h-7 items-center gap-2">
          <button
            type="button"
            onClick={() => onOpen(route.id)}
            aria-label={`Open route ${route.id}`}
            className="flex min-w-0 items-center gap-1.5 rounded-mark hover:text-accent"
          >
            {route.models.slice(0, 3).map((model) => (
              <code
                key={model}
                className={classNames("truncate font-mono text-13", route.enabled ? "font-semibold" : "text-ink-2")}
              >
                {model}
                {model !== route.models.at(-1) && <span className="text-ink-3">,</span>}
              </code>
            ))}
            {route.models.length > 3 && <span className="text-12 text-ink-3">+{route.models.length - 3}</span>}
          </button>
          <span className="text-12 whitespace-nowrap text-ink-3" title={policy.note}>
            {policy.label.toLowerCase()}
          </span>
          {route.clients.length > 0 && (
            <span className="truncate text-12 text-ink-3">only {route.clients.join(", ")}</span>
          )}
          <span className="ml-auto flex shrink-0 items-center gap-3">
            <Traffic route={route} />
            <Switch
              label={`Route ${route.id} switched on`}
              checked={route.enabled}
              onChange={(enabled) => change(route, { enabled }, enabled ? `${route.id} is on` : `${route.id} is off`)}
            />
          </span>
        </div>
        <div className="mt-1.5">
          <CandidatesStrip route={route} />
        </div>
        <p className="mt-1.5 text-12 text-ink-2">{route.sentence}</p>
      </div>
    </div>
  );
}

/** Requests of the last day, with their share of the total as a bar. */
function Traffic({ route: { requests, share_percent: share } }: { route: RouteView }) {
  return (
    <span
      className="hidden items-center gap-2 @min-[420px]:flex"
      title="Requests in the last 24 hours, and their share of all"
    >
      <span className="text-12 text-ink-2">{requests === 0 ? "none in 24 h" : `${formatCount(requests)} in 24 h`}</span>
      <span aria-hidden className="block h-1 w-16 overflow-hidden rounded-full bg-surface-3">
        <span data-mark className="block h-full bg-accent" style={{ width: `${share ?? 0}%` }} />
      </span>
      <span className="sr-only">{share === null ? "" : `${share} % of all requests`}</span>
    </span>
  );
}
