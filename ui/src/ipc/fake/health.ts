/** The fake core's health and service levels: a calm past, and one backend that is down in the failing world. */
import type {
  BackendHealthView,
  BackendView,
  BurnPaceView,
  BurnWindow,
  FirstTokenChangeView,
  FirstTokenView,
  HealthReportView,
  ScorePart,
  ServiceLevelSet,
  ServiceLevelsView,
  ServiceLevelView,
  ServiceView,
} from "@/ipc/bindings";
import type { Host } from "@/ipc/host";
import type { Doing } from "@/ipc/fake/doing";
import { healthTimeline } from "@/ipc/fake/health-timeline";
import { healthTree } from "@/ipc/fake/health-tree";
import { Objectives } from "@/ipc/fake/objectives";
import { fakeRecentEvents } from "@/ipc/fake/recent-events";
import { observedDays } from "@/ipc/fake/observed-days";
import { servicesView } from "@/ipc/fake/service-data";
import { fakeServices } from "@/ipc/fake/services";
import { fakeLocal } from "@/ipc/fake/local";
import { backendViews } from "@/ipc/fake/views";
import type { World } from "@/ipc/fake/world";

const PARTS: { part: ScorePart; meaning: string; most: number }[] = [
  { part: "availability", meaning: "Share of the last 24 hours' observed time in which it answered", most: 40 },
  { part: "latency", meaning: "First tokens of the last 24 hours against the week before", most: 20 },
  { part: "error-budget", meaning: "What is left of the failures that its objective allows", most: 15 },
  { part: "quota", meaning: "What is left of the provider's quota", most: 10 },
  { part: "credential", meaning: "Whether its key is accepted", most: 10 },
  { part: "freshness", meaning: "How recent the last result is", most: 5 },
];

function unclear(percentile: number, name: string): FirstTokenChangeView {
  return {
    percentile,
    change: "unclear",
    low_ms: -40,
    high_ms: 60,
    sentence: `${name} has not changed measurably from the seven days before`,
  };
}

/** The third backend is slower than it was. */
function firstTokensOf(seed: number): FirstTokenView {
  const [p50, p95, usual] = [310 + seed * 40, 900 + seed * 210, 850];
  const isSlower = seed >= 2;
  return {
    p50_ms: p50,
    p95_ms: p95,
    count: 180,
    usual_p95_ms: usual,
    changes: [
      unclear(50, "The median"),
      isSlower
        ? {
            percentile: 95,
            change: "slower",
            low_ms: 210,
            high_ms: 790,
            sentence:
              "The 95th percentile is 210 ms to 790 ms later than in the seven days before, with 95 % confidence",
          }
        : unclear(95, "The 95th percentile"),
    ],
  };
}

function backendHealth(backend: BackendView, seed: number, now: number): BackendHealthView {
  const isDown = backend.health.state === "down";
  const isSeen = ["up", "degraded", "down"].includes(backend.health.state);
  const shares = {
    availability: isDown ? 0 : 1,
    latency: 0.92,
    "error-budget": isDown ? 0 : 0.8,
    quota: null,
  } as const;
  const points = (part: ScorePart, most: number) => {
    const known = part in shares ? shares[part as keyof typeof shares] : 1;
    return known === null || !isSeen ? null : known * most;
  };
  return {
    id: backend.id,
    label: backend.label,
    health: backend.health,
    ...observedDays(backend.health.state, seed, now),
    first_token: isSeen ? firstTokensOf(seed) : null,
    score: {
      points: isSeen ? (isDown ? 25 : 96 - seed) : null,
      parts: PARTS.map(({ part, meaning, most }) => ({ part, meaning, points: points(part, most), points_max: most })),
      cap: isDown ? "blocked" : null,
      cap_sentence: isDown ? "Its key or account is refused: at most 25" : null,
      confidence: isSeen ? "high" : "low",
    },
  };
}

const RANK = { down: 0, degraded: 1, unknown: 2, up: 3, disabled: 4 } as const;

function reportOf(world: World, now: number): HealthReportView {
  const backends = backendViews(world, now)
    .filter(({ built_in: builtIn }) => !builtIn)
    .map((backend, index) => backendHealth(backend, index, now))
    .toSorted((left, right) => RANK[left.health.state] - RANK[right.health.state]);
  const on = backends.filter(({ health }) => health.state !== "disabled");
  const down = on.filter(({ health }) => health.state === "down").length;
  const degraded = on.filter(({ health }) => health.state === "degraded").length;
  const finding =
    on.length === 0
      ? "No backend is in use"
      : down === 0 && degraded > 0
        ? `${degraded} of ${on.length} backends ${degraded === 1 ? "is" : "are"} degraded`
        : down === 0
          ? `All ${on.length} backends answer`
          : `${down} of ${on.length} backends ${down === 1 ? "does" : "do"} not answer`;
  return { finding, is_offline: false, backends, services: servicesView(world.services) };
}

type LevelParts = Partial<ServiceLevelView> & Pick<ServiceLevelView, "kind" | "id" | "label">;

function level(objectives: Objectives, rest: LevelParts): ServiceLevelView {
  const { kind, id, indicator = "requests" } = rest;
  const { text, ...terms } = objectives.terms(
    indicator === "first-token" ? "first-token" : kind,
    kind === "gateway" ? null : id,
  );
  const [goal, days] = [Number(terms.goal), terms.period === "7d" ? 7 : 30];
  return {
    indicator,
    state: "not_enough_data",
    objective: text,
    terms,
    goal_percent: goal,
    period_days: days,
    valid: 0,
    bad: 0,
    time: null,
    good_percent: null,
    budget_left_percent: null,
    burn: [],
    pace:
      indicator !== "requests"
        ? null
        : days === 7
          ? paceOf(rest, goal, ["24h", "2h"], 1.5)
          : paceOf(rest, goal, ["3d", "6h"], 1),
    exhausted_at: null,
    advice: "",
    ...rest,
  };
}

