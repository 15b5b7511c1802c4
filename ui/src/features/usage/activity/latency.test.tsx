import { screen, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { renderPanel } from "../../../../test/render-panel";

const PERIOD = { range: "last_week", zone: "local" } as const;

test("percentiles of any part are read out by keyboard, and stand in a table", async () => {
  const { host, user } = renderPanel("busy", "/activity");
  const { finding, buckets } = await host.usageLatency({ ...PERIOD, group_by: "all" });
  const chart = await screen.findByRole("figure", { name: finding });
  within(chart).getByRole("slider").focus();
  await user.keyboard("{End}");
  expect(within(chart).getByRole("slider")).toHaveAttribute(
    "aria-valuetext",
    expect.stringMatching(/^20 Nov: p50 [\d.]+ (s|ms), p95 [\d.]+ s, p99 [\d.]+ s$/),
  );
  await user.click(within(chart).getByRole("radio", { name: "Queue" }));
  expect(chart).toHaveAccessibleName("Queue: half within 1 ms, 95 % within 1 ms");
  await user.click(within(chart).getByRole("button", { name: "Show as table" }));
  expect(within(chart).getAllByRole("row")).toHaveLength(buckets.length + 1);
});

test("a day of the chart leads to its answered requests", async () => {
  const { host, user } = renderPanel("busy", "/activity");
  const { finding } = await host.usageLatency({ ...PERIOD, group_by: "all" });
  within(await screen.findByRole("figure", { name: finding }))
    .getByRole("slider")
    .focus();
  await user.keyboard("{End}{Enter}");
  expect(await screen.findByRole("heading", { level: 1, name: "Requests" })).toBeVisible();
  expect(await screen.findByRole("button", { name: "Clear state filter" })).toBeVisible();
  expect(screen.getByText(/^Time: since 20 Nov/)).toBeVisible();
});

test("the times of a backend, model or route are compared, and its lines shown alone", async () => {
  const { host, user } = renderPanel("busy", "/activity");
  const { groups } = await host.usageLatency({ ...PERIOD, group_by: "backend" });
  const times = await screen.findByRole("region", { name: "Times" });
  const table = await within(times).findByRole("region", { name: "Times by backend" });
  expect(within(table).getAllByRole("row")).toHaveLength(groups.length + 1);
  expect(within(table).getAllByRole("link")[0]).toHaveAttribute(
    "href",
    expect.stringMatching(/\/requests\?backend=openai&state=complete&since=\d+$/),
  );
  await user.click(within(table).getByRole("button", { name: "Groq" }));
  expect(await screen.findByRole("figure", { name: /^Groq, first token: half within/ })).toBeVisible();
  expect(within(table).getByRole("button", { name: "Groq in the chart" })).toBeVisible();
  await user.click(within(times).getByRole("button", { name: "Clear backend filter" }));
  expect(await screen.findByRole("figure", { name: /^First token: half within/ })).toBeVisible();
  await user.click(within(times).getByRole("radio", { name: "All" }));
  expect(within(await within(times).findByRole("table")).getAllByRole("row")).toHaveLength(2);
});

test("without an answer to measure the chart says what counts", async () => {
  const { host } = renderPanel("busy", "/activity");
  const some = await host.usageLatency({ ...PERIOD, group_by: "all" });
  vi.spyOn(host, "usageLatency").mockResolvedValue({ ...some, parts: [], groups: [] });
  const chart = await screen.findByRole("figure", { name: "First token: nothing measured" });
  expect(within(chart).getByText("Nothing measured in this period")).toBeVisible();
  expect(screen.getByText(/^No backend answered a request to the end/)).toBeVisible();
});

test("times that cannot be read leave the rest of the screen alone, and are read again", async () => {
  const { host, user } = renderPanel("busy", "/activity");
  const reading = vi.spyOn(host, "usageLatency").mockRejectedValue({
    code: "failed",
    message: "The ledger cannot be read.",
    hint: null,
    field: null,
  });
  const notices = await screen.findAllByText("The ledger cannot be read.");
  expect(notices).toHaveLength(2);
  expect(await screen.findByRole("figure", { name: /^Most requests: \w+day/ })).toBeVisible();
  reading.mockRestore();
  for (const retry of screen.getAllByRole("button", { name: "Try again" })) await user.click(retry);
  expect(await screen.findByRole("figure", { name: /^First token: half within/ })).toBeVisible();
});
