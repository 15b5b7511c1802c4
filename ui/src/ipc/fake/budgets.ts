/** Budgets of the made-up world, over its requests. */
import type { BudgetAllowanceView, BudgetCrossingView, BudgetSet, BudgetView } from "@/ipc/bindings";
import type { Doing } from "@/ipc/fake/doing";
import { fault, raise } from "@/ipc/fake/rules";
import type { Host } from "@/ipc/host";
import { DAY_MS } from "@/lib/time";

const LENGTH_DAYS = { day: 1, week: 7, month: 30 };
const MARKS = [50, 80, 95, 100];
const ELAPSED_PERCENT = 60;

type Spending = Pick<BudgetView, "from" | "until" | "spent_nano_usd" | "used_percent">;

const PLAIN: Omit<BudgetSet, "id" | "limit_usd"> = {
  period: "month",
  days: null,
  reset_day: null,
  reset_weekday: null,
  scope: null,
  action: "stop",
  switch_to: null,
  marks: MARKS,
  forecast: true,
  refuse_unpriced: false,
};

const SET: BudgetSet[] = [
  { ...PLAIN, id: "monthly", limit_usd: "20", reset_day: 15 },
  {
    ...PLAIN,
    id: "agents",
    limit_usd: "1.50",
    period: "week",
    action: "ask",
    scope: { dimension: "client", name: "claude-code" },
  },
  { ...PLAIN, id: "openai", limit_usd: "5", period: "rolling", days: 30, action: "tell", marks: [80, 100, 150] },
];

const dollars = (nano: number) => `$${(nano / 1_000_000_000).toFixed(2)}`;

function checkLimit({ limit_usd: limit }: BudgetSet): void {
  if (!(Number(limit) > 0)) raise(fault("invalid_input", "enter an amount above 0", null, "limit_usd"));
}

/** The budget that a client is made with. */
export function budgetOfClient(id: string, limit_usd: string): BudgetSet {
  return { ...PLAIN, id, limit_usd, scope: { dimension: "client", name: id } };
}

