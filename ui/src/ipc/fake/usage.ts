/** Sums of the made-up requests. */
import { adviceOf } from "@/ipc/fake/advice";
import { anomaliesOf } from "@/ipc/fake/anomalies";
import { crossOf, usageOf } from "@/ipc/fake/traffic";
import { currencyOf } from "@/ipc/fake/currency";
import { efficiencyOf } from "@/ipc/fake/efficiency";
import { expensiveOf } from "@/ipc/fake/expensive";
import { failuresOf, latencyOf } from "@/ipc/fake/latency";
import { forecastOf, heatmapOf } from "@/ipc/fake/analytics";
import { recentOf } from "@/ipc/fake/usage-recent";
import { unpricedOf } from "@/ipc/fake/unpriced";
import type { Doing } from "@/ipc/fake/doing";
import type { Host } from "@/ipc/host";

export function fakeUsage(
  { world, now, answer, changed }: Doing,
  labelOf: (backend: string) => string,
): Pick<
  Host,
  | "currency"
  | "usage"
  | "usageCross"
  | "usageExpensive"
  | "usageAdvice"
  | "usageAnomalies"
  | "usageAnomalyDismiss"
  | "usageAnomalyRestore"
  | "usageEfficiency"
  | "usageForecast"
  | "usageFailures"
  | "usageRecent"
  | "usageLatency"
  | "usageHeatmap"
> {
  const fine = new Set<string>();
  return {
    currency: () => answer(() => currencyOf(world.settings.values)),
    usage: (req) =>
      answer(() => ({
        ...usageOf(world.requests, req, now(), labelOf),
        unpriced: (req.basis ?? "known") === "known" ? unpricedOf(world.requests, req, now(), labelOf) : [],
        currency: currencyOf(world.settings.values),
      })),
    usageCross: (req) => answer(() => crossOf(world.requests, req, now(), labelOf)),
    usageExpensive: (req) => answer(() => expensiveOf(world.requests, req, now())),
    usageAdvice: (req) => answer(() => adviceOf(world.requests, req, now())),
    usageAnomalies: (req) => answer(() => anomaliesOf(world.requests, req, now(), fine)),
    usageAnomalyDismiss: ({ id }) =>
      answer(() => {
        fine.add(id);
        changed("usage", "alerts");
        return null;
      }),
    usageAnomalyRestore: ({ id }) =>
      answer(() => {
        fine.delete(id);
        changed("usage", "alerts");
        return null;
      }),
    usageEfficiency: (req) => answer(() => efficiencyOf(world.requests, req, now())),
    usageForecast: (req) => answer(() => forecastOf(world.requests, req, now())),
    usageFailures: (req) => answer(() => failuresOf(world.requests, req, now(), labelOf)),
    usageRecent: () => answer(() => recentOf(world.requests, now())),
    usageLatency: (req) => answer(() => latencyOf(world.requests, req, now(), labelOf)),
    usageHeatmap: (req) => answer(() => heatmapOf(world.requests, req, now())),
  };
}
