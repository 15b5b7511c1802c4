/** Budgets in words. */
import type { BudgetDimension, BudgetScopeView } from "@/ipc/bindings";
import type { BudgetAction, BudgetCrossingView, BudgetPeriod, BudgetView, Weekday } from "@/ipc/bindings";
import { formatMoney } from "@/lib/money";
import { formatCounted } from "@/lib/quantity";
import { formatPercent } from "@/lib/percent";

export const PERIODS = [
  { value: "day", label: "Day" },
  { value: "week", label: "Week" },
  { value: "month", label: "Month" },
  { value: "rolling", label: "Last days" },
] as const satisfies { value: BudgetPeriod; label: string }[];

export const WEEKDAYS = [
  { value: "monday", label: "Monday" },
  { value: "tuesday", label: "Tuesday" },
  { value: "wednesday", label: "Wednesday" },
  { value: "thursday", label: "Thursday" },
  { value: "friday", label: "Friday" },
  { value: "saturday", label: "Saturday" },
  { value: "sunday", label: "Sunday" },
] as const satisfies { value: Weekday; label: string }[];

export const DIMENSIONS = [
  { value: "backend", label: "Backend" },
  { value: "credential", label: "Key" },
  { value: "client", label: "Client" },
  { value: "project", label: "Project" },
  { value: "model", label: "Model" },
] as const satisfies { value: BudgetDimension; label: string }[];

export const ACTIONS = [
  { value: "stop", label: "Refuse requests" },
  { value: "ask", label: "Refuse until I allow more" },
  { value: "switch", label: "Switch to a cheaper route" },
  { value: "tell", label: "Only tell me" },
] as const satisfies { value: BudgetAction; label: string }[];

export function scopeWords(scope: BudgetScopeView | null): string {
  if (scope === null) return "all spending";
  return `${DIMENSIONS.find((one) => one.value === scope.dimension)?.label.toLowerCase()} ${scope.name}`;
}

/** `a month`, `a month from day 15`, `in any 30 days`. */
export function periodWords({ period, days, reset_day, reset_weekday }: BudgetView): string {
  if (period === "rolling") return `in any ${days} days`;
  if (period === "month" && reset_day !== null && reset_day > 1) return `a month from day ${reset_day}`;
  if (period === "week" && reset_weekday !== null && reset_weekday !== "monday")
    return `a week from ${WEEKDAYS.find((one) => one.value === reset_weekday)?.label}`;
  return `a ${period}`;
}

/** True while money is set aside for requests in flight, or some of them cost what nobody knows. */
export function isReserving(budget: BudgetView): boolean {
  return budget.reserved_nano_usd > 0 || budget.unbounded_requests > 0;
}

/** `$0.08 reserved for requests in flight; long answers may cost $0.40 more`. */
export function reservedWords(budget: BudgetView): string {
  const { reserved_nano_usd: reserved, slack_nano_usd: slack, unbounded_requests: open } = budget;
  const parts = [`${formatMoney(reserved)} reserved for requests in flight`];
  if (slack > 0) parts.push(`long answers may cost ${formatMoney(slack)} more`);
  if (open > 0) parts.push(`the cost of ${formatCounted(open, "request", "requests")} is unknown so far`);
  return parts.join("; ");
}

/** What a crash left, as a sentence. */
export function interruptedWords(budget: BudgetView): string {
  const requests = formatCounted(budget.interrupted_requests, "request", "requests");
  const amount = formatMoney(budget.interrupted_nano_usd);
  return `A crash interrupted ${requests}; the cost is unknown. The ${amount} reserved for it counts until the period ends.`;
}

/** The bar in words. */
export function barWords({ used_percent: used, elapsed_percent: elapsed, period, days }: BudgetView): string {
  if (period === "rolling") return `${formatPercent(used)} used in the last ${days} days`;
  return `${formatPercent(used)} used, ${formatPercent(elapsed)} of the ${period} is over`;
}

/** What happens at the limit. */
export function actionWords({ action, switch_to }: BudgetView): string {
  switch (action) {
    case "stop":
      return "refuses requests at the limit";
    case "ask":
      return "refuses requests at the limit until you allow more";
    case "switch":
      return `switches to the route ${switch_to} at the limit`;
    case "tell":
      return "only tells you";
  }
}

export function crossingWords({ kind, percent }: BudgetCrossingView): string {
  switch (kind) {
    case "spent":
      return `${percent} % reached`;
    case "forecast":
      return "Forecast to be used up early";
    case "refused":
      return "First request refused or switched";
  }
}

const DATE = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short" });

/** `Mon, 23 Nov`. */
export function dateWords(at: number): string {
  return DATE.format(at);
}
