/** Breakers, cooldowns and blocks of the fake data, with their history. */
import type {
  EndpointView,
  AvailabilityState,
  AvailabilityView,
  BackendView,
  BreakerSpanView,
  BreakerTransitionView,
} from "@/ipc/bindings";
import { RESILIENCE } from "@/ipc/fake/catalogue";
import { fault, raise } from "@/ipc/fake/rules";
import type { Doing } from "@/ipc/fake/doing";
import type { Scenario, World } from "@/ipc/fake/world";
import type { Host } from "@/ipc/host";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "@/lib/time";

const FULL = "Healthy.";

function availability(
  credential: string | null,
  state: AvailabilityState,
  why: string,
  since: number | null,
  until: number | null,
  percent: number | null = null,
): AvailabilityView {
  return { credential, state, percent, why, since, until };
}

function calm(backend: BackendView, world: World, now: number): EndpointView {
  const key = world.keys.find((known) => known.id === backend.credential);
  return {
    backend: backend.id,
    backend_label: backend.label,
    credential: backend.credential,
    credential_label: key?.label ?? null,
    availability: availability(backend.credential, "ready", FULL, now - 6 * HOUR_MS, null),
    breaker: {
      state: "closed",
      percent: null,
      why: "No failure in the last 60 s.",
      since: now - 6 * HOUR_MS,
      until: null,
    },
    cooldowns: [],
    block: null,
    forced: null,
    concurrency: {
      in_flight: backend.id === "openai" ? 2 : 0,
      limit: backend.built_in ? null : 8,
      limit_max: backend.built_in ? null : 8,
    },
  };
}

type Trouble = (access: EndpointView, now: number) => EndpointView;

const open: Trouble = (access, now) => {
  const cause = access.backend === "ollama" ? "connection refused at 127.0.0.1:11434" : "503, overloaded";
  const why = `3 failures in a row: ${cause}.`;
  const until = now + 14 * SECOND_MS;
  return {
    ...access,
    availability: availability(access.credential, "open", why, now - 6 * SECOND_MS, until),
    breaker: { state: "open", percent: null, why, since: now - 6 * SECOND_MS, until },
  };
};

const coolingDown: Trouble = (access, now) => {
  const why = "The provider's rate limit was reached, for all models.";
  const until = now + 81 * SECOND_MS;
  return {
    ...access,
    availability: availability(access.credential, "cooling_down", why, now - 14 * SECOND_MS, until),
    cooldowns: [
      { model: null, why, until },
      { model: "llama-5-70b", why: "The daily quota is used up.", until: now + 9 * HOUR_MS },
    ],
    concurrency: { in_flight: 0, limit: 3, limit_max: 8 },
  };
};

const blocked: Trouble = (access, now) => {
  const why = "The provider rejected the key.";
  return {
    ...access,
    availability: availability(access.credential, "blocked", why, now - 18 * MINUTE_MS, null),
    block: { reason: "key-rejected", why, fix: "Replace the key.", since: now - 18 * MINUTE_MS },
  };
};

const recovering: Trouble = (access, now) => {
  const why = "Recovering with 25 % of requests: the trial requests succeeded.";
  return {
    ...access,
    availability: availability(access.credential, "recovering", why, now - 7 * SECOND_MS, null, 25),
    breaker: { state: "recovering", percent: 25, why, since: now - 7 * SECOND_MS, until: null },
  };
};

const TROUBLES: Partial<Record<Scenario, Record<string, Trouble>>> = {
  failing: { ollama: open, groq: coolingDown, openrouter: blocked, openai: recovering },
  "one-open": { openai: open },
  "cooling-down": { groq: coolingDown },
  blocked: { openrouter: blocked },
};

export function accessViews(world: World, now: number): EndpointView[] {
  const troubles = TROUBLES[world.scenario] ?? {};
  return world.backends.map((backend) => {
    const before = calm(backend, world, now);
    const changed = world.forced.get(backend.id) ?? null;
    const access = world.reset.has(backend.id) ? before : (troubles[backend.id]?.(before, now) ?? before);
    if (!backend.enabled) {
      const off = availability(
        backend.credential,
        "off",
        "The backend is switched off.",
        access.availability.since,
        null,
      );
      return { ...access, availability: off };
    }
    if (changed === null) return access;
    const { forced, until } = changed;
    const held =
      forced === "open"
        ? availability(access.credential, "held", "Traffic is blocked manually.", changed.since, until)
        : forced === "closed" && access.block === null
          ? availability(
              access.credential,
              "ready",
              "Traffic is allowed manually: failures do not trip the breaker.",
              changed.since,
              until,
            )
          : access.availability;
    return { ...access, availability: held, forced: changed };
  });
}

