/**
 * The panel's mutations. The core announces by tags what an operation changed; this hook also invalidates the same
 * queries at once, so that the page is right even if events are late.
 *
 * A secret is passed as a function that reads its field when sending: the mutation cache keeps its variables, and a key
 * must not be among them.
 */
import { useMutation, useQueryClient, type UseMutationResult } from "@tanstack/react-query";
import type { ApiError } from "@/ipc/bindings";
import type { Host } from "@/ipc/host";
import { useHost } from "@/ipc/host-context";
import type { Operation } from "@/ipc/operations";
import { OPERATION_CHANGES } from "@/lib/tables";
import { invalidateTags } from "@/ipc/tags";

/** Runs `perform` with the operation and invalidates what the operation changes on success. */
export function useAction<Name extends Operation, Input, Output>(
  name: Name,
  perform: (call: Host[Name], input: Input) => Promise<Output>,
): UseMutationResult<Output, ApiError, Input> {
  const host = useHost();
  const cache = useQueryClient();
  return useMutation<Output, ApiError, Input>({
    mutationFn: (input) => perform(host[name], input),
    onSuccess: () => invalidateTags(cache, OPERATION_CHANGES[name]),
    gcTime: 0,
  });
}
