/**
 * The panel's mutations. The core announces by tags what an operation changed; these hooks also invalidate the same
 * queries at once, so that the page is right even if events are late.
 *
 * A secret is passed as a function that reads its field when sending: the mutation cache keeps its variables, and a key
 * must not be among them.
 */
import { useMutation, useQueryClient, type UseMutationResult } from "@tanstack/react-query";
import type { ApiError, ChangeTag } from "@/ipc/bindings";
import type { Host } from "@/ipc/host";
import { useHost } from "@/ipc/host-context";
import { invalidateTags } from "@/ipc/tags";

/** Runs `perform` against the host and invalidates `changes` on success. */
export function useAction<Input, Output>(
  changes: ChangeTag[],
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
