import { screen, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { formatPercent } from "@/lib/percent";
import { renderPanel } from "../../../../test/render-panel";

const PERIOD = { range: "last_week", zone: "local" } as const;

test("failed attempts stand by class with their share and backends, and lead to their requests", async () => {
  const { host, user } = renderPanel("failing", "/activity");
  const { classes, failed_percent } = await host.usageFailures(PERIOD);
  const chart = await screen.findByRole("figure", {
    name: /^\d+ of [\d,]+ attempts failed, most often: server error$/,
  });
  expect(chart).toHaveTextContent(`${formatPercent(failed_percent)} of the attempts`);
  const bars = within(within(chart).getByRole("list", { name: "Failed attempts by class" })).getAllByRole("listitem");
  expect(bars).toHaveLength(classes.length);
  expect(bars[0]).toHaveTextContent(/^Server error[\d.]+ % of the attempts, Groq \d+, .* and \d more\d+ attempts$/);
  expect(within(chart).getByRole("link", { name: "No connection" })).toHaveAttribute(
    "href",
    expect.stringMatching(/\/requests\?failure=connect&since=\d+$/),
  );
  await user.click(within(chart).getByRole("button", { name: "Show as table" }));
  expect(within(chart).getAllByRole("row")).toHaveLength(classes.length + 1);
});

test("a class without a word and many backends are named; no failure is said", async () => {
  const { host, cache } = renderPanel("busy", "/activity");
  const some = await host.usageFailures(PERIOD);
  const backends = ["one", "two", "three", "four"].map((key) => ({ key, label: key, attempts: 1 }));
  const known = { is_cost_unknown: false, unpriced_attempts: 0 };
  const classes = [{ class: "eclipse", attempts: 4, percent_of_attempts: null, cost_nano_usd: 0, ...known, backends }];
  const failures = vi.spyOn(host, "usageFailures").mockResolvedValue({ ...some, finding: "4 failed", classes });
  expect(await screen.findByText("one 1, two 1 and 2 more")).toBeVisible();
  expect(screen.getByRole("link", { name: "eclipse" })).toBeVisible();
  failures.mockResolvedValue({ ...some, finding: "No attempt failed", attempts: 12, classes: [] });
  await cache.invalidateQueries({ queryKey: ["usage_failures"] });
  expect(await screen.findByText("12 attempts, none failed.")).toBeVisible();
});
