/** Allows more than a budget's limit, for a time. */
import { useForm } from "react-hook-form";
import { Dialog, DialogBody, SubmitFoot } from "@/components/overlay/dialog";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Field, TextInput } from "@/components/form/field";
import { FormSelect } from "@/components/form/form-select";
import { notify } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { BudgetAllow, BudgetView } from "@/ipc/bindings";
import { useNow } from "@/lib/clock";
import { faultElsewhere, faultOf } from "@/lib/fault";
import { formatMoney } from "@/lib/money";
import { HOUR_MS } from "@/lib/time";

const FIELDS = ["usd", "until"] as const;

interface AllowValues {
  usd: string;
  term: "hour" | "today" | "period";
}

interface AllowDialogProps {
  budget: BudgetView;
  onClose: () => void;
}

export function AllowDialog({ budget, onClose }: AllowDialogProps) {
  const now = useNow();
  const form = useForm<AllowValues>({ defaultValues: { usd: "", term: "period" } });
  const allow = useAction("budgetAllow", (call, values: BudgetAllow) => call(values));
  const terms = [
    {
      value: "period",
      label: budget.period === "rolling" ? `For ${budget.days} days` : `To the end of the ${budget.period}`,
    },
    { value: "today", label: "Until midnight" },
    { value: "hour", label: "For an hour" },
  ];
  const send = ({ usd, term }: AllowValues) =>
    allow.mutate(
      { id: budget.id, usd: usd.trim().replace(/^\$/, ""), until: untilOf(term, now) },
      {
        onSuccess: (view) => {
          notify({
            title: `${formatMoney(view.allowed_nano_usd)} more allowed for ${budget.id}`,
            detail: "Requests go through again as long as they fit.",
          });
          onClose();
        },
      },
    );
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Allow more for ${budget.id}`}
      description={`On top of ${formatMoney(budget.limit_nano_usd)}. The limit itself stays.`}
    >
      <form noValidate onSubmit={(event) => void form.handleSubmit(send)(event)} className="flex min-h-0 flex-col">
        <DialogBody className="flex flex-col gap-4">
          <div className="grid grid-cols-2 gap-4">
            <Field
              label="Amount in USD"
              help="For example 5. Amounts are shown in your currency."
              fault={faultOf(allow.error, "usd")}
            >
              {(control) => <TextInput {...control} {...form.register("usd")} inputMode="decimal" placeholder="5" />}
            </Field>
            <Field label="How long" fault={faultOf(allow.error, "until")}>
              {(control) => <FormSelect<AllowValues> {...control} name="term" control={form.control} options={terms} />}
            </Field>
          </div>
          <ErrorNotice error={faultElsewhere(allow.error, FIELDS)} />
        </DialogBody>
        <SubmitFoot onCancel={onClose} busy={allow.isPending}>
          Allow more
        </SubmitFoot>
      </form>
    </Dialog>
  );
}

/** None for the end of the period, which the core knows. */
function untilOf(term: AllowValues["term"], now: number): number | null {
  if (term === "period") return null;
  return term === "hour" ? now + HOUR_MS : new Date(now).setHours(24, 0, 0, 0);
}
