import { expect, test } from "vitest";
import { formatMoney, formatMoneyExact, formatMoneyFine, formatMoneyTick, formatPrice } from "@/lib/money";

test.each([
  [0, "$0.00"],
  [1, "<$0.0001"],
  [1_000, "<$0.0001"],
  [99_000, "<$0.0001"],
  [100_000, "$0.0001"],
  [4_200_000, "$0.0042"],
  [9_999_000, "$0.0100"],
  [10_000_000, "$0.01"],
  [4_100_000_000, "$4.10"],
  [1_234_567_890_000, "$1,234.57"],
  [-4_100_000_000, "-$4.10"],
])("%d nano-dollars read %s", (nano, text) => {
  expect(formatMoney(nano)).toBe(text);
});

test("a column of single requests keeps four decimals", () => {
  expect(formatMoneyFine(0)).toBe("$0.0000");
  expect(formatMoneyFine(1_500_000_000)).toBe("$1.5000");
  expect(formatMoneyFine(40_000)).toBe("<$0.0001");
});

test.each([
  [0, 500_000, "$0"],
  [1_000_000, 500_000, "$0.0010"],
  [1_500_000, 500_000, "$0.0015"],
  [4_000, 2_000, "$0.000004"],
  [200_000_000, 200_000_000, "$0.20"],
  [1_000_000_000, 500_000_000, "$1.00"],
  [20_000_000_000, 10_000_000_000, "$20"],
])("a tick of %d that are %d apart is spelled %s", (nano, step, text) => {
  expect(formatMoneyTick(nano, step)).toBe(text);
});

test("an exact amount has the decimals that it needs", () => {
  expect(formatMoneyExact(160)).toBe("$0.00000016");
  expect(formatMoneyExact(2_500_000_000)).toBe("$2.50");
});

test("an unknown price is no number", () => {
  expect(formatPrice(null)).toBe("unknown");
});
