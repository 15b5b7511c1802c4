/** A sentence of the core, in which commands and names stand between backticks: those become code. */
import type { ReactNode } from "react";

/** No space inside its borders, so that a backtick on its own begins nothing. */
const CODE = /`([^`\s](?:[^`]*[^`\s])?)`/;

/** Anything but a text is left as it is. */
export function WithCode({ children }: { children: ReactNode }): ReactNode {
  if (typeof children !== "string") return children;
  return children.split(CODE).map((part, index) =>
    // What the pattern holds stands at the odd places.
    index % 2 === 1 ? (
      <code key={index} className="font-mono text-12">
        {part}
      </code>
    ) : (
      part
    ),
  );
}
