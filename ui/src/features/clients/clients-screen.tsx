/** The tools that use the gateway: found on this machine and connected, or given a token by hand. */
import { Plus, Unplug } from "lucide-react";
import { useState } from "react";
import { ClientsTable } from "@/features/clients/clients-table";
import type { ToolChange } from "@/features/clients/tool-card";
import { Guides } from "@/features/clients/guides";
import { Tools } from "@/features/clients/tools";
import { Button } from "@/components/button/button";
import { FilterInput } from "@/components/filter/filter-input";
import { lazyOverlay } from "@/components/overlay/lazy";
import { Menu } from "@/components/menu/menu";
import { Page } from "@/components/layout/page";
import type { ClientView, ToolWiringView, WiringState } from "@/ipc/bindings";
import { useClients, useClientsWiring } from "@/ipc/queries";
import { VaultNotice } from "@/connected/vault-notice";
import { formatCounted } from "@/lib/quantity";

const AddClientDialog = lazyOverlay(
  async () => (await import("@/features/clients/add-client")).AddClientDialog,
  ({ open }) => open,
);
const WiringSheet = lazyOverlay(
  async () => (await import("@/features/clients/wiring-sheet")).WiringSheet,
  ({ change, tool }) => change !== null && tool !== undefined,
);
const LaunchToolDialog = lazyOverlay(
  async () => (await import("@/features/clients/launch-tool")).LaunchToolDialog,
  ({ open }) => open,
);
const DisconnectAllDialog = lazyOverlay(
  async () => (await import("@/features/clients/disconnect-all")).DisconnectAllDialog,
  ({ open }) => open,
);

interface ClientsScreenProps {
  openId: string | null;
  adding: boolean;
  /** What is asked for a tool. */
  change: { kind: ToolChange["kind"]; tool: string } | null;
  disconnectingAll: boolean;
  onOpen: (id: string) => void;
  onAdd: () => void;
  onChange: (change: ToolChange) => void;
  onDisconnectAll: () => void;
  onClose: () => void;
}

/** States in which a tool's files hold our keys. */
const WIRED: WiringState[] = ["wired", "drifted", "conflict"];

export function ClientsScreen(props: ClientsScreenProps) {
  const { openId, adding, change, disconnectingAll, onOpen, onAdd, onChange, onDisconnectAll, onClose } = props;
  const [filter, setFilter] = useState("");
  const [asked, setAsked] = useState<ToolChange | null>(null);
  const known = useClientsWiring().data;
  const tools = known ?? [];
  const wired = tools.filter(({ state }) => WIRED.includes(state));
  const tool = tools.find((one) => one.tool === change?.tool);
  // The address says which tool; how its changed keys are handled was asked by the button.
  const shown: ToolChange | null =
    tool === undefined || change === null
      ? null
      : asked?.tool === tool.tool && asked.kind === change.kind
        ? asked
        : { kind: change.kind, tool: tool.tool };
  const ask = (next: ToolChange) => {
    setAsked(next);
    onChange(next);
  };
  return (
    <Page
      title="Clients"
      lead={<Lead />}
      actions={
        <>
          <FilterInput label="Filter clients" value={filter} onChange={setFilter} />
          <Menu
            label="More for all tools"
            entries={[
              {
                label: "Disconnect all tools",
                icon: Unplug,
                danger: true,
                blocked: wired.length === 0 ? "No tool is connected." : null,
                onChoose: onDisconnectAll,
              },
            ]}
          />
          <Button look="primary" icon={Plus} onClick={onAdd}>
            Add client
          </Button>
        </>
      }
    >
      <VaultNotice />
      <Tools onChange={ask} onOpenClient={onOpen} />
      <section aria-label="Client tokens" className="flex flex-col gap-2">
        <div className="flex items-baseline gap-2">
          <h2 className="text-13 font-semibold text-ink-1">Client tokens</h2>
          <p className="truncate text-12 text-ink-3">They work for this gateway only and can be revoked.</p>
        </div>
        <ClientsTable filter={filter} openId={openId} onOpen={onOpen} onAdd={onAdd} onClose={onClose} />
      </section>
      <Guides />
      <AddClientDialog open={adding} onClose={onClose} onAdded={onOpen} />
      <WiringSheet tool={tool} change={shown} onClose={onClose} />
      <LaunchToolDialog tool={tool} open={shown?.kind === "launch"} onClose={onClose} />
      <DisconnectAllDialog open={disconnectingAll && known !== undefined} tools={wired} onClose={onClose} />
    </Page>
  );
}

function Lead() {
  const clients = useClients().data;
  const tools = useClientsWiring().data;
  if (clients === undefined || tools === undefined) return null;
  return `${toolsSentence(tools)} ${tokensSentence(clients)}`;
}

function toolsSentence(tools: ToolWiringView[]): string {
  const found = tools.filter(({ state }) => state !== "not_installed");
  const [first, ...others] = found.filter(
    ({ state }) => state === "drifted" || state === "conflict" || state === "broken",
  );
  if (first !== undefined)
    return `${first.name}${others.length > 0 ? ` and ${others.length} more` : ""} needs attention.`;
  if (found.length === 0) return "No tools found on this machine.";
  const connected = found.filter(({ state }) => state === "wired").length;
  const all = formatCounted(found.length, "tool", "tools");
  return `${all} found on this machine, ${connected === 0 ? "none" : connected === found.length ? "all" : connected} connected.`;
}

function tokensSentence(clients: ClientView[]): string {
  const expired = clients.filter((client) => client.expired).length;
  if (clients.length === 0) return "No clients yet.";
  const usable = formatCounted(clients.length - expired, "client can use", "clients can use");
  return `${usable} the gateway${expired === 0 ? "" : `; ${formatCounted(expired, "token", "tokens")} expired`}.`;
}
