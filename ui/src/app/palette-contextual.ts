/** What the palette offers for the things that the screen shows. */
import type { PaletteEntry } from "@/app/palette-entries";
import type { ShownThing } from "@/components/menu/contextual-actions";

const headingOf = ({ kind, name }: ShownThing) => `${kind} ${name}`;

export function contextualEntries(thing: ShownThing): PaletteEntry[] {
  const { kind, id, name, actions } = thing;
  return actions.map((action) => ({
    id: `shown:${kind}:${id}:${action.label}`,
    group: kind,
    note: headingOf(thing),
    label: action.label,
    keywords: [name, id, kind],
    icon: action.icon,
    target: "path" in action ? { kind: "go", path: action.path } : { kind: "run", run: action.onChoose },
    ...("path" in action ? {} : { blocked: action.blocked ?? null, danger: action.danger === true }),
  }));
}

const rank = ({ danger }: PaletteEntry) => (danger === true ? 1 : 0);

/** The actions of what the screen is about: its own, then those that can be found from everywhere. */
export function openThing(
  things: readonly ShownThing[],
  everywhere: readonly PaletteEntry[],
): { heading: string; found: PaletteEntry[] } | null {
  const open = things.find(({ isOpen }) => isOpen);
  if (open === undefined) return null;
  const about = `${open.kind}:${open.id}`;
  const found = [...contextualEntries(open), ...everywhere.filter((entry) => entry.about === about)];
  // What removes something stands last.
  return { heading: headingOf(open), found: found.toSorted((left, right) => rank(left) - rank(right)) };
}
