import { screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { MonthForecast } from "@/features/overview/month-forecast";
import { formatMoney } from "@/lib/money";
import { renderWith } from "../../../test/render-panel";

test("the end of the month stands with its range", async () => {
  const { host } = renderWith("busy", <MonthForecast />);
  const { expected_nano_usd, low_nano_usd, high_nano_usd } = await host.usageForecast({ zone: "local" });
  expect(await screen.findByText(`This month: about ${formatMoney(expected_nano_usd)}`)).toBeVisible();
  expect(screen.getByText(`${formatMoney(low_nano_usd)} to ${formatMoney(high_nano_usd)}`)).toBeVisible();
});

test("a run rate is marked, and a month without spending is no forecast", async () => {
  const { host, cache } = renderWith("busy", <MonthForecast />);
  const known = await host.usageForecast({ zone: "local" });
  await screen.findByText(/^This month: about/);
  const forecast = vi.spyOn(host, "usageForecast").mockResolvedValue({ ...known, is_confident: false });
  await cache.invalidateQueries({ queryKey: ["usage"] });
  expect(await screen.findByText("low confidence")).toBeVisible();
  forecast.mockResolvedValue({ ...known, method: "none", is_confident: false });
  await cache.invalidateQueries({ queryKey: ["usage"] });
  expect(await screen.findByText("Nothing was spent this month")).toBeVisible();
  expect(screen.queryByText("low confidence")).not.toBeInTheDocument();
});
