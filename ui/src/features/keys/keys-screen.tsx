/** The keys in the vault, and the clients that may call the gateway. */
import { Plus, SearchCheck } from "lucide-react";
import { useState } from "react";
import { ClientsTable } from "@/features/keys/clients-table";
import { ToolsList } from "@/features/keys/tools-list";
import { KeysTable } from "@/features/keys/keys-table";
import { Button } from "@/components/button";
import { Choice } from "@/components/choice";
import { FilterInput } from "@/components/filter-input";
import { lazyOverlay } from "@/components/lazy";
import { Notice } from "@/components/notice";
import { Page } from "@/components/page";
import { PanelLink } from "@/components/panel-link";
import { useClients, useKeys, useStatus } from "@/ipc/queries";
import { formatCounted } from "@/lib/quantity";
import { VAULT, VAULT_KIND_WORD } from "@/lib/tables";

export const AddKeyDialog = lazyOverlay(
  async () => (await import("@/features/keys/add-key")).AddKeyDialog,
  ({ open }) => open,
);
const FindKeysDialog = lazyOverlay(
  async () => (await import("@/features/keys/find-keys")).FindKeysDialog,
  ({ open }) => open,
);
const AddClientDialog = lazyOverlay(
  async () => (await import("@/features/keys/add-client")).AddClientDialog,
  ({ open }) => open,
);

interface KeysScreenProps {
  tab: "keys" | "clients";
  openId: string | null;
  adding: boolean;
  finding: boolean;
  onTab: (tab: "keys" | "clients") => void;
  onOpen: (id: string) => void;
  onAdd: () => void;
  onFind: () => void;
  onClose: () => void;
}

const TABS = [
  { value: "keys", label: "Provider keys" },
  { value: "clients", label: "Clients" },
] as const;

export function KeysScreen(props: KeysScreenProps) {
  const { tab, openId, adding, finding, onTab, onOpen, onAdd, onFind, onClose } = props;
  const [filter, setFilter] = useState("");
  const vault = useStatus().data?.vault;
  return (
    <Page
      filled
      title="Keys"
      lead={tab === "keys" ? <KeysLead /> : <ClientsLead />}
      actions={
        <>
          <FilterInput label={tab === "keys" ? "Filter keys" : "Filter clients"} value={filter} onChange={setFilter} />
          {tab === "keys" && (
            <Button icon={SearchCheck} onClick={onFind}>
              Find keys
            </Button>
          )}
          <Button look="primary" icon={Plus} onClick={onAdd}>
            {tab === "keys" ? "Add key" : "Connect a client"}
          </Button>
        </>
      }
    >
      <div className="flex items-center gap-3">
        <Choice label="What to show" options={TABS} value={tab} onChange={onTab} />
        {vault && (
          <span className="truncate text-12 text-ink-3">
            {tab === "keys"
              ? `Stored in: ${VAULT_KIND_WORD[vault.kind].toLowerCase()}`
              : "Client tokens work for this gateway only and can be revoked."}
          </span>
        )}
      </div>
      {vault && vault.state !== "ready" && vault.state !== "unknown" && (
        <Notice
          tone="bad"
          title={`Vault: ${VAULT[vault.state].word.toLowerCase()}`}
          action={
            <PanelLink path="/settings?part=Vault" className="self-center text-12">
              Vault settings
            </PanelLink>
          }
        >
          {vault.hint}
        </Notice>
      )}
      {tab === "keys" ? (
        <KeysTable filter={filter} openId={openId} onOpen={onOpen} onAdd={onAdd} onClose={onClose} />
      ) : (
        <>
          <ToolsList />
          <ClientsTable filter={filter} openId={openId} onOpen={onOpen} onAdd={onAdd} onClose={onClose} />
        </>
      )}
      <AddKeyDialog open={adding && tab === "keys"} onClose={onClose} />
      <FindKeysDialog open={finding} onClose={onClose} />
      <AddClientDialog open={adding && tab === "clients"} onClose={onClose} onAdded={onOpen} />
    </Page>
  );
}

function KeysLead() {
  const keys = useKeys().data;
  if (keys === undefined) return null;
  const bad = keys.filter((key) => key.state === "rejected" || key.state === "missing").length;
  const held = formatCounted(keys.length, "key", "keys");
  if (keys.length === 0) return "No API keys yet.";
  return bad === 0 ? `${held}, none rejected.` : `${held}, ${bad} with problems.`;
}

function ClientsLead() {
  const clients = useClients().data;
  if (clients === undefined) return null;
  const ended = clients.filter((client) => client.expired).length;
  if (clients.length === 0) return "No clients yet.";
  const connected = formatCounted(clients.length - ended, "client can use", "clients can use");
  return ended === 0
    ? `${connected} the gateway.`
    : `${connected} the gateway; ${formatCounted(ended, "token", "tokens")} expired.`;
}
