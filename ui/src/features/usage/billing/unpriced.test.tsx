import { screen, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { renderPanel } from "../../../../test/render-panel";

/** The same sum, of which nothing is known. */
function unpriced<Sum extends { requests: number }>(sum: Sum): Sum {
  const known = { cost_nano_usd: 0, is_cost_unknown: sum.requests > 0, unpriced_requests: sum.requests };
  return { ...sum, ...known };
}

test("a breakdown of requests without a price says so in its title, its bars and its table", async () => {
  const { host, user } = renderPanel("busy", "/breakdown");
  const some = await host.usageCross({
    period: { range: "last_week", zone: "local" },
    rows: "project",
    columns: "model",
  });
  vi.spyOn(host, "usageCross").mockResolvedValue({
    ...some,
    rows: some.rows.map((row) => ({ ...row, totals: unpriced(row.totals), cost_share_percent: null })),
    columns: some.columns.map((column) => ({ ...column, totals: unpriced(column.totals) })),
    cells: some.cells.map((row) => row.map(unpriced)),
    totals: unpriced(some.totals),
  });
  const chart = await screen.findByRole("figure", { name: /^[\d,]+ requests, none with a known price$/ });
  expect(chart).toHaveTextContent(some.basis);
  const bars = within(chart).getByRole("list", { name: "Cost by project" });
  expect(within(bars).getAllByText("unpriced")).toHaveLength(some.rows.length);
  expect(bars).not.toHaveTextContent("$");
  await user.click(within(chart).getByRole("radio", { name: "Treemap" }));
  expect(within(chart).getByText("No price is known for any of these requests.")).toBeVisible();
});

test("requests without a project are a group with a link", async () => {
  renderPanel("busy", "/breakdown");
  const bars = await screen.findByRole("list", { name: "Cost by project" });
  expect(within(bars).getByRole("link", { name: "No project" })).toHaveAttribute(
    "href",
    expect.stringMatching(/#\/requests\?project=&since=\d+/),
  );
});

test("the requests without a project have a chip of their own and are as many as their group", async () => {
  const { host, user } = renderPanel("busy", "/requests?project=");
  // Found by text and label: a query by role in a long table takes seconds.
  expect(await screen.findByText("No project", { selector: "button span" }, { timeout: 5_000 })).toBeVisible();
  const period = { range: "last_month", zone: "local" } as const;
  const { rows, from } = await host.usageCross({ period, rows: "project", columns: "model" });
  const { requests } = await host.requests({ limit: 5_000, project: "", since: from });
  expect(requests.length).toBe(rows.find(({ kind }) => kind === "unnamed")?.totals.requests);
  await user.click(screen.getByLabelText("Clear project filter"));
  expect(screen.queryByText("No project", { selector: "button span" })).not.toBeInTheDocument();
});

test("a group of the name other leads to its requests, and the rest nowhere", async () => {
  const { host } = renderPanel("busy", "/usage?group=client");
  const some = await host.usage({ range: "last_week", group_by: "client", zone: "local" });
  const [first] = some.groups;
  const named = { ...first!, kind: "named", key: "other", label: "other" } as const;
  const rest = { ...first!, kind: "rest", key: "other", label: "Other" } as const;
  vi.spyOn(host, "usage").mockResolvedValue({ ...some, groups: [named, rest] });
  const table = await screen.findByRole("region", { name: "Usage by client" });
  expect(await within(table).findByRole("link", { name: "other" })).toHaveAttribute(
    "href",
    expect.stringContaining("client=other&since="),
  );
  expect(within(table).getByText("Other")).toBeVisible();
  expect(within(table).queryByRole("link", { name: "Other" })).not.toBeInTheDocument();
});

test("hours without a price are no zeros where hours are shown by cost", async () => {
  const { host, user } = renderPanel("busy", "/activity");
  const some = await host.usageHeatmap({ range: "last_week", zone: "local" });
  const weekdays = some.weekdays.map((day) => ({ ...day, hours: day.hours.map(unpriced) }));
  vi.spyOn(host, "usageHeatmap").mockResolvedValue({ ...some, weekdays });
  const measures = await screen.findByRole("radiogroup", { name: "Measure of the hours" });
  await user.click(within(measures).getByRole("radio", { name: "Cost" }));
  const chart = await screen.findByRole("figure", { name: some.finding });
  await user.click(within(chart).getByRole("button", { name: "Show as table" }));
  expect(within(chart).getAllByText("unpriced").length).toBeGreaterThan(0);
  expect(chart).not.toHaveTextContent("$0.00");
});

test("what failed attempts cost leaves those without a price out, and says so", async () => {
  const { host, user } = renderPanel("failing", "/activity");
  const some = await host.usageFailures({ range: "last_week", zone: "local" });
  const classes = some.classes.map((one, place) => ({
    ...one,
    cost_nano_usd: place === 0 ? 0 : 70_000_000,
    is_cost_unknown: place === 0,
    unpriced_attempts: place === 0 ? one.attempts : 1,
  }));
  vi.spyOn(host, "usageFailures").mockResolvedValue({ ...some, classes });
  const chart = await screen.findByRole("figure", { name: /attempts failed/ });
  await user.click(within(chart).getByRole("button", { name: "Show as table" }));
  expect(within(chart).getAllByText("unpriced")).toHaveLength(1);
  expect(within(chart).getAllByText(", excludes 1 unpriced attempt")).toHaveLength(classes.length - 1);
});

test("what was paid, with and without the cache, says what it leaves out", async () => {
  const { host } = renderPanel("busy", "/savings");
  const some = await host.usageEfficiency({ range: "last_week", zone: "local" });
  vi.spyOn(host, "usageEfficiency").mockResolvedValue({ ...some, unpriced_requests: 7 });
  const bars = await screen.findByRole("list", { name: "Cost with and without the cache" });
  expect(within(bars).getAllByText(/^\$[\d.]+ \+ 7 unpriced$/)).toHaveLength(2);
  expect(screen.getByRole("link", { name: "7 requests unpriced" })).toHaveAttribute(
    "href",
    expect.stringContaining("unpriced=true"),
  );
});

test("a day of the overview without a price is no day for nothing", async () => {
  const { host } = renderPanel("busy", "/");
  const some = await host.usage({ range: "last_week", group_by: "backend", zone: "local" });
  const buckets = some.buckets.map((bucket) => ({ ...bucket, total: unpriced(bucket.total) }));
  vi.spyOn(host, "usage").mockResolvedValue({ ...some, buckets });
  const week = await screen.findByRole("list", { name: "The last 7 days" });
  const days = within(week).getAllByRole("listitem");
  expect(days.map((day) => day.title.replace(/^[^:]+: /, ""))).toEqual(
    buckets.map(({ total }) => (total.is_cost_unknown ? "unpriced" : "no requests")),
  );
});

test("where every request was refused, none is said to be priced", async () => {
  const { host } = renderPanel("busy", "/billing");
  const some = await host.usage({ range: "last_week", group_by: "backend", zone: "local" });
  const { requests } = some.totals;
  const totals = { ...some.totals, unpriced_requests: 0, priced_percent: null, failed_requests: requests };
  vi.spyOn(host, "usage").mockResolvedValue({ ...some, totals, unpriced: [] });
  expect(await screen.findByText(`None of the ${requests} requests in 7 days was billed.`)).toBeVisible();
  expect(screen.queryByText(/^Every request/)).not.toBeInTheDocument();
});
