/** Adds or changes a budget. What is wrong is said by the core and stands beside its field. */
import { useState } from "react";
import { Controller, useForm, useWatch, type Control, type UseFormReturn } from "react-hook-form";
import { BudgetBacktest } from "@/features/usage/budgets/budget-backtest";
import { formValues, requestOf, type BudgetValues } from "@/features/usage/budgets/budget-values";
import { ACTIONS, DIMENSIONS, PERIODS, periodWords, WEEKDAYS } from "@/features/usage/budgets/budget-words";
import { Dialog, DialogBody, SubmitFoot } from "@/components/overlay/dialog";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Field, TextInput, type ControlProps } from "@/components/form/field";
import { FormSelect } from "@/components/form/form-select";
import type { SelectOption } from "@/components/form/select";
import { Switch } from "@/components/form/switch";
import { notify } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { ApiError } from "@/ipc/bindings";
import type { BudgetSet, BudgetView } from "@/ipc/bindings";
import { useBackends, useClients, useKeys } from "@/ipc/queries";
import { useRoutes } from "@/ipc/route-queries";
import { faultElsewhere, faultOf } from "@/lib/fault";
import { formatMoney } from "@/lib/money";

const SCOPES = [{ value: "all", label: "All spending" }, ...DIMENSIONS];
const FIELDS = [
  "id",
  "limit_usd",
  "period",
  "days",
  "reset_day",
  "reset_weekday",
  "scope",
  "action",
  "switch_to",
  "marks",
] as const;

interface BudgetDialogProps {
  /** The budget to change; null for a new one. */
  budget: BudgetView | null;
  onClose: () => void;
}

export function BudgetDialog({ budget, onClose }: BudgetDialogProps) {
  const form = useForm<BudgetValues>({ defaultValues: formValues(budget) });
  const set = useAction("budgetSet", (call, values: BudgetSet) => call(values));
  const [trialError, setTrialError] = useState<ApiError | null>(null);
  const error = trialError ?? set.error;
  const send = (values: BudgetValues) => {
    setTrialError(null);
    set.mutate(requestOf(values), {
      onSuccess: (saved) => {
        notify({ title: `${saved.id}: ${formatMoney(saved.limit_nano_usd)} ${periodWords(saved)}, from now on` });
        onClose();
      },
    });
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title={budget === null ? "Add budget" : `Budget ${budget.id}`}
      description="Each request is weighed against the limit before it is sent. Probes and checks never count."
    >
      <form noValidate onSubmit={(event) => void form.handleSubmit(send)(event)} className="flex min-h-0 flex-col">
        <DialogBody className="flex flex-col gap-4">
          {budget === null && (
            <Field
              label="Name"
              help="Used in settings and in messages to clients, for example monthly."
              fault={faultOf(error, "id")}
            >
              {(control) => <TextInput {...control} mono {...form.register("id")} />}
            </Field>
          )}
          <BudgetFields form={form} error={error} isNew={budget === null} />
          <SwitchField
            form={form}
            name="forecast"
            label="Tell me when it will not last"
            words="Tell me when it will not last at this pace"
          />
          <SwitchField
            form={form}
            name="refuse_unpriced"
            label="Refuse unknown prices"
            words="Refuse requests with an unknown price, which it cannot count"
          />
          <BudgetBacktest form={form} onFault={setTrialError} />
          <ErrorNotice error={faultElsewhere(error, FIELDS)} />
        </DialogBody>
        <SubmitFoot onCancel={onClose} busy={set.isPending}>
          {budget === null ? "Add budget" : "Save"}
        </SubmitFoot>
      </form>
    </Dialog>
  );
}

interface FormPartProps {
  form: UseFormReturn<BudgetValues>;
  error: ApiError | null;
}

