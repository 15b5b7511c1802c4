import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { renderPanel } from "../../../../test/render-panel";

test("hours and weekdays are read out by keyboard, and stand in a table", async () => {
  const { user } = renderPanel("busy", "/activity?range=last_month");
  const chart = await screen.findByRole("figure", { name: /^Most requests: \w+day from \d\d:00$/ });
  within(chart).getByRole("slider").focus();
  await user.keyboard("{ArrowRight}{End}");
  expect(within(chart).getByRole("slider")).toHaveAttribute("aria-valuetext", "Monday 23:00: 0 requests");
  await user.click(within(chart).getByRole("radio", { name: "Tokens" }));
  expect(await screen.findByRole("figure", { name: /^Most tokens: \w+day/ })).toBe(chart);
  await user.click(within(chart).getByRole("button", { name: "Show as table" }));
  expect(within(chart).getAllByRole("row")).toHaveLength(25);
});
