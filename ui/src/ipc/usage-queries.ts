/** The queries of single charts of Usage. The tag of usage invalidates them all. */
import { keepPreviousData, skipToken, useQuery, type UseQueryResult } from "@tanstack/react-query";
import type {
  ApiError,
  BillingProgressView,
  DriftQuery,
  DriftView,
  PinView,
  PlansView,
  UsageAdviceQuery,
  UsageAdviceView,
  UsageAnomaliesQuery,
  UsageAnomaliesView,
  UsageEfficiencyView,
  UsageExpensiveView,
  UsageFailuresView,
  UsageForecastQuery,
  UsageForecastView,
  UsageHeatmapView,
  UsageLatencyQuery,
  UsageLatencyView,
  UsagePeriodQuery,
  UsageRecentView,
} from "@/ipc/bindings";
import { useHost } from "@/ipc/host-context";
import { useNow } from "@/lib/clock";
import { queryKey, type QueryName } from "@/ipc/query-key";
import { MINUTE_MS } from "@/lib/time";

/** The month that runs now. */
export function useUsageForecast(query: UsageForecastQuery): UseQueryResult<UsageForecastView, ApiError> {
  const host = useHost();
  return useQuery<UsageForecastView, ApiError>({
    queryKey: queryKey("usage_forecast", query),
    queryFn: () => host.usageForecast(query),
    placeholderData: (previous) => previous,
  });
}

/** Use by hour and weekday. Keeps the cells of the previous period while the next are loading. */
export function useUsageHeatmap(query: UsagePeriodQuery): UseQueryResult<UsageHeatmapView, ApiError> {
  const host = useHost();
  return useQuery<UsageHeatmapView, ApiError>({
    queryKey: queryKey("usage_heatmap", query),
    queryFn: () => host.usageHeatmap(query),
    placeholderData: (previous) => previous,
  });
}

/** Percentiles of latencies. Keeps those of the previous period, but not of other requests, while the next are loading. */
export function useUsageLatency(query: UsageLatencyQuery): UseQueryResult<UsageLatencyView, ApiError> {
  const host = useHost();
  return useQuery<UsageLatencyView, ApiError, UsageLatencyView, readonly [QueryName, UsageLatencyQuery]>({
    queryKey: queryKey("usage_latency", query),
    queryFn: () => host.usageLatency(query),
    placeholderData: (previous, last) => {
      const [, before] = last?.queryKey ?? [];
      return before?.group_by === query.group_by && before.name === query.name ? previous : undefined;
    },
  });
}

/** Failed attempts by class. Only backends and keys filter them. */
export function useUsageFailures(query: UsagePeriodQuery): UseQueryResult<UsageFailuresView, ApiError> {
  const host = useHost();
  return useQuery<UsageFailuresView, ApiError>({
    queryKey: queryKey("usage_failures", query),
    queryFn: () => host.usageFailures(query),
    placeholderData: (previous) => previous,
  });
}

/** What goes through the gateway now. Asked for again each minute too: without requests, the rates fall. */
export function useUsageRecent(): UseQueryResult<UsageRecentView, ApiError> {
  const host = useHost();
  return useEachMinute("usage_recent", () => host.usageRecent());
}

/** What is left of plans. Asked for again each minute: the tools tell nobody when they write. */
export function usePlans(): UseQueryResult<PlansView, ApiError> {
  const host = useHost();
  return useEachMinute("plans", () => host.plans());
}

function useEachMinute<View>(name: QueryName, ask: () => Promise<View>): UseQueryResult<View, ApiError> {
  const minute = Math.floor(useNow() / MINUTE_MS);
  return useQuery({ queryKey: queryKey(name, minute), queryFn: ask, placeholderData: keepPreviousData });
}

/** Spending that is unlike what it usually is. */
export function useUsageAnomalies(query: UsageAnomaliesQuery): UseQueryResult<UsageAnomaliesView, ApiError> {
  const host = useHost();
  return useQuery<UsageAnomaliesView, ApiError>({
    queryKey: queryKey("usage_anomalies", query),
    queryFn: () => host.usageAnomalies(query),
    placeholderData: (previous) => previous,
  });
}

/** What would cost less, by the last 30 days. */
export function useUsageAdvice(query: UsageAdviceQuery): UseQueryResult<UsageAdviceView, ApiError> {
  const host = useHost();
  return useQuery<UsageAdviceView, ApiError>({
    queryKey: queryKey("usage_advice", query),
    queryFn: () => host.usageAdvice(query),
    placeholderData: (previous) => previous,
  });
}

/** What the caches saved and what was wasted. Keeps that of the previous period while the next is loading. */
export function useUsageEfficiency(query: UsagePeriodQuery): UseQueryResult<UsageEfficiencyView, ApiError> {
  const host = useHost();
  return useQuery<UsageEfficiencyView, ApiError>({
    queryKey: queryKey("usage_efficiency", query),
    queryFn: () => host.usageEfficiency(query),
    placeholderData: (previous) => previous,
  });
}

/** What single requests cost. Keeps those of the previous period while the next are loading. */
export function useUsageExpensive(query: UsagePeriodQuery): UseQueryResult<UsageExpensiveView, ApiError> {
  const host = useHost();
  return useQuery<UsageExpensiveView, ApiError>({
    queryKey: queryKey("usage_expensive", query),
    queryFn: () => host.usageExpensive(query),
    placeholderData: (previous) => previous,
  });
}

/** What providers billed against what was computed. */
export function useBillingDrift(query: DriftQuery): UseQueryResult<DriftView, ApiError> {
  const host = useHost();
  return useQuery<DriftView, ApiError>({
    queryKey: queryKey("billing_drift", query),
    queryFn: () => host.billingDrift(query),
    placeholderData: (previous) => previous,
  });
}

/** The fetch of a cost report that is under way, of which events tell; `null` without one. */
export function useBillingProgress(): BillingProgressView | null {
  const { data } = useQuery<BillingProgressView | null>({ queryKey: ["billing_progress"], queryFn: skipToken });
  return data ?? null;
}

/** The figures pinned to the Overview, with their values. */
export function usePins(): UseQueryResult<PinView[], ApiError> {
  const host = useHost();
  return useQuery<PinView[], ApiError>({
    queryKey: queryKey("pins_list"),
    queryFn: () => host.pinsList({ zone: "local" }),
  });
}
