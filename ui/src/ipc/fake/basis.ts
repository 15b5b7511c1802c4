/** What the made-up requests cost on each basis of a total. */
import type { CostBasis, RequestView, UsageGroupView, UsageTotalsView } from "@/ipc/bindings";

export const BASIS_WORDS = {
  known: { rests: "Stated by the backend, else computed; ", after: " priced", unknown: "unpriced" },
  reported: { rests: "Reported by the backend, for ", after: "", unknown: "unreported" },
  computed: { rests: "Computed from the price list, for ", after: "", unknown: "uncomputed" },
} satisfies Record<CostBasis, object>;

export function basisOf({ priced_percent: priced }: UsageTotalsView, basis: CostBasis): string {
  const { rests, after } = BASIS_WORDS[basis];
  return priced === null ? rests.replace(/[,;] (for )?$/, "") : `${rests}${priced} % of requests${after}`;
}

export function findingOf(first: UsageGroupView | undefined, totals: UsageTotalsView, basis: CostBasis): string {
  const { cost_nano_usd: cost, requests: count, unpriced_requests: unknown } = totals;
  const asked = `${count.toLocaleString("en-US")} requests`;
  if (first === undefined) return "No requests in this period";
  if (basis === "known" && cost === 0) return `Nothing billed for ${asked}`;
  if (totals.is_cost_unknown) return `${asked}, none with a ${basis} cost`;
  const spent = `$${(cost / 1_000_000_000).toFixed(2)} for ${asked}`;
  const shown = cost === 0 ? spent : `${first.label}: ${first.cost_share_percent} % of ${spent}`;
  return basis === "known" || unknown === 0 ? shown : `${shown}, ${unknown} of them ${BASIS_WORDS[basis].unknown}`;
}

/** The same requests with what they cost on a basis. The made-up list computes a little more than what was stated. */
export function onBasis(requests: RequestView[], basis: CostBasis): RequestView[] {
  if (basis === "known") return requests;
  const costOn = ({ cost_nano_usd: cost, cost_basis: own }: RequestView) => {
    if (own === "not_billed" || cost === null) return cost;
    if (basis === "reported") return own === "reported" ? cost : null;
    return own === "reported" ? Math.round(cost * 1.02) : cost;
  };
  return requests.map((request) => ({ ...request, cost_nano_usd: costOn(request) }));
}

/** As the core says it. */
export function isUnknown(cost: number, requests: number, unknown: number): boolean {
  return cost === 0 && unknown > 0 && requests <= unknown;
}
