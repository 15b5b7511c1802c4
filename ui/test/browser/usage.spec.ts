/** The Usage chart under the pointer. */
import { expect, test } from "@playwright/test";
import { openPanel, settled } from "./panel.ts";

test("a click on a bar opens its requests, and Back returns to the chart", async ({ page }) => {
  await openPanel(page, { scenario: "busy", path: "/usage?range=last_day&measure=requests" });
  await settled(page);
  const chart = page.getByRole("slider", { name: /by hour/ });
  const { x, y, width } = (await chart.boundingBox()) ?? { x: 0, y: 0, width: 0 };
  // The fourth of 24 bars from the right: an hour of work in the made-up world.
  await page.mouse.move(x + width - 12 - ((width - 64) / 24) * 3.5, y + 60);
  const [hour] = /^\d\d:\d\d/.exec((await chart.getAttribute("aria-valuetext")) ?? "") ?? [];
  await expect(page.getByText("Click to list the requests")).toBeVisible();
  await page.mouse.down();
  await page.mouse.up();
  await expect(page.getByRole("heading", { level: 1, name: "Requests" })).toBeVisible();
  await expect(page.getByText(`Time: 20 Nov, ${hour}`)).toBeInViewport({ ratio: 1 });
  await expect(page).toHaveURL(/[?&]since=\d+&until=\d+/);
  await page.goBack();
  await expect(chart).toBeVisible();
});