/** What is limited, by how much, and what happens then. */
function BudgetFields({ form, error, isNew }: FormPartProps & { isNew: boolean }) {
  const [dimension, action] = useWatch({ control: form.control, name: ["dimension", "action"] });
  return (
    <div className="grid grid-cols-2 gap-4">
      <Field
        label="Limit in USD"
        help="For example 20 or 2.50. Amounts are shown in your currency."
        fault={faultOf(error, "limit_usd")}
      >
        {(control) => (
          <TextInput
            {...control}
            {...form.register("limit_usd")}
            data-autofocus={!isNew || undefined}
            inputMode="decimal"
            placeholder="20"
          />
        )}
      </Field>
      <Field label="In each" fault={faultOf(error, "period")}>
        {(control) => <FormSelect<BudgetValues> {...control} name="period" control={form.control} options={PERIODS} />}
      </Field>
      <Field label="Counts">
        {(control) => (
          <FormSelect<BudgetValues> {...control} name="dimension" control={form.control} options={SCOPES} />
        )}
      </Field>
      {dimension !== "all" && (
        <Field label={DIMENSIONS.find((one) => one.value === dimension)?.label ?? ""} fault={faultOf(error, "scope")}>
          {(control) => <ScopeName dimension={dimension} control={form.control} field={control} />}
        </Field>
      )}
      <div className={dimension === "all" ? undefined : "col-start-1"}>
        <Field label="At the limit" fault={faultOf(error, "action")}>
          {(control) => (
            <FormSelect<BudgetValues> {...control} name="action" control={form.control} options={ACTIONS} />
          )}
        </Field>
      </div>
      {action === "switch" && (
        <Field label="Route" fault={faultOf(error, "switch_to")}>
          {(control) => <RouteName control={form.control} field={control} />}
        </Field>
      )}
      <div className="col-start-1">
        <Field label="Tell me at" help="Percent, separated by commas." fault={faultOf(error, "marks")}>
          {(control) => <TextInput {...control} {...form.register("marks")} />}
        </Field>
      </div>
      <PeriodField form={form} error={error} />
    </div>
  );
}

interface SwitchFieldProps {
  form: UseFormReturn<BudgetValues>;
  name: "forecast" | "refuse_unpriced";
  label: string;
  /** Beside it, in full. */
  words: string;
}

function SwitchField({ form, name, label, words }: SwitchFieldProps) {
  return (
    <Controller
      control={form.control}
      name={name}
      render={({ field }) => (
        <div className="flex items-center gap-3">
          <Switch label={label} checked={field.value} onChange={field.onChange} />
          <span aria-hidden>{words}</span>
        </div>
      )}
    />
  );
}

/** When the period begins, or how long it is. */
function PeriodField({ form, error }: FormPartProps) {
  const period = useWatch({ control: form.control, name: "period" });
  if (period === "week")
    return (
      <Field label="Starts on" fault={faultOf(error, "reset_weekday")}>
        {(control) => (
          <FormSelect<BudgetValues> {...control} name="reset_weekday" control={form.control} options={WEEKDAYS} />
        )}
      </Field>
    );
  if (period === "month")
    return (
      <Field label="Starts on day" help="1 to 31." fault={faultOf(error, "reset_day")}>
        {(control) => <TextInput {...control} {...form.register("reset_day")} inputMode="numeric" />}
      </Field>
    );
  if (period === "rolling")
    return (
      <Field label="Number of days" help="1 to 366." fault={faultOf(error, "days")}>
        {(control) => <TextInput {...control} {...form.register("days")} inputMode="numeric" />}
      </Field>
    );
  return null;
}

interface RouteNameProps {
  control: Control<BudgetValues>;
  field: ControlProps;
}

function RouteName({ control, field }: RouteNameProps) {
  const routes = useRoutes().data?.routes ?? [];
  const options = routes.map(({ id }) => ({ value: id, label: id }));
  return <FormSelect<BudgetValues> {...field} name="switch_to" control={control} options={options} />;
}

interface ScopeNameProps {
  dimension: Exclude<BudgetValues["dimension"], "all">;
  control: Control<BudgetValues>;
  field: ControlProps;
}

/** Known names are chosen, the others typed. */
function ScopeName({ dimension, control, field }: ScopeNameProps) {
  const known = useKnownNames(dimension);
  if (known === null) return <TextInput {...field} mono {...control.register("name")} />;
  return <FormSelect<BudgetValues> {...field} name="name" control={control} options={known} />;
}

function useKnownNames(dimension: ScopeNameProps["dimension"]): SelectOption<string>[] | null {
  const backends = useBackends().data ?? [];
  const keys = useKeys().data ?? [];
  const clients = useClients().data ?? [];
  switch (dimension) {
    case "backend":
      return backends.filter((one) => !one.built_in).map(({ id, label }) => ({ value: id, label }));
    case "credential":
      return keys.map(({ id, label }) => ({ value: id, label }));
    case "client":
      return clients.map(({ id }) => ({ value: id, label: id }));
    default:
      return null;
  }
}
