/** The routes under the pointer: dragged to another place, and kept there; and nothing held back is told by colour alone. */
import { expect, test } from "@playwright/test";
import { openPanel, seriousFindings, settled } from "./panel.ts";

test("a route is dragged to another place", async ({ page }) => {
  await openPanel(page, { scenario: "busy", path: "/routing" });
  await settled(page);
  const from = await page.getByRole("button", { name: "Move route fast, 1 of 5" }).boundingBox();
  const to = await page.getByRole("button", { name: "Move route mini-test, 3 of 5" }).boundingBox();
  if (from === null || to === null) throw new Error("the handles are not on the page");
  await page.mouse.move(from.x + 8, from.y + 12);
  await page.mouse.down();
  await page.mouse.move(from.x + 8, from.y + 60, { steps: 4 });
  await page.mouse.move(to.x + 8, to.y + 24, { steps: 8 });
  await page.mouse.up();
  await expect(page.getByRole("button", { name: "Move route fast, 3 of 5" })).toBeVisible();
  await expect(page.getByRole("button", { name: /^Open route/ }).nth(2)).toHaveAccessibleName("Open route fast");
});

test("a candidate says on focus why it is held back and until when", async ({ page }) => {
  await openPanel(page, { scenario: "cooling-down", path: "/routing" });
  await settled(page);
  await page.getByRole("link", { name: "Groq, llama-5-70b: Cooling down" }).focus();
  await expect(page.getByRole("tooltip")).toContainText("The provider's rate limit was reached");
  await expect(page.getByRole("tooltip")).toContainText("1 min 21 s left");
});

for (const theme of ["dark", "light"] as const) {
  test(`${theme}: a simulation, a route's settings, a timeline and a purge are readable`, async ({ page }) => {
    await openPanel(page, { scenario: "failing", theme, path: "/routing" });
    await page.getByRole("radio", { name: "Simulate" }).click();
    await expect(page.getByText(/of 1,000 requests/)).toBeVisible();
    expect(await seriousFindings(page)).toEqual([]);
    await openPanel(page, { scenario: "failing", theme, path: "/routing/claude" });
    await page.getByRole("tab", { name: "Settings" }).click();
    expect(await seriousFindings(page)).toEqual([]);
    await openPanel(page, { scenario: "failing", theme, path: "/backends/openai" });
    await page.getByRole("tab", { name: "Resilience" }).click();
    await expect(page.getByRole("slider", { name: /^States/ })).toBeVisible();
    expect(await seriousFindings(page)).toEqual([]);
    await openPanel(page, { scenario: "busy", theme, path: "/cache" });
    await page.getByRole("button", { name: "Purge" }).click();
    expect(await seriousFindings(page)).toEqual([]);
  });
}
