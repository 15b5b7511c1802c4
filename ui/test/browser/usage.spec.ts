/** The Usage chart under the pointer. */
import { expect, test } from "@playwright/test";
import { openPanel, seriousFindings, settled } from "./panel.ts";

test("a click on a bar lists its requests, marks the bar, and Back lists all again", async ({ page }) => {
  await openPanel(page, { scenario: "busy", path: "/usage?range=last_day&measure=requests" });
  await settled(page);
  const requests = page.getByRole("region", { name: "Requests", exact: true }).first();
  const chart = page.getByRole("slider");
  const { x, y, width } = (await chart.boundingBox()) ?? { x: 0, y: 0, width: 0 };
  // The fourth of 24 bars from the right: an hour of work in the made-up world.
  await page.mouse.move(x + width - 12 - ((width - 64) / 24) * 3.5, y + 60);
  const [hour] = /^\d\d:\d\d/.exec((await chart.getAttribute("aria-valuetext")) ?? "") ?? [];
  await expect(page.getByText("Click to list the requests")).toBeVisible();
  await page.mouse.down();
  await page.mouse.up();
  const chip = requests.getByText(`Time: 20 Nov, ${hour}`);
  await expect(chip).toBeInViewport({ ratio: 1 });
  await expect(page).toHaveURL(/[?&]since=\d+&until=\d+/);
  await expect(chart.locator("rect.fill-accent-wash")).toHaveCount(1);
  await settled(page);
  expect(await seriousFindings(page)).toEqual([]);
  await page.goBack();
  await expect(chip).toHaveCount(0);
  await expect(chart.locator("rect.fill-accent-wash")).toHaveCount(0);
});
