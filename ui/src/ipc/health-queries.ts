/** The queries of health and service levels. The tag of health invalidates them once a minute. */
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import type {
  ApiError,
  HealthReportView,
  HealthTimelineView,
  HealthTreeView,
  LocalHealthView,
  RecentEventKind,
  RecentEventView,
  ServiceLevelsView,
  ServicesView,
} from "@/ipc/bindings";
import { useHost } from "@/ipc/host-context";
import { queryKey } from "@/ipc/query-key";

/** How each backend has served, the worst first. */
export function useHealth(): UseQueryResult<HealthReportView, ApiError> {
  const host = useHost();
  return useQuery<HealthReportView, ApiError>({ queryKey: queryKey("health"), queryFn: () => host.health() });
}

/** Objectives and what is left of the failures that they allow. */
export function useServiceLevels(): UseQueryResult<ServiceLevelsView, ApiError> {
  const host = useHost();
  return useQuery<ServiceLevelsView, ApiError>({
    queryKey: queryKey("service_levels"),
    queryFn: () => host.serviceLevels(),
  });
}

/** What answers depend on, and which of it is the cause. */
export function useHealthTree(): UseQueryResult<HealthTreeView, ApiError> {
  const host = useHost();
  return useQuery<HealthTreeView, ApiError>({ queryKey: queryKey("health_tree"), queryFn: () => host.healthTree() });
}

/** States over time. Keeps those of the previous range while the next are loading. */
export function useHealthTimeline(hours: number): UseQueryResult<HealthTimelineView, ApiError> {
  const host = useHost();
  return useQuery<HealthTimelineView, ApiError>({
    queryKey: queryKey("health_timeline", hours),
    queryFn: () => host.healthTimeline({ hours }),
    placeholderData: (previous) => previous,
  });
}

const EVENTS_SHOWN = 20;

/** What happened lately. Keeps those of the previous kind while the next are loading. */
export function useRecentEvents(kind: RecentEventKind | null): UseQueryResult<RecentEventView[], ApiError> {
  const host = useHost();
  return useQuery<RecentEventView[], ApiError>({
    queryKey: queryKey("recent_events", kind),
    queryFn: () => host.recentEvents({ kind, limit: EVENTS_SHOWN }),
    placeholderData: (previous) => previous,
  });
}

/** What work depends on beside the backends. */
export function useServices(): UseQueryResult<ServicesView, ApiError> {
  const host = useHost();
  return useQuery<ServicesView, ApiError>({ queryKey: queryKey("services"), queryFn: () => host.services() });
}

/** What Gatehouse and this machine use. */
export function useLocalHealth(): UseQueryResult<LocalHealthView, ApiError> {
  const host = useHost();
  return useQuery<LocalHealthView, ApiError>({ queryKey: queryKey("local_health"), queryFn: () => host.localHealth() });
}
