/** Where keys are kept, how that is now, and the passphrase where there is one. */
import { RotateCw } from "lucide-react";
import { useRef } from "react";
import { SettingRow } from "@/features/settings/setting-row";
import { useSettingsChange } from "@/features/settings/desktop-parts";
import { Button } from "@/components/button";
import { Card } from "@/components/card";
import { ErrorNotice } from "@/components/error-notice";
import { Field, Select, TextInput } from "@/components/field";
import { StateBadge } from "@/components/state-mark";
import { notify } from "@/components/toast";
import { useAction } from "@/ipc/actions";
import type { SettingsView, VaultKindView } from "@/ipc/bindings";
import { faultElsewhere, faultOf } from "@/lib/fault";
import { VAULT, VAULT_KIND_WORD } from "@/lib/states";

const KINDS = Object.keys(VAULT_KIND_WORD) as VaultKindView[];

export function VaultPart({ settings }: { settings: SettingsView }) {
  const change = useSettingsChange(settings);
  const check = useAction(["settings", "keys", "status"], (host) => host.vaultCheck());
  const { vault, values, defaults } = settings;
  return (
    <Card title="Vault" flush>
      <SettingRow
        label={<label htmlFor="vault-kind">Where keys are kept</label>}
        detail="Keys are not moved when this changes: put them in again there."
        changed={values.vault_kind !== defaults.vault_kind}
      >
        <Select
          id="vault-kind"
          className="w-52"
          value={values.vault_kind}
          disabled={!settings.valid}
          onChange={(event) =>
            change({ vault_kind: KINDS.find((kind) => kind === event.target.value) ?? values.vault_kind })
          }
        >
          {KINDS.map((kind) => (
            <option key={kind} value={kind}>
              {VAULT_KIND_WORD[kind]}
            </option>
          ))}
        </Select>
      </SettingRow>
      <SettingRow
        label={<StateBadge sign={VAULT[vault.state]} />}
        detail={vault.hint ?? `${VAULT_KIND_WORD[vault.kind]}, as of the last call.`}
        changed={false}
      >
        <Button icon={RotateCw} busy={check.isPending} onClick={() => check.mutate(undefined)}>
          Ask again
        </Button>
      </SettingRow>
      {check.error && (
        <div className="p-3">
          <ErrorNotice error={check.error} />
        </div>
      )}
      {vault.kind === "file" && vault.state !== "ready" && <Unlock />}
    </Card>
  );
}

/** The passphrase stays in its field, is read once and cleared. */
function Unlock() {
  const passphrase = useRef<HTMLInputElement>(null);
  const unlock = useAction(["settings", "keys", "status"], (host) =>
    host.vaultUnlock({ passphrase: passphrase.current?.value ?? "" }),
  );
  return (
    <form
      noValidate
      className="flex flex-col gap-3 border-t border-line p-4"
      onSubmit={(event) => {
        event.preventDefault();
        unlock.mutate(undefined, {
          onSuccess: () => {
            if (passphrase.current) passphrase.current.value = "";
            notify({ title: "The vault is open" });
          },
        });
      }}
    >
      <Field
        label="Passphrase"
        help="Makes the encrypted file when there is none yet. It cannot be recovered."
        fault={faultOf(unlock.error, "passphrase")}
      >
        {(control) => (
          <TextInput {...control} ref={passphrase} type="password" autoComplete="off" className="w-full max-w-80" />
        )}
      </Field>
      <ErrorNotice error={faultElsewhere(unlock.error, ["passphrase"])} />
      <div>
        <Button type="submit" look="primary" busy={unlock.isPending}>
          Open the vault
        </Button>
      </div>
    </form>
  );
}
