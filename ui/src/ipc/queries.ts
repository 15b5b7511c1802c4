/**
 * The panel's queries. Nothing polls: `ipc/events.ts` invalidates by tag when the core reports a change, as the table of
 * operations says.
 */
import { skipToken, useInfiniteQuery, useQuery, type InfiniteData, type UseQueryResult } from "@tanstack/react-query";
import type {
  ApiError,
  BackendAskPriceView,
  BackendView,
  BackupProgressView,
  BackupsView,
  ClientView,
  CurrencyView,
  KeyHistoryView,
  KeysScan,
  KeysScanView,
  KeyView,
  LedgerView,
  BackendPresetView,
  BudgetView,
  PricesQuery,
  PricesView,
  ReadinessView,
  ProfilesView,
  RequestsQuery,
  RequestsView,
  SessionLogsQuery,
  SessionLogsView,
  SettingsView,
  StatusView,
  ToolGuideView,
  ToolWiringView,
  UsageCrossQuery,
  UsageCrossView,
  UsageReportQuery,
  UsageView,
  WiringPlanQuery,
  WiringPlanView,
} from "@/ipc/bindings";
import { useHost } from "@/ipc/host-context";
import { setShownCurrency } from "@/lib/money";
import { queryKey } from "@/ipc/query-key";

export const REQUESTS_PAGE_ROWS = 200;

export function useStatus(): UseQueryResult<StatusView, ApiError> {
  const host = useHost();
  return useQuery<StatusView, ApiError>({ queryKey: queryKey("status"), queryFn: () => host.status() });
}

export function useBackends(): UseQueryResult<BackendView[], ApiError> {
  const host = useHost();
  return useQuery<BackendView[], ApiError>({ queryKey: queryKey("backends"), queryFn: () => host.backends() });
}

/** What asking a model of a backend costs; `model` is one that is not listed. Asked anew at each opening. */
export function useBackendAskPrice(id: string, model: string | null): UseQueryResult<BackendAskPriceView, ApiError> {
  const host = useHost();
  return useQuery<BackendAskPriceView, ApiError>({
    queryKey: queryKey("backend_ask_price", id, model),
    queryFn: () => host.backendAskPrice({ id, model }),
    placeholderData: (previous) => previous,
    gcTime: 0,
  });
}

export function usePresets(): UseQueryResult<BackendPresetView[], ApiError> {
  const host = useHost();
  return useQuery<BackendPresetView[], ApiError>({ queryKey: queryKey("presets"), queryFn: () => host.presets() });
}

export function useKeys(): UseQueryResult<KeyView[], ApiError> {
  const host = useHost();
  return useQuery<KeyView[], ApiError>({ queryKey: queryKey("keys"), queryFn: () => host.keys() });
}

export function useKeyHistory(id: string, enabled: boolean): UseQueryResult<KeyHistoryView, ApiError> {
  const host = useHost();
  return useQuery<KeyHistoryView, ApiError>({
    queryKey: queryKey("key_history", id),
    queryFn: () => host.keyHistory({ id }),
    enabled,
  });
}

/** Keys in plain text. Read again whenever the dialog opens. */
export function useKeysScan(scan: KeysScan): UseQueryResult<KeysScanView, ApiError> {
  const host = useHost();
  return useQuery<KeysScanView, ApiError>({
    queryKey: queryKey("keys_scan", scan),
    queryFn: () => host.keysScan(scan),
    placeholderData: (before) => before,
    gcTime: 0,
  });
}

export function useClients(): UseQueryResult<ClientView[], ApiError> {
  const host = useHost();
  return useQuery<ClientView[], ApiError>({ queryKey: queryKey("clients"), queryFn: () => host.clients() });
}

/**
 * The client tools of this machine. Others change their files unannounced, so each screen that shows them looks again;
 * what is known stays meanwhile. `reuse` takes what was found before.
 */
export function useClientsWiring(mount: "look" | "reuse" = "look"): UseQueryResult<ToolWiringView[], ApiError> {
  const host = useHost();
  return useQuery<ToolWiringView[], ApiError>({
    queryKey: queryKey("clients_wiring"),
    queryFn: () => host.clientsWiring({}),
    refetchOnMount: mount === "look" ? "always" : true,
  });
}

/** How the tools that are not wired reach the gateway. */
export function useClientGuides(): UseQueryResult<ToolGuideView[], ApiError> {
  const host = useHost();
  return useQuery<ToolGuideView[], ApiError>({
    queryKey: queryKey("client_guides"),
    queryFn: () => host.clientGuides(),
  });
}

