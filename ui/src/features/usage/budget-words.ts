/** Budgets in words. */
import type { BudgetDimension, BudgetPeriod, BudgetScopeView, BudgetView } from "@/ipc/bindings";
import type { Sign } from "@/lib/tables";

export const PERIODS = [
  { value: "day", label: "Day" },
  { value: "week", label: "Week" },
  { value: "month", label: "Month" },
] as const satisfies { value: BudgetPeriod; label: string }[];

export const DIMENSIONS = [
  { value: "backend", label: "Backend" },
  { value: "credential", label: "Key" },
  { value: "client", label: "Client" },
  { value: "project", label: "Project" },
  { value: "model", label: "Model" },
] as const satisfies { value: BudgetDimension; label: string }[];

/** Marks on every bar; at the last one it is nearly used. */
export const MARKS = [80, 95];

export function scopeWords(scope: BudgetScopeView | null): string {
  if (scope === null) return "all spending";
  return `${DIMENSIONS.find((one) => one.value === scope.dimension)?.label.toLowerCase()} ${scope.name}`;
}

export function budgetSign({ used_percent: used, elapsed_percent: elapsed }: BudgetView): Sign {
  if (used >= 100) return { tone: "bad", shape: "square", word: "Used up" };
  if (used >= (MARKS[0] ?? 100)) return { tone: "warn", shape: "triangle", word: "Nearly used up" };
  if (used > elapsed) return { tone: "warn", shape: "half", word: "Ahead of pace" };
  return { tone: "ok", shape: "disc", word: "On pace" };
}

/** The bar in words. */
export function barWords({ used_percent: used, elapsed_percent: elapsed, period }: BudgetView): string {
  return `${used} % used, ${elapsed} % of the ${period} is over`;
}

const DATE = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short" });

/** `Mon, 23 Nov`. */
export function dateWords(at: number): string {
  return DATE.format(at);
}
