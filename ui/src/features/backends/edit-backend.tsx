/** A backend's settings. The core refuses keys that are locked to another host, which the form says before saving. */
import { FormProvider, useForm } from "react-hook-form";
import { differingOf } from "@/features/backends/dialects";
import { Advanced, KindAndAddress, type KindValues } from "@/features/backends/kind-fields";
import { KeyPool, poolValues, readPool, type PoolValues } from "@/features/backends/key-pool";
import { DiscardAndSave } from "@/components/form/discard-and-save";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Field, TextInput } from "@/components/form/field";
import { LIMITS, LimitsFields, limitTexts, readLimits, type LimitTexts } from "@/components/form/limits-fields";
import { notify } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { BackendView } from "@/ipc/bindings";
import { faultElsewhere, faultOf } from "@/lib/fault";

interface EditValues extends KindValues, LimitTexts {
  label: string;
  pool: PoolValues;
  models: string;
}

const FIELDS = [
  "label",
  "kind",
  "base_url",
  "key",
  "credential",
  "pool",
  "members",
  "models",
  ...LIMITS.map((limit) => limit.name),
] as const;

export function parseModels(text: string): string[] {
  return text.split(/[\s,]+/).filter((model) => model !== "");
}

export function EditBackend({ backend }: { backend: BackendView }) {
  const form = useForm<EditValues>({
    defaultValues: {
      label: backend.label,
      kind: backend.kind,
      base_url: backend.base_url ?? "",
      lacks: backend.lacks,
      offers: backend.offers,
      crossing: backend.crossing,
      pool: poolValues(backend.pool),
      limits: limitTexts(backend.limits),
      models: backend.declared_models.join("\n"),
    },
  });
  const { dirtyFields } = form.formState;
  const save = useAction("backendEdit", (call, values: EditValues) => {
    const limits = readLimits(values.limits);
    if ("code" in limits) return Promise.reject(limits);
    // Unchanged keys are left to the core.
    const pool = dirtyFields.pool === undefined ? null : readPool(values.pool);
    if (pool !== null && "code" in pool) return Promise.reject(pool);
    return call({
      id: backend.id,
      label: values.label.trim(),
      kind: values.kind,
      base_url: values.base_url.trim(),
      credential: pool === null ? backend.credential : (pool.members[0]?.credential ?? null),
      pool,
      limits,
      models: parseModels(values.models),
      ...differingOf(values.kind, values, backend),
    });
  });
  const submit = form.handleSubmit((values) =>
    save.mutate(values, {
      onSuccess: () => {
        form.reset(values);
        notify({ title: `Saved ${backend.label}`, detail: "Takes effect with the next request." });
      },
    }),
  );
  return (
    <FormProvider {...form}>
      <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
        <Field label="Display name" fault={faultOf(save.error, "label")}>
          {(control) => <TextInput {...control} {...form.register("label")} />}
        </Field>
        <KindAndAddress error={save.error} />
        <KeyPool error={save.error} />
        <Field label="Models" help="One per line. Leave empty to fetch the list." fault={faultOf(save.error, "models")}>
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
        <fieldset>
          <legend className="mb-2 text-12 font-medium">Limits</legend>
          <LimitsFields error={save.error} />
        </fieldset>
        <Advanced />
        <ErrorNotice error={faultElsewhere(save.error, FIELDS)} />
        <div className="flex justify-end gap-2">
          <DiscardAndSave onDiscard={() => form.reset()} saving={save.isPending} unchanged={!form.formState.isDirty} />
        </div>
      </form>
    </FormProvider>
  );
}
