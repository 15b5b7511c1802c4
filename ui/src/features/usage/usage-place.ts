/** The state of the usage screen, as stored in the address. */
import type { RequestStateView, GroupBy, UsageRange, TimeZoneChoice } from "@/ipc/bindings";

export type Measure = "cost" | "requests" | "tokens";

export interface UsagePlace extends RequestFilter {
  range: UsageRange;
  group: GroupBy;
  zone: TimeZoneChoice;
  measure: Measure;
  /** The request whose drawer is open. */
  request?: string;
}

/** Filters of the listed requests, in addition to the period. */
export interface RequestFilter {
  outcome?: RequestStateView;
  /** One HTTP status, `503`, or a class, `5xx`. */
  status?: string;
  backend?: string;
  client?: string;
  route?: string;
  /** Part of a model's name. */
  model?: string;
  /** The start of a selected bar, instead of the period's. */
  since?: number;
  /** The end of that bar, exclusive; none for the current one. */
  until?: number;
}

export const OUTCOMES: readonly RequestStateView[] = [
  "complete",
  "failed",
  "partial",
  "cancelled",
  "running",
  "unknown",
];
const FILTERS = ["status", "backend", "client", "route", "model"] as const;

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

function known<Value extends string>(options: readonly { value: Value }[], asked: unknown, otherwise: Value): Value {
  return options.find((option) => option.value === asked)?.value ?? otherwise;
}

/** Invalid values in an address that was typed or comes from another version fall back to their defaults. */
export function parseUsagePlace(search: Record<string, unknown>): UsagePlace {
  const request = search["request"];
  return {
    range: known(RANGES, search["range"], "last_week"),
    group: known(GROUPS, search["group"], "backend"),
    zone: known(ZONES, search["zone"], "local"),
    measure: known(MEASURES, search["measure"], "cost"),
    ...(typeof request === "string" ? { request } : {}),
    ...parseFilter(search),
  };
}

/** The filter of a location, without the rest. */
export function filterOf(place: UsagePlace): RequestFilter {
  return parseFilter({ ...place });
}

/** The same location without the selected bar: another period has other bars. */
export function withoutTime(place: UsagePlace): UsagePlace {
  const { since: _since, until: _until, ...rest } = place;
  return rest;
}

/** The same location with another filter. */
export function withFilter({ range, group, zone, measure }: UsagePlace, filter: RequestFilter): UsagePlace {
  return { range, group, zone, measure, ...filter };
}

function parseFilter(search: Record<string, unknown>): RequestFilter {
  const filter: RequestFilter = {};
  const outcome = OUTCOMES.find((state) => state === search["outcome"]);
  if (outcome !== undefined) filter.outcome = outcome;
  for (const name of FILTERS) {
    const value = search[name];
    // The router parses `status=503` as a number.
    if (typeof value === "string" || typeof value === "number") filter[name] = String(value);
  }
  const { since, until } = search;
  if (isMoment(since) && (until === undefined || (isMoment(until) && until > since)))
    Object.assign(filter, { since }, until === undefined ? {} : { until });
  return filter;
}

/** The maximum time value of a `Date`, in milliseconds. */
const MOMENT_MS_MAX = 8_640_000_000_000_000;

function isMoment(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MOMENT_MS_MAX;
}
