/**
 * Exports or imports the keys. The passphrase stays in its fields; it is read once and cleared. An export asks for it
 * twice, and for a word, since keys leave the vault.
 */
import { useRef, useState } from "react";
import { Button } from "@/components/button/button";
import { Dialog, DialogBody, DialogFoot } from "@/components/overlay/dialog";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Field, TextInput } from "@/components/form/field";
import { notify } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { ApiError } from "@/ipc/bindings";
import { faultElsewhere, faultOf } from "@/lib/fault";
import { formatCounted } from "@/lib/quantity";

const FIELDS = ["path", "passphrase", "repeated"] as const;
const WORD = "export";

interface SecretsDialogProps {
  way: "export" | "import";
  onClose: () => void;
}

export function SecretsDialog({ way, onClose }: SecretsDialogProps) {
  const passphrase = useRef<HTMLInputElement>(null);
  const repeated = useRef<HTMLInputElement>(null);
  const [path, setPath] = useState("");
  const [word, setWord] = useState("");
  const isExport = way === "export";
  const exported = useAction("secretsExport", (call) => {
    const typed = passphrase.current?.value ?? "";
    const wrong: ApiError | null =
      repeated.current?.value === typed
        ? null
        : { code: "invalid_input", message: "The passphrases do not match.", hint: null, field: "repeated" };
    return wrong ? Promise.reject(wrong) : call({ path, passphrase: typed });
  });
  const imported = useAction("secretsImport", (call) =>
    call({ path, passphrase: passphrase.current?.value ?? "", on_conflict: "skip" }),
  );
  const error = isExport ? exported.error : imported.error;
  const clear = () => {
    for (const { current } of [passphrase, repeated]) if (current) current.value = "";
    onClose();
  };
  const submit = () => {
    if (isExport)
      exported.mutate(undefined, {
        onSuccess: (made) => {
          clear();
          notify({ title: `${formatCounted(made.keys.length, "key", "keys")} exported`, detail: made.path });
        },
      });
    else
      imported.mutate(undefined, {
        onSuccess: ({ imported: brought, same, kept, unknown }) => {
          clear();
          const rest = [
            same.length > 0 && `the same already: ${same.join(", ")}`,
            kept.length > 0 && `kept as here: ${kept.join(", ")}`,
            unknown.length > 0 && `named by no settings: ${unknown.join(", ")}`,
          ].filter((part) => part !== false);
          notify({ title: `${formatCounted(brought.length, "key", "keys")} imported`, detail: rest.join("; ") });
        },
      });
  };
  return (
    <Dialog open onClose={clear} title={isExport ? "Export keys" : "Import keys"}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <DialogBody className="flex flex-col gap-3">
          <Field
            label="File"
            help={isExport ? "The whole path of a new file." : "The whole path of an exported file."}
            fault={faultOf(error, "path")}
          >
            {(control) => (
              <TextInput {...control} mono value={path} onChange={(event) => setPath(event.target.value)} />
            )}
          </Field>
          <Field label="Passphrase" fault={faultOf(error, "passphrase")}>
            {(control) => <TextInput {...control} ref={passphrase} type="password" autoComplete="new-password" />}
          </Field>
          {isExport && (
            <>
              <Field label="Repeat passphrase" fault={faultOf(error, "repeated")}>
                {(control) => <TextInput {...control} ref={repeated} type="password" autoComplete="new-password" />}
              </Field>
              <Field
                label="Confirm"
                help={`Whoever has the file and the passphrase can use your keys. Type "${WORD}" to continue.`}
              >
                {(control) => <TextInput {...control} value={word} onChange={(event) => setWord(event.target.value)} />}
              </Field>
            </>
          )}
          <ErrorNotice error={faultElsewhere(error, FIELDS)} />
        </DialogBody>
        <DialogFoot>
          <Button onClick={clear}>Cancel</Button>
          <Button
            type="submit"
            look="primary"
            busy={exported.isPending || imported.isPending}
            disabled={path.trim() === "" || (isExport && word !== WORD)}
          >
            {isExport ? "Export" : "Import"}
          </Button>
        </DialogFoot>
      </form>
    </Dialog>
  );
}
