/** The command palette: finds and runs anything by name. */
import { Command } from "cmdk";
import { useState } from "react";
import { contextualEntries, openThing } from "@/app/palette-contextual";
import {
  allEntries,
  baseEntries,
  findEntries,
  isRequestId,
  recentEntries,
  requestEntries,
  rememberEntry,
  type PaletteEntry,
  type PaletteTarget,
} from "@/app/palette-entries";
import { copyAddress } from "@/app/status-line";
import { useShownThings } from "@/components/menu/contextual-actions";
import { Dialog } from "@/components/overlay/dialog";
import { notifyError } from "@/components/overlay/toast";
import { useBackendSwitch } from "@/features/backends/backend-actions";
import { currentTarget, useClientBlock, useClientSwitch } from "@/features/clients/client-actions";
import { useGatewayPause } from "@/connected/gateway-actions";
import { useAction } from "@/ipc/actions";
import type { CheckSet, SettingsValues } from "@/ipc/bindings";
import { useHost } from "@/ipc/host-context";
import { useAlerts } from "@/ipc/alert-queries";
import { useServices } from "@/ipc/health-queries";
import {
  REQUESTS_PAGE_ROWS,
  useBackends,
  useBudgets,
  useClients,
  useClientsWiring,
  useKeys,
  useProfiles,
  useRequests,
  useSettings,
  useStatus,
} from "@/ipc/queries";
import { useRoutes } from "@/ipc/route-queries";
import { signOut } from "@/app/sign-out";
import { useProfileSwitch } from "@/features/settings/profile-actions";
import { classNames } from "@/lib/class-names";

interface PaletteProps {
  open: boolean;
  onClose: () => void;
  onShortcuts: () => void;
  go: (path: string) => void;
}

export function Palette({ open, onClose, ...places }: PaletteProps) {
  // Here and not in the body, which is unmounted before an action ends.
  const perform = usePerform(places);
  return (
    <Dialog open={open} onClose={onClose} title="Search or run" width="wide">
      <PaletteBody
        onChoose={(target) => {
          onClose();
          perform(target);
        }}
      />
    </Dialog>
  );
}

const refused = {
  onError: notifyError,
};

/** Runs the action of an entry. */
function usePerform({ go, onShortcuts }: Pick<PaletteProps, "go" | "onShortcuts">) {
  const { session } = useHost();
  const settings = useSettings().data;
  const address = useStatus().data?.gateway.address;
  const toggle = useBackendSwitch();
  const switchClient = useClientSwitch();
  const blockClient = useClientBlock();
  const changeProfile = useProfileSwitch();
  const { change: pauseGateway } = useGatewayPause();
  const start = useAction("readinessStart", (call, set: CheckSet) => call({ set }));
  const theme = useAction("settingsEdit", async (call, choice: SettingsValues["theme"]) => {
    if (settings) await call({ ...settings.values, theme: choice });
  });
  return (target: PaletteTarget) => {
    switch (target.kind) {
      case "go":
        return go(target.path);
      case "checks":
        return start.mutate(target.set, { ...refused, onSuccess: () => go("/readiness") });
      case "theme":
        return theme.mutate(target.theme, refused);
      case "copy_address":
        return address === undefined ? undefined : copyAddress(address);
      case "shortcuts":
        return onShortcuts();
      case "switch":
        return toggle.change(target.backend, !target.backend.enabled);
      case "client_target":
        return switchClient({ id: target.client.id, to: target.to, before: currentTarget(target.client) });
      case "client_block":
        return blockClient(target.id, target.blocked);
      case "profile":
        return changeProfile({ name: target.name, before: target.before });
      case "gateway":
        return pauseGateway(target.paused);
      case "run":
        return target.run();
      case "sign_out":
        return session === null ? undefined : signOut(session);
    }
  };
}

/** Everything that can be found from everywhere. */
function useEverywhere(hasSession: boolean): PaletteEntry[] {
  return allEntries({
    backends: useBackends().data ?? [],
    routes: useRoutes().data?.routes ?? [],
    keys: useKeys().data ?? [],
    clients: useClients().data ?? [],
    tools: useClientsWiring("reuse").data ?? [],
    budgets: useBudgets().data ?? [],
    alerts: useAlerts().data?.alerts ?? [],
    services: useServices().data?.services ?? [],
    profiles: useProfiles().data,
    gateway: useStatus().data?.gateway.state,
    hasSession,
  });
}

