/** The Usage chart under the pointer. */
import { expect, test } from "@playwright/test";
import { MARGIN, namesWidth } from "@/components/chart/margin";
import { openPanel, settled } from "./panel.ts";

/** Of a chart this wide: its plot, and what is right of it. */
const RIGHT = namesWidth();
const plotOf = (width: number) => width - MARGIN.left - RIGHT;

test("a click on a bar opens its requests, and Back returns to the chart", async ({ page }) => {
  await openPanel(page, { scenario: "busy", path: "/usage?range=last_day&measure=requests" });
  await settled(page);
  const chart = page.getByRole("slider", { name: /by hour/ });
  const { x, y, width } = (await chart.boundingBox()) ?? { x: 0, y: 0, width: 0 };
  // The fourth of 24 bars from the right: an hour of work in the made-up world.
  await page.mouse.move(x + width - RIGHT - (plotOf(width) / 24) * 3.5, y + 60);
  const [hour] = /^\d\d:\d\d/.exec((await chart.getAttribute("aria-valuetext")) ?? "") ?? [];
  await expect(page.getByText(/^Click to list the requests/)).toBeVisible();
  await page.mouse.down();
  await page.mouse.up();
  await expect(page.getByRole("heading", { level: 1, name: "Requests" })).toBeVisible();
  await expect(page.getByText(`Time: 20 Nov, ${hour}`)).toBeInViewport({ ratio: 1 });
  await expect(page).toHaveURL(/[?&]since=\d+&until=\d+/);
  await page.goBack();
  await expect(chart).toBeVisible();
});

test("a drag over days zooms into them, by the hour where they are two, and zooms out again", async ({ page }) => {
  await openPanel(page, { scenario: "busy", path: "/usage?range=last_week" });
  await settled(page);
  const days = page.getByRole("slider", { name: /by day/ });
  const { x, y, width } = (await days.boundingBox()) ?? { x: 0, y: 0, width: 0 };
  const bar = plotOf(width) / 7;
  await page.mouse.move(x + width - RIGHT - bar * 2.5, y + 60);
  await page.mouse.down();
  await page.mouse.move(x + width - RIGHT - bar * 1.5, y + 60, { steps: 4 });
  await expect(days).toHaveAttribute("aria-valuetext", /^18 Nov to 19 Nov marked/);
  await page.mouse.up();
  await expect(page.getByLabel("First day")).toHaveValue("2026-11-18");
  await expect(page.getByLabel("Last day")).toHaveValue("2026-11-19");
  await expect(page.getByRole("slider", { name: /by hour/ })).toBeVisible();
  await page.getByRole("button", { name: "Zoom out" }).click();
  await expect(days).toBeVisible();

  await days.focus();
  await page.keyboard.press("End");
  for (const key of ["Shift+ArrowLeft", "Shift+ArrowLeft", "Enter"]) await page.keyboard.press(key);
  await expect(page.getByLabel("First day")).toHaveValue("2026-11-18");
  await expect(page.getByLabel("Last day")).toHaveValue("2026-11-20");
});

const NODES_MAX = 1_500;

for (const path of [
  "/",
  "/usage?range=last_month&group=model",
  "/usage?range=today",
  "/breakdown?range=last_month",
  "/savings?range=last_month",
  "/anomalies?look_back=28",
  "/billing?range=last_month",
  "/clients",
  "/health",
  "/health/timeline?range=30d",
  "/health/levels",
  "/alerts",
  "/alerts/rules",
  "/activity?range=last_month&group=model",
]) {
  test(`${path} stays below ${NODES_MAX} elements`, async ({ page }) => {
    await openPanel(page, { scenario: "busy", path });
    await settled(page);
    expect(await page.locator("*").count()).toBeLessThan(NODES_MAX);
  });
}

test("a filter is added and removed by keyboard alone, and a treemap is walked", async ({ page }) => {
  await openPanel(page, { scenario: "busy", path: "/usage" });
  await settled(page);
  await page.getByRole("button", { name: "Filter", exact: true }).focus();
  await page.keyboard.press("Enter");
  for (const name of ["Backend", "Model", "Client"]) {
    await expect(page.getByRole("menuitem", { name, exact: true })).toBeFocused();
    await page.keyboard.press(name === "Client" ? "ArrowRight" : "ArrowDown");
  }
  await expect(page.getByRole("menuitem", { name: "claude-code" })).toBeFocused();
  await page.keyboard.press("Enter");
  const chip = page.getByRole("button", { name: "Client: claude-code" });
  await expect(chip).toBeVisible();
  await expect(page).toHaveURL(/[?&]client=claude-code/);

  const parts = page.getByRole("navigation", { name: "Parts of Usage" });
  await parts.getByRole("link", { name: "Costs" }).focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await expect(chip).toBeVisible();
  await page.getByRole("radio", { name: "Treemap" }).focus();
  await page.keyboard.press("Space");
  const tiles = page.getByRole("slider", { name: /^Cost by project and model/ });
  await tiles.focus();
  await page.keyboard.press("End");
  await page.keyboard.press("Home");
  await expect(tiles).toHaveAttribute("aria-valuetext", /^website: \$/);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "Project: website" })).toBeVisible();
  await expect(chip).toBeVisible();
  await page.goBack();
  await page.getByRole("button", { name: "Clear client filter" }).focus();
  await page.keyboard.press("Enter");
  await expect(chip).toHaveCount(0);
});
