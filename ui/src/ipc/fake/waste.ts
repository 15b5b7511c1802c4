/** Requests that gave nobody an answer, and the readiness checks, which are requests of Gatehouse's own. */
import type { RequestView, WasteKind } from "@/ipc/bindings";

const CHECKS_MAX = 12;
const CHECK_NANO_USD = 158_000;

/** The readiness checks: some of the user's requests, asked once more. */
export function checksAmong(requests: RequestView[]): RequestView[] {
  const each = Math.max(1, Math.floor(requests.length / CHECKS_MAX));
  return requests
    .filter((_, number) => number % each === 0)
    .slice(0, CHECKS_MAX)
    .map((request) => ({ ...request, id: `${request.id}_check`, state: "complete", cost_nano_usd: CHECK_NANO_USD }));
}

export function wastedAmong(requests: RequestView[], kind: WasteKind): RequestView[] {
  switch (kind) {
    case "failed":
      return requests.filter(({ state }) => state === "failed");
    case "retries":
      return requests.filter(({ state, attempts }) => state !== "failed" && attempts > 1);
    case "health":
      return [];
    case "checks":
      return checksAmong(requests);
  }
}
