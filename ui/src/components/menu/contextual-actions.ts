/**
 * What can be done with the things that a screen shows, for the command palette: the entries of their own menus and
 * buttons. A store, so that the palette knows no screen and the screens know no palette.
 */
import type { LucideIcon } from "lucide-react";
import { useEffect, useId, useSyncExternalStore } from "react";
import type { MenuEntry } from "@/components/menu/menu";

/** Leads to another place of the panel. */
export interface LinkEntry {
  label: string;
  icon: LucideIcon;
  path: string;
}

export interface ShownThing {
  kind: "Backend" | "Key" | "Client" | "Route" | "Alert" | "Request" | "Budget" | "Service";
  id: string;
  name: string;
  /** True where it is what the screen is about, false for one of a list. */
  isOpen: boolean;
  actions: readonly (MenuEntry | LinkEntry)[];
}

let shown: ReadonlyMap<string, ShownThing> = new Map();
/** What came last first. */
let things: readonly ShownThing[] = [];
const listeners = new Set<() => void>();

function replace(next: ReadonlyMap<string, ShownThing>): void {
  shown = next;
  things = [...next.values()].toReversed();
  for (const listener of listeners) listener();
}

/** Offers the actions of a thing while it is drawn. */
export function useContextualActions(thing: ShownThing): void {
  const id = useId();
  // After each rendering: the actions hold what it drew. Its place among the others stays.
  useEffect(() => replace(new Map(shown).set(id, thing)));
  useEffect(
    () => () => {
      const others = new Map(shown);
      others.delete(id);
      replace(others);
    },
    [id],
  );
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The things that are drawn now, what came last first. */
export function useShownThings(): readonly ShownThing[] {
  return useSyncExternalStore(subscribe, () => things);
}
