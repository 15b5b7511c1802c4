import { expect, test } from "vitest";
import { changedNumbers, numberLabel, numberRange, readNumbers } from "@/features/settings/resilience-numbers";
import type { NumberFieldView } from "@/ipc/bindings";

const FIELDS: NumberFieldView[] = [
  { name: "calls_min", meaning: "Calls.", unit: "", min: 2, max: 1_000, default: 10 },
  { name: "open_ms_max", meaning: "Longest.", unit: "ms", min: 1_000, max: 3_600_000, default: 60_000 },
];
const IN_FORCE = { calls_min: 10, open_ms_max: 60_000 };

test.each([
  ["failures_in_a_row", "Failures in a row"],
  ["failure_percent", "Failure rate"],
  ["open_ms_first", "First trip"],
  ["calls_min", "Minimum calls"],
  ["calm_secs", "Trip reset"],
])("%s is called %s", (name, label) => expect(numberLabel(name)).toBe(label));

test("a range has its unit", () => {
  expect(FIELDS.map(numberRange)).toEqual(["2 to 1,000", "1,000 to 3,600,000 ms"]);
});

test("what is typed becomes one's own numbers over those in force", () => {
  const typed = { calls_min: " 20 " };
  expect(readNumbers(FIELDS, typed, IN_FORCE)).toEqual({
    preset: "custom",
    custom: { calls_min: 20, open_ms_max: 60_000 },
  });
  expect(changedNumbers({ ...typed, open_ms_max: "60000" }, IN_FORCE)).toEqual(["calls_min"]);
});

test.each([
  ["many", "Enter a whole number."],
  ["", "Enter a whole number."],
  ["2.5", "Enter a whole number."],
  ["1", "Enter 2 to 1,000."],
  ["1001", "Enter 2 to 1,000."],
])("%j is refused at its field", (text, message) => {
  expect(readNumbers(FIELDS, { calls_min: text }, IN_FORCE)).toMatchObject({ field: "calls_min", message });
});
