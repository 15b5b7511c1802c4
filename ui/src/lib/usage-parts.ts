/** The parts of Usage, in the order of their tabs. */
export const USAGE_PARTS = [
  { part: "costs", label: "Costs", path: "/usage" },
  { part: "breakdown", label: "Breakdown", path: "/breakdown" },
  { part: "savings", label: "Savings", path: "/savings" },
  { part: "anomalies", label: "Anomalies", path: "/anomalies" },
  { part: "budgets", label: "Budgets", path: "/budgets" },
  { part: "plans", label: "Plans", path: "/plans" },
  { part: "billing", label: "Billing", path: "/billing" },
  { part: "activity", label: "Activity", path: "/activity" },
  { part: "cache", label: "Cache", path: "/cache" },
  { part: "prices", label: "Prices", path: "/prices" },
  { part: "session-logs", label: "Session logs", path: "/session-logs" },
] as const;

export type UsagePart = (typeof USAGE_PARTS)[number]["part"];
