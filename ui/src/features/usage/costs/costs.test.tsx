import { act, screen, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { usageCsv } from "@/features/usage/export/usage-export";
import { choose } from "../../../../test/choose";
import { renderPanel } from "../../../../test/render-panel";

test("the cost is compared with the period before, also for chosen days", async () => {
  const { user } = renderPanel("busy", "/usage");
  expect(await screen.findByText(/^\d+ % (more|less) than in the 7 days before$/)).toBeVisible();
  await choose(user, screen.getByRole("combobox", { name: "Period" }), "Custom");
  expect(await screen.findByText("Cost, 7 Nov to 20 Nov")).toBeVisible();
  expect(screen.getByLabelText("First day")).toHaveValue("2026-11-07");
});

test("the costs that are summed up are chosen, kept in the address, and named with their share of the requests", async () => {
  const { host, user } = renderPanel("busy", "/usage");
  const query = { range: "last_week", group_by: "backend", zone: "local" } as const;
  const [known, reported] = [await host.usage(query), await host.usage({ ...query, basis: "reported" })];
  const hero = await screen.findByRole("region", { name: "Cost" });
  expect(await within(hero).findByText(known.basis)).toBeVisible();
  await choose(user, screen.getByRole("combobox", { name: "Costs summed up" }), "Reported");
  expect(await within(hero).findByText(reported.basis)).toBeVisible();
  expect(reported.basis).toMatch(/^Reported by the backend, for \d+ % of requests$/);
  const { unpriced_requests: unknown } = reported.totals;
  expect(within(hero).getByText(`excludes ${unknown.toLocaleString("en-US")} unreported`)).toBeVisible();
  expect(within(hero).queryByRole("link", { name: "Set prices" })).not.toBeInTheDocument();
  expect(screen.getByRole("figure", { name: reported.finding })).toBeVisible();
  const table = screen.getByRole("region", { name: "Usage by backend" });
  // Only one backend states costs; of the others, hits in the cache alone are known to cost nothing.
  expect(within(table).getAllByText(/^, excludes [\d,]+ unreported requests?$/).length).toBeGreaterThan(1);
  const tabs = within(screen.getByRole("navigation", { name: "Parts of Usage" }));
  expect(tabs.getByRole("link", { name: "Savings" })).toHaveAttribute(
    "href",
    expect.stringContaining("basis=reported"),
  );
});

test("bars of unknown cost are no zeros, in the table and in the export", async () => {
  const { host, user } = renderPanel("busy", "/usage?basis=reported");
  const usage = await host.usage({ range: "last_week", group_by: "backend", zone: "local", basis: "reported" });
  const chart = await screen.findByRole("figure", { name: usage.finding });
  await user.click(within(chart).getByRole("button", { name: "Show as table" }));
  expect(within(chart).getAllByText("unreported").length).toBeGreaterThan(0);
  const costs = usageCsv(usage, "backend")
    .split("\r\n")
    .slice(1)
    .map((line) => line.split(",")[2]);
  expect(costs.filter((cost) => cost === "").length).toBeGreaterThan(1);
});

test("two dimensions are crossed, and each cell leads to its requests", async () => {
  const { user } = renderPanel("busy", "/breakdown");
  await choose(user, await screen.findByRole("combobox", { name: "A bar for each" }), "Client");
  await choose(user, screen.getByRole("combobox", { name: "Divided by" }), "Backend");
  const chart = await screen.findByRole("figure", { name: /^Most for claude-code: \d+ % of/ });
  await user.click(within(chart).getByRole("button", { name: "Show as table" }));
  const table = within(chart).getByRole("region", { name: "Cost by client and backend" });
  const [, row] = within(table).getAllByRole("row");
  expect(row).toHaveTextContent(/^claude-code/);
  const cells = within(table).getAllByRole("link");
  expect(cells[0]).toHaveAttribute("href", expect.stringMatching(/client=claude-code&backend=\w+&since=\d+/));
});

test("a dimension is also a treemap, walked by keyboard, and a tile leads to its requests", async () => {
  const { user } = renderPanel("busy", "/breakdown");
  await choose(user, await screen.findByRole("combobox", { name: "A bar for each" }), "Client");
  const chart = await screen.findByRole("figure", { name: /^Most for claude-code: \d+ % of/ });
  await user.click(within(chart).getByRole("radio", { name: "Treemap" }));
  const tiles = within(chart).getByRole("slider", { name: /^Cost by client and model/ });
  expect(tiles).toHaveAttribute("aria-valuemax", "2");
  tiles.focus();
  await user.keyboard("{ArrowRight}");
  expect(tiles).toHaveAttribute("aria-valuetext", expect.stringMatching(/^claude-code: \$[\d.]+, \d+ %\. .+ \$/));
  await user.keyboard("{Enter}");
  expect(await screen.findByRole("heading", { level: 1, name: "Requests" })).toBeVisible();
  expect(screen.getByRole("button", { name: "Client: claude-code" })).toBeVisible();
});

test("the month's end is expected with its range, and its days stand in a table", async () => {
  const { host, user } = renderPanel("busy", "/usage");
  const { finding, days } = await host.usageForecast({ zone: "local" });
  expect(await screen.findByRole("region", { name: "This month" })).toHaveTextContent(/so far/);
  const chart = await screen.findByRole("figure", { name: finding });
  within(chart).getByRole("slider").focus();
  await user.keyboard("{End}");
  expect(within(chart).getByRole("slider")).toHaveAttribute("aria-valuetext", expect.stringMatching(/expected \$/));
  await user.click(within(chart).getByRole("button", { name: "Show as table" }));
  expect(within(chart).getAllByRole("row")).toHaveLength(days.length + 1);
});

test("what a provider billed stands beside what was computed, and an admin key leads to its report", async () => {
  const { host, user } = renderPanel("busy", "/billing");
  const { finding, levels } = await host.billingDrift({ days: 30 });
  const card = await screen.findByRole("region", { name: "Billed and computed" });
  expect(await within(card).findByText(finding)).toBeVisible();
  expect(within(card).getByText(levels)).toBeVisible();
  await user.click(within(card).getByText("By day"));
  expect(await within(card).findAllByText("no report")).not.toHaveLength(0);
  expect(within(card).getAllByText(", more than expected")).not.toHaveLength(0);
  await user.click(within(card).getByRole("button", { name: "Add admin key" }));
  const dialog = await screen.findByRole("dialog", { name: "Admin key of OpenAI" });
  await user.type(within(dialog).getByLabelText("Admin key"), "sk-admin-0123456789");
  await user.click(within(dialog).getByRole("button", { name: "Add key" }));
  await user.click(await within(card).findByRole("button", { name: "Reconcile" }));
  expect(await screen.findByText(/^OpenAI billed \$/)).toBeVisible();
});

test("what a backend states in its answers stands beside what is computed for them", async () => {
  const { host } = renderPanel("busy", "/billing");
  const { stated_finding: finding } = await host.billingDrift({ days: 30 });
  const card = await screen.findByRole("region", { name: "Stated and computed" });
  expect(within(card).getByText(finding ?? "")).toBeInTheDocument();
  const unpriced = within(card).getByRole("row", { name: /z-ai\/glm-5\.3/ });
  expect(within(unpriced).getAllByText("no price")).toHaveLength(2);
});

test("a fetch of a cost report says how far it is, and the button cancels it meanwhile", async () => {
  const { host, user } = renderPanel("busy", "/billing");
  const card = await screen.findByRole("region", { name: "Billed and computed" });
  const cancel = vi.spyOn(host, "billingCancel");
  const progress = {
    provider: "openai" as const,
    days_read: 7,
    days: 30,
    sentence: "OpenAI: day 7 of 30",
    is_running: true,
  };
  await user.click(await within(card).findByRole("button", { name: "Add admin key" }));
  const dialog = await screen.findByRole("dialog", { name: "Admin key of OpenAI" });
  await user.type(within(dialog).getByLabelText("Admin key"), "sk-admin-0123456789");
  await user.click(within(dialog).getByRole("button", { name: "Add key" }));
  await within(card).findByRole("button", { name: "Reconcile" });
  act(() => host.announce({ kind: "billing_progress", progress }));
  expect(await within(card).findByText("OpenAI: day 7 of 30")).toBeVisible();
  await user.click(within(card).getByRole("button", { name: "Cancel" }));
  expect(cancel).toHaveBeenCalledOnce();
  act(() => host.announce({ kind: "billing_progress", progress: { ...progress, is_running: false } }));
  expect(await within(card).findByRole("button", { name: "Reconcile" })).toBeVisible();
});
