import { render, screen } from "@testing-library/react";
import { act } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Moment } from "@/components/text/moment";
import { ClockContext, systemClock } from "@/lib/clock";

beforeEach(() => vi.useFakeTimers({ now: Date.UTC(2026, 10, 22, 12, 0, 0) }));
afterEach(() => vi.useRealTimers());

test("a moment that has just come is past, though the last tick was before it", () => {
  const clock = systemClock();
  const first = Date.now();
  const page = (at: number) => (
    <ClockContext value={clock}>
      <Moment at={at} />
    </ClockContext>
  );
  const { rerender } = render(page(first));
  act(() => void vi.advanceTimersByTime(14_000));
  rerender(page(Date.now() - 1_000));
  expect(screen.getByText("just now")).toBeVisible();
  act(() => void vi.advanceTimersByTime(15_000));
  expect(screen.getByText("16 s ago")).toBeVisible();
});
