import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { renderPanel } from "../../../test/render-panel";

test("a bar opens its requests, and Back returns to the chart", async () => {
  const { host, user } = renderPanel("busy", "/usage?range=last_week");
  const { buckets } = await host.usage({ range: "last_week", group_by: "backend", zone: "local" });
  const [bar, next] = buckets.slice(-2);
  const chart = await screen.findByRole("slider", { name: /by day/ });
  chart.focus();
  await user.keyboard("{End}{ArrowLeft}{Enter}");
  expect(await screen.findByText("Time: 19 Nov")).toBeVisible();
  const { requests } = await host.requests({ limit: 500, since: bar?.start ?? 0, until: next?.start ?? 0 });
  expect(requests.length).toBeGreaterThan(0);
  const table = await screen.findByLabelText("Requests", { selector: "div" });
  await waitFor(() => expect(table.querySelectorAll("tbody tr")).toHaveLength(requests.length));
  await user.click(screen.getByRole("button", { name: "Clear time filter" }));
  expect(screen.queryByText(/^Time:/)).not.toBeInTheDocument();
});

test("every number of the tables leads to its requests", async () => {
  const { host, user } = renderPanel("busy", "/usage?range=last_week&group=client");
  const usage = await host.usage({ range: "last_week", group_by: "client", zone: "local" });
  const start = usage.from - (usage.from % 900_000);
  const codex = await screen.findByRole("link", { name: "codex" });
  expect(codex).toHaveAttribute("href", `#/requests?client=codex&since=${start}`);
  const bars = screen.getByRole("figure", { name: usage.finding });
  await user.click(within(bars).getByRole("button", { name: "Show as table" }));
  expect(within(bars).getByRole("link", { name: "Requests of 20 Nov" })).toHaveAttribute(
    "href",
    `#/requests?since=${usage.buckets.at(-1)?.start}`,
  );
});

test("what has no price leads to its requests, and the costs lead to what has no price", async () => {
  const { host } = renderPanel("busy", "/billing?range=last_week");
  const usage = await host.usage({ range: "last_week", group_by: "backend", zone: "local" });
  const start = usage.from - (usage.from % 900_000);
  expect(await screen.findByRole("link", { name: "Show them" })).toHaveAttribute(
    "href",
    `#/requests?since=${start}&unpriced=true`,
  );
  const { requests, unpriced_requests: unpriced } = usage.totals;
  expect(screen.getByText(`${unpriced} of ${requests} requests in 7 days have no price.`)).toBeVisible();
});

test("the parts of Usage hand on what was chosen, by link and by arrow keys", async () => {
  const { user } = renderPanel(
    "busy",
    "/breakdown?range=last_month&group=model&rows=client&look=treemap&client=codex&columns=nothing",
  );
  const tabs = within(await screen.findByRole("navigation", { name: "Parts of Usage" }));
  expect(tabs.getByRole("link", { current: "page" })).toHaveTextContent("Breakdown");
  const kept = "range=last_month&group=model&zone=local&client=codex&rows=client&columns=model&look=treemap";
  expect(tabs.getByRole("link", { name: "Savings" })).toHaveAttribute("href", `#/savings?${kept}`);
  expect(await screen.findByRole("radio", { name: "Treemap" })).toBeChecked();
  tabs.getByRole("link", { name: "Breakdown" }).focus();
  await user.keyboard("{ArrowRight}{ArrowRight}{ArrowRight}");
  expect(tabs.getByRole("link", { name: "Budgets" })).toHaveFocus();
  expect(tabs.getByRole("link", { name: "Budgets" })).toHaveAttribute("href", `#/budgets?${kept}`);
});

test("budgets show no period, and hand it on all the same", async () => {
  const kept = "range=last_month&group=model&zone=local&client=codex&rows=client&columns=model&look=treemap";
  renderPanel("busy", `/budgets?${kept}`);
  const tabs = within(await screen.findByRole("navigation", { name: "Parts of Usage" }));
  expect(tabs.getByRole("link", { current: "page" })).toHaveTextContent("Budgets");
  expect(tabs.getByRole("link", { name: "Breakdown" })).toHaveAttribute("href", `#/breakdown?${kept}`);
});
