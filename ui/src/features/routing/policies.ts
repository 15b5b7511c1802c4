/** Display texts for policies: what each does, and how its candidates are laid out. */
import type { CacheMode, TranslationMode, RoutePolicy } from "@/ipc/bindings";

export interface PolicyWords {
  value: RoutePolicy;
  label: string;
  note: string;
  /** Layout of the candidates: in the configured order, side by side by weight, or picked for each request. */
  shape: "queue" | "shares" | "pick";
}

export const POLICIES: readonly PolicyWords[] = [
  {
    value: "ordered",
    label: "In order",
    note: "The first healthy backend; the next one only if it fails.",
    shape: "queue",
  },
  {
    value: "balanced",
    label: "Balanced",
    note: "The best mix of latency, cost and headroom; switches only for a gain of 15 % or more.",
    shape: "pick",
  },
  { value: "fastest", label: "Fastest", note: "The shortest recent time to first token.", shape: "pick" },
  { value: "cheapest", label: "Cheapest", note: "The lowest price for this request.", shape: "pick" },
  { value: "least-busy", label: "Least busy", note: "The fewest requests in flight.", shape: "pick" },
  {
    value: "weighted",
    label: "By weight",
    note: "Random, in proportion to the weights, with failover.",
    shape: "shares",
  },
  {
    value: "split",
    label: "Split",
    note: "A fixed share of conversations each, to compare backends, without failover.",
    shape: "shares",
  },
];

export function policyOf(value: RoutePolicy): PolicyWords {
  return POLICIES.find((policy) => policy.value === value) ?? { value, label: value, note: "", shape: "queue" };
}

export const CACHE_MODES: readonly { value: CacheMode; label: string }[] = [
  { value: "auto", label: "Auto: only repeatable requests" },
  { value: "on", label: "On: at any temperature" },
  { value: "off", label: "Off" },
  { value: "refresh", label: "Refresh: always ask the backend, then store" },
];

export const TRANSLATION_MODES: readonly { value: TranslationMode; label: string }[] = [
  { value: "strict", label: "Strict: refuse fields that would change the response" },
  { value: "lenient", label: "Lenient: drop all of them and name them" },
];
