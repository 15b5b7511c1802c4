/** How the candidates of each policy are laid out. */
import type { RoutePolicy } from "@/ipc/bindings";
import { POLICIES, type FormChoice } from "@/lib/form-tables";

interface PolicyWords extends FormChoice<RoutePolicy> {
  /** In the configured order, side by side by weight, or picked for each request. */
  shape: "queue" | "shares" | "pick";
}

function shapeOf(policy: RoutePolicy): PolicyWords["shape"] {
  if (policy === "ordered") return "queue";
  return policy === "weighted" || policy === "split" ? "shares" : "pick";
}

export function policyOf(value: RoutePolicy): PolicyWords {
  const words = POLICIES.find((policy) => policy.value === value) ?? { value, label: value, note: "" };
  return { ...words, shape: shapeOf(value) };
}
