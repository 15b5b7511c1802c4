/** The values of the form of a budget, and the request that saves them. */
import type { BudgetDimension, BudgetPeriod, BudgetSet, BudgetView } from "@/ipc/bindings";

export interface BudgetValues {
  id: string;
  limit_usd: string;
  period: BudgetPeriod;
  dimension: BudgetDimension | "all";
  name: string;
  /** What the form does not ask for. */
  kept: Kept;
}

type Kept = Omit<BudgetSet, "id" | "limit_usd" | "period" | "scope">;

const DEFAULTS: Kept = {
  days: null,
  reset_day: null,
  reset_weekday: null,
  action: null,
  switch_to: null,
  marks: null,
  forecast: null,
};

/** Nine digits after the point hold every whole nano-dollar. */
function decimalDollars(nano: number): string {
  return (nano / 1_000_000_000).toFixed(9).replace(/\.?0+$/, "");
}

/** The budget as the core stores it. */
export function budgetSet(budget: BudgetView): BudgetSet {
  const { id, limit_nano_usd: limit, period, scope } = budget;
  return { id, limit_usd: decimalDollars(limit), period, scope, ...keptOf(budget) };
}

function keptOf({ days, reset_day, reset_weekday, action, switch_to, marks, forecast }: BudgetView): Kept {
  return { days, reset_day, reset_weekday, action, switch_to, marks, forecast };
}

export function formValues(budget: BudgetView | null): BudgetValues {
  if (budget === null) return { id: "", limit_usd: "", period: "month", dimension: "all", name: "", kept: DEFAULTS };
  const { id, limit_usd, period, scope } = budgetSet(budget);
  const kept = keptOf(budget);
  return { id, limit_usd, period, dimension: scope?.dimension ?? "all", name: scope?.name ?? "", kept };
}

export function requestOf({ id, limit_usd, period, dimension, name, kept }: BudgetValues): BudgetSet {
  return {
    id: id.trim(),
    limit_usd: limit_usd.trim().replace(/^\$/, ""),
    period,
    scope: dimension === "all" ? null : { dimension, name: name.trim() },
    ...kept,
  };
}
