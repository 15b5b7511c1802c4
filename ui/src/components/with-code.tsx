/** A sentence of the core, in which commands and names stand between backticks: those become code. */
import type { ReactNode } from "react";

/** Anything but a text is left as it is. */
export function WithCode({ children }: { children: ReactNode }): ReactNode {
  if (typeof children !== "string") return children;
  return children.split(/(`[^`]+`)/).map((part, index) =>
    part.length > 2 && part.startsWith("`") ? (
      <code key={index} className="font-mono text-12">
        {part.slice(1, -1)}
      </code>
    ) : (
      part
    ),
  );
}
