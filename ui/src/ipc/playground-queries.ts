/** Queries of the playground. */
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import type {
  ApiError,
  PlaygroundRawExchangeView,
  PlaygroundRunView,
  PlaygroundSend,
  PlaygroundSnippetsView,
} from "@/ipc/bindings";
import { useHost } from "@/ipc/host-context";
import { queryKey } from "@/ipc/query-key";

/** The playground's runs in memory, kept current by events. */
export function usePlayground(): UseQueryResult<PlaygroundRunView[], ApiError> {
  const host = useHost();
  return useQuery<PlaygroundRunView[], ApiError>({
    queryKey: queryKey("playground"),
    queryFn: () => host.playground(),
  });
}

/** What a run sent and received; refetched when the run has advanced. */
export function usePlaygroundRaw(run: PlaygroundRunView): UseQueryResult<PlaygroundRawExchangeView, ApiError> {
  const host = useHost();
  return useQuery<PlaygroundRawExchangeView, ApiError>({
    queryKey: queryKey("playground_raw", run.id, run.state),
    queryFn: () => host.playgroundRaw({ run: run.id }),
    placeholderData: (previous, query) => (query?.queryKey[1] === run.id ? previous : undefined),
    gcTime: 0,
  });
}

/** The request as code. Keeps the previous code while the next is loading. */
export function usePlaygroundSnippets(req: PlaygroundSend): UseQueryResult<PlaygroundSnippetsView, ApiError> {
  const host = useHost();
  return useQuery<PlaygroundSnippetsView, ApiError>({
    queryKey: queryKey("playground_snippets", req),
    queryFn: () => host.playgroundSnippets(req),
    placeholderData: (previous) => previous,
    gcTime: 0,
  });
}
