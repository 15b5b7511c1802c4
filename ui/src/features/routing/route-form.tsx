/** A route's settings: what it answers to, how it chooses, where it leads in which order, and behind a disclosure the rest. */
import { FormProvider, useForm, useFormContext, useWatch } from "react-hook-form";
import { CandidateFields } from "@/features/routing/candidate-fields";
import { CACHE_WISHES, CROSSING_WISHES, POLICIES, policyOf } from "@/features/routing/policies";
import { readValues, wrongNumber, ROUTE_FIELDS, WEIGHT_NAMES, type RouteValues } from "@/features/routing/route-values";
import { DisclosureSummary } from "@/components/disclosure-summary";
import { Button } from "@/components/button";
import { ErrorNotice } from "@/components/error-notice";
import { Field, Select, TextInput } from "@/components/field";
import { ShareBar } from "@/components/share-bar";
import { useAction } from "@/ipc/actions";
import type { ApiError, RouteEdit, RouteView } from "@/ipc/bindings";
import { faultElsewhere, faultOf } from "@/lib/fault";

interface RouteFormProps {
  values: RouteValues;
  /** The route that is changed; none makes a new one. */
  replaces: string | null;
  onSaved: (route: RouteView) => void;
}

export function RouteForm({ values, replaces, onSaved }: RouteFormProps) {
  const form = useForm<RouteValues>({ defaultValues: values });
  const save = useAction<RouteEdit, RouteView>(["routes"], (host, req) => {
    const wrong = wrongNumber(req);
    return wrong ? Promise.reject(wrong) : host.routeSet(req);
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
      <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
        <Matching error={save.error} isNew={replaces === null} />
        <Choosing error={save.error} />
        <CandidateFields error={save.error} />
        <More error={save.error} />
        <ErrorNotice error={faultElsewhere(save.error, ROUTE_FIELDS)} />
        <div className="sticky -bottom-4 -mx-5 -mb-4 flex justify-end gap-2 border-t border-line bg-surface-1 px-5 py-3">
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
        label="Answers to"
        help="Model names, with * for any letters; empty takes the name."
        fault={faultOf(error, "models")}
      >
        {(control) => <TextInput {...control} mono placeholder="fast, claude-*" {...register("models")} />}
      </Field>
    </div>
  );
}

function Choosing({ error }: { error: ApiError | null }) {
  const { control, register } = useFormContext<RouteValues>();
  const policy = useWatch({ control, name: "policy" });
  return (
    <>
      <Field label="Chooses" help={policyOf(policy).note} fault={faultOf(error, "policy")}>
        {(given) => (
          <Select {...given} {...register("policy")}>
            {POLICIES.map(({ value, label }) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </Select>
        )}
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
      <legend className="sr-only">What counts how much</legend>
      <div className="grid grid-cols-3 gap-3">
        {WEIGHT_NAMES.map((name) => (
          <Field key={name} label={`${name.charAt(0).toUpperCase()}${name.slice(1)}, %`}>
            {(given) => <TextInput {...given} inputMode="numeric" {...register(`weights.${name}`)} />}
          </Field>
        ))}
      </div>
      <ShareBar
        label="What counts how much"
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

function More({ error }: { error: ApiError | null }) {
  const { register } = useFormContext<RouteValues>();
  return (
    <details className="group border-t border-line pt-3">
      <DisclosureSummary className="rounded-mark text-12 font-medium">For whom, how long, cache</DisclosureSummary>
      <div className="grid grid-cols-2 gap-4 pt-4">
        <Field label="Only for clients" optional help="Empty is for all." fault={faultOf(error, "clients")}>
          {(given) => <TextInput {...given} mono {...register("clients")} />}
        </Field>
        <Field label="Only for projects" optional help="Empty is for all." fault={faultOf(error, "projects")}>
          {(given) => <TextInput {...given} mono {...register("projects")} />}
        </Field>
        <Field
          label="A conversation stays, minutes"
          optional
          help="While the provider still has its prompt in its cache; empty is not at all."
          fault={faultOf(error, "sticky_secs")}
        >
          {(given) => <TextInput {...given} inputMode="decimal" {...register("sticky_minutes")} />}
        </Field>
        <Field label="Answers from the cache" fault={faultOf(error, "cache")}>
          {(given) => (
            <Select {...given} {...register("cache")}>
              <option value="">As the request or its client says</option>
              {CACHE_WISHES.map(({ value, label }) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field label="Fields a backend has no word for" fault={faultOf(error, "crossing")}>
          {(given) => (
            <Select {...given} {...register("crossing")}>
              <option value="">As the backend says</option>
              {CROSSING_WISHES.map(({ value, label }) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </Select>
          )}
        </Field>
      </div>
    </details>
  );
}
