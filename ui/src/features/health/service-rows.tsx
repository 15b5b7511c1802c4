/** What work depends on beside the backends: one row per service, with its state, why, and since when. */
import { useState } from "react";
import { Pause, Pencil, Play, Plus, Trash2, Unplug, Zap } from "lucide-react";
import { requestOf, ServiceDialog } from "@/features/health/service-dialog";
import { kindWords } from "@/features/health/service-kinds";
import { Button } from "@/components/button/button";
import { Card } from "@/components/layout/card";
import { Confirm } from "@/components/overlay/confirm";
import { useContextualActions } from "@/components/menu/contextual-actions";
import { DisclosureSummary } from "@/components/layout/disclosure-summary";
import { EmptyState } from "@/components/notice/empty-state";
import { Menu, type MenuEntry } from "@/components/menu/menu";
import { Moment } from "@/components/text/moment";
import { StateMark } from "@/components/state/state-mark";
import { notify, notifyError } from "@/components/overlay/toast";
import { AvailabilityList, AvailabilityStrip, ObservedDays } from "@/features/health/availability";
import { HealthWord } from "@/features/health/health-word";
import { useAction } from "@/ipc/actions";
import type { ServiceAccountView, ServicesView, ServiceView } from "@/ipc/bindings";
import { formatDuration } from "@/lib/quantity";
import { HEALTH } from "@/lib/tables";

type Open = { kind: "nothing" } | { kind: "add" } | { kind: "edit" | "remove"; service: ServiceView };

export function ServicesCard({ view }: { view: ServicesView }) {
  const [open, setOpen] = useState<Open>({ kind: "nothing" });
  const close = () => setOpen({ kind: "nothing" });
  const { services, finding } = view;
  return (
    <Card
      title="Services"
      note={services.length === 0 ? undefined : finding.toLowerCase()}
      flush
      action={
        <Button size="small" icon={Plus} onClick={() => setOpen({ kind: "add" })}>
          Add service
        </Button>
      }
    >
      {services.length === 0 ? (
        <EmptyState icon={Unplug} title="No service is watched">
          Databases, web addresses and GitHub tokens that your work needs can be watched here too, with the same states
          and alerts as backends.
        </EmptyState>
      ) : (
        <ul>
          {services.map((service) => (
            <ServiceRow key={service.id} service={service} onOpen={setOpen} />
          ))}
        </ul>
      )}
      {(open.kind === "add" || open.kind === "edit") && (
        <ServiceDialog service={open.kind === "edit" ? open.service : null} onClose={close} />
      )}
      {open.kind === "remove" && <RemoveDialog service={open.service} onClose={close} />}
    </Card>
  );
}

interface ServiceRowProps {
  service: ServiceView;
  onOpen: (open: Open) => void;
}

function ServiceRow({ service, onOpen }: ServiceRowProps) {
  const { label, health, account, required } = service;
  return (
    <li className="border-b border-line px-4 py-3 last:border-b-0">
      <div className="grid grid-cols-[minmax(0,1.3fr)_minmax(0,1.6fr)_auto] items-center gap-x-6">
        <div className="min-w-0">
          <p className="flex items-center gap-2 font-medium text-ink-1">
            <StateMark sign={HEALTH[health.state]} size={14} />
            <span className="truncate">{label}</span>
            <HealthWord health={health} />
          </p>
          <p className="truncate text-12 text-ink-3 first-letter:uppercase" title={health.reason}>
            {health.reason}
            {health.probe_ms !== null && `, checked in ${formatDuration(health.probe_ms)}`}
          </p>
          <p className="truncate text-12 text-ink-3" title={service.address}>
            <span className="font-mono">{service.address}</span>, {kindWords(service.kind).label},{" "}
            {required ? "required" : "optional"}
            {account !== null && <Account account={account} />}
          </p>
        </div>
        <div className="min-w-0">
          <AvailabilityStrip label={label} availability={service.availability} strip={service.strip} />
        </div>
        <ServiceActions service={service} onOpen={onOpen} />
      </div>
      <ServiceDetails service={service} />
    </li>
  );
}

function ServiceActions({ service, onOpen }: ServiceRowProps) {
  const { id, label, enabled } = service;
  const test = useAction("serviceTest", (call) => call({ id }));
  const save = useAction("serviceSet", (call, watched: boolean) => call({ ...requestOf(service), enabled: watched }));
  const run: MenuEntry = {
    label: "Test",
    icon: Zap,
    onChoose: () =>
      test.mutate(undefined, {
        onSuccess: ({ passed, sentence }) => notify({ tone: passed ? "ok" : "bad", title: label, detail: sentence }),
        onError: notifyError,
      }),
  };
  const entries: MenuEntry[] = [
    { label: "Edit", icon: Pencil, onChoose: () => onOpen({ kind: "edit", service }) },
    {
      label: enabled ? "Pause" : "Watch again",
      icon: enabled ? Pause : Play,
      onChoose: () => save.mutate(!enabled, { onError: notifyError }),
    },
    { label: "Remove", icon: Trash2, danger: true, onChoose: () => onOpen({ kind: "remove", service }) },
  ];
  useContextualActions({ kind: "Service", id, name: label, isOpen: false, actions: [run, ...entries] });
  return (
    <div className="flex items-center gap-2">
      <Button
        size="small"
        icon={run.icon}
        busy={test.isPending}
        aria-label={`${run.label} ${label}`}
        onClick={run.onChoose}
      >
        {run.label}
      </Button>
      <Menu label={`More for ${label}`} entries={entries} />
    </div>
  );
}

function ServiceDetails({ service: { label, availability, strip } }: { service: ServiceView }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details className="group mt-1" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <DisclosureSummary className="w-fit cursor-pointer rounded-mark text-12 text-ink-3">
        <span>
          Details<span className="sr-only"> of {label}</span>
        </span>
      </DisclosureSummary>
      {isOpen && (
        <div className="grid grid-cols-1 gap-x-8 gap-y-4 pt-3 pb-1 @2xl:grid-cols-2">
          <div>
            <AvailabilityList availability={availability} />
          </div>
          <ObservedDays label={label} strip={strip} />
        </div>
      )}
    </details>
  );
}

function Account({ account: { login, scopes, missing, expires_at: end } }: { account: ServiceAccountView }) {
  return (
    <span title={scopes === null ? undefined : `Scopes: ${scopes.length === 0 ? "none" : scopes.join(", ")}`}>
      {`, signs in as ${login}`}
      {missing.length > 0 && `, lacks ${missing.join(", ")}`}
      {end !== null && (
        <>
          , expires <Moment at={end} />
        </>
      )}
    </span>
  );
}

function RemoveDialog({ service, onClose }: { service: ServiceView; onClose: () => void }) {
  const remove = useAction("serviceRemove", (call) => call({ id: service.id }));
  return (
    <Confirm
      open
      title={`Remove the service ${service.label}?`}
      losses={[
        "It is no longer watched, and its alerts end.",
        ...(service.credential === null ? [] : [`Its key ${service.credential} stays in the vault.`]),
      ]}
      verb="Remove"
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate(undefined, { onSuccess: onClose })}
      onClose={onClose}
    />
  );
}
