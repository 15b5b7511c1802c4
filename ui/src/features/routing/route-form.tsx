/** A route's settings: model names, policy, backends in order, and the rest behind a disclosure. */
import { FormProvider, useForm, useFormContext, useWatch } from "react-hook-form";
import { CandidateFields } from "@/features/routing/candidate-fields";
import { policyOf } from "@/features/routing/policies";
import { readValues, wrongNumber, ROUTE_FIELDS, WEIGHT_NAMES, type RouteValues } from "@/features/routing/route-values";
import { DisclosureSummary } from "@/components/layout/disclosure-summary";
import { Button } from "@/components/button/button";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Field, TextInput } from "@/components/form/field";
import { FormSelect } from "@/components/form/form-select";
import { ShareBar } from "@/components/chart/share-bar";
import { useAction } from "@/ipc/actions";
import type { ApiError, RouteEdit, RouteView } from "@/ipc/bindings";
import { faultElsewhere, faultOf } from "@/lib/fault";
import { CACHE_MODES, POLICIES, TRANSLATION_MODES, type FormChoice } from "@/lib/form-tables";

interface RouteFormProps {
  values: RouteValues;
  /** The id of the edited route; `null` for a new one. */
  replaces: string | null;
  onSaved: (route: RouteView) => void;
}

export function RouteForm({ values, replaces, onSaved }: RouteFormProps) {
  const form = useForm<RouteValues>({ defaultValues: values });
  const save = useAction("routeSet", (call, req: RouteEdit) => {
    const wrong = wrongNumber(req);
    return wrong ? Promise.reject(wrong) : call(req);
  });
  const submit = form.handleSubmit((typed) =>
    save.mutate(readValues(typed, replaces), {
      onSuccess: (route) => {
        form.reset(typed);
        onSaved(route);
      },
    }),
  );
  const { isDirty } = form.formState;
  return (
    <FormProvider {...form}>
      <form noValidate onSubmit={(event) => void submit(event)} className="flex min-h-full flex-col gap-4">
        <Matching error={save.error} isNew={replaces === null} />
        <Choosing error={save.error} />
        <CandidateFields error={save.error} />
        <More error={save.error} />
        <ErrorNotice error={faultElsewhere(save.error, ROUTE_FIELDS)} />
        <div className="sticky -bottom-4 -mx-5 mt-auto -mb-4 flex justify-end gap-2 rounded-b-card border-t border-line bg-surface-1 px-5 py-3">
          {replaces !== null && (
            <Button disabled={!isDirty} onClick={() => form.reset()}>
              Discard
            </Button>
          )}
          <Button type="submit" look="primary" busy={save.isPending} disabled={!isDirty && replaces !== null}>
            {replaces === null ? "Add route" : "Save"}
          </Button>
        </div>
      </form>
    </FormProvider>
  );
}

function Matching({ error, isNew }: { error: ApiError | null; isNew: boolean }) {
  const { register } = useFormContext<RouteValues>();
  return (
    <div className="grid grid-cols-[1fr_2fr] gap-3">
      <Field label="Name" fault={faultOf(error, "id")}>
        {(control) => (
          <TextInput {...control} {...(isNew ? { "data-autofocus": true } : {})} mono {...register("id")} />
        )}
      </Field>
      <Field
        label="Model names"
        help="* matches anything. Defaults to the route's name."
        fault={faultOf(error, "models")}
      >
        {(control) => <TextInput {...control} mono placeholder="fast, claude-*" {...register("models")} />}
      </Field>
    </div>
  );
}

function Choosing({ error }: { error: ApiError | null }) {
  const { control } = useFormContext<RouteValues>();
  const policy = useWatch({ control, name: "policy" });
  return (
    <>
      <Field label="Policy" help={policyOf(policy).note} fault={faultOf(error, "policy")}>
        {(given) => <FormSelect<RouteValues> {...given} name="policy" options={POLICIES} />}
      </Field>
      {policy === "balanced" && <Weights error={error} />}
    </>
  );
}

const WEIGHT_COLOURS = { latency: "var(--series-1)", cost: "var(--series-2)", headroom: "var(--series-4)" };

function Weights({ error }: { error: ApiError | null }) {
  const { control, register } = useFormContext<RouteValues>();
  const typed = useWatch({ control, name: "weights" });
  const fault = faultOf(error, "weights");
  return (
    <fieldset className="flex flex-col gap-2 rounded-control border border-line p-3">
      <legend className="sr-only">Weights</legend>
      <div className="grid grid-cols-3 gap-3">
        {WEIGHT_NAMES.map((name) => (
          <Field key={name} label={`${name.charAt(0).toUpperCase()}${name.slice(1)}, %`}>
            {(given) => <TextInput {...given} inputMode="numeric" {...register(`weights.${name}`)} />}
          </Field>
        ))}
      </div>
      <ShareBar
        label="Weights"
        shares={WEIGHT_NAMES.map((name) => ({
          key: name,
          label: name,
          percent: Number(typed[name]) || 0,
          colour: WEIGHT_COLOURS[name],
        }))}
      />
      {fault !== null && (
        <p role="alert" className="text-12 text-bad">
          {fault}
        </p>
      )}
    </fieldset>
  );
}

function noteOf<Value>(choices: readonly FormChoice<Value>[], chosen: Value | ""): string | undefined {
  return choices.find(({ value }) => value === chosen)?.note;
}

function More({ error }: { error: ApiError | null }) {
  const { control, register } = useFormContext<RouteValues>();
  const [cache, crossing] = useWatch({ control, name: ["cache", "crossing"] });
  return (
    <details className="group border-t border-line pt-3">
      <DisclosureSummary className="rounded-mark text-12 font-medium">Scope, stickiness and caching</DisclosureSummary>
      <div className="grid grid-cols-2 gap-4 pt-4">
        <Field label="Clients" optional help="Leave empty for all." fault={faultOf(error, "clients")}>
          {(given) => <TextInput {...given} mono {...register("clients")} />}
        </Field>
        <Field label="Projects" optional help="Leave empty for all." fault={faultOf(error, "projects")}>
          {(given) => <TextInput {...given} mono {...register("projects")} />}
        </Field>
        <Field
          label="Stickiness, minutes"
          optional
          help="Keeps a conversation on one backend, for its prompt cache. Leave empty for none."
          fault={faultOf(error, "sticky_secs")}
        >
          {(given) => <TextInput {...given} inputMode="decimal" {...register("sticky_minutes")} />}
        </Field>
        <Field label="Response cache" help={noteOf(CACHE_MODES, cache)} fault={faultOf(error, "cache")}>
          {(given) => (
            <FormSelect<RouteValues>
              {...given}
              name="cache"
              options={[{ value: "", label: "Set by the request or client" }, ...CACHE_MODES]}
            />
          )}
        </Field>
        <Field label="Unsupported fields" help={noteOf(TRANSLATION_MODES, crossing)} fault={faultOf(error, "crossing")}>
          {(given) => (
            <FormSelect<RouteValues>
              {...given}
              name="crossing"
              options={[{ value: "", label: "Set by the backend" }, ...TRANSLATION_MODES]}
            />
          )}
        </Field>
      </div>
    </details>
  );
}
