import { expect, test } from "vitest";
import { formatMoney, formatMoneyFine, formatMoneyTick, formatPrice } from "@/lib/money";

test.each([
  [0, "$0.00"],
  [1, "<$0.0001"],
  [99, "<$0.0001"],
  [100, "$0.0001"],
  [4_200, "$0.0042"],
  [9_999, "$0.0100"],
  [10_000, "$0.01"],
  [4_100_000, "$4.10"],
  [1_234_567_890, "$1,234.57"],
  [-4_100_000, "-$4.10"],
])("%d micro-dollars read %s", (micro, text) => {
  expect(formatMoney(micro)).toBe(text);
});

test("a column of single requests keeps four decimals", () => {
  expect(formatMoneyFine(0)).toBe("$0.0000");
  expect(formatMoneyFine(1_500_000)).toBe("$1.5000");
  expect(formatMoneyFine(40)).toBe("<$0.0001");
});

test.each([
  [0, 500, "$0"],
  [1_000, 500, "$0.0010"],
  [1_500, 500, "$0.0015"],
  [4, 2, "$0.000004"],
  [200_000, 200_000, "$0.20"],
  [1_000_000, 500_000, "$1.00"],
  [20_000_000, 10_000_000, "$20"],
])("a tick of %d that are %d apart is spelled %s", (micro, step, text) => {
  expect(formatMoneyTick(micro, step)).toBe(text);
});

test("an unknown price is no number", () => {
  expect(formatPrice(null)).toBe("unknown");
});
