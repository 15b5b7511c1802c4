import { expect, test } from "vitest";
import { silenceEnd } from "@/lib/silence-spans";

const HOUR = 3_600_000;
/** In Berlin, where clocks are set back at the end of this day. */
const MIDNIGHT = Date.UTC(2026, 9, 24, 22);

test("a silence ends after its hours", () => {
  expect(silenceEnd("hours", MIDNIGHT)).toBe(MIDNIGHT + 8 * HOUR);
});

test("tomorrow is the next local day, also where that day has 25 hours", () => {
  expect(silenceEnd("tomorrow", MIDNIGHT - HOUR)).toBe(Date.UTC(2026, 9, 25, 7));
  expect(silenceEnd("tomorrow", MIDNIGHT)).toBe(Date.UTC(2026, 9, 26, 7));
});
