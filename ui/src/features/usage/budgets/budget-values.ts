/** The values of the form of a budget, and the request that saves them. */
import type { BudgetDimension } from "@/ipc/bindings";
import type { BudgetAction, BudgetPeriod, BudgetSet, BudgetView, Weekday } from "@/ipc/bindings";

export interface BudgetValues {
  id: string;
  limit_usd: string;
  period: BudgetPeriod;
  days: string;
  reset_day: string;
  reset_weekday: Weekday;
  dimension: BudgetDimension | "all";
  name: string;
  action: BudgetAction;
  switch_to: string;
  /** Percentages, separated by commas. */
  marks: string;
  forecast: boolean;
  refuse_unpriced: boolean;
}

const NEW: BudgetValues = {
  id: "",
  limit_usd: "",
  period: "month",
  days: "30",
  reset_day: "1",
  reset_weekday: "monday",
  dimension: "all",
  name: "",
  action: "stop",
  switch_to: "",
  marks: "50, 80, 95, 100",
  forecast: true,
  refuse_unpriced: false,
};

/** Nine digits after the point hold every whole nano-dollar. */
function decimalDollars(nano: number): string {
  return (nano / 1_000_000_000).toFixed(9).replace(/\.?0+$/, "");
}

/** The budget as the core stores it. */
export function budgetSet(budget: BudgetView): BudgetSet {
  const { id, period, scope, days, reset_day, reset_weekday, action, switch_to, marks, forecast } = budget;
  const limit_usd = decimalDollars(budget.limit_nano_usd);
  const { refuse_unpriced } = budget;
  const rest = { action, switch_to, marks, forecast, refuse_unpriced };
  return { id, limit_usd, period, scope, days, reset_day, reset_weekday, ...rest };
}

export function formValues(budget: BudgetView | null): BudgetValues {
  if (budget === null) return NEW;
  const { id, limit_nano_usd: limit, period, scope, action, marks, forecast } = budget;
  return {
    id,
    limit_usd: decimalDollars(limit),
    period,
    days: String(budget.days ?? NEW.days),
    reset_day: String(budget.reset_day ?? NEW.reset_day),
    reset_weekday: budget.reset_weekday ?? NEW.reset_weekday,
    dimension: scope?.dimension ?? "all",
    name: scope?.name ?? "",
    action,
    switch_to: budget.switch_to ?? "",
    marks: marks.join(", "),
    forecast,
    refuse_unpriced: budget.refuse_unpriced,
  };
}

/** A number that was typed; text that is none becomes one that the core refuses beside its field. */
function typed(text: string): number {
  const value = Number(text.trim());
  return Number.isInteger(value) && value >= 0 && text.trim() !== "" ? value : 0;
}

export function requestOf(values: BudgetValues): BudgetSet {
  const { period, dimension, action, forecast } = values;
  return {
    id: values.id.trim(),
    limit_usd: values.limit_usd.trim().replace(/^\$/, ""),
    period,
    scope: dimension === "all" ? null : { dimension, name: values.name.trim() },
    days: period === "rolling" ? typed(values.days) : null,
    reset_day: period === "month" ? typed(values.reset_day) : null,
    reset_weekday: period === "week" ? values.reset_weekday : null,
    action,
    switch_to: action === "switch" ? values.switch_to.trim() : null,
    marks: values.marks
      .split(/[,;\s]+/)
      .filter((mark) => mark !== "")
      .map((mark) => typed(mark.replace(/%$/, ""))),
    forecast,
    refuse_unpriced: values.refuse_unpriced,
  };
}
