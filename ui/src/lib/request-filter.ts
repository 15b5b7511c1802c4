/** The filters of the requests, as stored in the address: links anywhere in the panel can open the requests filtered. */
import type { CacheOutcome, RequestsQuery, RequestState, WasteKind } from "@/ipc/bindings";
import { CACHE_OUTCOME, REQUEST, WASTE_WORD } from "@/lib/tables";

type Filters = Omit<RequestsQuery, "before" | "limit" | "ended_since">;

export type RequestFilter = { [Name in keyof Filters]?: NonNullable<Filters[Name]> };

/** What requests may lack. */
const LACKABLE = ["backend", "key", "project"] as const satisfies (keyof RequestFilter)[];

/** True if a filter selects something: one with an empty text selects the requests that lack it, as in the core. */
export function selects(name: string, text: string): boolean {
  return text !== "" || LACKABLE.some((one) => one === name);
}

const TEXTS = [
  "http_status",
  "failure",
  "backend",
  "key",
  "client",
  "project",
  "route",
  "model",
  "min_cost",
  "max_cost",
  "slower_than",
  "faster_than",
  "within",
] as const satisfies (keyof RequestFilter)[];

function known<Value extends string>(table: Record<Value, unknown>, asked: unknown): Value | undefined {
  return (Object.keys(table) as Value[]).find((value) => value === asked);
}

/** Invalid values in an address that was typed or comes from another version are left out. */
export function parseRequestFilter(search: Record<string, unknown>): RequestFilter {
  const filter: RequestFilter = {};
  const state = known<RequestState>(REQUEST, search["state"]);
  if (state !== undefined) filter.state = state;
  const cache = known<CacheOutcome>(CACHE_OUTCOME, search["cache"]);
  if (cache !== undefined) filter.cache = cache;
  const waste = known<WasteKind>(WASTE_WORD, search["waste"]);
  if (waste !== undefined) filter.waste = waste;
  if (search["unpriced"] === true) filter.unpriced = true;
  for (const name of TEXTS) {
    const value = search[name];
    // The router parses `http_status=503` as a number.
    const isText = typeof value === "string" && selects(name, value);
    if (isText || typeof value === "number") filter[name] = String(value);
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

/** The path of the requests screen with these filters, or of one request over them. */
export function requestsPath(filter: RequestFilter & { request?: string } = {}): string {
  return pathWith("/requests", filter);
}

/** What a word of an address may hold; objects stand there as JSON. */
export type AddressValue = string | number | boolean | object;

/** A path with these words after it. */
export function pathWith(path: string, search: Record<string, AddressValue>): string {
  const words = Object.entries(search).map(([name, value]) => [name, addressWord(value)]);
  return words.length === 0 ? path : `${path}?${new URLSearchParams(words).toString()}`;
}

/** The router reads words as JSON where it can: a name such as `true` or `12` is quoted to stay a name. */
function addressWord(value: AddressValue): string {
  if (typeof value !== "string") return JSON.stringify(value);
  try {
    JSON.parse(value);
    return JSON.stringify(value);
  } catch {
    return value;
  }
}
