/** The editor of an objective, with what it would allow and who would miss it before it is saved. */
import { useForm, useWatch } from "react-hook-form";
import { Dialog, DialogBody, SubmitFoot } from "@/components/dialog";
import { ErrorNotice } from "@/components/error-notice";
import { Field, TextInput } from "@/components/field";
import { FormSelect } from "@/components/form-select";
import { notify } from "@/components/toast";
import { useAction } from "@/ipc/actions";
import type { ObjectiveView, ServiceGoal, ServiceLevelSet, ServicePeriod } from "@/ipc/bindings";
import { usePreview } from "@/ipc/preview";
import { faultElsewhere, faultOf } from "@/lib/fault";

const GOALS = (["90", "95", "98", "99", "99.5", "99.8", "99.9", "99.95", "99.99"] satisfies ServiceGoal[]).map(
  (goal) => ({ value: goal, label: `${goal} %` }),
);
const PERIODS: { value: ServicePeriod; label: string }[] = [
  { value: "7d", label: "7 days" },
  { value: "30d", label: "30 days" },
];
const FIELDS = ["goal", "period", "max_ms"] as const;

interface Draft {
  goal: ServiceGoal;
  period: ServicePeriod;
  max_ms: string;
}

interface ObjectiveDialogProps {
  objective: ObjectiveView;
  firstTokenMaxMs: number;
  onClose: () => void;
}

export function ObjectiveDialog({ objective, firstTokenMaxMs, onClose }: ObjectiveDialogProps) {
  const { label, goal, period, period_is_fixed: isFixed, consequence } = objective;
  const form = useForm<Draft>({ defaultValues: { goal, period, max_ms: String(firstTokenMaxMs) } });
  const draft = useWatch({ control: form.control }) as Draft;
  const set = useAction("serviceLevelSet", (call, req: ServiceLevelSet) => call(req));
  const asked = requestOf(objective, draft);
  const preview = usePreview(["service_levels", "preview", asked], (host) => host.serviceLevelPreview(asked));
  const submit = form.handleSubmit((typed) =>
    set.mutate(requestOf(objective, typed), {
      onSuccess: () => {
        onClose();
        notify({ title: `Saved the objective of ${label.charAt(0).toLowerCase()}${label.slice(1)}` });
      },
    }),
  );
  const fault = (field: (typeof FIELDS)[number]) => faultOf(set.error ?? preview.error, field);
  return (
    <Dialog open onClose={onClose} title={`Objective: ${label}`} description="In force at once, for alerts too.">
      <form noValidate onSubmit={(event) => void submit(event)} className="flex min-h-0 flex-col">
        <DialogBody className="flex flex-col gap-4">
          <Field label={isFixed ? "First tokens in time" : "Requests that succeed"} fault={fault("goal")}>
            {(control) => <FormSelect {...control} name="goal" control={form.control} options={GOALS} />}
          </Field>
          {isFixed ? (
            <Field label="In time means within" help="100 to 60,000 ms; counted over 7 days" fault={fault("max_ms")}>
              {(control) => (
                <span className="flex items-center gap-2">
                  <TextInput
                    {...control}
                    inputMode="numeric"
                    className="w-28 text-right"
                    {...form.register("max_ms")}
                  />
                  <span className="text-12 text-ink-3">ms</span>
                </span>
              )}
            </Field>
          ) : (
            <Field label="Counted over" fault={fault("period")}>
              {(control) => <FormSelect {...control} name="period" control={form.control} options={PERIODS} />}
            </Field>
          )}
          <section
            aria-label="What it allows"
            aria-live="polite"
            className="min-h-[60px] rounded-control bg-surface-2 p-3"
          >
            <p className="text-ink-1">{preview.data?.consequence ?? consequence}</p>
            <p className="text-12 text-ink-2">{preview.data?.effect}</p>
          </section>
          <ErrorNotice error={faultElsewhere(set.error, FIELDS)} />
        </DialogBody>
        <SubmitFoot onCancel={onClose} busy={set.isPending}>
          Save
        </SubmitFoot>
      </form>
    </Dialog>
  );
}

/** What is not a whole number becomes one that the core refuses with its limits. */
function requestOf(
  { target, period_is_fixed: isFixed }: ObjectiveView,
  { goal, period, max_ms }: Draft,
): ServiceLevelSet {
  const ms = /^\d{1,6}$/.test(max_ms.trim()) ? Number(max_ms.trim()) : 0;
  return { target, goal, period: isFixed ? null : period, max_ms: isFixed ? ms : null };
}
