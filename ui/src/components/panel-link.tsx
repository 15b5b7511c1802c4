/** A link to another location in the panel, by its path. The router uses the fragment, so a plain link works. */
import type { ComponentProps } from "react";
import { classNames } from "@/lib/class-names";

interface PanelLinkProps extends Omit<ComponentProps<"a">, "href"> {
  path: string;
  look?: "text" | "none";
}

export function PanelLink({ path, look = "text", className, children, ...rest }: PanelLinkProps) {
  return (
    <a
      {...rest}
      href={`#${path}`}
      className={classNames(
        look === "text" &&
          "rounded-mark text-accent underline decoration-accent/40 underline-offset-2 hover:decoration-accent",
        className,
      )}
    >
      {children}
    </a>
  );
}
