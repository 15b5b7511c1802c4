import { screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { MonthForecast } from "@/features/overview/month-forecast";
import { formatMoney } from "@/lib/money";
import { formatCount } from "@/lib/quantity";
import { renderWith } from "../../../test/render-panel";

test("the end of the month stands with its range, or with what it excludes", async () => {
  const { host, cache } = renderWith("busy", <MonthForecast />);
  const known = await host.usageForecast({ zone: "local" });
  const { expected_nano_usd: expected, low_nano_usd: low, high_nano_usd: high } = known;
  expect(known.unpriced_requests).toBeGreaterThan(0);
  expect(await screen.findByText(`This month: about ${formatMoney(expected)}`)).toBeVisible();
  expect(screen.getByText(`excludes ${formatCount(known.unpriced_requests)} unpriced`)).toBeVisible();
  vi.spyOn(host, "usageForecast").mockResolvedValue({ ...known, unpriced_requests: 0 });
  await cache.invalidateQueries({ queryKey: ["usage_forecast"] });
  expect(await screen.findByText(`${formatMoney(low)} to ${formatMoney(high)}`)).toBeVisible();
  expect(screen.queryByText(/unpriced/)).not.toBeInTheDocument();
});

test("a run rate is marked, and a month without spending is no forecast", async () => {
  const { host, cache } = renderWith("busy", <MonthForecast />);
  const known = await host.usageForecast({ zone: "local" });
  await screen.findByText(/^This month: about/);
  const forecast = vi.spyOn(host, "usageForecast").mockResolvedValue({ ...known, is_confident: false });
  await cache.invalidateQueries({ queryKey: ["usage_forecast"] });
  expect(await screen.findByText(/^This month: perhaps/)).toBeVisible();
  forecast.mockResolvedValue({ ...known, is_confident: false, unpriced_requests: 0 });
  await cache.invalidateQueries({ queryKey: ["usage_forecast"] });
  expect(await screen.findByText("low confidence")).toBeVisible();
  forecast.mockResolvedValue({ ...known, method: "none", is_confident: false });
  await cache.invalidateQueries({ queryKey: ["usage_forecast"] });
  expect(await screen.findByText("Nothing was spent this month")).toBeVisible();
  expect(screen.queryByText("low confidence")).not.toBeInTheDocument();
});
