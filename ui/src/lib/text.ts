/** Texts of forms. */

/** What was typed, trimmed; `null` for nothing. */
export function textOrNull(text: string): string | null {
  const trimmed = text.trim();
  return trimmed === "" ? null : trimmed;
}
