/** What the core says of what is typed; the last good answer while something typed is refused. */
import { keepPreviousData, useQuery, type UseQueryResult } from "@tanstack/react-query";
import type { ApiError } from "@/ipc/bindings";
import type { Host } from "@/ipc/host";
import { useHost } from "@/ipc/host-context";
import type { QueryName } from "@/ipc/query-key";

export function usePreview<View>(
  queryKey: readonly [QueryName, ...unknown[]],
  ask: (host: Host) => Promise<View>,
  { gcTime }: { gcTime?: number } = {},
): UseQueryResult<View, ApiError> {
  const host = useHost();
  return useQuery<View, ApiError>({
    queryKey,
    queryFn: () => ask(host),
    placeholderData: keepPreviousData,
    retry: false,
    ...(gcTime !== undefined && { gcTime }),
  });
}
