/** What the usage screen shows, as it stands in the address. */
import type { RequestStateView, UsageGroupBy, UsageRange, ZoneChoice } from "@/ipc/bindings";

export type Measure = "cost" | "requests" | "tokens";

export interface UsagePlace extends RequestFilter {
  range: UsageRange;
  group: UsageGroupBy;
  zone: ZoneChoice;
  measure: Measure;
  /** The request whose drawer is open. */
  request?: string;
}

/** Which requests are listed, besides those of the period. */
export interface RequestFilter {
  outcome?: RequestStateView;
  /** One HTTP status, `503`, or a class, `5xx`. */
  status?: string;
  backend?: string;
  client?: string;
  route?: string;
  /** A part of a model's name. */
  model?: string;
  /** The first moment of a part of the period, in place of the period's own. */
  since?: number;
  /** The first moment after that part; none while it goes on. */
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
] as const satisfies { value: UsageGroupBy; label: string }[];

export const ZONES = [
  { value: "local", label: "Local" },
  { value: "utc", label: "UTC" },
] as const satisfies { value: ZoneChoice; label: string }[];

export const MEASURES = [
  { value: "cost", label: "Cost" },
  { value: "requests", label: "Requests" },
  { value: "tokens", label: "Tokens" },
] as const satisfies { value: Measure; label: string }[];

function known<Value extends string>(options: readonly { value: Value }[], asked: unknown, otherwise: Value): Value {
  return options.find((option) => option.value === asked)?.value ?? otherwise;
}

/** An address that was typed or is from another version falls back, value by value. */
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

/** The filter that a place holds, without the rest of it. */
export function filterOf(place: UsagePlace): RequestFilter {
  return parseFilter({ ...place });
}

/** The same place without the choice of a part of its period: another period has other parts. */
export function withoutTime(place: UsagePlace): UsagePlace {
  const { since: _since, until: _until, ...rest } = place;
  return rest;
}

/** The same place with another filter. */
export function withFilter({ range, group, zone, measure }: UsagePlace, filter: RequestFilter): UsagePlace {
  return { range, group, zone, measure, ...filter };
}

function parseFilter(search: Record<string, unknown>): RequestFilter {
  const filter: RequestFilter = {};
  const outcome = OUTCOMES.find((state) => state === search["outcome"]);
  if (outcome !== undefined) filter.outcome = outcome;
  for (const name of FILTERS) {
    const value = search[name];
    // The router reads `status=503` as a number.
    if (typeof value === "string" || typeof value === "number") filter[name] = String(value);
  }
  const { since, until } = search;
  if (isMoment(since) && (until === undefined || (isMoment(until) && until > since)))
    Object.assign(filter, { since }, until === undefined ? {} : { until });
  return filter;
}

/** What a date can hold, in milliseconds. */
const MOMENT_MS_MAX = 8_640_000_000_000_000;

function isMoment(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MOMENT_MS_MAX;
}
