/** The queries of alerts. The tag of alerts invalidates them all. */
import { useInfiniteQuery, useQuery, type InfiniteData, type UseQueryResult } from "@tanstack/react-query";
import type { AlertChannelView, AlertRuleView, AlertsView, ApiError, InboxView, IncidentView } from "@/ipc/bindings";
import { useHost } from "@/ipc/host-context";

const INBOX_PAGE_ROWS = 50;

/** What is wrong now, what is silenced, and how much was not looked at. */
export function useAlerts(): UseQueryResult<AlertsView, ApiError> {
  const host = useHost();
  return useQuery<AlertsView, ApiError>({ queryKey: ["alerts", "now"], queryFn: () => host.alerts() });
}

/** Alerts that fired, newest first, by page. */
export function useInbox() {
  const host = useHost();
  return useInfiniteQuery<InboxView, ApiError, InfiniteData<InboxView>, readonly unknown[], number | null>({
    queryKey: ["alerts", "inbox"],
    queryFn: ({ pageParam }) => host.inbox({ limit: INBOX_PAGE_ROWS, before: pageParam, unread_only: false }),
    initialPageParam: null,
    getNextPageParam: (page) => page.next,
  });
}

/** One alert with its time line. */
export function useIncident(number: number): UseQueryResult<IncidentView, ApiError> {
  const host = useHost();
  return useQuery<IncidentView, ApiError>({
    queryKey: ["alerts", "incident", number],
    queryFn: () => host.incident({ number }),
  });
}

export function useAlertRules(): UseQueryResult<AlertRuleView[], ApiError> {
  const host = useHost();
  return useQuery<AlertRuleView[], ApiError>({ queryKey: ["alerts", "rules"], queryFn: () => host.alertRules() });
}

/** The ways of telling of alerts, and whether each works. */
export function useAlertChannels(): UseQueryResult<AlertChannelView[], ApiError> {
  const host = useHost();
  return useQuery<AlertChannelView[], ApiError>({
    queryKey: ["alerts", "channels"],
    queryFn: () => host.alertChannels(),
  });
}
