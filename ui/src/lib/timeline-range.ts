/** The ranges of a time line, as an address names them. */
export const TIMELINE_RANGES = [
  { value: "24h", label: "24 h", hours: 24, words: "the last 24 hours" },
  { value: "7d", label: "7 d", hours: 7 * 24, words: "the last 7 days" },
  { value: "30d", label: "30 d", hours: 30 * 24, words: "the last 30 days" },
] as const;

export type TimelineRange = (typeof TIMELINE_RANGES)[number]["value"];

/** The range of an address; a day for any other word. */
export function parseTimelineRange(word: unknown): TimelineRange {
  return TIMELINE_RANGES.find(({ value }) => value === word)?.value ?? "24h";
}
