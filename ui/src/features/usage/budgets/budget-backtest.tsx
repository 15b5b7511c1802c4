/** What the budget in the form would have done to the requests of the last days. */
import { History } from "lucide-react";
import { useWatch, type UseFormReturn } from "react-hook-form";
import { requestOf, type BudgetValues } from "@/features/usage/budgets/budget-values";
import { Button } from "@/components/button/button";
import { Notice } from "@/components/notice/notice";
import { useAction } from "@/ipc/actions";
import type { ApiError, BudgetBacktest as Trial } from "@/ipc/bindings";

const DAYS = 30;

interface BudgetBacktestProps {
  form: UseFormReturn<BudgetValues>;
  /** Told of what is wrong in the form, or null. */
  onFault: (error: ApiError | null) => void;
}

export function BudgetBacktest({ form, onFault }: BudgetBacktestProps) {
  const run = useAction("budgetBacktest", async (call, trial: Trial) => ({ trial, found: await call(trial) }));
  // Values that were changed since say nothing about what is shown.
  useWatch({ control: form.control });
  const shown = run.data && isSame(run.data.trial, form.getValues()) ? run.data.found : null;
  return (
    <div className="flex flex-col gap-2">
      <Button
        className="self-start"
        icon={History}
        busy={run.isPending}
        onClick={() =>
          run.mutate(
            { budget: requestOf(form.getValues()), last_days: DAYS },
            { onSuccess: () => onFault(null), onError: onFault },
          )
        }
      >
        Try on the last {DAYS} days
      </Button>
      {shown !== null && (
        <div ref={showNearest}>
          <Notice tone={shown.refused > 0 ? "warn" : "info"} title={shown.sentence}>
            {shown.caveat}
          </Notice>
        </div>
      )}
    </div>
  );
}

/** The form is longer than its window. */
function showNearest(result: HTMLElement | null) {
  result?.scrollIntoView({ block: "nearest" });
}

function isSame(trial: Trial, values: BudgetValues): boolean {
  return JSON.stringify(trial.budget) === JSON.stringify(requestOf(values));
}
