/** Policies in words: what each does, and what its candidates look like beside each other. */
import type { CacheWishView, CrossingView, RoutePolicyView } from "@/ipc/bindings";

export interface PolicyWords {
  value: RoutePolicyView;
  label: string;
  /** What it does, in one sentence. */
  note: string;
  /** How its candidates stand: in the order written, side by side by weight, or picked anew each time. */
  shape: "queue" | "shares" | "pick";
}

export const POLICIES: readonly PolicyWords[] = [
  {
    value: "ordered",
    label: "In order",
    note: "The first that is ready; the next only when it fails.",
    shape: "queue",
  },
  {
    value: "balanced",
    label: "Balanced",
    note: "The best sum of latency, cost and headroom; it moves only for a gain of 15 % or more.",
    shape: "pick",
  },
  { value: "fastest", label: "Fastest", note: "The shortest time to the first token of late.", shape: "pick" },
  { value: "cheapest", label: "Cheapest", note: "The lowest price for this very request.", shape: "pick" },
  { value: "least-busy", label: "Least busy", note: "The fewest requests in flight.", shape: "pick" },
  {
    value: "weighted",
    label: "By weight",
    note: "Drawn by chance in proportion to the weights; the others step in when it fails.",
    shape: "shares",
  },
  {
    value: "split",
    label: "Split",
    note: "A fixed share of the conversations each, to compare them: none steps in for another.",
    shape: "shares",
  },
];

export function policyOf(value: RoutePolicyView): PolicyWords {
  return POLICIES.find((policy) => policy.value === value) ?? { value, label: value, note: "", shape: "queue" };
}

export const CACHE_WISHES: readonly { value: CacheWishView; label: string }[] = [
  { value: "auto", label: "If the same question has the same answer" },
  { value: "on", label: "Always, whatever the temperature" },
  { value: "off", label: "Never" },
  { value: "refresh", label: "Ask again and keep the new answer" },
];

export const CROSSING_WISHES: readonly { value: CrossingView; label: string }[] = [
  { value: "strict", label: "Refuse what would change the answer" },
  { value: "lenient", label: "Drop them and name them" },
];