/** What wiring a tool, or undoing that, would change at this moment. */
export function useWiringPlan(query: WiringPlanQuery): UseQueryResult<WiringPlanView, ApiError> {
  const host = useHost();
  return useQuery<WiringPlanView, ApiError>({
    queryKey: queryKey("client_wiring_plan", query),
    queryFn: () => host.clientWiringPlan(query),
    placeholderData: (previous) => previous,
    gcTime: 0,
  });
}

export function usePrices(query: PricesQuery): UseQueryResult<PricesView, ApiError> {
  const host = useHost();
  return useQuery<PricesView, ApiError>({
    queryKey: queryKey("prices", query),
    queryFn: () => host.prices(query),
    placeholderData: (before) => before,
  });
}

export function useReadiness(): UseQueryResult<ReadinessView, ApiError> {
  const host = useHost();
  return useQuery<ReadinessView, ApiError>({ queryKey: queryKey("readiness"), queryFn: () => host.readiness() });
}

export function useLedger(): UseQueryResult<LedgerView, ApiError> {
  const host = useHost();
  return useQuery<LedgerView, ApiError>({ queryKey: queryKey("ledger"), queryFn: () => host.ledger() });
}

/** The last backup of everything. */
export function useBackups(): UseQueryResult<BackupsView, ApiError> {
  const host = useHost();
  return useQuery<BackupsView, ApiError>({ queryKey: queryKey("backups"), queryFn: () => host.backups() });
}

/** The backup, check or restore that is under way, of which events tell; `null` without one. */
export function useBackupProgress(): BackupProgressView | null {
  const { data } = useQuery<BackupProgressView | null>({ queryKey: ["backup_progress"], queryFn: skipToken });
  return data ?? null;
}

export function useSettings(): UseQueryResult<SettingsView, ApiError> {
  const host = useHost();
  return useQuery<SettingsView, ApiError>({ queryKey: queryKey("settings"), queryFn: () => host.settings() });
}

export function useBudgets(): UseQueryResult<BudgetView[], ApiError> {
  const host = useHost();
  return useQuery<BudgetView[], ApiError>({ queryKey: queryKey("budgets"), queryFn: () => host.budgets() });
}

/** The currency of all amounts, which it sets for `lib/money`. */
export function useCurrency(): UseQueryResult<CurrencyView, ApiError> {
  const host = useHost();
  return useQuery<CurrencyView, ApiError>({
    queryKey: queryKey("currency"),
    queryFn: async () => {
      const currency = await host.currency();
      setShownCurrency(currency);
      return currency;
    },
  });
}

/** The unit of amounts, as a chart names it. */
export function useMoneyUnit(): string {
  const code = useCurrency().data?.code ?? "USD";
  return code === "USD" ? "US dollars" : code;
}

/** Keeps the bars of the previous period while the next is loading. */
export function useUsage(query: UsageReportQuery): UseQueryResult<UsageView, ApiError> {
  const host = useHost();
  return useQuery<UsageView, ApiError>({
    queryKey: queryKey("usage", query),
    queryFn: () => host.usage(query),
    placeholderData: (previous) => previous,
  });
}

/** Keeps the sums of the previous dimensions while the next are loading. */
export function useUsageCross(query: UsageCrossQuery): UseQueryResult<UsageCrossView, ApiError> {
  const host = useHost();
  return useQuery<UsageCrossView, ApiError>({
    queryKey: queryKey("usage_cross", query),
    queryFn: () => host.usageCross(query),
    placeholderData: (previous) => previous,
  });
}

/** Usage from session logs; `ipc/events.ts` keeps its import current. */
export function useSessionLogs(query: SessionLogsQuery): UseQueryResult<SessionLogsView, ApiError> {
  const host = useHost();
  return useQuery<SessionLogsView, ApiError>({
    queryKey: queryKey("session_logs", query),
    queryFn: () => host.sessionLogs(query),
    placeholderData: (previous) => previous,
  });
}

/** Sets of backends, one of which is in use at a time. */
export function useProfiles(): UseQueryResult<ProfilesView, ApiError> {
  const host = useHost();
  return useQuery<ProfilesView, ApiError>({ queryKey: queryKey("profiles"), queryFn: () => host.profiles() });
}

export type RequestsQueryFilter = Omit<RequestsQuery, "before" | "limit">;

/** Requests newest first, by page. Keeps the rows of the previous filter while the next is loading. */
export function useRequests(filter: RequestsQueryFilter, limit: number = REQUESTS_PAGE_ROWS, enabled = true) {
  const host = useHost();
  return useInfiniteQuery<RequestsView, ApiError, InfiniteData<RequestsView>, readonly unknown[], string | null>({
    queryKey: queryKey("requests", filter, limit),
    queryFn: ({ pageParam }) => host.requests({ ...filter, limit, before: pageParam }),
    initialPageParam: null,
    getNextPageParam: (page) => page.next,
    placeholderData: (previous) => previous,
    enabled,
  });
}
