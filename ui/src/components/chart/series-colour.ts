/** Colours of series: eight, then a muted one for all others. */
const COLOURS = 8;

export function seriesColour(index: number): string {
  return index < COLOURS ? `var(--series-${index + 1})` : "var(--line-strong)";
}
