/** Where keys are stored, the vault's state, and switching to another vault at once, with or without the keys. */
import { RotateCw } from "lucide-react";
import { useRef, useState } from "react";
import { SettingRow } from "@/features/settings/setting-row";
import { Button } from "@/components/button/button";
import { Card } from "@/components/layout/card";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Field, TextInput } from "@/components/form/field";
import { Select } from "@/components/form/select";
import { StateBadge } from "@/components/state/state-mark";
import { Tick } from "@/components/form/tick";
import { notify } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { SettingsView, VaultKind, VaultView } from "@/ipc/bindings";
import { FileVaultForm } from "@/connected/file-vault-form";
import { useKeys } from "@/ipc/queries";
import { faultElsewhere, faultOf } from "@/lib/fault";
import { formatCounted } from "@/lib/quantity";
import { VAULT, VAULT_KIND_WORD } from "@/lib/tables";

const KINDS = Object.keys(VAULT_KIND_WORD) as VaultKind[];

export function VaultPart({ settings: { vault, values, defaults, valid } }: { settings: SettingsView }) {
  const check = useAction("vaultCheck", (call) => call());
  const [wanted, setWanted] = useState<VaultKind | null>(null);
  const isLocked = vault.kind === "file" && vault.state !== "ready";
  return (
    <Card title="Vault" flush>
      <SettingRow
        label={<label htmlFor="vault-kind">Key storage</label>}
        detail={
          vault.set_by_environment
            ? "Set by the environment variable GATEHOUSE_VAULT."
            : "Takes effect immediately. Stored keys can be moved."
        }
        changed={values.vault_kind !== defaults.vault_kind}
      >
        <Select
          id="vault-kind"
          className="w-52"
          value={wanted ?? vault.kind}
          disabled={!valid || vault.set_by_environment}
          onChange={(kind) => setWanted(kind === vault.kind ? null : kind)}
          options={KINDS.map((kind) => ({ value: kind, label: VAULT_KIND_WORD[kind] }))}
        />
      </SettingRow>
      {wanted !== null && <VaultChange key={wanted} kind={wanted} vault={vault} onDone={() => setWanted(null)} />}
      <SettingRow
        label={<StateBadge sign={VAULT[vault.state]} />}
        detail={vault.hint ?? `${VAULT_KIND_WORD[vault.kind]}, when last used.`}
        changed={false}
      >
        <Button icon={RotateCw} busy={check.isPending} onClick={() => check.mutate(undefined)}>
          Retry
        </Button>
      </SettingRow>
      {check.error && (
        <div className="p-3">
          <ErrorNotice error={check.error} />
        </div>
      )}
      {isLocked && wanted === null && (
        <div className="border-t border-line p-4">
          {vault.file_exists ? <Unlock /> : <FileVaultForm exists={false} moveKeys={false} onDone={() => {}} />}
        </div>
      )}
    </Card>
  );
}

interface VaultChangeProps {
  kind: VaultKind;
  vault: VaultView;
  onDone: () => void;
}

function VaultChange({ kind, vault, onDone }: VaultChangeProps) {
  const keys = useKeys().data ?? [];
  const [moves, setMoves] = useState(true);
  // Environment variables can be neither written nor removed.
  const canMove = keys.length > 0 && kind !== "env" && vault.kind !== "env" && vault.state === "ready";
  const moveKeys = canMove && moves;
  const cancel = <Button onClick={onDone}>Cancel</Button>;
  return (
    <div className="flex flex-col gap-3 border-b border-line bg-surface-2/60 p-4">
      {canMove && (
        <Tick
          type="checkbox"
          label={`Move ${formatCounted(keys.length, "stored key", "stored keys")}`}
          note="Each is written, read back and compared before the old copy is removed."
          checked={moves}
          onChange={(event) => setMoves(event.target.checked)}
        />
      )}
      {kind === "file" ? (
        <FileVaultForm exists={vault.file_exists} moveKeys={moveKeys} aside={cancel} onDone={onDone} />
      ) : (
        <OtherVault kind={kind} moveKeys={moveKeys} onDone={onDone} />
      )}
    </div>
  );
}

function OtherVault({ kind, moveKeys, onDone }: { kind: VaultKind; moveKeys: boolean; onDone: () => void }) {
  const set = useAction("vaultSet", (call) => call({ kind, passphrase: null, move_keys: moveKeys }));
  return (
    <>
      <ErrorNotice error={set.error} />
      <div className="flex gap-2">
        <Button
          look="primary"
          busy={set.isPending}
          onClick={() =>
            set.mutate(undefined, {
              onSuccess: ({ sentence }) => {
                notify({ title: sentence });
                onDone();
              },
            })
          }
        >
          Use {VAULT_KIND_WORD[kind].replace(/ \(.*/, "").toLowerCase()}
        </Button>
        <Button onClick={onDone}>Cancel</Button>
      </div>
    </>
  );
}

/** The passphrase stays in its field; it is read once and cleared. */
function Unlock() {
  const passphrase = useRef<HTMLInputElement>(null);
  const unlock = useAction("vaultUnlock", (call) => call({ passphrase: passphrase.current?.value ?? "" }));
  return (
    <form
      noValidate
      aria-label="Unlock the vault"
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        unlock.mutate(undefined, {
          onSuccess: () => {
            if (passphrase.current) passphrase.current.value = "";
            notify({ title: "The vault is unlocked" });
          },
        });
      }}
    >
      <Field label="Passphrase" fault={faultOf(unlock.error, "passphrase")}>
        {(control) => (
          <TextInput {...control} ref={passphrase} type="password" autoComplete="off" className="w-full max-w-80" />
        )}
      </Field>
      <ErrorNotice error={faultElsewhere(unlock.error, ["passphrase"])} />
      <div>
        <Button type="submit" look="primary" busy={unlock.isPending}>
          Unlock
        </Button>
      </div>
    </form>
  );
}
