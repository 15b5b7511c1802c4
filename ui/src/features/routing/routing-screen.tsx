/** The routes with the live state of their backends, and a hypothetical request to test them. */
import { Plus, Route, Server } from "lucide-react";
import { useState } from "react";
import { AskPanel } from "@/features/routing/ask-panel";
import { newValues, type RouteValues } from "@/features/routing/route-values";
import { RoutesList } from "@/features/routing/routes-list";
import { Button } from "@/components/button/button";
import { EmptyState } from "@/components/notice/empty-state";
import { FilterInput } from "@/components/filter/filter-input";
import { Gone } from "@/components/notice/gone";
import { lazyOverlay } from "@/components/overlay/lazy";
import { Page } from "@/components/layout/page";
import { PanelLink } from "@/components/layout/panel-link";
import { Reading } from "@/components/notice/reading";
import { SkeletonRows } from "@/components/notice/skeleton";
import { useBackends } from "@/ipc/queries";
import { useRoutes } from "@/ipc/route-queries";
import type { RoutesView } from "@/ipc/bindings";
import { matchesFilter } from "@/lib/filter";
import { formatCounted } from "@/lib/quantity";

const RouteDrawer = lazyOverlay(
  async () => (await import("@/features/routing/route-drawer")).RouteDrawer,
  ({ route }) => route !== undefined,
);
const NewRouteDrawer = lazyOverlay(
  async () => (await import("@/features/routing/route-drawer")).NewRouteDrawer,
  ({ open }) => open,
);

interface RoutingScreenProps {
  openId: string | null;
  adding: boolean;
  onOpen: (id: string) => void;
  onAdd: () => void;
  onClose: () => void;
}

export function RoutingScreen({ openId, adding, onOpen, onAdd, onClose }: RoutingScreenProps) {
  const routes = useRoutes();
  const backends = useBackends().data;
  const [filter, setFilter] = useState("");
  // Initial values of a new route, if it is a copy or the suggested one.
  const [draft, setDraft] = useState<RouteValues | null>(null);
  const open = routes.data?.routes.find((route) => route.id === openId);
  const add = (values: RouteValues | null) => {
    setDraft(values);
    onAdd();
  };
  return (
    <Page
      title="Routing"
      lead={routes.data?.sentence}
      actions={
        <>
          <FilterInput label="Filter routes" value={filter} onChange={setFilter} />
          <Button look="primary" icon={Plus} onClick={() => add(null)}>
            Add route
          </Button>
        </>
      }
    >
      {openId !== null && routes.data !== undefined && open === undefined && (
        <Gone what="route" id={openId} onDismiss={onClose} />
      )}
      <Reading
        of={routes}
        skeleton={
          <div className="rounded-card border border-line bg-surface-1">
            <SkeletonRows rows={6} label="Loading routes" />
          </div>
        }
      >
        {(view) => (
          <div className="grid items-start gap-4 @min-[920px]:grid-cols-[minmax(0,1fr)_minmax(340px,380px)]">
            <div className="flex min-w-0 flex-col gap-2">
              {view.routes.length === 0 ? (
                <NoRoutes
                  onlyMock={backends?.every((backend) => backend.built_in) === true}
                  onAdd={() => add(newValues("fast", backends ?? []))}
                />
              ) : (
                <Routes view={view} filter={filter} onOpen={onOpen} />
              )}
            </div>
            <AskPanel key={view.routes.length === 0 ? "names" : "routes"} routes={view.routes} />
          </div>
        )}
      </Reading>
      <RouteDrawer route={open} onOpen={onOpen} onCopy={add} onClose={onClose} />
      <NewRouteDrawer
        open={adding && backends !== undefined}
        values={draft}
        backends={backends ?? []}
        onAdded={onOpen}
        onClose={onClose}
      />
    </Page>
  );
}

function Routes({ view, filter, onOpen }: { view: RoutesView; filter: string; onOpen: (id: string) => void }) {
  const found = view.routes.filter((route) =>
    matchesFilter(filter, [
      route.id,
      route.policy,
      route.sentence,
      ...route.models,
      ...route.clients,
      ...route.candidates.flatMap(({ backend, backend_label, model }) => [backend, backend_label, model]),
    ]),
  );
  return (
    <>
      {found.length === 0 ? (
        <div className="rounded-card border border-line bg-surface-1">
          <EmptyState icon={Route} title="No matching routes">
            Nothing matches by name, model, backend or policy.
          </EmptyState>
        </div>
      ) : (
        <RoutesList routes={found} isFiltered={found.length < view.routes.length} onOpen={onOpen} />
      )}
      <p className="text-12 text-pretty text-ink-3">
        Exact names win over patterns, longer patterns over shorter ones, and routes for specific clients over routes
        for all. Ties go to the higher route.
        {view.unrouted_requests > 0 &&
          ` In the last 24 hours, ${formatCounted(view.unrouted_requests, "request", "requests")} matched no route and went by model name.`}
      </p>
    </>
  );
}

function NoRoutes({ onlyMock, onAdd }: { onlyMock: boolean; onAdd: () => void }) {
  return (
    <section aria-label="First route" className="rounded-card border border-dashed border-line-strong/60 bg-surface-1">
      <EmptyState
        icon={onlyMock ? Server : Route}
        title="No routes yet. Requests go by model name."
        action={
          <>
            <Button look="primary" icon={Plus} onClick={onAdd}>
              Create a route named fast
            </Button>
            {onlyMock && (
              <Button asChild>
                <PanelLink look="none" path="/backends?add=true">
                  Add backend
                </PanelLink>
              </Button>
            )}
          </>
        }
      >
        Clients request <code className="font-mono text-12">backend/model</code>, and if that backend fails, the request
        fails. A route is a model name of your own, such as <code className="font-mono text-12">fast</code>, with
        several backends: when one fails, the next takes over.
      </EmptyState>
    </section>
  );
}
