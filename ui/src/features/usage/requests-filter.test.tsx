import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { renderPanel } from "../../../test/render-panel";

/** Finds it by label: a query by role in a long table takes seconds. */
async function requests(): Promise<HTMLElement> {
  return screen.findByLabelText("Requests", { selector: "section" }, { timeout: 5_000 });
}

/** The rows of the table without its header. */
async function rowsOf(region: HTMLElement): Promise<HTMLElement[]> {
  const table = await within(region).findByLabelText("Requests", { selector: "div" }, { timeout: 5_000 });
  return [...table.querySelectorAll<HTMLElement>("tbody tr")];
}

test("the number of failed requests leads to exactly those", async () => {
  const { user } = renderPanel("failing", "/usage?range=last_week");
  const link = await screen.findByRole("button", { name: /^\d+ failed$/ });
  const failed = Number.parseInt(link.textContent ?? "", 10);
  expect(failed).toBeGreaterThan(4);
  await user.click(link);
  const region = await requests();
  expect(await within(region).findByText("Outcome: Failed")).toBeVisible();
  const rows = await rowsOf(region);
  for (const row of rows) expect(row).toHaveTextContent("Failed");
  expect(rows).toHaveLength(failed);
});

test("a filter by status comes from the core and reaches past the rows on the page", async () => {
  const { host, user } = renderPanel("failing", "/usage?range=last_week");
  const week = await host.usage({ range: "last_week", group_by: "backend", zone: "local" });
  const asked = { before: null, limit: 500, backend: null, client: null, http_status: "401", since: week.from };
  const all = await host.requests(asked);
  expect(all.requests.length).toBeGreaterThan(2);
  const region = await requests();
  await rowsOf(region);
  await user.click(within(region).getByRole("button", { name: "Status" }));
  await user.click(await screen.findByRole("menuitemradio", { name: "401" }));
  expect(await within(region).findByText("Status: 401")).toBeVisible();
  const rows = await rowsOf(region);
  expect(rows).toHaveLength(all.requests.length);
  await user.click(within(region).getByRole("button", { name: "Clear status filter" }));
  expect((await rowsOf(region)).length).toBeGreaterThan(rows.length);
});

test("filters stand in the address and are taken from it", async () => {
  renderPanel("busy", "/usage?outcome=cancelled&backend=groq");
  const region = await requests();
  expect(await within(region).findByText("Outcome: Cancelled")).toBeVisible();
  expect(await within(region).findByText("Backend: Groq")).toBeVisible();
});

test("a bar lists its requests: by Enter on the chart and from the table behind it, until the chip is taken away", async () => {
  const { host, user } = renderPanel("busy", "/usage?range=last_week&outcome=complete");
  const { buckets } = await host.usage({ range: "last_week", group_by: "backend", zone: "local" });
  const countOf = async (index: number) => {
    const time = { since: buckets[index]?.start ?? null, until: buckets[index + 1]?.start ?? null };
    const asked = { before: null, limit: 500, backend: null, client: null, state: "complete" as const, ...time };
    const { requests: all } = await host.requests(asked);
    expect(all.length).toBeGreaterThan(0);
    return all.length;
  };
  const chart = await screen.findByRole("slider", undefined, { timeout: 5_000 });
  const region = await requests();
  const whole = (await rowsOf(region)).length;

  chart.focus();
  await user.keyboard("{End}{ArrowLeft}{Enter}");
  expect(await within(region).findByText("Time: 19 Nov")).toBeVisible();
  expect(within(region).getByText("Outcome: Complete")).toBeVisible();
  expect(region).toHaveFocus();
  const chosen = await countOf(buckets.length - 2);
  await waitFor(async () => expect(await rowsOf(region)).toHaveLength(chosen));

  await user.click(screen.getByRole("button", { name: "Show as table" }));
  await user.click(screen.getByRole("button", { name: "Requests of 20 Nov" }));
  expect(await within(region).findByText("Time: since 20 Nov")).toBeVisible();
  const last = await countOf(buckets.length - 1);
  await waitFor(async () => expect(await rowsOf(region)).toHaveLength(last));

  await user.click(within(region).getByRole("button", { name: "Clear time filter" }));
  expect(within(region).queryByText(/^Time:/)).not.toBeInTheDocument();
  await waitFor(async () => expect(await rowsOf(region)).toHaveLength(whole));
});

test("another period drops the chosen bar", async () => {
  const { user } = renderPanel("busy", `/usage?range=last_week&since=${Date.UTC(2026, 10, 18, 23)}`);
  const region = await requests();
  expect(await within(region).findByText("Time: since 19 Nov")).toBeVisible();
  await user.click(screen.getByRole("radio", { name: "30 days" }));
  await waitFor(() => expect(within(region).queryByText(/^Time:/)).not.toBeInTheDocument());
});
