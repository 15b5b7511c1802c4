/** The requests in a browser: menus inside menus, focus, and what a screen reader is told. */
import { expect, test } from "@playwright/test";
import { openPanel, seriousFindings, settled } from "./panel.ts";

test("filters are added, edited and removed with the keyboard alone", async ({ page }) => {
  await openPanel(page, { scenario: "failing", path: "/requests" });
  await settled(page);
  await page.getByRole("button", { name: "Filter", exact: true }).focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("ArrowDown");
  await expect(page.getByRole("menuitem", { name: /^Period/ })).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await expect(page.getByRole("menuitem", { name: "State" })).toBeFocused();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.type("Fai");
  // The menu moves to what is typed a task later than it hears of it.
  await expect(page.getByRole("menuitem", { name: "Failed" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByText("State: Failed")).toBeVisible();
  await expect(page).toHaveURL(/[?&]state=failed/);

  await page.getByRole("button", { name: "Filter", exact: true }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("menuitem", { name: /^Slower/ })).toBeVisible();
  await page.keyboard.type("Slower");
  await expect(page.getByRole("menuitem", { name: /^Slower/ })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("textbox", { name: "Slower than:" })).toBeFocused();
  await page.keyboard.type("1s");
  await page.keyboard.press("Enter");
  await expect(page.getByText("Slower than: 1s")).toBeVisible();
  await settled(page);
  expect(await seriousFindings(page)).toEqual([]);

  await page.getByRole("button", { name: "Clear slower than filter" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByText("Slower than: 1s")).toHaveCount(0);
});

test("a filter is chosen with the pointer", async ({ page }) => {
  await openPanel(page, { scenario: "failing", path: "/requests" });
  await settled(page);
  await page.getByRole("button", { name: "Filter", exact: true }).click();
  await page.getByRole("menuitem", { name: "Status" }).click();
  await page.getByRole("menuitem", { name: "401" }).click();
  await expect(page.getByText("Status: 401")).toBeVisible();
  await page.getByRole("button", { name: "Clear status filter" }).click();
  await expect(page.getByText("Status: 401")).toHaveCount(0);
});

test("a request's drawer stands over the filtered list and has no serious finding", async ({ page }) => {
  await openPanel(page, { scenario: "failing", path: "/requests?failure=server" });
  await settled(page);
  await page.locator("button[data-row]").first().click();
  await expect(page.getByRole("figure", { name: "Waterfall" })).toBeVisible();
  await page.getByText("Copy as code").click();
  await expect(page.getByRole("button", { name: "Copy curl" })).toBeVisible();
  expect(await seriousFindings(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByText("Failure: Server error")).toBeVisible();
});

for (const width of [1280, 900])
  test(`at ${width} pixels the columns of a long table fill it`, async ({ page }) => {
    await page.setViewportSize({ width, height: 700 });
    await openPanel(page, { scenario: "busy", path: "/requests" });
    await settled(page);
    const region = page.getByRole("region", { name: "Requests", exact: true });
    const rows = region.locator("tbody tr:has(button[data-row])");
    expect(await rows.count()).toBeLessThan(100);
    expect(Number(await region.getByRole("table").getAttribute("aria-rowcount"))).toBeGreaterThan(100);
    const [table, last] = [
      await region.getByRole("table").boundingBox(),
      await region.getByRole("columnheader").locator("visible=true").last().boundingBox(),
    ];
    expect((last?.x ?? 0) + (last?.width ?? 0)).toBeCloseTo((table?.x ?? 0) + (table?.width ?? 0), 0);
  });
