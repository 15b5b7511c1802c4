/** Queries of plain copies of keys: what their removal would change, and what was removed. */
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import type { ApiError, KeyCopiesPlanView, KeyCopiesQuery, RemovedKeyCopyView } from "@/ipc/bindings";
import { useHost } from "@/ipc/host-context";
import { queryKey } from "@/ipc/query-key";

/** Read again whenever it is shown: others change the files unannounced. */
export function useKeyCopiesPlan(query: KeyCopiesQuery): UseQueryResult<KeyCopiesPlanView, ApiError> {
  const host = useHost();
  return useQuery<KeyCopiesPlanView, ApiError>({
    queryKey: queryKey("key_copies_plan", query),
    queryFn: () => host.keyCopiesPlan(query),
    gcTime: 0,
  });
}

export function useRemovedKeyCopies(): UseQueryResult<RemovedKeyCopyView[], ApiError> {
  const host = useHost();
  return useQuery<RemovedKeyCopyView[], ApiError>({
    queryKey: queryKey("key_copies_removed"),
    queryFn: () => host.keyCopiesRemoved(),
    refetchOnMount: "always",
  });
}
