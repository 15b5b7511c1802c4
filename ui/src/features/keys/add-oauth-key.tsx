/** The form of a key that is refreshed: its secret is exchanged for access tokens at a token endpoint. */
import { useRef, useState } from "react";
import { useForm } from "react-hook-form";
import { Choice } from "@/components/form/choice";
import { DialogBody, SubmitFoot } from "@/components/overlay/dialog";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Field, TextInput } from "@/components/form/field";
import { SecretField } from "@/components/form/secret-field";
import { notify } from "@/components/overlay/toast";
import { KeyNameFields } from "@/features/keys/key-name-fields";
import { useAction } from "@/ipc/actions";
import type { OAuthGrant } from "@/ipc/bindings";
import { faultElsewhere, faultOf } from "@/lib/fault";
import { textOrNull } from "@/lib/text";

const GRANTS = [
  { value: "refresh_token", label: "Refresh token" },
  { value: "client_credentials", label: "Client credentials" },
] as const;

const FIELDS = ["id", "label", "secret", "url", "token_url", "client_id", "scope"] as const;
const EMPTY = { id: "", label: "", url: "", tokenUrl: "", clientId: "", scope: "" };

export function AddOAuthKeyForm({ onClose }: { onClose: () => void }) {
  const secret = useRef<HTMLInputElement>(null);
  const clientSecret = useRef<HTMLInputElement>(null);
  const [grant, setGrant] = useState<OAuthGrant>("refresh_token");
  const form = useForm({ defaultValues: EMPTY });
  const add = useAction("keyOauthAdd", (call, values: typeof EMPTY) =>
    call({
      id: values.id.trim(),
      label: values.label.trim(),
      url: textOrNull(values.url),
      token_url: values.tokenUrl.trim(),
      client_id: values.clientId.trim(),
      grant,
      scope: textOrNull(values.scope),
      secret: secret.current?.value.trim() ?? "",
      client_secret: textOrNull(clientSecret.current?.value ?? ""),
    }),
  );
  const send = (values: typeof EMPTY) =>
    add.mutate(values, {
      onSuccess: (key) => {
        for (const input of [secret.current, clientSecret.current]) if (input) input.value = "";
        onClose();
        notify({ title: `Added the ${key.label} key`, detail: "It is refreshed by itself from now on." });
      },
    });
  return (
    <form noValidate onSubmit={(event) => void form.handleSubmit(send)(event)} className="flex min-h-0 flex-col">
      <DialogBody className="flex flex-col gap-4">
        <Field
          label="Token endpoint"
          help="The secret goes there alone, to be exchanged for access tokens."
          fault={faultOf(add.error, "token_url")}
        >
          {(control) => <TextInput {...control} mono placeholder="https://" {...form.register("tokenUrl")} />}
        </Field>
        <div className="flex flex-col items-start gap-1.5">
          <span className="text-12 font-medium text-ink-2">Grant</span>
          <Choice label="Grant" options={GRANTS} value={grant} onChange={setGrant} />
        </div>
        <div className="grid grid-cols-2 gap-4">
          <Field label="Client ID" fault={faultOf(add.error, "client_id")}>
            {(control) => <TextInput {...control} mono {...form.register("clientId")} />}
          </Field>
          <Field label="Scope" optional fault={faultOf(add.error, "scope")}>
            {(control) => <TextInput {...control} mono {...form.register("scope")} />}
          </Field>
        </div>
        <SecretField
          label={grant === "refresh_token" ? "Refresh token" : "Client secret"}
          ref={secret}
          presets={null}
          fault={faultOf(add.error, "secret")}
        />
        {grant === "refresh_token" && <SecretField label="Client secret" optional ref={clientSecret} presets={null} />}
        <KeyNameFields
          register={(name) => form.register(name)}
          hostHelp="Access tokens go there alone. Leave empty for the first backend that uses the key."
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
