/** A backend's kind and address, with its deviations in a disclosure. Shared by adding and editing. */
import type { ReactNode } from "react";
import { useFormContext, useWatch } from "react-hook-form";
import { KINDS, sayDiffering, type Differing } from "@/features/backends/dialects";
import { DisclosureSummary } from "@/components/layout/disclosure-summary";
import { Field, TextInput } from "@/components/form/field";
import { FormSelect } from "@/components/form/form-select";
import { Tick } from "@/components/form/tick";
import type { ApiError, BackendKind } from "@/ipc/bindings";
import { faultOf } from "@/lib/fault";
import { EXTRA_DIALECTS, TRANSLATION_MODES, UNSUPPORTED_FEATURES } from "@/lib/form-tables";

/** The form values that these fields use. */
export interface KindValues extends Differing {
  kind: BackendKind;
  base_url: string;
}

export function KindAndAddress({ error }: { error: ApiError | null }) {
  const { control, register } = useFormContext<KindValues>();
  const kind = useWatch({ control, name: "kind" });
  const word = KINDS.find(({ value }) => value === kind);
  return (
    <>
      <Field label="Kind" help={word?.note} fault={faultOf(error, "kind")}>
        {(given) => <FormSelect<KindValues> {...given} name="kind" options={KINDS} />}
      </Field>
      <Field label="Address" help={word?.address} fault={faultOf(error, "base_url")}>
        {(given) => <TextInput {...given} mono placeholder="https://" {...register("base_url")} />}
      </Field>
    </>
  );
}

export function Advanced() {
  const { control, register } = useFormContext<KindValues>();
  const [kind, lacks, offers, crossing] = useWatch({ control, name: ["kind", "lacks", "offers", "crossing"] });
  const isCompatible = kind === "openai-compatible";
  const differing = sayDiffering(isCompatible ? { lacks, offers, crossing } : { lacks: [], offers: [], crossing });
  return (
    <details className="group border-t border-line pt-3">
      <DisclosureSummary className="rounded-mark text-12">
        <span className="font-medium text-ink-1">Advanced</span>
        {differing !== null && (
          <span className="min-w-0 truncate text-ink-3 group-open:hidden" title={differing}>
            {differing}
          </span>
        )}
      </DisclosureSummary>
      <div className="flex flex-col gap-5 pt-4">
        {isCompatible && (
          <>
            <Group legend="Not supported">
              {UNSUPPORTED_FEATURES.map(({ value, label, note }) => (
                <Tick key={value} type="checkbox" value={value} label={label} note={note} {...register("lacks")} />
              ))}
            </Group>
            <Group legend="Also supports">
              {EXTRA_DIALECTS.map(({ value, label, note }) => (
                <Tick key={value} type="checkbox" value={value} label={label} note={note} {...register("offers")} />
              ))}
            </Group>
          </>
        )}
        <Group legend="Unsupported fields">
          {TRANSLATION_MODES.map(({ value, label, note }) => (
            <Tick key={value} type="radio" value={value} label={label} note={note} {...register("crossing")} />
          ))}
        </Group>
      </div>
    </details>
  );
}

function Group({ legend, children }: { legend: string; children: ReactNode }) {
  return (
    <fieldset>
      <legend className="mb-2 text-12 font-medium text-ink-1">{legend}</legend>
      <div className="grid gap-x-6 gap-y-2.5 sm:grid-cols-2">{children}</div>
    </fieldset>
  );
}