/** One endpoint's last hours: two trips, one pause. */
function pastOf(access: EndpointView, now: number): { spans: BreakerSpanView[]; transitions: BreakerTransitionView[] } {
  const steps: { before: number; state: AvailabilityState; why: string; rule: string; for_secs: number | null }[] = [
    { before: 19 * HOUR_MS, state: "open", why: "3 failures in a row: 503.", rule: "3 failures in a row", for_secs: 5 },
    {
      before: 19 * HOUR_MS - 40 * MINUTE_MS,
      state: "recovering",
      why: "The trial requests succeeded.",
      rule: "3 successes in a row",
      for_secs: null,
    },
    {
      before: 18 * HOUR_MS,
      state: "ready",
      why: FULL,
      rule: "10 s at full share without a failure",
      for_secs: null,
    },
    {
      before: 8 * HOUR_MS,
      state: "cooling_down",
      why: "The provider's rate limit was reached.",
      rule: "429 with retry-after",
      for_secs: 2_820,
    },
    { before: 7 * HOUR_MS, state: "ready", why: FULL, rule: "the rate limit is over", for_secs: null },
    {
      before: 2 * HOUR_MS,
      state: "open",
      why: "6 of 11 requests failed within 60 s.",
      rule: "50 % failures within 60 s, at least 10 calls",
      for_secs: 40,
    },
    {
      before: 2 * HOUR_MS - 12 * MINUTE_MS,
      state: "trial",
      why: "The waiting time is over.",
      rule: "the waiting time is over",
      for_secs: null,
    },
    {
      before: 2 * HOUR_MS - 18 * MINUTE_MS,
      state: "recovering",
      why: "The trial requests succeeded.",
      rule: "3 successes in a row",
      for_secs: null,
    },
    {
      before: 2 * HOUR_MS - 40 * MINUTE_MS,
      state: "ready",
      why: FULL,
      rule: "10 s at full share without a failure",
      for_secs: null,
    },
  ];
  const last = access.availability;
  if (last.state !== "ready")
    steps.push({ before: now - (last.since ?? now), state: last.state, why: last.why, rule: last.why, for_secs: null });
  const from = now - 24 * HOUR_MS;
  const spans: BreakerSpanView[] = [];
  const transitions: BreakerTransitionView[] = [];
  let state: AvailabilityState = "ready";
  let why = FULL;
  let at = from;
  for (const step of steps) {
    const moment = now - step.before;
    spans.push({ from: at, to: moment, state, why });
    transitions.unshift({
      at: moment,
      credential: access.credential,
      from: state,
      to: step.state,
      rule: step.rule,
      evidence: step.state === "open" ? ["req_1a2f01", "req_1a2f03", "req_1a2f04"] : [],
      for_secs: step.for_secs,
    });
    ({ state, why } = step);
    at = moment;
  }
  spans.push({ from: at, to: now, state, why });
  return { spans, transitions };
}

/** How long a forced-closed breaker stays closed by default, in minutes. */
function closedMinutes({ settings: { values } }: World): number {
  const known = RESILIENCE.presets.find(({ preset }) => preset === values.resilience.preset);
  const numbers = known?.numbers ?? values.resilience.custom;
  return (numbers["forced_closed_secs"] ?? 900) / 60;
}

type Operations = "accesses" | "accessForce" | "accessReset" | "breakerTimeline" | "breakerBacktest";

export function fakeAccesses({ world, now, answer, changed }: Doing): Pick<Host, Operations> {
  const views = () => accessViews(world, now());
  const viewOf = (id: string) =>
    views().find((access) => access.backend === id) ??
    raise(fault("not_found", `There is no backend named ${id}.`, "It may have been removed elsewhere."));
  const isCalm = () => world.scenario === "fresh" || world.scenario === "busy";
  return {
    accesses: () => answer(views),
    accessForce: (req) =>
      answer(() => {
        viewOf(req.backend);
        const usual = req.forced === "closed" ? closedMinutes(world) : null;
        const minutes = req.minutes ?? usual;
        const until = minutes === null ? null : now() + minutes * MINUTE_MS;
        world.forced.set(req.backend, { forced: req.forced, by: "you", since: now(), until });
        changed("accesses", "routes");
        return viewOf(req.backend);
      }),
    accessReset: (req) =>
      answer(() => {
        viewOf(req.backend);
        world.forced.delete(req.backend);
        world.reset.add(req.backend);
        changed("accesses", "routes");
        return viewOf(req.backend);
      }),
    breakerTimeline: (req) =>
      answer(() => {
        const access = viewOf(req.backend);
        const from = now() - req.hours * HOUR_MS;
        const past = isCalm()
          ? { spans: [{ from, to: now(), state: "ready" as const, why: FULL }], transitions: [] }
          : pastOf(access, now());
        const spans = past.spans
          .filter((span) => span.to > from)
          .map((span) => ({ ...span, from: Math.max(span.from, from) }));
        return {
          finding: isCalm()
            ? "Healthy for the last 24 hours"
            : "Tripped twice, 52 min in total; cooling down for 60 min",
          from,
          to: now(),
          strips: [{ credential: access.credential, spans: req.hours > 24 ? past.spans : spans }],
          transitions: past.transitions.filter((one) => one.at > from),
        };
      }),
    breakerBacktest: (req) =>
      answer(() => {
        const row = req.consecutive_failures ?? 3;
        const percent = req.failure_percent ?? 50;
        const opened = isCalm() ? 0 : Math.max(0, Math.round(10 / row + (60 - percent) / 20));
        return {
          sentence: `With these thresholds, the breaker would have tripped ${opened === 1 ? "once" : `${opened} times`} in the last ${req.days} days.`,
          opened,
          opened_really: isCalm() ? 0 : 3,
          open_secs: opened * (req.open_secs ?? 5) * 4,
          attempts: world.requests.length,
        };
      }),
  };
}
