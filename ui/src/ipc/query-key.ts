/** Keys of the query cache. */
import type { OPERATION_READS } from "@/lib/tables";

/** An operation whose answers are kept. */
export type QueryName = keyof typeof OPERATION_READS;

/** The key of an operation's answer: the operation's name, then what was asked. */
export function queryKey<Asked extends readonly unknown[]>(
  name: QueryName,
  ...asked: Asked
): readonly [QueryName, ...Asked] {
  return [name, ...asked];
}
