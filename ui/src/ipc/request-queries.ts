/** Queries of the Requests screen, invalidated by tag like the others. */
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import type { ApiError, RequestCodeView, RequestQueryView, SavedView } from "@/ipc/bindings";
import { useHost } from "@/ipc/host-context";
import { queryKey } from "@/ipc/query-key";

export function useRequestCode(id: string): UseQueryResult<RequestCodeView, ApiError> {
  const host = useHost();
  return useQuery<RequestCodeView, ApiError>({
    queryKey: queryKey("request_code", id),
    queryFn: () => host.requestCode({ id }),
    gcTime: 0,
  });
}

/** The words that filters of requests are written with. */
export function useRequestWords(): UseQueryResult<RequestQueryView, ApiError> {
  const host = useHost();
  return useQuery<RequestQueryView, ApiError>({
    queryKey: queryKey("request_query"),
    queryFn: () => host.requestQuery({ text: "" }),
  });
}

export function useSavedViews(): UseQueryResult<SavedView[], ApiError> {
  const host = useHost();
  return useQuery<SavedView[], ApiError>({ queryKey: queryKey("saved_views"), queryFn: () => host.savedViews() });
}
