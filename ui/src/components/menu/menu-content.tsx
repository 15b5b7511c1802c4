/** The box in which every menu opens. */
import * as Radix from "@radix-ui/react-dropdown-menu";
import type { ComponentProps } from "react";
import { classNames } from "@/lib/class-names";

/** The look of the box, also of those that open from an entry. */
export const MENU_BOX =
  "z-50 animate-fade-in rounded-control border border-line bg-surface-1 p-1 shadow-float outline-none";

export function MenuContent({ className, ...rest }: ComponentProps<typeof Radix.Content>) {
  return (
    <Radix.Portal>
      <Radix.Content sideOffset={4} collisionPadding={8} {...rest} className={classNames(MENU_BOX, className)} />
    </Radix.Portal>
  );
}
