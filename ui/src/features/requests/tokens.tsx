/** Token counts of one request, marked where they are estimates. */
import type { ReactNode } from "react";
import { Estimated } from "@/components/text/estimated";
import type { Count, UsageBasis } from "@/ipc/bindings";
import { formatCount } from "@/lib/quantity";

interface TokensProps {
  count: Count | null;
  basis: UsageBasis | null;
  /** Shown for an unknown count. */
  unknown: ReactNode;
}

export function Tokens({ count, basis, unknown }: TokensProps) {
  if (count === null) return unknown;
  return basis === "estimated" ? <Estimated>{formatCount(count)}</Estimated> : formatCount(count);
}
