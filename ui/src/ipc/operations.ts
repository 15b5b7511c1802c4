/** The operations of the core, from the generated list of what each changes. */
import type { Host } from "@/ipc/host";
import { OPERATION_CHANGES } from "@/lib/tables";

export type Operation = keyof typeof OPERATION_CHANGES;

type Operations = Pick<Host, Operation>;

/** Builds all operations from one function that sends a name and a request to the core. */
export function buildOperations(call: (name: string, req: unknown) => Promise<unknown>): Operations {
  const built = Object.keys(OPERATION_CHANGES).map((name) => [name, (req?: unknown) => call(name, req ?? null)]);
  return Object.fromEntries(built) as Operations;
}
