/** Number of group colours. The ninth group is `other`, in a muted colour. */
const COLOURS = 8;

export function seriesColour(index: number): string {
  return `var(--series-${Math.min(index, COLOURS - 1) + 1})`;
}