/** 45 h were observed. */
function serviceLevel(objectives: Objectives, { id, label, health }: ServiceView): ServiceLevelView {
  const isDown = health.state === "down";
  const observed = 45 * 3_600;
  const down = isDown ? 3_660 : id === "vectors" ? 480 : 0;
  const terms = objectives.terms("service", id);
  const allowed = Math.floor((observed * (100 - Number(terms.goal))) / 100);
  const left = Math.max(0, 100 * (1 - down / allowed));
  const state = left <= 0 ? "missed" : left <= 50 ? "tight" : "kept";
  return level(objectives, {
    kind: "service",
    id,
    label,
    indicator: "availability",
    state,
    time: {
      observed_secs: observed,
      down_secs: down,
      allowed_secs: allowed,
      left_secs: Math.max(0, allowed - down),
      needed_secs: 86_400,
    },
    good_percent: 100 - (100 * down) / observed,
    budget_left_percent: left,
    advice: state === "kept" ? "" : "Its days show when it was down.",
  });
}

function paceOf(
  { valid = 0, bad = 0 }: Partial<ServiceLevelView>,
  goal: number,
  [long, short]: [BurnWindow, BurnWindow],
  factor: number,
): BurnPaceView {
  const rate = valid < 20 ? null : (100 * bad) / valid / (100 - goal);
  return {
    long: { window: long, valid, bad, rate },
    short: { window: short, valid: Math.floor(valid / 12), bad: 0, rate: valid < 240 ? null : (rate ?? 0) * 0.6 },
    factor,
  };
}

function levelsOf(objectives: Objectives, world: World, now: number): ServiceLevelsView {
  const promised = { objectives: objectives.views(), first_token_max_ms: objectives.maxMs };
  const of = (parts: LevelParts) => level(objectives, parts);
  const gateway = { kind: "gateway", id: "", label: "Gateway" } as const;
  const backends = backendViews(world, now).filter(({ built_in: builtIn, enabled }) => !builtIn && enabled);
  if (backends.length === 0) return { finding: "Not enough data to tell", ...promised, levels: [of(gateway)] };
  const kept = { state: "kept", valid: 4_120, bad: 1, good_percent: 99.975, budget_left_percent: 52 } as const;
  const levels = [
    of({ ...gateway, ...kept }),
    ...world.routes.map(({ id }) => of({ kind: "route", id, label: id, valid: 12, good_percent: 100 })),
    ...backends.flatMap(({ id, label, health }, index) => {
      if (health.state === "down")
        return of({
          kind: "backend",
          id,
          label,
          state: "missed",
          valid: 310,
          bad: 41,
          good_percent: 86.77,
          budget_left_percent: 0,
          advice: "Put another backend first in the routes that use it.",
        });
      const requests = of({ kind: "backend", id, label, ...(index === 0 ? { ...kept, budget_left_percent: 88 } : {}) });
      if (id !== "ollama") return requests;
      const tokens = { indicator: "first-token", state: "kept", valid: 190, bad: 4, good_percent: 97.89 } as const;
      return [requests, of({ kind: "backend", id, label, ...tokens, budget_left_percent: 57 })];
    }),
    ...world.services.filter(({ enabled }) => enabled).map((service) => serviceLevel(objectives, service)),
  ];
  const missed = levels.filter(({ state }) => state === "missed").length;
  const known = levels.filter(({ state }) => state !== "not_enough_data").length;
  return {
    finding:
      missed === 0
        ? `All ${known} objectives with enough data are kept`
        : `${missed} of ${known} objectives ${missed === 1 ? "is" : "are"} missed`,
    ...promised,
    levels,
  };
}

/** A slow machine at home, and a service that matters. */
function ownObjectives({ scenario }: World): ServiceLevelSet[] {
  if (scenario !== "busy" && scenario !== "failing") return [];
  return [
    { target: "first-token", name: "ollama", max_ms: 8_000 },
    { target: "service", name: "github", goal: "99.9", period: "30d" },
  ];
}

type HealthHost = Pick<
  Host,
  | "health"
  | "localHealth"
  | "recentEvents"
  | "healthTree"
  | "healthTimeline"
  | "serviceLevels"
  | "serviceLevelSet"
  | "serviceLevelPreview"
>;

export function fakeHealth(doing: Doing): HealthHost & ReturnType<typeof fakeServices> {
  const { world, now, answer, changed } = doing;
  const objectives = new Objectives(ownObjectives(world));
  return {
    ...fakeRecentEvents(doing),
    ...fakeServices(doing),
    ...fakeLocal(doing),
    serviceLevelPreview: (req) => answer(() => objectives.preview(req)),
    serviceLevelSet: (req) =>
      answer(() => {
        objectives.set(req);
        changed("health", "settings");
        return levelsOf(objectives, world, now());
      }),
    healthTree: () => answer(() => healthTree(world, now())),
    healthTimeline: ({ hours }) => answer(() => healthTimeline(world, now(), hours)),
    health: () => answer(() => reportOf(world, now())),
    serviceLevels: () => answer(() => levelsOf(objectives, world, now())),
  };
}
