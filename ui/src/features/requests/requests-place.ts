/** The state of the requests screen, as stored in the address. */
import { parseRequestFilter, type RequestFilter } from "@/lib/request-filter";

export interface RequestsPlace extends RequestFilter {
  /** The request whose drawer is open. */
  request?: string;
}

export function parseRequestsPlace(search: Record<string, unknown>): RequestsPlace {
  const request = search["request"];
  return { ...(typeof request === "string" ? { request } : {}), ...parseRequestFilter(search) };
}

/** The filter of a location, without the rest. */
export function filterOf({ request: _request, ...filter }: RequestsPlace): RequestFilter {
  return filter;
}
