import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { renderPanel } from "../../../test/render-panel";

/** By label: looking through a long table by role takes seconds. */
async function requests(): Promise<HTMLElement> {
  return screen.findByLabelText("Requests", { selector: "section" }, { timeout: 5_000 });
}

/** The rows of the table without its head. */
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
