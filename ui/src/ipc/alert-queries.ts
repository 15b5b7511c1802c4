/** The queries of alerts. The tag of alerts invalidates them all. */
import { useInfiniteQuery, useQuery, type InfiniteData, type UseQueryResult } from "@tanstack/react-query";
import type {
  AlertBacktestView,
  AlertChannelView,
  AlertLadderView,
  AlertRehearsalView,
  AlertRuleBacktest,
  AlertRuleSet,
  AlertRuleView,
  AlertsView,
  ApiError,
  InboxView,
  IncidentView,
} from "@/ipc/bindings";
import { useHost } from "@/ipc/host-context";
import { usePreview } from "@/ipc/preview";
import { queryKey } from "@/ipc/query-key";

const INBOX_PAGE_ROWS = 50;

/** What is wrong now, what is silenced, and how much was not looked at. */
export function useAlerts(): UseQueryResult<AlertsView, ApiError> {
  const host = useHost();
  return useQuery<AlertsView, ApiError>({ queryKey: queryKey("alerts"), queryFn: () => host.alerts() });
}

/** Alerts that fired, newest first, by page. */
export function useInbox() {
  const host = useHost();
  return useInfiniteQuery<InboxView, ApiError, InfiniteData<InboxView>, readonly unknown[], number | null>({
    queryKey: queryKey("inbox"),
    queryFn: ({ pageParam }) => host.inbox({ limit: INBOX_PAGE_ROWS, before: pageParam, unread_only: false }),
    initialPageParam: null,
    getNextPageParam: (page) => page.next,
  });
}

/** One alert with its time line. */
export function useIncident(number: number): UseQueryResult<IncidentView, ApiError> {
  const host = useHost();
  return useQuery<IncidentView, ApiError>({
    queryKey: queryKey("incident", number),
    queryFn: () => host.incident({ number }),
  });
}

/** When a rule would have fired in the last days, with the numbers that are typed. */
export function useRuleBacktest(query: AlertRuleBacktest): UseQueryResult<AlertBacktestView, ApiError> {
  return usePreview(["alert_rule_backtest", query], (host) => host.alertRuleBacktest(query), { gcTime: 0 });
}

/** What a rule would do with made-up facts, once it is asked. */
export function useRuleRehearsal(numbers: AlertRuleSet): UseQueryResult<AlertRehearsalView, ApiError> {
  return usePreview(["alert_rule_rehearse", numbers], (host) => host.alertRuleRehearse(numbers), { gcTime: 0 });
}

export function useAlertRules(): UseQueryResult<AlertRuleView[], ApiError> {
  const host = useHost();
  return useQuery<AlertRuleView[], ApiError>({ queryKey: queryKey("alert_rules"), queryFn: () => host.alertRules() });
}

/** Who is told of an alert when, until somebody acknowledges it. */
export function useAlertLadder(): UseQueryResult<AlertLadderView, ApiError> {
  const host = useHost();
  return useQuery<AlertLadderView, ApiError>({ queryKey: queryKey("alert_ladder"), queryFn: () => host.alertLadder() });
}

/** The ways of telling of alerts, and whether each works. */
export function useAlertChannels(): UseQueryResult<AlertChannelView[], ApiError> {
  const host = useHost();
  return useQuery<AlertChannelView[], ApiError>({
    queryKey: queryKey("alert_channels"),
    queryFn: () => host.alertChannels(),
  });
}
