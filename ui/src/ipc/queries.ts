/**
 * What the panel reads, with the tag each reading goes stale by. Nothing polls: `ipc/events.ts` invalidates by tag
 * when the core says that something changed.
 */
import { useInfiniteQuery, useQuery, type InfiniteData, type UseQueryResult } from "@tanstack/react-query";
import type {
  ApiError,
  BackendView,
  ClientView,
  KeyView,
  PresetView,
  ReadinessView,
  RequestsQuery,
  RequestsView,
  SettingsView,
  StatusView,
  UsageQuery,
  UsageView,
} from "@/ipc/bindings";
import { useHost } from "@/ipc/host-context";

/** A query key begins with the name of what is read; `ipc/tags.ts` maps tags to these names. */
export const QUERY_NAMES = [
  "status",
  "backends",
  "presets",
  "keys",
  "clients",
  "usage",
  "requests",
  "readiness",
  "settings",
] as const;
export type QueryName = (typeof QUERY_NAMES)[number];

export const REQUESTS_PAGE_ROWS = 200;

export function useStatus(): UseQueryResult<StatusView, ApiError> {
  const host = useHost();
  return useQuery<StatusView, ApiError>({ queryKey: ["status"], queryFn: () => host.status() });
}

export function useBackends(): UseQueryResult<BackendView[], ApiError> {
  const host = useHost();
  return useQuery<BackendView[], ApiError>({ queryKey: ["backends"], queryFn: () => host.backends() });
}

export function usePresets(): UseQueryResult<PresetView[], ApiError> {
  const host = useHost();
  return useQuery<PresetView[], ApiError>({ queryKey: ["presets"], queryFn: () => host.presets() });
}

export function useKeys(): UseQueryResult<KeyView[], ApiError> {
  const host = useHost();
  return useQuery<KeyView[], ApiError>({ queryKey: ["keys"], queryFn: () => host.keys() });
}

export function useClients(): UseQueryResult<ClientView[], ApiError> {
  const host = useHost();
  return useQuery<ClientView[], ApiError>({ queryKey: ["clients"], queryFn: () => host.clients() });
}

export function useReadiness(): UseQueryResult<ReadinessView, ApiError> {
  const host = useHost();
  return useQuery<ReadinessView, ApiError>({ queryKey: ["readiness"], queryFn: () => host.readiness() });
}

export function useSettings(): UseQueryResult<SettingsView, ApiError> {
  const host = useHost();
  return useQuery<SettingsView, ApiError>({ queryKey: ["settings"], queryFn: () => host.settings() });
}

/** Keeps the bars of the period before on the page while those of the next one are read. */
export function useUsage(query: UsageQuery): UseQueryResult<UsageView, ApiError> {
  const host = useHost();
  return useQuery<UsageView, ApiError>({
    queryKey: ["usage", query],
    queryFn: () => host.usage(query),
    placeholderData: (previous) => previous,
  });
}

export type RequestsFilter = Pick<RequestsQuery, "backend" | "client">;

/** Requests newest first, page by page. */
export function useRequests(filter: RequestsFilter, limit: number = REQUESTS_PAGE_ROWS) {
  const host = useHost();
  return useInfiniteQuery<RequestsView, ApiError, InfiniteData<RequestsView>, readonly unknown[], string | null>({
    queryKey: ["requests", filter, limit],
    queryFn: ({ pageParam }) => host.requests({ ...filter, limit, before: pageParam }),
    initialPageParam: null,
    getNextPageParam: (page) => page.next,
  });
}
