/** Marks a number that was estimated from the text because the backend reported no usage. */
import type { ReactNode } from "react";

export function Estimated({ children }: { children: ReactNode }) {
  return (
    <span className="whitespace-nowrap" title="estimated: the backend reported no usage">
      ~{children}
    </span>
  );
}
