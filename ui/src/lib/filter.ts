/** True if every word of `filter` occurs in one of the texts. */
export function matchesFilter(filter: string, texts: (string | null)[]): boolean {
  const haystack = texts
    .filter((text) => text !== null)
    .join(" ")
    .toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => haystack.includes(word));
}
