/**
 * Applies the host's events to the query cache and the router. Subscribed for as long as the page lives; components do
 * not subscribe.
 */
import type { QueryClient } from "@tanstack/react-query";
import { notify } from "@/components/overlay/toast";
import type {
  BackupProgressView,
  BillingProgressView,
  PanelEvent,
  PlaygroundRunView,
  ReadinessView,
  SessionLogsView,
} from "@/ipc/bindings";
import type { Host } from "@/ipc/host";
import { withPiece, withRun } from "@/ipc/playground-runs";
import { invalidateTags } from "@/ipc/tags";
import { pathWith } from "@/lib/request-filter";
import { queryKey } from "@/ipc/query-key";

/** The fetch of a cost report in progress; null when there is none. */
const BILLING_PROGRESS = ["billing_progress"];

export function connectEvents(host: Host, cache: QueryClient, navigate: (path: string) => void): () => void {
  return host.subscribe((event) => applyEvent(event, cache, navigate));
}

export function applyEvent(event: PanelEvent, cache: QueryClient, navigate: (path: string) => void): void {
  switch (event.kind) {
    case "changed":
      return invalidateTags(cache, event.tags);
    case "navigate":
      return navigate(event.path);
    case "budget_crossed":
      return notify({
        title: event.notice.title,
        detail: event.notice.message,
        tone: event.notice.crossing.kind === "refused" ? "bad" : "warn",
        link: {
          label: event.notice.asks ? "Allow more" : "Budget",
          path: pathWith("/budgets", { budget: event.notice.budget }),
        },
      });
    case "alert_shown":
      return notify({
        title: event.title,
        detail: event.body,
        tone: event.is_critical ? "bad" : "warn",
        link: { label: "Open", path: event.path },
      });
    case "log_import":
      cache.setQueriesData<SessionLogsView>(
        { queryKey: queryKey("session_logs") },
        (before) => before && { ...before, import: event.import },
      );
      return;
    case "backup_progress":
      cache.setQueryData<BackupProgressView | null>(
        ["backup_progress"],
        event.progress.is_running ? event.progress : null,
      );
      return;
    case "billing_progress":
      cache.setQueryData<BillingProgressView | null>(
        BILLING_PROGRESS,
        event.progress.is_running ? event.progress : null,
      );
      return;
    case "playground_run":
      return keepRuns(cache, (runs) => withRun(runs, event.run));
    case "playground_text":
      return keepRuns(cache, (runs) => withPiece(runs, event.piece));
    case "run_progress":
      // A query in flight would return data older than this event.
      void cache.cancelQueries({ queryKey: queryKey("readiness") });
      cache.setQueryData<ReadinessView>(queryKey("readiness"), (before) => ({
        history: before?.history ?? [],
        run: event.run,
      }));
      if (event.run.state !== "running") invalidateTags(cache, ["readiness", "status"]);
  }
}

/** Applies an event to the playground's runs. Refetches them if an event was missed. */
function keepRuns(cache: QueryClient, next: (runs: PlaygroundRunView[]) => PlaygroundRunView[] | null): void {
  const before = cache.getQueryData<PlaygroundRunView[]>(queryKey("playground"));
  const after = before === undefined ? null : next(before);
  if (after === null) return invalidateTags(cache, ["playground"]);
  // A query in flight would return data older than this event.
  void cache.cancelQueries({ queryKey: queryKey("playground") });
  cache.setQueryData<PlaygroundRunView[]>(queryKey("playground"), after);
}
