/** One route: where its requests go now and why, and its settings. */
import { Copy, ScrollText, Power, Trash2 } from "lucide-react";
import { RouteForm } from "@/features/routing/route-form";
import { policyOf } from "@/features/routing/policies";
import { useRouteChanges } from "@/features/routing/route-changes";
import { newValues, valuesOf, type RouteValues } from "@/features/routing/route-values";
import { AvailabilityBadge, AvailabilityWhy } from "@/components/state/availability";
import { useContextualActions } from "@/components/menu/contextual-actions";
import { DialogBody, Drawer } from "@/components/overlay/dialog";
import { Facts, type Fact } from "@/components/text/facts";
import { Menu, type MenuEntry } from "@/components/menu/menu";
import { PanelLink } from "@/components/layout/panel-link";
import { ShareBar } from "@/components/chart/share-bar";
import { Switch } from "@/components/form/switch";
import { Tabs } from "@/components/layout/tabs";
import { notify } from "@/components/overlay/toast";
import type { BackendView, RouteCandidateView, RouteView } from "@/ipc/bindings";
import { formatCount, formatCounted, formatDuration } from "@/lib/quantity";
import { requestsPath } from "@/lib/request-filter";

interface RouteDrawerProps {
  route: RouteView | undefined;
  onOpen: (id: string) => void;
  onCopy: (values: RouteValues) => void;
  onClose: () => void;
}

export function RouteDrawer({ route, onOpen, onCopy, onClose }: RouteDrawerProps) {
  const changes = useRouteChanges();
  if (route === undefined) return null;
  return (
    <Drawer
      open
      onClose={onClose}
      title={route.id}
      description={route.sentence}
      actions={
        <RouteActions
          route={route}
          changes={changes}
          onCopy={() => onCopy({ ...valuesOf(route), id: `${route.id}-copy` })}
          onRemove={() => changes.remove(route, onClose)}
        />
      }
    >
      <Tabs
        key={route.id}
        label={`About route ${route.id}`}
        tabs={[
          { id: "now", label: "Now", content: <Now route={route} /> },
          {
            id: "settings",
            label: "Settings",
            content: (
              <RouteForm
                values={valuesOf(route)}
                replaces={route.id}
                onSaved={(saved) => {
                  notify({ title: `Saved route ${saved.id}`, detail: "Takes effect with the next request." });
                  if (saved.id !== route.id) onOpen(saved.id);
                }}
              />
            ),
          },
        ]}
      />
    </Drawer>
  );
}

interface RouteActionsProps {
  route: RouteView;
  changes: ReturnType<typeof useRouteChanges>;
  onCopy: () => void;
  onRemove: () => void;
}

function RouteActions({ route, changes, onCopy, onRemove }: RouteActionsProps) {
  const { id, enabled } = route;
  const toggle = (next: boolean) => changes.change(route, { enabled: next }, next ? `${id} is on` : `${id} is off`);
  const entries: MenuEntry[] = [
    { label: "Duplicate route", icon: Copy, onChoose: onCopy },
    { label: "Remove route", icon: Trash2, danger: true, onChoose: onRemove },
  ];
  useContextualActions({
    kind: "Route",
    id,
    name: id,
    isOpen: true,
    actions: [
      { label: "Show requests", icon: ScrollText, path: requestsPath({ route: id, within: "24h" }) },
      { label: enabled ? "Disable route" : "Enable route", icon: Power, onChoose: () => toggle(!enabled) },
      ...entries,
    ],
  });
  return (
    <>
      <Switch label={`Route ${id} switched on`} checked={enabled} onChange={toggle} />
      <Menu label="More for this route" entries={entries} />
    </>
  );
}

export function NewRouteDrawer({
  open,
  values,
  backends,
  onAdded,
  onClose,
}: {
  open: boolean;
  values: RouteValues | null;
  backends: BackendView[];
  onAdded: (id: string) => void;
  onClose: () => void;
}) {
  return (
    <Drawer
      open={open}
      onClose={onClose}
      title="Add route"
      description="A model name of your own, and the backends behind it."
    >
      <DialogBody>
        <RouteForm
          values={values ?? newValues("", backends)}
          replaces={null}
          onSaved={(route) => {
            notify({ title: `Added route ${route.id}`, detail: `Use ${route.models.join(" or ")} as the model name.` });
            onAdded(route.id);
          }}
        />
      </DialogBody>
    </Drawer>
  );
}

