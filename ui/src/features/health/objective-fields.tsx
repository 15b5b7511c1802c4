/** The numbers of an objective: a goal over a time, and the longest time to a first token. */
import type { UseFormReturn } from "react-hook-form";
import { Field, TextInput } from "@/components/form/field";
import { FormSelect } from "@/components/form/form-select";
import type { ObjectiveTarget, ServiceGoal, ServicePeriod } from "@/ipc/bindings";

const GOALS = (["90", "95", "98", "99", "99.5", "99.8", "99.9", "99.95", "99.99"] satisfies ServiceGoal[]).map(
  (goal) => ({ value: goal, label: `${goal} %` }),
);
const PERIODS: { value: ServicePeriod; label: string }[] = [
  { value: "7d", label: "7 days" },
  { value: "30d", label: "30 days" },
];
const GOAL_LABELS: Record<ObjectiveTarget, string> = {
  gateway: "Requests that succeed",
  route: "Requests that succeed",
  backend: "Requests that succeed",
  "first-token": "First tokens in time",
  service: "Time in which it answers",
};

export interface ObjectiveDraft {
  goal: ServiceGoal;
  period: ServicePeriod;
  max_ms: string;
}

interface ObjectiveFieldsProps {
  form: UseFormReturn<ObjectiveDraft>;
  target: ObjectiveTarget;
  /** Of one backend, only the longest time to a first token can differ from the default. */
  isOne: boolean;
  faultAt: (field: keyof ObjectiveDraft) => string | null;
}

export function ObjectiveFields({ form, target, isOne, faultAt }: ObjectiveFieldsProps) {
  const isFirstToken = target === "first-token";
  return (
    <>
      {!(isFirstToken && isOne) && (
        <Field label={GOAL_LABELS[target]} fault={faultAt("goal")}>
          {(control) => <FormSelect {...control} name="goal" control={form.control} options={GOALS} />}
        </Field>
      )}
      {isFirstToken ? (
        <Field label="In time means within" help="100 to 60,000 ms; counted over 7 days" fault={faultAt("max_ms")}>
          {(control) => (
            <span className="flex items-center gap-2">
              <TextInput {...control} inputMode="numeric" className="w-28 text-right" {...form.register("max_ms")} />
              <span className="text-12 text-ink-3">ms</span>
            </span>
          )}
        </Field>
      ) : (
        <Field label="Counted over" fault={faultAt("period")}>
          {(control) => <FormSelect {...control} name="period" control={form.control} options={PERIODS} />}
        </Field>
      )}
    </>
  );
}
