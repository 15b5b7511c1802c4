/** The parts of a latency and the dimensions that they are kept by, in words. */
import { filterOf, type DimensionFilter } from "@/features/usage/usage-place";
import type { LatencyGroupBy, LatencyPart, LatencyPartView } from "@/ipc/bindings";
import { formatDuration } from "@/lib/quantity";

/** The key and label of a group of latencies. */
export interface LatencyGroup {
  key: string;
  label: string;
}

export const LATENCY_PARTS = [
  { value: "queue", label: "Queue" },
  { value: "connect", label: "First byte" },
  { value: "first_token", label: "First token" },
  { value: "total", label: "Total" },
] as const satisfies { value: LatencyPart; label: string }[];

export const LATENCY_GROUPS = [
  { value: "all", label: "All" },
  { value: "backend", label: "Backend" },
  { value: "model", label: "Model" },
  { value: "route", label: "Route" },
] as const satisfies { value: LatencyGroupBy; label: string }[];

/** `null` where nothing measured it. */
export function latencyOf(parts: LatencyPartView[], part: LatencyPart): LatencyPartView | null {
  return parts.find((one) => one.part === part) ?? null;
}

export function formatLatency(ms: number | null): string {
  return ms === null ? "–" : formatDuration(ms);
}

/** Ticks below a millisecond differ. */
export function formatLatencyTick(ms: number): string {
  if (ms === 0) return "0";
  return ms < 1 ? `${Number(ms.toFixed(2))} ms` : formatDuration(ms);
}

/** "First token: half within 420 ms, 95 % within 2.1 s" */
export function latencyFinding(parts: LatencyPartView[], part: LatencyPart, group: LatencyGroup | null): string {
  const label = LATENCY_PARTS.find((one) => one.value === part)?.label ?? "";
  const what = group === null ? label : `${group.label}, ${label.toLowerCase()}`;
  const { p50_ms: half = null, p95_ms: most = null } = latencyOf(parts, part) ?? {};
  if (half === null || most === null) return `${what}: nothing measured`;
  return `${what}: half within ${formatWithin(half)}, 95 % within ${formatWithin(most)}`;
}

function formatWithin(ms: number): string {
  return formatDuration(Math.max(ms, 1));
}

/** The backend, model or route that a filter names, `all` without one; `null` for any other filter: latencies are not kept by it. */
export function latencyGroupOf(place: DimensionFilter): { by: LatencyGroupBy; key: string } | null {
  const { backend, model, route, ...others } = filterOf(place);
  if (Object.keys(others).length > 0) return null;
  const named: { by: LatencyGroupBy; key: string }[] = [];
  if (backend !== undefined) named.push({ by: "backend", key: backend });
  if (model !== undefined) named.push({ by: "model", key: model });
  if (route !== undefined) named.push({ by: "route", key: route });
  return named.length > 1 ? null : (named[0] ?? { by: "all", key: "" });
}
