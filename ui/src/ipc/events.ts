/** Connects the host's events to the query cache and to the router. Lives as long as the page; no component listens. */
import type { QueryClient } from "@tanstack/react-query";
import type { PanelEvent, ReadinessView } from "@/ipc/bindings";
import type { Host } from "@/ipc/host";
import { invalidateTags } from "@/ipc/tags";

export function connectEvents(host: Host, cache: QueryClient, navigate: (path: string) => void): () => void {
  return host.subscribe((event) => applyEvent(event, cache, navigate));
}

export function applyEvent(event: PanelEvent, cache: QueryClient, navigate: (path: string) => void): void {
  switch (event.kind) {
    case "changed":
      return invalidateTags(cache, event.tags);
    case "navigate":
      return navigate(event.path);
    case "run_progress":
      // A reading that is under way would come back older than this event.
      void cache.cancelQueries({ queryKey: ["readiness"] });
      cache.setQueryData<ReadinessView>(["readiness"], (before) => ({
        history: before?.history ?? [],
        run: event.run,
      }));
      if (event.run.state !== "running") invalidateTags(cache, ["readiness", "status"]);
  }
}
