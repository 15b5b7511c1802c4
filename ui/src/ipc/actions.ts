/**
 * What the panel does to the world. The core announces what an operation changed by tags; these hooks also mark the
 * same readings at once, so that the page is right even where events are late.
 *
 * A secret is passed as a function that reads its field at the moment of sending: the cache of mutations keeps its
 * variables, and a key must not be among them.
 */
import { useMutation, useQueryClient, type UseMutationResult } from "@tanstack/react-query";
import type { ApiError, Tag } from "@/ipc/bindings";
import type { Host } from "@/ipc/host";
import { useHost } from "@/ipc/host-context";
import { invalidateTags } from "@/ipc/tags";

/** Runs `perform` against the host and marks `changes` stale when it has worked. */
export function useAction<Input, Output>(
  changes: Tag[],
  perform: (host: Host, input: Input) => Promise<Output>,
): UseMutationResult<Output, ApiError, Input> {
  const host = useHost();
  const cache = useQueryClient();
  return useMutation<Output, ApiError, Input>({
    mutationFn: (input) => perform(host, input),
    onSuccess: () => invalidateTags(cache, changes),
    gcTime: 0,
  });
}
