/** The query of the audit log, by page. */
import { useInfiniteQuery, type InfiniteData } from "@tanstack/react-query";
import type { ApiError, AuditLogView, CallerKind } from "@/ipc/bindings";
import { useHost } from "@/ipc/host-context";
import { queryKey } from "@/ipc/query-key";

const AUDIT_PAGE_ROWS = 50;

/** Calls that changed something, newest first. */
export function useAuditLog(caller: CallerKind | null) {
  const host = useHost();
  return useInfiniteQuery<AuditLogView, ApiError, InfiniteData<AuditLogView>, readonly unknown[], number | null>({
    queryKey: queryKey("audit_log", caller),
    queryFn: ({ pageParam }) => host.auditLog({ limit: AUDIT_PAGE_ROWS, before: pageParam, caller, operation: null }),
    initialPageParam: null,
    getNextPageParam: (page) => page.next,
  });
}
