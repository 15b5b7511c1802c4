/** Where requests go: the answer in words, the routes with the live state of all they lead to, and a request to try on them. */
import { Plus, Route, Server } from "lucide-react";
import { useState } from "react";
import { AskPanel } from "@/features/routing/ask-panel";
import { NewRouteDrawer, RouteDrawer } from "@/features/routing/route-drawer";
import { newValues, type RouteValues } from "@/features/routing/route-values";
import { RoutesList } from "@/features/routing/routes-list";
import { Button } from "@/components/button";
import { EmptyState } from "@/components/empty-state";
import { FilterInput } from "@/components/filter-input";
import { Gone } from "@/components/gone";
import { Page } from "@/components/page";
import { PanelLink } from "@/components/panel-link";
import { Reading } from "@/components/reading";
import { SkeletonRows } from "@/components/skeleton";
import { useBackends } from "@/ipc/queries";
import { useRoutes } from "@/ipc/route-queries";
import type { RoutesView } from "@/ipc/bindings";
import { matchesFilter } from "@/lib/filter";
import { formatCounted } from "@/lib/quantity";

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
  // What a new route begins with, when it is a copy or the one that is offered.
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
            <SkeletonRows rows={6} label="Reading the routes" />
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
      {open !== undefined && <RouteDrawer route={open} onOpen={onOpen} onCopy={add} onClose={onClose} />}
      {adding && backends !== undefined && (
        <NewRouteDrawer values={draft} backends={backends} onAdded={onOpen} onClose={onClose} />
      )}
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
          <EmptyState icon={Route} title="No route matches">
            No name, model, backend or policy has these words in it.
          </EmptyState>
        </div>
      ) : (
        <RoutesList routes={found} isFiltered={found.length < view.routes.length} onOpen={onOpen} />
      )}
      <p className="px-1 text-12 text-pretty text-ink-3">
        An exact name wins over a pattern, a longer pattern over a shorter, and a route for one client over one for all;
        among equals the upper one.
        {view.unrouted_requests > 0 &&
          ` ${formatCounted(view.unrouted_requests, "request", "requests")} of the last 24 hours matched none and went by their model's name.`}
      </p>
    </>
  );
}

function NoRoutes({ onlyMock, onAdd }: { onlyMock: boolean; onAdd: () => void }) {
  return (
    <section aria-label="First route" className="rounded-card border border-dashed border-line-strong/60 bg-surface-1">
      <EmptyState
        icon={onlyMock ? Server : Route}
        title="Requests go by their model's name"
        action={
          <>
            <Button look="primary" icon={Plus} onClick={onAdd}>
              Make the route fast
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
        A tool asks for <code className="font-mono text-12">backend/model</code>, and if that backend fails the request
        fails. A route gives a name of your own, such as <code className="font-mono text-12">fast</code>, and leads it
        to several: when one fails, the next takes over.
      </EmptyState>
    </section>
  );
}
