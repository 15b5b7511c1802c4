/** Global keyboard shortcuts. */
import { useEffect, useEffectEvent } from "react";
import { SCREENS, screenKey } from "@/app/screens";

export interface ShortcutHandlers {
  openPalette: () => void;
  openShortcuts: () => void;
  go: (path: string) => void;
}

const IS_APPLE = /Mac|iPhone|iPad/.test(navigator.userAgent);
export const COMMAND_KEY = IS_APPLE ? "⌘" : "Ctrl";

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.matches("input, textarea, select") || target.isContentEditable);
}

export function useShortcuts(handlers: ShortcutHandlers): void {
  const press = useEffectEvent((event: KeyboardEvent) => {
    const action = actionFor(event, handlers);
    if (action === undefined) return;
    event.preventDefault();
    action();
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent) => press(event);
    window.addEventListener("keydown", listener);
    return () => window.removeEventListener("keydown", listener);
  }, []);
}

function actionFor(event: KeyboardEvent, handlers: ShortcutHandlers): (() => void) | undefined {
  if (event.defaultPrevented || event.altKey) return undefined;
  if (event.ctrlKey || event.metaKey) {
    if (event.key.toLowerCase() === "k") return handlers.openPalette;
    const screen = SCREENS.find((one) => screenKey(one) === event.key);
    return screen && (() => handlers.go(screen.path));
  }
  // The page behind a dialog must not navigate.
  if (isTyping(event.target) || document.querySelector("[role=dialog]") !== null) return undefined;
  if (event.key === "?") return handlers.openShortcuts;
  const filter = event.key === "/" ? document.querySelector<HTMLElement>("[data-filter]") : null;
  return filter ? () => filter.focus() : undefined;
}
