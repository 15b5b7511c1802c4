/** The values of the form of a budget, and the request that saves them. */
import type { BudgetDimension, BudgetPeriod, BudgetSet, BudgetView } from "@/ipc/bindings";

export interface BudgetValues {
  id: string;
  limit_usd: string;
  period: BudgetPeriod;
  dimension: BudgetDimension | "all";
  name: string;
}

/** Nine digits after the point hold every whole nano-dollar. */
function decimalDollars(nano: number): string {
  return (nano / 1_000_000_000).toFixed(9).replace(/\.?0+$/, "");
}

/** The budget as the core stores it. */
export function budgetSet({ id, limit_nano_usd: limit, period, scope }: BudgetView): BudgetSet {
  return { id, limit_usd: decimalDollars(limit), period, scope };
}

export function formValues(budget: BudgetView | null): BudgetValues {
  if (budget === null) return { id: "", limit_usd: "", period: "month", dimension: "all", name: "" };
  const { scope, ...set } = budgetSet(budget);
  return { ...set, dimension: scope?.dimension ?? "all", name: scope?.name ?? "" };
}

export function requestOf({ id, limit_usd, period, dimension, name }: BudgetValues): BudgetSet {
  return {
    id: id.trim(),
    limit_usd: limit_usd.trim().replace(/^\$/, ""),
    period,
    scope: dimension === "all" ? null : { dimension, name: name.trim() },
  };
}
