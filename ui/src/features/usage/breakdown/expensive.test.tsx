import { screen, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { ExpensiveCard } from "@/features/usage/breakdown/expensive-card";
import { UnpricedCard } from "@/features/usage/billing/unpriced-card";
import type { UsagePlace } from "@/features/usage/usage-place";
import type { UnpricedView } from "@/ipc/bindings";
import { renderWith } from "../../../../test/render-panel";

const PLACE: UsagePlace = { range: "last_month", group: "backend", zone: "local", measure: "cost" };
const PERIOD = { range: "last_month", zone: "local" } as const;

const dollars = (nano: number) => (nano / 1_000_000_000).toFixed(9).replace(/\.?0+$/, "");

test("the most expensive requests are listed under how many cost how much", async () => {
  const chosen = vi.fn();
  const { host, user } = renderWith("busy", <ExpensiveCard place={PLACE} onRequests={chosen} />);
  const { finding, histogram, requests } = await host.usageExpensive(PERIOD);
  const chart = within(await screen.findByRole("figure", { name: finding }));
  chart.getByRole("slider").focus();
  await user.keyboard("{End}");
  const last = histogram.at(-1);
  expect(chart.getByRole("slider")).toHaveAttribute("aria-valuetext", expect.stringContaining(last?.label ?? "?"));
  await user.keyboard("{Enter}");
  // A request at the boundary is in the next step alone.
  const { from_nano_usd: from = 0, to_nano_usd: to = 0 } = last ?? {};
  expect(chosen).toHaveBeenCalledWith(expect.objectContaining({ min_cost: dollars(from), max_cost: dollars(to - 1) }));
  const table = screen.getByRole("region", { name: "Most expensive requests" });
  const few = within(table).getAllByRole("row").length;
  await user.click(screen.getByRole("button", { name: `Show all ${requests.length}` }));
  expect(within(table).getAllByRole("row").length - 1).toBe(requests.length);
  expect(few).toBeLessThan(requests.length);
  expect(within(table).getAllByRole("link")[0]).toHaveAttribute(
    "href",
    expect.stringMatching(new RegExp(`^#/requests\\?since=\\d+&request=${requests[0]?.id}$`)),
  );
});

test("models without a price say why, and get what is missing where that helps", async () => {
  const { host } = renderWith("busy", <p>ready</p>);
  const usage = await host.usage({ ...PERIOD, group_by: "backend" });
  const [first] = usage.unpriced;
  if (first === undefined) throw new Error("everything has a price");
  const noRate: UnpricedView = {
    reason: "no_rate",
    sentence: "The model's price has no rate for web search.",
    missing: { meter: "web_search", tier: "flex", region: null },
  };
  const silence: UnpricedView = { reason: "no_usage", sentence: "The backend reported no usage.", missing: null };
  const unpriced = [
    { ...first, model: "kimi", why: noRate },
    { ...first, model: "gpt", why: silence },
  ];
  const shown = renderWith("busy", <UnpricedCard usage={{ ...usage, unpriced }} place={PLACE} />);
  const [priced, silent] = unpriced.map(({ why }) => within(screen.getByRole("list", { name: why.sentence })));
  expect(priced?.getByRole("button", { name: "Set price" })).toBeVisible();
  expect(screen.getByRole("heading", { name: "The backend reported no usage." })).toBeVisible();
  expect(silent?.getByText("gpt")).toBeVisible();
  expect(silent?.queryByRole("button")).not.toBeInTheDocument();
  expect(priced?.getByRole("link")).toHaveAttribute(
    "href",
    expect.stringMatching(/model=kimi&backend=\w+&unpriced=true$/),
  );
  const set = vi.spyOn(shown.host, "priceSet");
  await shown.user.click(screen.getByRole("button", { name: "Set price" }));
  const dialog = within(await screen.findByRole("dialog", { name: "Set price" }));
  expect(dialog.getByRole("combobox", { name: "Service tier" })).toHaveTextContent("Flex");
  expect(dialog.queryByLabelText("Input")).not.toBeInTheDocument();
  expect(dialog.getByText("per thousand calls.")).toBeVisible();
  await shown.user.type(dialog.getByLabelText("Web search"), "10");
  await shown.user.click(dialog.getByRole("button", { name: "Set price" }));
  expect(set).toHaveBeenCalledWith(
    expect.objectContaining({ model: "kimi", tier: "flex", rates: [{ meter: "web_search", price: "10" }] }),
  );
});
