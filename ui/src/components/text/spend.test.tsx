import { render } from "@testing-library/react";
import { expect, test } from "vitest";
import { Spend } from "./spend";
import { isNothing, spendText, spendValue, type CostSum } from "@/lib/cost-sum";

function sum(cost_nano_usd: number, requests: number, unpriced_requests: number): CostSum {
  return { cost_nano_usd, requests, unpriced_requests, is_cost_unknown: false };
}

const UNKNOWN: CostSum = { ...sum(0, 121, 121), is_cost_unknown: true };

function shown(spend: CostSum) {
  const { container } = render(<Spend spend={spend} />);
  return container.textContent;
}

test("unknown is never zero: a key whose requests have no price is unpriced", () => {
  expect(shown(UNKNOWN)).toMatch(/unpriced/i);
  expect(shown(UNKNOWN)).not.toContain("0.00");
  expect(spendText(UNKNOWN)).toBe("unpriced");
  expect(spendValue(UNKNOWN)).toBeNull();
});

test("a sum of which a part is unknown says how much is missing", () => {
  expect(shown(sum(1_250_000_000, 10, 3))).toContain("excludes 3 unpriced requests");
  expect(shown(sum(1_250_000_000, 10, 3))).toContain("$1.25");
  expect(spendText(sum(1_250_000_000, 1_300, 1_200))).toBe("$1.25 + 1,200 unpriced");
  expect(shown(sum(1_250_000_000, 10, 0))).toBe("$1.25");
  expect(spendText(sum(0, 10, 0))).toBe("$0.00");
});

test("a sum that is not of all known costs, or not of requests, says by its own words what it leaves out", () => {
  const spend = sum(1_000_000_000, 9, 7);
  const { container, rerender } = render(<Spend spend={spend} word="unreported" />);
  expect(container).toHaveTextContent("excludes 7 unreported requests");
  rerender(<Spend spend={spend} counted={["attempt", "attempts"]} />);
  expect(container).toHaveTextContent("excludes 7 unpriced attempts");
  rerender(<Spend spend={UNKNOWN} word="unreported" />);
  expect(container.textContent).toBe("unreported");
});

test("what has a cost, an unknown one or a request is not nothing", () => {
  expect(shown(sum(1_250_000_000, 0, 0))).toBe("$1.25");
  expect(isNothing(sum(1_250_000_000, 0, 0))).toBe(false);
  expect(isNothing(sum(0, 0, 1))).toBe(false);
  expect(isNothing({ ...sum(0, 0, 0), is_cost_unknown: true })).toBe(false);
  expect(isNothing(sum(0, 0, 0))).toBe(true);
});
