/** The queries of health and service levels. The tag of health invalidates both once a minute. */
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import type { ApiError, HealthReportView, ServiceLevelsView } from "@/ipc/bindings";
import { useHost } from "@/ipc/host-context";

/** How each backend has served, the worst first. */
export function useHealth(): UseQueryResult<HealthReportView, ApiError> {
  const host = useHost();
  return useQuery<HealthReportView, ApiError>({ queryKey: ["health"], queryFn: () => host.health() });
}

/** Objectives and what is left of the failures that they allow. */
export function useServiceLevels(): UseQueryResult<ServiceLevelsView, ApiError> {
  const host = useHost();
  return useQuery<ServiceLevelsView, ApiError>({
    queryKey: ["service_levels"],
    queryFn: () => host.serviceLevels(),
  });
}
