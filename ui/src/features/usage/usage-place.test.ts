import { expect, test } from "vitest";
import { filterOf, parseUsagePlace, withoutTime } from "@/features/usage/usage-place";

const NOON = Date.UTC(2026, 10, 20, 12);
const HOUR_MS = 3_600_000;

function timeOf(search: Record<string, unknown>): (number | undefined)[] {
  const { since, until } = parseUsagePlace(search);
  return [since, until];
}

test("a part of the period is read from the address when it makes sense, and left out when it does not", () => {
  expect(timeOf({ since: NOON, until: NOON + HOUR_MS })).toEqual([NOON, NOON + HOUR_MS]);
  expect(timeOf({ since: NOON })).toEqual([NOON, undefined]);
  for (const wrong of [
    { until: NOON },
    { since: NOON, until: NOON },
    { since: "yesterday" },
    { since: -1 },
    { since: 0.5 },
    { since: Infinity },
    { since: 9e15 },
    { since: NOON, until: "now" },
  ])
    expect(timeOf(wrong), JSON.stringify(wrong)).toEqual([undefined, undefined]);
});

test("another period takes its part away and leaves the other filters", () => {
  const place = parseUsagePlace({ range: "last_day", outcome: "failed", since: NOON, until: NOON + HOUR_MS });
  expect(filterOf(place)).toEqual({ outcome: "failed", since: NOON, until: NOON + HOUR_MS });
  expect(filterOf(withoutTime(place))).toEqual({ outcome: "failed" });
});
