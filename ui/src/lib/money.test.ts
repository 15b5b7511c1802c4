import { afterEach, expect, test } from "vitest";
import {
  formatMoney,
  formatMoneyExact,
  formatMoneyFine,
  formatMoneyTick,
  formatPrice,
  setShownCurrency,
} from "@/lib/money";

afterEach(() => setShownCurrency({ code: "USD", rate: "1", minor_digits: 2, has_symbol: true }));

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

const EUROS = { code: "EUR", rate: "0.85", minor_digits: 2, has_symbol: true };
const YEN = { code: "JPY", rate: "156.76", minor_digits: 0, has_symbol: true };
const FRANCS = { code: "CHF", rate: "0.7785", minor_digits: 2, has_symbol: false };
const DINARS = { code: "KWD", rate: "0.3", minor_digits: 3, has_symbol: false };

// The same amounts and texts as in the core's test of `ShownCurrency`.
test.each([
  [EUROS, 0, "€0.00"],
  [EUROS, 1_000_000_000, "€0.85"],
  [EUROS, -4_100_000_000, "-€3.49"],
  [EUROS, 5_000_000, "€0.0043"],
  [EUROS, 1, "<€0.0001"],
  [EUROS, -1, "-<€0.0001"],
  [EUROS, 9_000_000_000_000_000, "€7,650,000.00"],
  [YEN, 1_000_000_000, "¥157"],
  [YEN, 3_000_000, "¥0.47"],
  [YEN, 1_000, "<¥0.01"],
  [DINARS, 4_100_000_000, "KWD\u00a01.230"],
  [FRANCS, 2_000_000_000, "CHF\u00a01.56"],
])("in $code: an amount is converted and rounded once", (currency, nano, text) => {
  setShownCurrency(currency);
  expect(formatMoney(nano)).toBe(text);
});

test("ticks and single requests follow the currency, prices and invoices stay dollars", () => {
  setShownCurrency(YEN);
  expect(formatMoneyTick(1_000_000_000, 1_000_000_000)).toBe("¥157");
  expect(formatMoneyTick(0, 1_000_000_000)).toBe("¥0");
  expect(formatMoneyFine(1_000_000_000)).toBe("¥156.76");
  expect(formatPrice(2_500_000_000)).toBe("$2.50");
  expect(formatMoneyExact(160)).toBe("$0.00000016");
});
