import { screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { lastWeeks } from "@/features/usage/activity/last-weeks";
import { renderPanel } from "../../../../test/render-panel";

const weeks = (at: string, count: number) => lastWeeks(Date.parse(at), "utc", count);

test("whole weeks begin on a Monday and end today, also on a Monday and a Sunday", () => {
  expect(weeks("2026-11-20T14:20:00Z", 53)).toEqual({ first: "2025-11-17", last: "2026-11-20" });
  expect(weeks("2026-11-16T00:00:00Z", 1)).toEqual({ first: "2026-11-16", last: "2026-11-16" });
  expect(weeks("2026-11-22T23:59:59Z", 1)).toEqual({ first: "2026-11-16", last: "2026-11-22" });
});

test("the calendar tells its strongest day, is walked by keys, and Enter opens a day", async () => {
  const { host, user } = renderPanel("busy", "/activity?zone=utc");
  const chart = await screen.findByRole("slider", { name: /^Use by day/ });
  expect(screen.getByRole("heading", { name: /^Most requests: \d+ Nov 2026, \d+ requests$/ })).toBeVisible();
  chart.focus();
  // The last week has days to come: the last cell of its first row is this Monday.
  await user.keyboard("{ArrowRight}{End}");
  const { totals } = await host.usage({ from: Date.UTC(2026, 10, 16), to: Date.UTC(2026, 10, 17), zone: "utc" });
  const monday = totals.requests;
  expect(monday).toBeGreaterThan(0);
  expect(chart).toHaveAttribute("aria-valuetext", `Monday, 16 Nov 2026: ${monday} requests`);
  await user.keyboard("{Home}");
  expect(chart).toHaveAttribute("aria-valuetext", "Monday, 17 Nov 2025: nothing recorded");
  await user.keyboard("{End}{ArrowDown}{ArrowDown}{ArrowDown}{ArrowDown}{ArrowDown}");
  expect(chart).toHaveAttribute("aria-valuetext", "Saturday: still to come");
  await user.keyboard("{Enter}");
  expect(chart).toBeVisible();
  await user.keyboard("{ArrowUp}{ArrowUp}{Enter}");
  await waitFor(() => expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("Requests"));
});
