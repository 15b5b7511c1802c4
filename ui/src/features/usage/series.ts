/** The colour of the nth group; the ninth is `other` and takes the quiet one. */
const COLOURS = 8;

export function seriesColour(index: number): string {
  return `var(--series-${Math.min(index, COLOURS - 1) + 1})`;
}
