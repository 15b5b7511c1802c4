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
  expect(screen.getByRole("link", { name: "Show them" })).toHaveAttribute(
    "href",
    `#/requests?since=${start}&unpriced=true`,
  );
});
