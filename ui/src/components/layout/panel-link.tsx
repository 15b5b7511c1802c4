/** A link to another location in the panel, by its path. The router uses the fragment, so a plain link works. */
import type { ComponentProps } from "react";
import { classNames } from "@/lib/class-names";

interface PanelLinkProps extends Omit<ComponentProps<"a">, "href"> {
  path: string;
  look?: LinkLook;
}

/** `plain` is for numbers and names: as the text around it until the pointer is over it. */
type LinkLook = "text" | "plain" | "none";

const LOOKS: Record<LinkLook, string | undefined> = {
  text: "rounded-mark text-accent underline decoration-accent/40 underline-offset-2 hover:decoration-accent",
  plain: "rounded-mark underline-offset-2 hover:underline",
  none: undefined,
};

export function PanelLink({ path, look = "text", className, children, ...rest }: PanelLinkProps) {
  return (
    <a {...rest} href={`#${path}`} className={classNames(LOOKS[look], className)}>
      {children}
    </a>
  );
}
