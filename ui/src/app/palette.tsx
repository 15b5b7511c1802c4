/** The command palette: finds and runs anything by name. */
import { Command } from "cmdk";
import { useState } from "react";
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
import { Dialog } from "@/components/dialog";
import { notifyError } from "@/components/toast";
import { useBackendSwitch } from "@/features/backends/backend-actions";
import { currentTarget, useClientBlock, useClientSwitch } from "@/features/clients/client-actions";
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
      case "sign_out":
        return session === null ? undefined : signOut(session);
    }
  };
}

function PaletteBody({ onChoose }: { onChoose: (target: PaletteTarget) => void }) {
  const [query, setQuery] = useState("");
  const hasSession = useHost().session !== null;
  const entries = allEntries({
    backends: useBackends().data ?? [],
    routes: useRoutes().data?.routes ?? [],
    keys: useKeys().data ?? [],
    clients: useClients().data ?? [],
    tools: useClientsWiring("reuse").data ?? [],
    budgets: useBudgets().data ?? [],
    alerts: useAlerts().data?.alerts ?? [],
    services: useServices().data?.services ?? [],
    profiles: useProfiles().data,
    hasSession,
  });
  const latest =
    useRequests({}, REQUESTS_PAGE_ROWS, isRequestId(query)).data?.pages.flatMap(({ requests }) => requests) ?? [];
  const choose = (entry: PaletteEntry) => {
    rememberEntry(entry);
    onChoose(entry.target);
  };
  const base = baseEntries(hasSession);
  const groups: { heading?: string; found: PaletteEntry[] }[] =
    query.trim() === ""
      ? [
          { heading: "Recent", found: recentEntries(entries) },
          { heading: "Screens", found: base.filter(({ group }) => group === "Screen") },
          { heading: "Actions", found: base.filter(({ group }) => group === "Action") },
        ]
      : [{ found: [...requestEntries(query, latest), ...findEntries(entries, query)] }];
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
                  hasGroup={heading === undefined || heading === "Recent"}
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
  /** Shows the entry's group beside it. */
  hasGroup: boolean;
  onSelect: () => void;
}

function Item({ value, entry: { icon: Icon, label, group }, hasGroup, onSelect }: ItemProps) {
  return (
    <Command.Item
      value={value}
      onSelect={onSelect}
      className="flex h-9 items-center gap-3 rounded-control px-3 text-ink-1 data-[selected=true]:bg-surface-2"
    >
      <Icon size={16} strokeWidth={1.5} aria-hidden className="shrink-0 text-ink-3" />
      <span className="min-w-0 truncate">{label}</span>
      {hasGroup && <span className="ml-auto shrink-0 text-12 text-ink-3">{group}</span>}
    </Command.Item>
  );
}