const COLOURS = ["var(--series-1)", "var(--series-2)", "var(--series-3)", "var(--series-4)", "var(--series-5)"];

function Now({ route }: { route: RouteView }) {
  const policy = policyOf(route.policy);
  const facts: Fact[] = [
    {
      name: "Model names",
      value: <code className="font-mono text-12">{route.models.join(", ")}</code>,
    },
    {
      name: "Policy",
      value: (
        <>
          {policy.label}
          <span className="block text-12 text-ink-3">{policy.note}</span>
        </>
      ),
    },
    ...(route.clients.length > 0 ? [{ name: "Clients", value: route.clients.join(", ") }] : []),
    ...(route.projects.length > 0 ? [{ name: "Projects", value: route.projects.join(", ") }] : []),
    {
      name: "Stickiness",
      value:
        route.sticky_secs === null
          ? "off: any backend each time"
          : `a conversation stays on its backend for ${formatDuration(route.sticky_secs * 1_000)}`,
    },
  ];
  const answered = route.candidates.filter((candidate) => candidate.requests > 0);
  return (
    <div className="flex flex-col gap-5">
      <Facts facts={facts} />
      {route.policy === "balanced" && (
        <ShareBar
          label="Weights"
          shares={[
            { key: "latency", label: "latency", percent: route.weights.latency, colour: "var(--series-1)" },
            { key: "cost", label: "cost", percent: route.weights.cost, colour: "var(--series-2)" },
            { key: "headroom", label: "headroom", percent: route.weights.headroom, colour: "var(--series-4)" },
          ]}
        />
      )}
      <section aria-label="Candidates" className="border-t border-line pt-4">
        <h3 className="mb-1 font-semibold">Candidates</h3>
        <ol className="flex flex-col">
          {route.candidates.map((candidate, index) => (
            <Candidate key={`${candidate.backend}/${candidate.model ?? ""}`} place={index + 1} candidate={candidate} />
          ))}
        </ol>
      </section>
      <section aria-label="Last 24 hours" className="flex flex-col gap-2 border-t border-line pt-4">
        <h3 className="font-semibold">
          {route.requests === 0 ? (
            "No requests in the last 24 hours"
          ) : (
            <>
              <PanelLink path={requestsPath({ route: route.id, within: "24h" })}>
                {formatCounted(route.requests, "request", "requests")}
              </PanelLink>{" "}
              in the last 24 hours, by backend
            </>
          )}
        </h3>
        {answered.length > 0 && (
          <ShareBar
            label="By backend"
            shares={answered.map((candidate, index) => ({
              key: `${candidate.backend}/${candidate.model ?? ""}`,
              label: candidate.backend_label,
              percent: candidate.share_percent ?? 0,
              colour: COLOURS[index % COLOURS.length] ?? "currentColor",
            }))}
          />
        )}
      </section>
    </div>
  );
}

function Candidate({ place, candidate }: { place: number; candidate: RouteCandidateView }) {
  const { accesses, availability } = candidate;
  return (
    <li className="grid grid-cols-[20px_minmax(0,1fr)_auto] gap-x-2 border-t border-line py-2.5 first:border-t-0">
      <span className="text-12 leading-5 text-ink-3">{place}</span>
      <span className="min-w-0">
        <PanelLink path={`/backends/${encodeURIComponent(candidate.backend)}`} className="font-medium">
          {candidate.backend_label}
        </PanelLink>{" "}
        <code className="font-mono text-12 [overflow-wrap:anywhere] text-ink-2">
          {candidate.model ?? "the requested model"}
        </code>
      </span>
      <AvailabilityBadge of={availability} />
      <span className="col-start-2 text-12 text-ink-3">
        {availability.state !== "ready" && <AvailabilityWhy of={availability} />}
        {accesses.length > 1 &&
          accesses.map((access) => (
            <span key={access.credential} className="mt-1 flex flex-wrap items-center gap-2">
              <AvailabilityBadge of={access} />
              <span>{access.credential === null ? "no key" : `key ${access.credential}`}</span>
              {access.state !== "ready" && <AvailabilityWhy of={access} />}
            </span>
          ))}
      </span>
      <span className="col-start-3 text-right text-12 text-ink-3">
        {candidate.requests === 0 ? "" : `${formatCount(candidate.requests)} in 24 h`}
      </span>
    </li>
  );
}
