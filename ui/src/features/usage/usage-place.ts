/** The state of the parts of Usage that show a period, as stored in the address. */
import type { CostBasis, GroupBy, TimeZoneChoice, UsageRange } from "@/ipc/bindings";
import { parseRequestFilter, type RequestFilter } from "@/lib/request-filter";

export type Measure = "cost" | "requests" | "tokens";

/** What requests belong to, as the requests screen names it. */
export const DIMENSIONS = ["backend", "model", "client", "key", "project", "route"] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** Only the requests with these names count. */
export type DimensionFilter = Pick<RequestFilter, Dimension>;

export interface UsagePlace extends DimensionFilter {
  range: UsageRange;
  group: GroupBy;
  zone: TimeZoneChoice;
  measure: Measure;
  /** Chosen days instead of the range, both included. */
  days?: DaySpan;
  /** The costs that are summed up; all known ones without it. */
  basis?: CostBasis;
}

/** Two dates, `2026-11-01`, the first not after the second. */
export interface DaySpan {
  first: string;
  last: string;
}

export const RANGES = [
  { value: "today", label: "Today" },
  { value: "last_day", label: "24 h" },
  { value: "last_week", label: "7 days" },
  { value: "last_month", label: "30 days" },
] as const satisfies { value: UsageRange; label: string }[];

export const GROUPS = [
  { value: "backend", label: "Backend" },
  { value: "model", label: "Model" },
  { value: "client", label: "Client" },
  { value: "credential", label: "Key" },
  { value: "project", label: "Project" },
] as const satisfies { value: GroupBy; label: string }[];

/** Every dimension. The route is not one of the bars: it is chosen where there is room. */
export const CROSS_GROUPS: readonly { value: GroupBy; label: string }[] = [
  ...GROUPS,
  { value: "route", label: "Route" },
];

export const CROSS_LOOKS = [
  { value: "bars", label: "Bars" },
  { value: "treemap", label: "Treemap" },
] as const;

/** A place with the two dimensions that are crossed there. */
export interface BreakdownPlace extends UsagePlace {
  rows: GroupBy;
  columns: GroupBy;
  look: (typeof CROSS_LOOKS)[number]["value"];
}

/** How many days until now are looked at for unusual spending. */
export const LOOK_BACKS = [
  { value: "1", label: "Today" },
  { value: "7", label: "7 days" },
  { value: "28", label: "28 days" },
] as const;
export type LookBack = (typeof LOOK_BACKS)[number]["value"];

export const ZONES = [
  { value: "local", label: "Local" },
  { value: "utc", label: "UTC" },
] as const satisfies { value: TimeZoneChoice; label: string }[];

export const MEASURES = [
  { value: "cost", label: "Cost" },
  { value: "requests", label: "Requests" },
  { value: "tokens", label: "Tokens" },
] as const satisfies { value: Measure; label: string }[];

export const ACTIVITY_MEASURES = MEASURES.slice(1);

/** Which costs the totals are of. */
export const BASES = [
  { value: "known", label: "Known cost" },
  { value: "reported", label: "Reported" },
  { value: "computed", label: "Computed" },
] as const satisfies { value: CostBasis; label: string }[];

function known<Value extends string>(options: readonly { value: Value }[], asked: unknown, otherwise: Value): Value {
  return options.find((option) => option.value === asked)?.value ?? otherwise;
}

/** Invalid values in an address that was typed or comes from another version fall back to their defaults. */
export function parseUsagePlace(search: Record<string, unknown>): UsagePlace {
  const basis = known(BASES, search["basis"], "known");
  return {
    range: known(RANGES, search["range"], "last_week"),
    group: known(GROUPS, search["group"], "backend"),
    zone: known(ZONES, search["zone"], "local"),
    measure: known(MEASURES, search["measure"], "cost"),
    ...(isDaySpan(search["days"]) && { days: { first: search["days"].first, last: search["days"].last } }),
    ...(basis !== "known" && { basis }),
    ...parseDimensions(search),
  };
}

export function parseBreakdownPlace(search: Record<string, unknown>): BreakdownPlace {
  return {
    ...parseUsagePlace(search),
    rows: known(CROSS_GROUPS, search["rows"], "project"),
    columns: known(CROSS_GROUPS, search["columns"], "model"),
    look: known(CROSS_LOOKS, search["look"], "bars"),
  };
}

/** The router reads `look_back=7` as a number. */
export function parseLookBack({ look_back: asked }: Record<string, unknown>): LookBack {
  return known(LOOK_BACKS, typeof asked === "number" ? String(asked) : asked, "7");
}

/** What the parts of Usage hand on to each other: what an address says of them. */
export type KeptPlace = Partial<Omit<BreakdownPlace, "measure">>;

export function parseKeptPlace(search: Record<string, unknown>): KeptPlace {
  const { measure: _, ...place } = parseBreakdownPlace(search);
  return Object.fromEntries(Object.entries(place).filter(([name]) => name in search));
}

function parseDimensions(search: Record<string, unknown>): DimensionFilter {
  return filterOf(parseRequestFilter(search));
}

/** The filter of a place, without the rest. */
export function filterOf(place: DimensionFilter): DimensionFilter {
  const filter: DimensionFilter = {};
  for (const name of DIMENSIONS) if (place[name] !== undefined) filter[name] = place[name];
  return filter;
}

export function isFiltered(place: DimensionFilter): boolean {
  return DIMENSIONS.some((name) => place[name] !== undefined);
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;

export function isDaySpan(days: unknown): days is DaySpan {
  if (typeof days !== "object" || days === null) return false;
  const { first, last } = days as Partial<Record<string, unknown>>;
  return isDate(first) && isDate(last) && first <= last;
}

/** True for a day of the calendar; not for 31 February. */
function isDate(day: unknown): day is string {
  if (typeof day !== "string" || !DATE.test(day)) return false;
  const at = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(day);
}

/** A place with these days; with its range if there are none. */
export function withDays(place: UsagePlace, days: DaySpan | undefined): UsagePlace {
  const { days: _, ...ranged } = place;
  return days === undefined ? ranged : { ...ranged, days };
}

/** Activity is about what was asked, not about what it cost. */
export function parseActivityPlace(search: Record<string, unknown>): UsagePlace {
  return { ...parseUsagePlace(search), measure: known(ACTIVITY_MEASURES, search["measure"], "requests") };
}
