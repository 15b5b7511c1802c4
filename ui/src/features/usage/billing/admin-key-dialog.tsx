/** Adds the key that reads a provider's cost reports. No request is ever sent with it. */
import { useRef, type FormEvent } from "react";
import { Dialog, DialogBody, SubmitFoot } from "@/components/overlay/dialog";
import { ErrorNotice } from "@/components/notice/error-notice";
import { SecretField } from "@/components/form/secret-field";
import { notify } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { DriftProviderView } from "@/ipc/bindings";
import { faultElsewhere, faultOf } from "@/lib/fault";

interface AdminKeyDialogProps {
  provider: DriftProviderView;
  onClose: () => void;
}

export function AdminKeyDialog({ provider: { provider, label }, onClose }: AdminKeyDialogProps) {
  const secret = useRef<HTMLInputElement>(null);
  const add = useAction("keyAdd", (call) =>
    call({
      id: `${provider}-admin`,
      label: `${label} admin`,
      secret: secret.current?.value.trim() ?? "",
      url: null,
      billing: provider,
    }),
  );
  const send = (event: FormEvent) => {
    event.preventDefault();
    add.mutate(undefined, {
      onSuccess: () => {
        if (secret.current) secret.current.value = "";
        notify({ title: `Added the admin key of ${label}`, detail: "Reconcile to read its cost report." });
        onClose();
      },
    });
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Admin key of ${label}`}
      description="It reads cost reports and nothing else: no request is sent with it. It is stored like every key."
    >
      <form noValidate onSubmit={send} className="flex min-h-0 flex-col">
        <DialogBody className="flex flex-col gap-4">
          <SecretField label="Admin key" ref={secret} presets={[]} fault={faultOf(add.error, "secret")} />
          <ErrorNotice error={faultElsewhere(add.error, ["secret"])} />
        </DialogBody>
        <SubmitFoot onCancel={onClose} busy={add.isPending}>
          Add key
        </SubmitFoot>
      </form>
    </Dialog>
  );
}