export function fakeBudgets({
  world,
  now,
  answer,
  changed,
}: Doing): Pick<Host, "budgets" | "budgetSet" | "budgetAllow" | "budgetBacktest" | "budgetRemove"> {
  if (world.requests.length > 0) world.budgets.push(...SET);
  let allowances: (BudgetAllowanceView & { id: string })[] = [];
  const viewOf = (budget: BudgetSet): BudgetView => {
    const { id, limit_usd, period, scope, days } = budget;
    const length = (period === "rolling" ? (days ?? 1) : LENGTH_DAYS[period]) * DAY_MS;
    const from = now() - length * (period === "rolling" ? 1 : ELAPSED_PERCENT / 100);
    const counts = world.requests.filter(
      (request) =>
        request.started_at >= from && (scope === null || scope.dimension !== "client" || request.client === scope.name),
    );
    const spent = counts.reduce((sum, request) => sum + (request.cost_nano_usd ?? 0), 0);
    const limit = Math.round(Number(limit_usd) * 1_000_000_000);
    const own = allowances.filter((allowance) => allowance.id === id && allowance.until > now());
    const allowed = own.reduce((sum, allowance) => sum + allowance.nano_usd, 0);
    const taken = spent + (scope === null ? limit / 250 + limit / 100 : 0);
    const usedPercent = Math.min(999, Math.floor((taken * 100) / (limit + allowed)));
    const until = from + length;
    const crossings = crossingsOf(budget, { from, until, spent_nano_usd: spent, used_percent: usedPercent }, limit);
    const usedUp = from + (now() - from) * ((limit + allowed) / Math.max(spent, 1));
    const refusedSince = crossings.find(({ kind }) => kind === "refused")?.at ?? null;
    return {
      id,
      state: stateOf(budget, usedPercent, refusedSince !== null),
      limit_nano_usd: limit,
      allowed_nano_usd: allowed,
      period,
      days,
      reset_day: period === "month" ? (budget.reset_day ?? 1) : null,
      reset_weekday: period === "week" ? (budget.reset_weekday ?? "monday") : null,
      scope,
      action: budget.action ?? "stop",
      switch_to: budget.switch_to,
      marks: budget.marks ?? MARKS,
      forecast: budget.forecast ?? true,
      refuse_unpriced: budget.refuse_unpriced ?? false,
      spent_nano_usd: spent,
      // Two requests in flight, and two that a crash cut off, by what covers everything.
      reserved_nano_usd: scope === null ? limit / 250 : 0,
      slack_nano_usd: scope === null ? limit / 50 : 0,
      unbounded_requests: 0,
      interrupted_nano_usd: scope === null ? limit / 100 : 0,
      interrupted_requests: scope === null ? 2 : 0,
      from,
      until,
      used_percent: usedPercent,
      elapsed_percent: period === "rolling" ? 100 : ELAPSED_PERCENT,
      used_up_at: period !== "rolling" && usedPercent < 100 && usedUp < until ? usedUp : null,
      refused_since: crossings.find((crossing) => crossing.kind === "refused" && allowed === 0)?.at ?? null,
      unpriced_requests: counts.filter((request) => request.cost_nano_usd === null).length,
      allowances: own.map(({ nano_usd, at, until: end }) => ({ nano_usd, at, until: end })),
      crossings,
    };
  };
  const named = (id: string): BudgetSet =>
    world.budgets.find((budget) => budget.id === id) ??
    raise(fault("not_found", `there is no budget named ${id}`, null));
  return {
    budgets: () => answer(() => world.budgets.map(viewOf)),
    budgetSet: (req) =>
      answer(() => {
        checkLimit(req);
        if (req.period === "rolling" && req.days === null)
          raise(fault("invalid_input", "say how many days count, from 1 to 366", null, "days"));
        if (req.action === "switch" && req.switch_to === null)
          raise(fault("invalid_input", "name the route that requests go to", null, "switch_to"));
        world.budgets = [...world.budgets.filter((budget) => budget.id !== req.id), req];
        changed("usage");
        return viewOf(req);
      }),
    budgetBacktest: ({ budget, last_days: days }) =>
      answer(() => {
        checkLimit(budget);
        const limit = Math.round(Number(budget.limit_usd) * 1_000_000_000);
        const past = world.requests.filter(({ started_at: at }) => at >= now() - days * DAY_MS);
        let [spent, refused, refusedCost] = [0, 0, 0];
        let first: number | null = null;
        for (const { cost_nano_usd: cost, started_at: at } of past.toSorted((a, b) => a.started_at - b.started_at)) {
          if (cost === null || cost === 0) continue;
          if (spent + cost <= limit || budget.action === "tell") spent += cost;
          else {
            [refused, refusedCost] = [refused + 1, refusedCost + cost];
            first ??= at;
          }
        }
        return {
          sentence:
            refused === 0
              ? `In the last ${days} days it would have let pass all ${past.length} requests, ${dollars(spent)}. It would have lasted in all of 2 months with requests.`
              : `In the last ${days} days it would have refused ${refused} of ${past.length} requests; these cost ${dollars(refusedCost)}. It would have been used up in 1 of 2 months with requests.`,
          caveat:
            "Each request counts with what it cost. What is reserved before that is not known of past requests; it is mostly more, so a limit may be felt a little earlier.",
          from: now() - days * DAY_MS,
          requests: past.length,
          refused,
          refused_nano_usd: refusedCost,
          first_refused: first,
          spent_nano_usd: spent,
          unpriced_requests: past.filter(({ cost_nano_usd: cost }) => cost === null).length,
          periods: 2,
          periods_used_up: refused > 0 ? 1 : 0,
        };
      }),
    budgetAllow: ({ id, usd, until }) =>
      answer(() => {
        const budget = named(id);
        const amount = Math.round(Number(usd) * 1_000_000_000);
        if (!(amount >= 0)) raise(fault("invalid_input", "enter an amount above 0", null, "usd"));
        const more = { id, nano_usd: amount, at: now(), until: until ?? viewOf(budget).until };
        allowances = amount === 0 ? allowances.filter((allowance) => allowance.id !== id) : [...allowances, more];
        changed("usage");
        return viewOf(budget);
      }),
    budgetRemove: (req) =>
      answer(() => {
        world.budgets = world.budgets.filter((budget) => budget.id !== req.id);
        changed("usage");
        return null;
      }),
  };
}

function stateOf(budget: BudgetSet, usedPercent: number, isRefused: boolean): BudgetView["state"] {
  if (isRefused) return budget.action === "switch" ? "switched" : "refusing";
  if (usedPercent >= 100) return "used_up";
  const last = (budget.marks ?? MARKS).findLast((mark) => mark < 100) ?? 100;
  return usedPercent >= last ? "nearly_used_up" : "on_pace";
}

/** The marks that were reached in this period, spread evenly over it, and one of the period before. */
function crossingsOf(budget: BudgetSet, spending: Spending, limit: number): BudgetCrossingView[] {
  const { from, until, spent_nano_usd, used_percent } = spending;
  const reached = (budget.marks ?? MARKS).filter((mark) => mark <= used_percent);
  const step = ((until - from) * ELAPSED_PERCENT) / 100 / (reached.length + 2);
  const crossings: BudgetCrossingView[] = reached.map((percent, place) => ({
    kind: "spent",
    percent,
    period_from: from,
    at: from + step * (place + 1),
    spent_nano_usd: (limit * percent) / 100,
    limit_nano_usd: limit,
  }));
  const before = { period_from: from - (until - from), at: from - step, limit_nano_usd: limit };
  crossings.unshift({ ...before, kind: "forecast", percent: null, spent_nano_usd: limit * 0.7 });
  if (used_percent >= 100 && budget.action !== "tell")
    crossings.push({
      kind: "refused",
      percent: null,
      period_from: from,
      at: from + step * (reached.length + 1),
      spent_nano_usd,
      limit_nano_usd: limit,
    });
  return crossings.toReversed();
}