interface EntryGroup {
  heading?: string;
  found: PaletteEntry[];
}

/** What the screen shows first; without a query its own actions, the recent entries, the screens and the actions. */
function useGroups(query: string): EntryGroup[] {
  const hasSession = useHost().session !== null;
  const everywhere = useEverywhere(hasSession);
  const things = useShownThings();
  const latest =
    useRequests({}, REQUESTS_PAGE_ROWS, isRequestId(query)).data?.pages.flatMap(({ requests }) => requests) ?? [];
  if (query.trim() !== "") {
    const entries = [...things.flatMap(contextualEntries), ...everywhere];
    return [{ found: [...requestEntries(query, latest), ...findEntries(entries, query)] }];
  }
  const base = baseEntries(hasSession);
  const open = openThing(things, everywhere);
  return [
    ...(open === null ? [] : [open]),
    { heading: RECENT, found: recentEntries(everywhere) },
    { heading: "Screens", found: base.filter(({ group }) => group === "Screen") },
    { heading: "Actions", found: base.filter(({ group }) => group === "Action") },
  ];
}

const RECENT = "Recent";

function PaletteBody({ onChoose }: { onChoose: (target: PaletteTarget) => void }) {
  const [query, setQuery] = useState("");
  const groups = useGroups(query);
  const choose = (entry: PaletteEntry) => {
    rememberEntry(entry);
    onChoose(entry.target);
  };
  return (
    <Command label="Search or run" loop shouldFilter={false} className="flex min-h-0 flex-col">
      <Command.Input
        data-autofocus
        value={query}
        onValueChange={setQuery}
        placeholder="Backends, models, keys, clients, requests by id, settings, actions…"
        className="h-11 shrink-0 border-b border-line bg-transparent px-5 text-15 text-ink-1 outline-none"
      />
      <Command.List className="min-h-0 overflow-y-auto p-2 [&_[cmdk-group-heading]]:px-3 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-11 [&_[cmdk-group-heading]]:font-medium [&_[cmdk-group-heading]]:text-ink-3">
        <Command.Empty className="px-3 py-6 text-center text-ink-2">No results</Command.Empty>
        {groups
          .filter(({ found }) => found.length > 0)
          .map(({ heading, found }) => (
            <Command.Group key={heading ?? "found"} heading={heading}>
              {found.map((entry) => (
                <Item
                  key={entry.id}
                  value={`${heading ?? ""} ${entry.id}`}
                  entry={entry}
                  hasNote={heading === undefined || heading === RECENT}
                  onSelect={() => choose(entry)}
                />
              ))}
            </Command.Group>
          ))}
      </Command.List>
    </Command>
  );
}

interface ItemProps {
  value: string;
  entry: PaletteEntry;
  /** Shows beside it what it belongs to. */
  hasNote: boolean;
  onSelect: () => void;
}

function Item({ value, entry, hasNote, onSelect }: ItemProps) {
  const { icon: Icon, label, group, note = group, blocked = null, danger = false } = entry;
  return (
    <Command.Item
      value={value}
      disabled={blocked !== null}
      onSelect={onSelect}
      className={classNames(
        "flex h-9 items-center gap-3 rounded-control px-3 data-[disabled=true]:opacity-70 data-[selected=true]:bg-surface-2",
        danger ? "text-bad" : "text-ink-1",
      )}
    >
      <Icon size={16} strokeWidth={1.5} aria-hidden className={classNames("shrink-0", !danger && "text-ink-3")} />
      <span className="min-w-0 shrink-0 truncate">{label}</span>
      {blocked !== null && <span className="min-w-0 truncate text-12 text-ink-3">{blocked}</span>}
      {hasNote && <span className="ml-auto max-w-[45%] truncate text-12 text-ink-3">{note}</span>}
    </Command.Item>
  );
}
