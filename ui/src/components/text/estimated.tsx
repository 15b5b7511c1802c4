/** Marks a number that was estimated from the text because the backend reported no usage. */
import type { ReactNode } from "react";
import { USAGE_BASIS } from "@/lib/tables";

export function Estimated({ children }: { children: ReactNode }) {
  return (
    <span className="whitespace-nowrap" title={USAGE_BASIS.estimated.toLowerCase()}>
      ~{children}
    </span>
  );
}
