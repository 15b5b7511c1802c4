/**
 * Switches to an encrypted file as the vault. A new file's passphrase is entered twice, since a typo would create a
 * file that nobody can open. The passphrase stays in its fields; it is read once and cleared.
 */
import { useRef, useState, type ReactNode } from "react";
import { Button } from "@/components/button/button";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Field, TextInput } from "@/components/form/field";
import { notify } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { ApiError } from "@/ipc/bindings";
import { faultElsewhere, faultOf } from "@/lib/fault";
import { passphraseHint } from "@/lib/passphrase";

const FIELDS = ["passphrase", "repeated"] as const;

interface FileVaultFormProps {
  /** The file exists: the passphrase opens it. */
  exists: boolean;
  moveKeys: boolean;
  /** Shown beside the button. */
  aside?: ReactNode;
  onDone: () => void;
}

export function FileVaultForm({ exists, moveKeys, aside, onDone }: FileVaultFormProps) {
  const passphrase = useRef<HTMLInputElement>(null);
  const repeated = useRef<HTMLInputElement>(null);
  const [hint, setHint] = useState(passphraseHint(""));
  const set = useAction("vaultSet", (call) => {
    const typed = passphrase.current?.value ?? "";
    const wrong: ApiError | null =
      exists || repeated.current?.value === typed
        ? null
        : { code: "invalid_input", message: "The passphrases do not match.", hint: null, field: "repeated" };
    return wrong ? Promise.reject(wrong) : call({ kind: "file", passphrase: typed, move_keys: moveKeys });
  });
  const submit = () =>
    set.mutate(undefined, {
      onSuccess: ({ sentence }) => {
        for (const { current } of [passphrase, repeated]) if (current) current.value = "";
        notify({ title: sentence });
        onDone();
      },
    });
  return (
    <form
      noValidate
      aria-label="Encrypted key file"
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <div className="grid gap-3 @min-[480px]:grid-cols-2">
        <Field label="Passphrase" help={exists ? undefined : hint} fault={faultOf(set.error, "passphrase")}>
          {(control) => (
            <TextInput
              {...control}
              ref={passphrase}
              type="password"
              autoComplete="new-password"
              onInput={(event) => setHint(passphraseHint(event.currentTarget.value))}
            />
          )}
        </Field>
        {!exists && (
          <Field label="Repeat passphrase" fault={faultOf(set.error, "repeated")}>
            {(control) => <TextInput {...control} ref={repeated} type="password" autoComplete="new-password" />}
          </Field>
        )}
      </div>
      <ErrorNotice error={faultElsewhere(set.error, FIELDS)} />
      <div className="flex items-center gap-2">
        <Button type="submit" look="primary" busy={set.isPending}>
          {exists ? "Use encrypted file" : "Create encrypted file"}
        </Button>
        {aside}
      </div>
    </form>
  );
}
