/** The space around a plot, the same for bars and lines, so that those which stand under one another agree. */
export const MARGIN = { top: 8, bottom: 22, left: 52 };

const LETTER_WIDTH_PX = 6.5;
/** Room for a shorter name too, so that the plot keeps its width while a name that is a number changes. */
const LETTERS_MIN = 6;
const EDGE_PX = 12;

/** The room right of a plot, where the names of lines stand. */
export function namesWidth(letters = 0): number {
  return EDGE_PX + Math.max(letters, LETTERS_MIN) * LETTER_WIDTH_PX;
}
