import { expect, test } from "vitest";
import { periodLabel, periodOf, withBasis } from "@/features/usage/usage-period";
import { parseUsagePlace } from "@/features/usage/usage-place";

test("chosen days are asked for from the first midnight to the one after the last", () => {
  const place = parseUsagePlace({ days: { first: "2026-10-31", last: "2026-11-01" }, zone: "utc" });
  expect(periodOf(place)).toMatchObject({ from: Date.UTC(2026, 9, 31), to: Date.UTC(2026, 10, 2) });
  expect(periodLabel(place)).toBe("31 Oct to 1 Nov");
});

test("the basis of the costs is in an address only if it is not that of all known costs", () => {
  expect(parseUsagePlace({ basis: "reported" })).toMatchObject({ basis: "reported" });
  for (const basis of ["known", "billed", 3]) expect(parseUsagePlace({ basis })).not.toHaveProperty("basis");
  const place = parseUsagePlace({});
  expect(withBasis(withBasis(place, "computed"), "known")).toEqual(place);
});

test("days that are none, or in the wrong order, leave the range", () => {
  for (const days of [
    { first: "2026-11-31", last: "2026-12-02" },
    { first: "2026-11-02", last: "2026-11-01" },
    { first: "1 Nov", last: "2 Nov" },
    "2026-11-01",
    null,
  ]) {
    expect(parseUsagePlace({ days, range: "last_month" })).toMatchObject({ range: "last_month" });
    expect(parseUsagePlace({ days })).not.toHaveProperty("days");
  }
});
