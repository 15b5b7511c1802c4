/** The keys in the vault. */
import { Plus, SearchCheck } from "lucide-react";
import { useState } from "react";
import { KeysTable } from "@/features/keys/keys-table";
import { Button } from "@/components/button/button";
import { FilterInput } from "@/components/filter/filter-input";
import { lazyOverlay } from "@/components/overlay/lazy";
import { Page } from "@/components/layout/page";
import { useKeys, useStatus } from "@/ipc/queries";
import { VaultNotice } from "@/connected/vault-notice";
import { formatCounted } from "@/lib/quantity";
import { VAULT_KIND_WORD } from "@/lib/tables";

export const AddKeyDialog = lazyOverlay(
  async () => (await import("@/features/keys/add-key")).AddKeyDialog,
  ({ open }) => open,
);
const FindKeysDialog = lazyOverlay(
  async () => (await import("@/features/keys/find-keys")).FindKeysDialog,
  ({ open }) => open,
);

interface KeysScreenProps {
  openId: string | null;
  adding: boolean;
  finding: boolean;
  onOpen: (id: string) => void;
  onAdd: () => void;
  onFind: () => void;
  onClose: () => void;
}

export function KeysScreen({ openId, adding, finding, onOpen, onAdd, onFind, onClose }: KeysScreenProps) {
  const [filter, setFilter] = useState("");
  return (
    <Page
      filled
      title="Keys"
      lead={<KeysLead />}
      actions={
        <>
          <FilterInput label="Filter keys" value={filter} onChange={setFilter} />
          <Button icon={SearchCheck} onClick={onFind}>
            Find keys
          </Button>
          <Button look="primary" icon={Plus} onClick={onAdd}>
            Add key
          </Button>
        </>
      }
    >
      <VaultNotice />
      <KeysTable filter={filter} openId={openId} onOpen={onOpen} onAdd={onAdd} onClose={onClose} />
      <AddKeyDialog open={adding} onClose={onClose} />
      <FindKeysDialog open={finding} onClose={onClose} />
    </Page>
  );
}

function KeysLead() {
  const keys = useKeys().data;
  const vault = useStatus().data?.vault;
  if (keys === undefined) return null;
  const place = vault === undefined ? "" : ` Stored in: ${VAULT_KIND_WORD[vault.kind].toLowerCase()}.`;
  const bad = keys.filter((key) => ["rejected", "expired", "missing"].includes(key.state)).length;
  const held = formatCounted(keys.length, "key", "keys");
  if (keys.length === 0) return `No API keys yet.${place}`;
  return `${held}, ${bad === 0 ? "none rejected" : `${bad} with problems`}.${place}`;
}
