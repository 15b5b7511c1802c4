/** The state of the parts of Usage that show a period, as stored in the address. */
import type { GroupBy, UsageRange, TimeZoneChoice } from "@/ipc/bindings";

export type Measure = "cost" | "requests" | "tokens";

export interface UsagePlace {
  range: UsageRange;
  group: GroupBy;
  zone: TimeZoneChoice;
  measure: Measure;
}

export const RANGES = [
  { value: "today", label: "Today" },
  { value: "last_day", label: "24 h" },
  { value: "last_week", label: "7 days" },
  { value: "last_month", label: "30 days" },
] as const satisfies { value: UsageRange; label: string }[];

export const RANGE_WORDS: Record<UsageRange, string> = {
  today: "today",
  last_day: "in 24 hours",
  last_week: "in 7 days",
  last_month: "in 30 days",
};

export const GROUPS = [
  { value: "backend", label: "Backend" },
  { value: "model", label: "Model" },
  { value: "client", label: "Client" },
  { value: "credential", label: "Key" },
  { value: "project", label: "Project" },
] as const satisfies { value: GroupBy; label: string }[];

export const ZONES = [
  { value: "local", label: "Local" },
  { value: "utc", label: "UTC" },
] as const satisfies { value: TimeZoneChoice; label: string }[];

export const MEASURES = [
  { value: "cost", label: "Cost" },
  { value: "requests", label: "Requests" },
  { value: "tokens", label: "Tokens" },
] as const satisfies { value: Measure; label: string }[];

/** What the bars of Activity measure. */
export const ACTIVITY_MEASURES = MEASURES.slice(1);

function known<Value extends string>(options: readonly { value: Value }[], asked: unknown, otherwise: Value): Value {
  return options.find((option) => option.value === asked)?.value ?? otherwise;
}

/** Invalid values in an address that was typed or comes from another version fall back to their defaults. */
export function parseUsagePlace(search: Record<string, unknown>): UsagePlace {
  return {
    range: known(RANGES, search["range"], "last_week"),
    group: known(GROUPS, search["group"], "backend"),
    zone: known(ZONES, search["zone"], "local"),
    measure: known(MEASURES, search["measure"], "cost"),
  };
}

/** Activity is about what was asked, not about what it cost. */
export function parseActivityPlace(search: Record<string, unknown>): UsagePlace {
  return { ...parseUsagePlace(search), measure: known(ACTIVITY_MEASURES, search["measure"], "requests") };
}
