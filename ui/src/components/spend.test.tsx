import { render } from "@testing-library/react";
import { expect, test } from "vitest";
import { isNothing, isWhollyUnpriced, Spend, spendValue } from "./spend";

function shown(cost: number, requests: number, unpriced_requests: number) {
  const { container } = render(<Spend spend={{ cost_nano_usd: cost, requests, unpriced_requests }} />);
  return container.textContent;
}

test("unknown is never zero: a key whose requests have no price is unpriced", () => {
  expect(shown(0, 121, 121)).toMatch(/unpriced/i);
  expect(shown(0, 121, 121)).not.toContain("0.00");
  expect(spendValue({ cost_nano_usd: 0, requests: 121, unpriced_requests: 121 })).toBeNull();
});

test("a sum of which a part is unknown says how much is missing", () => {
  expect(shown(1_250_000_000, 10, 3)).toContain("excludes 3 unpriced requests");
  expect(shown(1_250_000_000, 10, 3)).toContain("$1.25");
  expect(shown(1_250_000_000, 10, 0)).toBe("$1.25");
});

test("a sum that is not of all known costs says by its own word what it leaves out", () => {
  const spend = { cost_nano_usd: 1_000_000_000, requests: 9, unpriced_requests: 7 };
  const { container, rerender } = render(<Spend spend={spend} word="unreported" />);
  expect(container).toHaveTextContent("excludes 7 unreported requests");
  // The core says what is unknown: two of these were answered by the cache.
  rerender(<Spend spend={{ ...spend, cost_nano_usd: 0, is_cost_unknown: true }} word="unreported" />);
  expect(container.textContent).toBe("unreported");
  expect(isNothing({ cost_nano_usd: 0, requests: 0, is_cost_unknown: true })).toBe(false);
});

test("a name has a cost without a request where only failed attempts cost money", () => {
  expect(shown(1_250_000_000, 0, 0)).toBe("$1.25");
  expect(isNothing({ cost_nano_usd: 1_250_000_000, requests: 0 })).toBe(false);
  expect(isNothing({ cost_nano_usd: 0, requests: 0 })).toBe(true);
});

test("a name that only attempts of unknown cost were made at is unpriced and not nothing", () => {
  expect(shown(0, 0, 1)).toMatch(/unpriced/i);
  expect(isNothing({ cost_nano_usd: 0, requests: 0, unpriced_requests: 1 })).toBe(false);
  expect(isWhollyUnpriced({ cost_nano_usd: 0, requests: 1, unpriced_requests: 2 })).toBe(true);
});

test("a sum with a known part is not wholly unpriced, nor is one without requests", () => {
  expect(isWhollyUnpriced({ cost_nano_usd: 1, requests: 2, unpriced_requests: 2 })).toBe(false);
  expect(isWhollyUnpriced({ cost_nano_usd: 0, requests: 2, unpriced_requests: 2 })).toBe(true);
  expect(isWhollyUnpriced({ cost_nano_usd: 0, requests: 0, unpriced_requests: 0 })).toBe(false);
});
