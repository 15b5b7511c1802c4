import { expect, test } from "vitest";
import { formatPercent } from "@/lib/percent";

test("a percentage has as many digits as matter", () => {
  const texts = [0, 0.004, 0.02, 0.2, 3.44, 4, 37.4, 70.8, 88.7, 100, 134.2].map(formatPercent);
  expect(texts).toEqual([
    "0 %",
    "<0.01 %",
    "0.02 %",
    "0.2 %",
    "3.4 %",
    "4 %",
    "37 %",
    "71 %",
    "89 %",
    "100 %",
    "134 %",
  ]);
  expect(formatPercent(-12.5)).toBe("−13 %");
  expect(formatPercent(null)).toBe("–");
});

test("no goal seems met that is missed", () => {
  expect([92.57, 94.99, 99.1, 99.9, 99.95, 99.949, 99.9999].map(formatPercent)).toEqual([
    "92.5 %",
    "94.9 %",
    "99.1 %",
    "99.9 %",
    "99.95 %",
    "99.94 %",
    "99.99 %",
  ]);
});
