/** The fake core's events: what the furnished worlds have seen lately. */
import type { Host } from "@/ipc/host";
import type { RecentEventKind, RecentEventView } from "@/ipc/bindings";
import type { Doing } from "@/ipc/fake/doing";
import { backendViews } from "@/ipc/fake/views";
import type { World } from "@/ipc/fake/world";
import { MINUTE_MS } from "@/lib/time";

type Past = [minutesAgo: number, kind: RecentEventKind, tone: RecentEventView["tone"], title: string, path: string];

const PAST: Past[] = [
  [6, "settings", "info", "Backend edit: openai", "/settings?part=Audit%20log"],
  [52, "breaker", "ok", "OpenRouter has recovered", "/backends/openrouter"],
  [69, "breaker", "bad", "OpenRouter tripped", "/backends/openrouter"],
  [180, "checks", "ok", "Checks: ready", "/readiness"],
  [390, "settings", "info", "Route edit: fast", "/settings?part=Audit%20log"],
  [412, "key", "info", "Key replace: groq", "/keys/groq"],
  [760, "alert", "ok", "Ended: OpenRouter sends no answers", "/alerts/3"],
  [781, "alert", "warn", "Alert: OpenRouter sends no answers", "/alerts/3"],
  [782, "health", "ok", "OpenRouter is up again", "/backends/openrouter"],
  [797, "health", "bad", "OpenRouter is down", "/backends/openrouter"],
  [1_580, "settings", "info", "Budget set: month", "/settings?part=Audit%20log"],
  [1_740, "checks", "warn", "Checks: ready with warnings", "/readiness"],
  [2_910, "settings", "info", "Profile switch: work", "/settings?part=Audit%20log"],
  [4_330, "key", "info", "Key add: mistral", "/keys/mistral"],
];

function eventsOf(world: World, now: number): RecentEventView[] {
  if (world.requests.length === 0) return [];
  const down = backendViews(world, now)
    .filter(({ health }) => health.state === "down")
    .map(({ id, label, health }) => ({
      at: health.since ?? now,
      kind: "health" as const,
      tone: "bad" as const,
      title: `${label} is down`,
      detail: health.reason,
      path: `/backends/${id}`,
    }));
  const past = PAST.map(([minutes, kind, tone, title, path]) => ({
    at: now - minutes * MINUTE_MS,
    kind,
    tone,
    title,
    detail: "",
    path,
  }));
  return [...down, ...past].toSorted((left, right) => right.at - left.at);
}

export function fakeRecentEvents({ world, now, answer }: Doing): Pick<Host, "recentEvents"> {
  return {
    recentEvents: ({ kind = null, limit }) =>
      answer(() =>
        eventsOf(world, now())
          .filter((event) => kind === null || event.kind === kind)
          .slice(0, limit),
      ),
  };
}
