import { expect, test } from "vitest";
import {
  formatBinaryBytes,
  formatBytes,
  formatCounted,
  formatDuration,
  formatTenths,
  formatTenthsChange,
} from "@/lib/quantity";

test("numbers carry their units", () => {
  expect(formatDuration(340)).toBe("340 ms");
  expect(formatDuration(2_449)).toBe("2.4 s");
  expect(formatDuration(34_000)).toBe("34 s");
  expect(formatDuration(200_000)).toBe("3 min 20 s");
  expect(formatBytes(512)).toBe("512 bytes");
  expect(formatBytes(84_200_000)).toBe("84 MB");
  expect(formatBytes(213_460_000_000)).toBe("213.5 GB");
  expect(formatBinaryBytes(4_321_280)).toBe("4.1 MiB");
  expect(formatBinaryBytes(64 * 1_024 * 1_024)).toBe("64 MiB");
  expect(formatBytes(4_321_280)).toBe("4.3 MB");
  expect(formatCounted(1, "request", "requests")).toBe("1 request");
  expect(formatCounted(1_200, "request", "requests")).toBe("1,200 requests");
});

test("scores are tenths", () => {
  expect(formatTenths(93)).toBe("9.3");
  expect(formatTenthsChange(4)).toBe("+0.4");
  expect(formatTenthsChange(-12)).toBe("−1.2");
  expect(formatTenthsChange(0)).toBe("±0");
});
