import { expect, test } from "vitest";
import { parseRequestFilter, requestsPath } from "@/lib/request-filter";
import { HOUR_MS } from "@/lib/time";

const NOON = Date.UTC(2026, 10, 20, 12);

function timeOf(search: Record<string, unknown>): (number | undefined)[] {
  const { since, until } = parseRequestFilter(search);
  return [since, until];
}

test("a part of time is read from the address when it makes sense, and left out when it does not", () => {
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

test("filters are read from the address, and values of another version are left out", () => {
  const search = { state: "failed", http_status: 503, min_cost: 0.1, cache: "hit", unpriced: true, colour: "red" };
  expect(parseRequestFilter(search)).toEqual({
    state: "failed",
    http_status: "503",
    min_cost: "0.1",
    cache: "hit",
    unpriced: true,
  });
  expect(parseRequestFilter({ state: "sleepy", cache: 7, unpriced: "no", client: "" })).toEqual({});
});

test("a link quotes a name that the router would read as something else", () => {
  expect(requestsPath()).toBe("/requests");
  expect(requestsPath({ state: "failed", since: NOON })).toBe(`/requests?state=failed&since=${NOON}`);
  expect(requestsPath({ project: "12", model: "*a b*" })).toBe("/requests?project=%2212%22&model=*a+b*");
});
