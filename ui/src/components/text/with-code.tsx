/** A sentence from the core; commands and names between backticks become code. */
import type { ReactNode } from "react";

/** No space directly inside the backticks, so that a single backtick starts nothing. */
const CODE = /`([^`\s](?:[^`]*[^`\s])?)`/;

/** Returns anything but a string unchanged. */
export function WithCode({ children }: { children: ReactNode }): ReactNode {
  if (typeof children !== "string") return children;
  return children.split(CODE).map((part, index) =>
    // Matches of the pattern are at the odd indexes.
    index % 2 === 1 ? (
      <code key={index} className="font-mono text-12">
        {part}
      </code>
    ) : (
      part
    ),
  );
}
