/** The fake core's objectives: what is promised, what that allows, and how it is changed. */
import type {
  LevelTermsView,
  ObjectiveTarget,
  ObjectiveView,
  ServiceGoal,
  ServiceLevelPreviewView,
  ServiceLevelSet,
  ServicePeriod,
} from "@/ipc/bindings";
import { fault } from "@/ipc/fake/rules";

interface Terms {
  goal: ServiceGoal;
  period: ServicePeriod;
  maxMs: number;
}

const LABELS: Record<ObjectiveTarget, string> = {
  gateway: "Gateway",
  route: "Routes with a fallback",
  backend: "Backends, and routes with only one",
  "first-token": "First tokens",
  service: "Services",
};
const DEFAULTS: Record<ObjectiveTarget, Terms> = {
  gateway: { goal: "99.95", period: "30d", maxMs: 2_000 },
  route: { goal: "99.9", period: "30d", maxMs: 2_000 },
  backend: { goal: "99.5", period: "7d", maxMs: 2_000 },
  "first-token": { goal: "95", period: "7d", maxMs: 2_000 },
  service: { goal: "99.5", period: "7d", maxMs: 2_000 },
};
const TARGETS = Object.keys(LABELS) as ObjectiveTarget[];
const NOUNS = { gateway: "gateway", route: "route", backend: "backend", "first-token": "backend", service: "service" };
const VALID = { gateway: 12_040, route: 9_310, backend: 2_864, "first-token": 2_402, service: 0 };

function timeText(minutes: number): string {
  return minutes < 120 ? `${minutes.toFixed(0)} min` : `${(minutes / 60).toFixed(1)} h`;
}

function allowance(target: ObjectiveTarget, { goal, period }: Terms): string {
  const share = (100 - Number(goal)) / 100;
  const time = timeText((period === "7d" ? 7 : 30) * 1_440 * share);
  if (target === "service") return `allows ${time} of downtime`;
  const requests = `${Math.floor(VALID[target] * share)} of ${VALID[target].toLocaleString("en")}`;
  if (target === "first-token") return `allows ${requests} answers to begin later`;
  return `allows ${time}, or ${requests} requests`;
}

function promise(target: ObjectiveTarget, { goal, period, maxMs }: Terms): string {
  const within = target === "first-token" ? ` within ${maxMs / 1_000} s` : "";
  return `${goal} %${within} in ${period === "7d" ? 7 : 30} days`;
}

/** The objectives of a world, as they were set. */
export class Objectives {
  readonly #defaults = new Map<ObjectiveTarget, Terms>();
  readonly #own = new Map<string, Partial<Terms>>();

  constructor(own: ServiceLevelSet[]) {
    for (const one of own) this.set(one);
  }

  get maxMs(): number {
    return this.of("first-token").maxMs;
  }

  set(req: ServiceLevelSet): void {
    const { target, name = null, to_default: isReset = false } = req;
    this.check(req);
    if (name !== null && isReset) this.#own.delete(`${target} ${name}`);
    else if (name !== null) this.#own.set(`${target} ${name}`, this.wanted(req));
    else if (isReset) this.#defaults.delete(target);
    else this.#defaults.set(target, this.wanted(req));
  }

  check({ max_ms: maxMs = null }: ServiceLevelSet): void {
    if (maxMs !== null && (maxMs < 100 || maxMs > 60_000))
      throw fault("invalid_input", "a number from 100 to 60,000 ms", null, "max_ms");
  }

  /** The default, or that of one with what it has of its own. */
  of(target: ObjectiveTarget, name: string | null = null): Terms {
    const own = name === null ? {} : this.#own.get(`${target} ${name}`);
    return { ...(this.#defaults.get(target) ?? DEFAULTS[target]), ...own };
  }

  terms(target: ObjectiveTarget, name: string | null): LevelTermsView & { text: string } {
    const terms = this.of(target, name);
    return {
      target,
      name,
      goal: terms.goal,
      period: terms.period,
      max_ms: target === "first-token" ? terms.maxMs : null,
      is_own: this.#own.has(`${target} ${name}`),
      default_objective: promise(target, this.of(target)),
      text: promise(target, terms),
    };
  }

  views(): ObjectiveView[] {
    return TARGETS.map((target) => ({
      target,
      label: LABELS[target],
      goal: this.of(target).goal,
      period: this.of(target).period,
      period_is_fixed: target === "first-token",
      is_default: promise(target, this.of(target)) === promise(target, DEFAULTS[target]),
      consequence: allowance(target, this.of(target)),
    }));
  }

  preview(req: ServiceLevelSet): ServiceLevelPreviewView {
    this.check(req);
    const { target, name = null } = req;
    const wanted = this.wanted(req);
    const isMissed = Number(wanted.goal) > (target === "gateway" ? 99.97 : 99.9);
    const noun = NOUNS[target];
    const data = target === "service" ? "observed time" : "requests";
    const all =
      target === "gateway"
        ? `The gateway with enough requests would ${isMissed ? "miss" : "keep"} it.`
        : isMissed
          ? `1 of 4 ${noun}s would miss it.`
          : `All 4 ${noun}s with enough ${data} would keep it.`;
    const one = isMissed ? "It would be missed." : "It would be kept, with 62 % left.";
    return {
      consequence: `${promise(target, wanted)} ${allowance(target, wanted)}`,
      effect: name === null ? all : one,
    };
  }

  private wanted(req: ServiceLevelSet): Terms {
    const { target, name = null, goal = null, period = null, max_ms: maxMs = null, to_default: isReset = false } = req;
    if (isReset) return name === null ? DEFAULTS[target] : this.of(target);
    const known = this.of(target, name);
    return { goal: goal ?? known.goal, period: period ?? known.period, maxMs: maxMs ?? known.maxMs };
  }
}
