/** The fake core's objectives: what is promised, what that allows, and how it is changed. */
import type {
  ObjectiveTarget,
  ObjectiveView,
  ServiceGoal,
  ServiceLevelPreviewView,
  ServiceLevelSet,
  ServicePeriod,
} from "@/ipc/bindings";
import { fault } from "@/ipc/fake/rules";

const GOALS: Record<ObjectiveTarget, Pick<ObjectiveView, "label" | "goal" | "period">> = {
  gateway: { label: "Gateway", goal: "99.95", period: "30d" },
  route: { label: "Routes with a fallback", goal: "99.9", period: "30d" },
  backend: { label: "Backends, and routes with only one", goal: "99.5", period: "7d" },
  "first-token": { label: "First tokens", goal: "95", period: "7d" },
};
const TARGETS = Object.keys(GOALS) as ObjectiveTarget[];
const VALID: Record<ObjectiveTarget, number> = { gateway: 12_040, route: 9_310, backend: 2_864, "first-token": 2_402 };

function consequenceOf(target: ObjectiveTarget, goal: string, period: ServicePeriod): string {
  const share = (100 - Number(goal)) / 100;
  const valid = VALID[target];
  const requests = `${Math.floor(valid * share)} of ${valid.toLocaleString("en")}`;
  if (target === "first-token") return `allows ${requests} answers to begin later`;
  const minutes = (period === "7d" ? 7 : 30) * 1_440 * share;
  const time = minutes < 120 ? `${minutes.toFixed(0)} min` : `${(minutes / 60).toFixed(1)} h`;
  return `allows ${time}, or ${requests} requests`;
}

/** The objectives of a world, as they were set. */
export class Objectives {
  readonly #set = new Map<ObjectiveTarget, { goal: ServiceGoal; period: ServicePeriod }>();
  maxMs = 2_000;

  set({ target, goal = null, period = null, max_ms: maxMs = null }: ServiceLevelSet): void {
    const before = this.of(target);
    this.check(maxMs);
    this.#set.set(target, { goal: goal ?? before.goal, period: period ?? before.period });
    this.maxMs = maxMs ?? this.maxMs;
  }

  check(maxMs: number | null): void {
    if (maxMs !== null && (maxMs < 100 || maxMs > 60_000))
      throw fault("invalid_input", "a number from 100 to 60,000 ms", null, "max_ms");
  }

  of(target: ObjectiveTarget) {
    return this.#set.get(target) ?? GOALS[target];
  }

  views(): ObjectiveView[] {
    return TARGETS.map((target) => {
      const { goal, period } = this.of(target);
      return {
        target,
        label: GOALS[target].label,
        goal,
        period,
        period_is_fixed: target === "first-token",
        is_default: goal === GOALS[target].goal && period === GOALS[target].period,
        consequence: consequenceOf(target, goal, period),
      };
    });
  }

  preview({ target, goal = null, period = null, max_ms: maxMs = null }: ServiceLevelSet): ServiceLevelPreviewView {
    this.check(maxMs);
    const known = this.of(target);
    const [wanted, time] = [goal ?? known.goal, period ?? known.period];
    const within = target === "first-token" ? ` within ${(maxMs ?? this.maxMs) / 1_000} s` : "";
    return {
      consequence: `${wanted} %${within} in ${time === "7d" ? 7 : 30} days ${consequenceOf(target, wanted, time)}`,
      effect:
        target === "gateway"
          ? `The gateway with enough requests would ${Number(wanted) > 99.97 ? "miss" : "keep"} it.`
          : Number(wanted) > 99.9
            ? "1 of 4 backends would miss it."
            : "All 4 backends with enough requests would keep it.",
    };
  }
}
