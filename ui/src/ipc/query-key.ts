/** Keys of the query cache. */
import type { QueryName } from "@/lib/tables";

/** The key of an operation's answer: the operation's name, then what was asked. */
export function queryKey<Asked extends readonly unknown[]>(
  name: QueryName,
  ...asked: Asked
): readonly [QueryName, ...Asked] {
  return [name, ...asked];
}
