/** A short explanation on hover and on focus. */
import * as Tooltip from "@radix-ui/react-tooltip";
import type { ReactNode } from "react";

export const HintProvider = Tooltip.Provider;

/** Lets one press of Escape close both the hint and the dialog under it: focus alone opened the hint. */
function passOn({ target }: KeyboardEvent): void {
  if (!(target instanceof HTMLElement) || target.closest("[role=dialog]") === null) return;
  setTimeout(() => target.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true })));
}

export function Hint({
  text,
  side = "top",
  children,
}: {
  text: ReactNode;
  side?: "top" | "right" | "bottom" | "left";
  children: ReactNode;
}) {
  return (
    <Tooltip.Root>
      <Tooltip.Trigger asChild>{children}</Tooltip.Trigger>
      <Tooltip.Portal>
        <Tooltip.Content
          side={side}
          sideOffset={6}
          collisionPadding={8}
          onEscapeKeyDown={passOn}
          className="z-50 max-w-72 animate-fade-in rounded-control border border-line bg-surface-3 px-2 py-1 text-12 text-ink-1 shadow-float"
        >
          {text}
        </Tooltip.Content>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}
