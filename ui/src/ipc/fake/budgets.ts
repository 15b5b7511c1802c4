/** Budgets of the made-up world, over its requests. */
import type { BudgetSet, BudgetView } from "@/ipc/bindings";
import type { Doing } from "@/ipc/fake/doing";
import { fault, raise } from "@/ipc/fake/rules";
import { DAY_MS } from "@/ipc/fake/world";
import type { Host } from "@/ipc/host";

const LENGTH_DAYS = { day: 1, week: 7, month: 30 };

export function fakeBudgets({
  world,
  now,
  answer,
  changed,
}: Doing): Pick<Host, "budgets" | "budgetSet" | "budgetRemove"> {
  let budgets: BudgetSet[] =
    world.requests.length > 0
      ? [
          { id: "monthly", limit_usd: "20", period: "month", scope: null },
          {
            id: "agents",
            limit_usd: "1.50",
            period: "week",
            scope: { dimension: "client", name: "claude-code" },
          },
        ]
      : [];
  const viewOf = ({ id, limit_usd, period, scope }: BudgetSet): BudgetView => {
    const from = now() - LENGTH_DAYS[period] * DAY_MS * 0.6;
    const counts = world.requests.filter(
      (request) =>
        request.started_at >= from && (scope === null || scope.dimension !== "client" || request.client === scope.name),
    );
    const spent = counts.reduce((sum, request) => sum + (request.cost_nano_usd ?? 0), 0);
    const limit = Math.round(Number(limit_usd) * 1_000_000_000);
    return {
      id,
      limit_nano_usd: limit,
      period,
      scope,
      spent_nano_usd: spent,
      reserved_nano_usd: 0,
      from,
      until: from + LENGTH_DAYS[period] * DAY_MS,
      used_percent: Math.min(999, Math.floor((spent * 100) / limit)),
      elapsed_percent: 60,
    };
  };
  return {
    budgets: () => answer(() => budgets.map(viewOf)),
    budgetSet: (req) =>
      answer(() => {
        if (!(Number(req.limit_usd) > 0)) raise(fault("invalid_input", "enter an amount above 0", null, "limit_usd"));
        budgets = [...budgets.filter((budget) => budget.id !== req.id), req];
        changed("usage");
        return viewOf(req);
      }),
    budgetRemove: (req) =>
      answer(() => {
        budgets = budgets.filter((budget) => budget.id !== req.id);
        changed("usage");
        return null;
      }),
  };
}
