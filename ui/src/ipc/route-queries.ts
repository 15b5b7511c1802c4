/** Queries for routes, breakers and the cache, invalidated by tag like the others. */
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import type {
  EndpointView,
  ApiError,
  BacktestQuery,
  BacktestView,
  BreakerTimelineQuery,
  BreakerTimelineView,
  CacheQuery,
  CacheView,
  RequestPathView,
  HypotheticalRequest,
  RouteDecisionView,
  RouteSimulation,
  RouteSimulationView,
  RoutesView,
} from "@/ipc/bindings";
import { useHost } from "@/ipc/host-context";
import { queryKey } from "@/ipc/query-key";

export function useRoutes(): UseQueryResult<RoutesView, ApiError> {
  const host = useHost();
  return useQuery<RoutesView, ApiError>({ queryKey: queryKey("routes"), queryFn: () => host.routes() });
}

/** Keeps the previous decision while the next is loading. */
export function useRouteExplain(ask: HypotheticalRequest): UseQueryResult<RouteDecisionView, ApiError> {
  const host = useHost();
  return useQuery<RouteDecisionView, ApiError>({
    queryKey: queryKey("route_explain", ask),
    queryFn: () => host.routeExplain(ask),
    enabled: ask.model !== "",
    placeholderData: (previous) => previous,
    gcTime: 0,
  });
}

export function useRouteSimulate(req: RouteSimulation): UseQueryResult<RouteSimulationView, ApiError> {
  const host = useHost();
  return useQuery<RouteSimulationView, ApiError>({
    queryKey: queryKey("route_simulate", req),
    queryFn: () => host.routeSimulate(req),
    enabled: req.ask.model !== "",
    placeholderData: (previous) => previous,
    gcTime: 0,
  });
}

export function useAccesses(): UseQueryResult<EndpointView[], ApiError> {
  const host = useHost();
  return useQuery<EndpointView[], ApiError>({ queryKey: queryKey("accesses"), queryFn: () => host.accesses() });
}

export function useBreakerTimeline(query: BreakerTimelineQuery): UseQueryResult<BreakerTimelineView, ApiError> {
  const host = useHost();
  return useQuery<BreakerTimelineView, ApiError>({
    queryKey: queryKey("breaker_timeline", query),
    queryFn: () => host.breakerTimeline(query),
    placeholderData: (previous) => previous,
  });
}

export function useBacktest(query: BacktestQuery): UseQueryResult<BacktestView, ApiError> {
  const host = useHost();
  return useQuery<BacktestView, ApiError>({
    queryKey: queryKey("breaker_backtest", query),
    queryFn: () => host.breakerBacktest(query),
    placeholderData: (previous) => previous,
    gcTime: 0,
  });
}

export function useCache(query: CacheQuery): UseQueryResult<CacheView, ApiError> {
  const host = useHost();
  return useQuery<CacheView, ApiError>({
    queryKey: queryKey("cache", query),
    queryFn: () => host.cache(query),
    placeholderData: (previous) => previous,
  });
}

/** How one request was handled. It has ended, so it is read once. */
export function useRequestPath(id: string): UseQueryResult<RequestPathView, ApiError> {
  const host = useHost();
  return useQuery<RequestPathView, ApiError>({
    queryKey: queryKey("request_path", id),
    queryFn: () => host.requestPath({ id }),
  });
}
