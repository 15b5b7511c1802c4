/** The addresses of the parts of Usage. */
import { createRoute, Outlet, useNavigate } from "@tanstack/react-router";
import {
  ActivityScreen,
  AnomaliesScreen,
  BillingScreen,
  BreakdownScreen,
  BudgetsScreen,
  CacheScreen,
  CostsScreen,
  PlansScreen,
  PricesScreen,
  SavingsScreen,
  SessionLogsScreen,
} from "@/app/lazy-screens";
import { parseAdd, root, type AddSearch } from "@/app/root-route";
import {
  parseActivityPlace,
  parseBreakdownPlace,
  parseKeptPlace,
  parseLookBack,
  parseUsagePlace,
} from "@/features/usage/usage-place";
import { KeptWords } from "@/components/layout/usage-tabs";

/** The parts of Usage hand on what the address says of them. */
const usageParts = createRoute({
  getParentRoute: () => root,
  id: "usage-parts",
  validateSearch: parseKeptPlace,
  component: function UsageParts() {
    return (
      // The search of a route also holds the words that only other routes know.
      <KeptWords value={parseKeptPlace(usageParts.useSearch())}>
        <Outlet />
      </KeptWords>
    );
  },
});

const usage = createRoute({
  getParentRoute: () => usageParts,
  path: "/usage",
  validateSearch: parseUsagePlace,
  component: function Usage() {
    const navigate = useNavigate();
    return (
      <CostsScreen
        place={usage.useSearch()}
        onMove={(next) => void navigate({ to: "/usage", search: next, replace: true })}
        onRequests={(filter) => void navigate({ to: "/requests", search: filter })}
      />
    );
  },
});

const breakdown = createRoute({
  getParentRoute: () => usageParts,
  path: "/breakdown",
  validateSearch: parseBreakdownPlace,
  component: function Breakdown() {
    const navigate = useNavigate();
    return (
      <BreakdownScreen
        place={breakdown.useSearch()}
        onMove={(next) => void navigate({ to: "/breakdown", search: next, replace: true })}
        onRequests={(filter) => void navigate({ to: "/requests", search: filter })}
      />
    );
  },
});

const savings = createRoute({
  getParentRoute: () => usageParts,
  path: "/savings",
  validateSearch: parseUsagePlace,
  component: function Savings() {
    const navigate = useNavigate();
    return (
      <SavingsScreen
        place={savings.useSearch()}
        onMove={(next) => void navigate({ to: "/savings", search: next, replace: true })}
      />
    );
  },
});

const anomalies = createRoute({
  getParentRoute: () => usageParts,
  path: "/anomalies",
  validateSearch: (search: Record<string, unknown>) => ({
    zone: parseUsagePlace(search).zone,
    look_back: parseLookBack(search),
  }),
  component: function Anomalies() {
    const navigate = useNavigate();
    const search = anomalies.useSearch();
    return (
      <AnomaliesScreen
        place={search}
        onMove={(next) => void navigate({ to: "/anomalies", search: { ...search, ...next }, replace: true })}
      />
    );
  },
});

const billing = createRoute({
  getParentRoute: () => usageParts,
  path: "/billing",
  validateSearch: parseUsagePlace,
  component: function Billing() {
    const navigate = useNavigate();
    return (
      <BillingScreen
        place={billing.useSearch()}
        onMove={(next) => void navigate({ to: "/billing", search: next, replace: true })}
      />
    );
  },
});

const activity = createRoute({
  getParentRoute: () => usageParts,
  path: "/activity",
  validateSearch: parseActivityPlace,
  component: function Activity() {
    const navigate = useNavigate();
    return (
      <ActivityScreen
        place={activity.useSearch()}
        onMove={(next) => void navigate({ to: "/activity", search: next, replace: true })}
        onRequests={(filter) => void navigate({ to: "/requests", search: filter })}
      />
    );
  },
});

const budgets = createRoute({
  getParentRoute: () => usageParts,
  path: "/budgets",
  validateSearch: (search: Record<string, unknown>): AddSearch & { budget?: string } => ({
    ...parseAdd(search),
    ...((typeof search["budget"] === "string" || typeof search["budget"] === "number") && {
      budget: String(search["budget"]),
    }),
  }),
  component: function Budgets() {
    const navigate = useNavigate();
    const { add = false, budget, ...kept } = budgets.useSearch();
    return (
      <BudgetsScreen
        pointedId={budget ?? null}
        adding={add}
        onAdd={() => void navigate({ to: "/budgets", search: { ...kept, add: true } })}
        onClose={() => void navigate({ to: "/budgets", search: kept })}
      />
    );
  },
});

const cache = createRoute({
  getParentRoute: () => usageParts,
  path: "/cache",
  validateSearch: (search) => ({ range: parseUsagePlace(search).range }),
  component: function Cache() {
    const navigate = useNavigate();
    const search = cache.useSearch();
    return (
      <CacheScreen
        range={search.range}
        onRange={(range) => void navigate({ to: "/cache", search: { ...search, range }, replace: true })}
      />
    );
  },
});

const prices = createRoute({ getParentRoute: () => usageParts, path: "/prices", component: PricesScreen });

const plans = createRoute({ getParentRoute: () => usageParts, path: "/plans", component: PlansScreen });

const sessionLogs = createRoute({
  getParentRoute: () => usageParts,
  path: "/session-logs",
  component: SessionLogsScreen,
});

export const usageRoutes = usageParts.addChildren([
  usage,
  breakdown,
  savings,
  anomalies,
  budgets,
  plans,
  billing,
  activity,
  cache,
  prices,
  sessionLogs,
]);
