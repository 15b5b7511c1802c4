/** Adds a key. The field recognises the provider and suggests the names and the allowed host. */
import { useRef, useState } from "react";
import { useForm } from "react-hook-form";
import { AddOAuthKeyForm } from "@/features/keys/add-oauth-key";
import { Choice } from "@/components/form/choice";
import { Dialog, DialogBody, SubmitFoot } from "@/components/overlay/dialog";
import { ErrorNotice } from "@/components/notice/error-notice";
import { SecretField } from "@/components/form/secret-field";
import { notify } from "@/components/overlay/toast";
import { KeyNameFields } from "@/features/keys/key-name-fields";
import { useAction } from "@/ipc/actions";
import { usePresets } from "@/ipc/queries";
import { faultElsewhere, faultOf } from "@/lib/fault";
import type { SecretFindings } from "@/lib/pasted-secret";
import { textOrNull } from "@/lib/text";

interface AddKeyValues {
  id: string;
  label: string;
  url: string;
}

const FIELDS = ["id", "label", "secret", "url"] as const;

export function AddKeyDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog open={open} onClose={onClose} title="Add key">
      <KindOfKey onClose={onClose} />
    </Dialog>
  );
}

const KINDS = [
  { value: "plain", label: "API key" },
  { value: "oauth", label: "OAuth" },
] as const;

function KindOfKey({ onClose }: { onClose: () => void }) {
  const [kind, setKind] = useState<(typeof KINDS)[number]["value"]>("plain");
  return (
    <>
      <div className="px-5 pt-4">
        <Choice label="Kind of key" options={KINDS} value={kind} onChange={setKind} />
      </div>
      {kind === "plain" ? <AddKeyForm onClose={onClose} /> : <AddOAuthKeyForm onClose={onClose} />}
    </>
  );
}

function AddKeyForm({ onClose }: { onClose: () => void }) {
  const secret = useRef<HTMLInputElement>(null);
  const presets = usePresets().data ?? [];
  const form = useForm<AddKeyValues>({ defaultValues: { id: "", label: "", url: "" } });
  const add = useAction("keyAdd", (call, values: AddKeyValues) =>
    call({
      id: values.id.trim(),
      label: values.label.trim(),
      url: textOrNull(values.url),
      secret: secret.current?.value.trim() ?? "",
    }),
  );
  const propose = ({ providers: [provider, ...others] }: SecretFindings) => {
    if (provider === undefined || others.length > 0) return;
    const { dirtyFields } = form.formState;
    if (!dirtyFields.id) form.setValue("id", provider.id);
    if (!dirtyFields.label) form.setValue("label", provider.label);
    if (!dirtyFields.url) form.setValue("url", provider.base_url);
  };
  const send = (values: AddKeyValues) =>
    add.mutate(values, {
      onSuccess: (key) => {
        if (secret.current) secret.current.value = "";
        onClose();
        notify({ title: `Added the ${key.label} key`, detail: "Verify it, or use it for a backend." });
      },
    });
  // Read here, so that the form tracks what the user has typed.
  void form.formState.dirtyFields;
  return (
    <form noValidate onSubmit={(event) => void form.handleSubmit(send)(event)} className="flex min-h-0 flex-col">
      <DialogBody className="flex flex-col gap-4">
        <SecretField
          label="API key"
          ref={secret}
          presets={presets}
          fault={faultOf(add.error, "secret")}
          onFindings={propose}
        />
        <KeyNameFields
          register={(name) => form.register(name)}
          hostHelp="Leave empty to lock it to the first backend that uses it."
          error={add.error}
        />
        <ErrorNotice error={faultElsewhere(add.error, FIELDS)} />
      </DialogBody>
      <SubmitFoot onCancel={onClose} busy={add.isPending}>
        Add key
      </SubmitFoot>
    </form>
  );
}
