/** A backend's own settings. Another origin detaches its key, which the form says before it happens. */
import { FormProvider, useForm, useWatch } from "react-hook-form";
import { differingOf } from "@/features/backends/dialects";
import { Advanced, KindAndAddress, type KindValues } from "@/features/backends/kind-fields";
import { Button } from "@/components/button";
import { ErrorNotice } from "@/components/error-notice";
import { Field, Select, TextInput } from "@/components/field";
import { Notice } from "@/components/notice";
import { notify } from "@/components/toast";
import { useAction } from "@/ipc/actions";
import type { BackendEdit, BackendView } from "@/ipc/bindings";
import { useKeys } from "@/ipc/queries";
import { faultElsewhere, faultOf } from "@/lib/fault";

interface EditValues extends KindValues {
  label: string;
  credential: string;
  models: string;
}

const FIELDS = ["label", "kind", "base_url", "credential", "models"] as const;

export function parseModels(text: string): string[] {
  return text.split(/[\s,]+/).filter((model) => model !== "");
}

export function EditBackend({ backend }: { backend: BackendView }) {
  const keys = useKeys().data ?? [];
  const form = useForm<EditValues>({
    defaultValues: {
      label: backend.label,
      kind: backend.kind,
      base_url: backend.base_url ?? "",
      lacks: backend.lacks,
      offers: backend.offers,
      crossing: backend.crossing,
      credential: backend.credential ?? "",
      models: backend.declared_models.join("\n"),
    },
  });
  const save = useAction(["backends", "keys", "status"], (host, req: BackendEdit) => host.backendEdit(req));
  const address = useWatch({ control: form.control, name: "base_url" });
  const moves = backend.credential !== null && address !== (backend.base_url ?? "");
  const submit = form.handleSubmit((values) =>
    save.mutate(
      {
        id: backend.id,
        label: values.label.trim(),
        kind: values.kind,
        base_url: values.base_url.trim(),
        credential: values.credential === "" ? null : values.credential,
        models: parseModels(values.models),
        ...differingOf(values.kind, values, backend),
      },
      {
        onSuccess: () => {
          form.reset(values);
          notify({ title: `${backend.label} was saved`, detail: "It holds for the next request." });
        },
      },
    ),
  );
  return (
    <FormProvider {...form}>
      <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
        <Field label="Name for people" fault={faultOf(save.error, "label")}>
          {(control) => <TextInput {...control} {...form.register("label")} />}
        </Field>
        <KindAndAddress error={save.error} />
        {moves && (
          <Notice tone="warn" title="Another origin detaches the key.">
            A key may only be sent to the place it was given for. After saving, choose a key for the new place.
          </Notice>
        )}
        <Field label="Key" fault={faultOf(save.error, "credential")}>
          {(control) => (
            <Select {...control} {...form.register("credential")}>
              <option value="">None</option>
              {keys.map((key) => (
                <option key={key.id} value={key.id}>
                  {key.label} ({key.id})
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field
          label="Models"
          help="One a line. Leave it empty to ask the backend."
          fault={faultOf(save.error, "models")}
        >
          {(control) => (
            <textarea
              {...control}
              {...form.register("models")}
              rows={5}
              spellCheck={false}
              className="w-full resize-y rounded-control border border-line-strong/70 bg-field px-2.5 py-2 font-mono text-12 leading-5"
            />
          )}
        </Field>
        <Advanced />
        <ErrorNotice error={faultElsewhere(save.error, FIELDS)} />
        <div className="flex justify-end gap-2">
          <Button disabled={!form.formState.isDirty} onClick={() => form.reset()}>
            Discard
          </Button>
          <Button type="submit" look="primary" busy={save.isPending} disabled={!form.formState.isDirty}>
            Save
          </Button>
        </div>
      </form>
    </FormProvider>
  );
}
