import { expect, test } from "vitest";
import { formatCountdown, formatExact, formatPart, formatRelative } from "@/lib/time";

const NOW = Date.UTC(2026, 10, 20, 14, 20);
const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

test.each([
  [0, "just now"],
  [4 * SECOND, "just now"],
  [12 * SECOND, "12 s ago"],
  [59 * SECOND, "59 s ago"],
  [60 * SECOND, "1 min ago"],
  [HOUR - 1, "59 min ago"],
  [HOUR, "1 h ago"],
  [24 * HOUR, "1 day ago"],
  [47 * HOUR, "1 day ago"],
  [48 * HOUR, "2 days ago"],
  [-50 * 24 * HOUR, "in 50 days"],
])("%d ms before now reads %s", (distance, text) => {
  expect(formatRelative(NOW - distance, NOW)).toBe(text);
});

test("the exact time names its zone", () => {
  expect(formatExact(NOW)).toBe("20 Nov 2026, 15:20:00 CET");
});

test.each([
  [400, "1 s"],
  [14_000, "14 s"],
  [60_000, "1 min"],
  [81_000, "1 min 21 s"],
  [3_600_000, "1 h"],
])("%i ms are left as %s", (ms, text) => {
  expect(formatCountdown(ms)).toBe(text);
});

const MIDNIGHT = Date.UTC(2026, 9, 24, 22);

test.each([
  [MIDNIGHT, MIDNIGHT + 25 * HOUR, "local", "25 Oct"],
  [MIDNIGHT, MIDNIGHT + 25 * HOUR, "utc", "24 Oct, 22:00–23:00"],
  [MIDNIGHT, MIDNIGHT + HOUR, "local", "25 Oct, 00:00–01:00"],
  [MIDNIGHT - HOUR, MIDNIGHT, "local", "24 Oct, 23:00–00:00"],
  [MIDNIGHT, null, "local", "since 25 Oct"],
  [MIDNIGHT, null, "utc", "since 24 Oct, 22:00"],
] as const)("from %d to %d is written for %s as %s", (since, until, zone, text) => {
  expect(formatPart(since, until, zone)).toBe(text);
});
