/** Number of group colours. */
const COLOURS = 8;

/** The ninth group is `other`, in a muted colour. */
export function seriesColour(index: number): string {
  return index < COLOURS ? `var(--series-${index + 1})` : "var(--line-strong)";
}
