/** The fake core's lanes: working days with nights that nobody watched, a short outage, and what is wrong now. */
import type { DependencyKind, DependencyState, HealthLaneView, HealthTimelineView, LaneSpanView } from "@/ipc/bindings";
import { seededRandom } from "@/ipc/fake/random";
import { backendViews } from "@/ipc/fake/views";
import type { World } from "@/ipc/fake/world";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "@/lib/time";

/** Lays `over` on a lane. */
function put(lane: LaneSpanView[], over: LaneSpanView): LaneSpanView[] {
  const before = lane
    .filter(({ from }) => from < over.from)
    .map((one) => ({ ...one, to: Math.min(one.to, over.from) }));
  const after = lane.filter(({ to }) => to > over.to).map((one) => ({ ...one, from: Math.max(one.from, over.to) }));
  return [...before, over, ...after];
}

function laneOf(
  kind: DependencyKind,
  id: string,
  label: string,
  [from, to]: [number, number],
  overs: LaneSpanView[],
): HealthLaneView {
  const within = overs
    .filter((over) => over.to > from && over.from < to)
    .map((over) => ({ ...over, from: Math.max(over.from, from), to: Math.min(over.to, to) }));
  const spans = within.reduce(put, [{ from, to, state: "up", why: "" }]);
  const time = (states: DependencyState[]) =>
    spans.filter(({ state }) => states.includes(state)).reduce((sum, span) => sum + span.to - span.from, 0) / 1_000;
  const down = Math.round(time(kind === "network" ? ["offline"] : ["down", "blocked"]));
  const observed = Math.round(time(["up", "degraded"])) + down;
  const word = kind === "network" ? "offline" : "down";
  const hours = `${Math.round(observed / 3_600)} h observed`;
  return {
    kind,
    id,
    label,
    summary: down === 0 ? `never ${word} in ${hours}` : `${word} for ${Math.round(down / 60)} min of ${hours}`,
    down_secs: down,
    observed_secs: observed,
    spans,
  };
}

function span(from: number, minutes: number, state: DependencyState, why: string): LaneSpanView {
  return { from, to: from + minutes * MINUTE_MS, state, why };
}

/** Nights, and one nap of the machine. */
function unseen(now: number): LaneSpanView[] {
  const nights = Array.from({ length: 31 }, (_, day) => {
    const evening = now - day * DAY_MS - 15 * HOUR_MS;
    return span(evening, day % 7 === 4 ? 9.5 * 60 + 1_440 : 9.5 * 60, "not_observed", "Gatehouse was not running.");
  });
  return [...nights, span(now - 3.4 * HOUR_MS, 34, "not_observed", "The machine slept.")];
}

export function healthTimeline(
  world: World,
  now: number,
  hours: number,
  only: string[] | null = null,
): HealthTimelineView {
  const range: [number, number] = [now - hours * HOUR_MS, now];
  const gaps = unseen(now);
  const offline = [2.2, 30, 170].map((back) =>
    span(now - back * HOUR_MS, 9, "offline", "No network led off this machine."),
  );
  const random = seededRandom(7);
  const own = backendViews(world, now).filter(
    ({ id, built_in: builtIn, enabled }) => !builtIn && enabled && (only === null || only.includes(id)),
  );
  const markers: HealthTimelineView["markers"] = [];
  const lanes = own.map((backend, index) => {
    const id = `backend/${backend.id}`;
    const isLocal = backend.id === "ollama";
    const outages = Array.from({ length: 5 }, (_, number) => {
      const at = now - (0.9 + number * 23 + index * 1.7 + random.next() * 5) * HOUR_MS;
      markers.push({ at, kind: "breaker", lane: id, text: `${backend.label} tripped: 3 failures in a row` });
      return [
        span(at, 3 + random.between(0, 14), "down", "3 failures in a row."),
        span(at + 17 * MINUTE_MS, 6, "degraded", "It has answered a trial; traffic grows step by step."),
      ];
    });
    const held = index === 2 ? [span(now - 5.2 * HOUR_MS, 22, "degraded", "Rate limited: retry-after 22 min.")] : [];
    const { state, since, reason } = backend.health;
    const present: LaneSpanView[] =
      state === "up" || since === null
        ? []
        : [{ from: since, to: now, state: state === "down" ? "down" : "unknown", why: reason }];
    const away = isLocal ? [] : offline;
    const past = index === 1 || index === 3 ? outages.flat() : outages.slice(3).flat();
    return laneOf("backend", id, backend.label, range, [...past, ...held, ...present, ...away, ...gaps]);
  });
  const worst = lanes.toSorted((left, right) => right.down_secs - left.down_secs)[0];
  const period = hours > 48 ? `the last ${hours / 24} days` : `the last ${hours} hours`;
  const down = lanes.filter((lane) => lane.down_secs > 0).length;
  const minutes = `${Math.round((worst?.down_secs ?? 0) / 60)} min`;
  const kept = lanes.map(({ id, spans }) => ({ id, spans }));
  return {
    finding:
      worst === undefined
        ? "No backend is in use"
        : down === 0
          ? `No backend was down in ${period}`
          : down === 1
            ? `${worst.label} was down for ${minutes} in ${period}`
            : `${down} backends were down in ${period}, ${worst.label} longest: ${minutes}`,
    from: range[0],
    to: now,
    lanes: [
      laneOf("network", "network", "Network", range, [...offline, ...gaps]),
      laneOf("gateway", "gateway", "Gateway", range, gaps),
      ...lanes,
    ],
    markers: [
      ...markers.filter(({ at, lane }) =>
        kept.some(
          ({ id, spans }) =>
            id === lane && spans.some(({ from, state }) => state === "down" && Math.abs(from - at) < 1_000),
        ),
      ),
      { at: now - 1.1 * HOUR_MS, kind: "settings" as const, lane: null, text: "Backend edit: openai" },
      { at: now - 6.5 * HOUR_MS, kind: "settings" as const, lane: null, text: "Route edit: fast" },
      { at: now - 3.2 * DAY_MS, kind: "settings" as const, lane: null, text: "Profile switch: work" },
    ]
      .filter(({ at }) => at >= range[0])
      .toSorted((left, right) => left.at - right.at),
  };
}
