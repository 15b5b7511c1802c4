/** Health by the keyboard: the tree, the lanes, the objectives; and the events of the Overview. */
import { expect, test, type Page } from "@playwright/test";
import { openPanel, settled } from "./panel.ts";

test("the tree is one stop for Tab, walked and folded by the arrow keys, and Enter opens the cause", async ({
  page,
}) => {
  await openPanel(page, { scenario: "failing", path: "/health" });
  await settled(page);
  const tree = page.getByRole("tree", { name: "What answers depend on" });
  const items = tree.getByRole("treeitem");
  await expect(items.first()).toHaveAccessibleName(/^This machine: Degraded, .*Because of Key storage/);
  await expect(tree.locator('[tabindex="0"]')).toHaveCount(1);
  await items.first().focus();
  await page.keyboard.press("ArrowDown");
  await expect(page.locator(":focus")).toHaveAccessibleName(/^Key storage: Down.*Explains \d+ others/);
  await page.keyboard.press("ArrowUp");
  await expect(items.first()).toBeFocused();
  const before = await items.count();
  await page.keyboard.press("ArrowLeft");
  await expect(items.first()).toHaveAttribute("aria-expanded", "false");
  expect(await items.count()).toBeLessThan(before);
  await page.keyboard.press("ArrowRight");
  await expect(items).toHaveCount(before);
  await page.keyboard.press("End");
  await expect(items.last()).toBeFocused();
  const ollama = tree.getByRole("treeitem", { name: /^Ollama: Down/ });
  await expect(ollama).toHaveAttribute("aria-level", "3");
  await ollama.focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog", { name: "Ollama" })).toBeVisible();
  await expect(page.getByRole("region", { name: "How it served" })).toBeVisible();
});

test("where all is well the tree is two lines", async ({ page }) => {
  await openPanel(page, { scenario: "busy", path: "/health" });
  await settled(page);
  await expect(page.getByRole("treeitem")).toHaveCount(2);
});

test("the arrow keys walk the lanes, and the table says the same", async ({ page }) => {
  await openPanel(page, { scenario: "failing", path: "/health/timeline" });
  await settled(page);
  const lanes = page.getByRole("slider", { name: /^States of the last 24 hours/ });
  const heard = async (key: string, words: RegExp) => {
    await page.keyboard.press(key);
    await expect(lanes).toHaveAttribute("aria-valuetext", words);
  };
  await lanes.focus();
  await heard("ArrowDown", /^Network: /);
  await heard("End", /^Network: Up for/);
  await heard("ArrowDown", /^Gateway: Up for/);
  for (let lane = 0; lane < 3; lane += 1) await page.keyboard.press("ArrowDown");
  await heard("ArrowDown", /^Ollama: /);
  await heard("End", /^Ollama: Down for 47 min from .*: No answer within 5 s/);
  await heard("ArrowLeft", /^Ollama: Up for/);
  await heard("Home", /^Ollama: Up for/);
  await heard("ArrowRight", /^Ollama: Not observed for .*: Gatehouse was not running\.$/);
  for (let lane = 0; lane < 3; lane += 1) await page.keyboard.press("ArrowDown");
  await expect(lanes).toHaveAttribute("aria-valuetext", /^Settings changed /);
  await heard("Escape", /^No state selected$/);

  await page.getByRole("button", { name: "Show as table" }).first().click();
  const table = page.getByRole("region", { name: "Times in which something was not up" });
  await expect(table.getByRole("row", { name: /Ollama Down 47 min/ })).toBeVisible();
});

for (const theme of ["dark", "light"] as const) {
  test(`in forced colours, ${theme}, each state of the lanes has a form of its own`, async ({ page }) => {
    await page.emulateMedia({ forcedColors: "active" });
    await openPanel(page, { scenario: "failing", theme, path: "/health/timeline" });
    await settled(page);
    const samples = page.locator("[data-key] svg[data-state]");
    await expect(samples).not.toHaveCount(0);
    const forms = new Map<string, boolean[]>();
    for (const sample of await samples.all())
      forms.set((await sample.getAttribute("data-state")) ?? "", await inkOf(page, await sample.screenshot()));
    expect([...forms.keys()]).toEqual(expect.arrayContaining(["up", "degraded", "down", "offline", "not_observed"]));
    for (const [one, form] of forms) {
      expect(form.filter(Boolean).length, `${one} shows at all`).toBeGreaterThan(8);
      for (const [other, its] of forms)
        if (one < other)
          expect(form.filter((ink, at) => ink !== its[at]).length, `${one} and ${other}`).toBeGreaterThan(16);
    }
  });
}

/** Which pixels of a picture differ clearly from the one in its corner, whatever their colour. */
async function inkOf(page: Page, picture: Buffer): Promise<boolean[]> {
  return page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const context = new OffscreenCanvas(image.width, image.height).getContext("2d")!;
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.width, image.height);
    const light = (at: number) => 0.2126 * data[at]! + 0.7152 * data[at + 1]! + 0.0722 * data[at + 2]!;
    const ground = light(0);
    return Array.from({ length: data.length / 4 }, (_, at) => Math.abs(light(at * 4) - ground) > 48);
  }, picture.toString("base64"));
}

test("the range of the lanes is in the address, and a month of them is few elements", async ({ page }) => {
  await openPanel(page, { scenario: "failing", path: "/health/timeline" });
  await settled(page);
  await page.getByRole("radio", { name: "30 d" }).click();
  await expect(page).toHaveURL(/range=30d/);
  await expect(page.getByRole("slider", { name: /^States of the last 30 days/ })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("radio", { name: "30 d" })).toBeChecked();
  expect(await page.locator("*").count()).toBeLessThan(1_500);
});

test("an objective says what it would allow before it is saved", async ({ page }) => {
  await openPanel(page, { scenario: "busy", path: "/health/levels" });
  await settled(page);
  const defaults = page.getByRole("region", { name: "Objectives" });
  await defaults.getByRole("button", { name: "Edit the objective of Gateway" }).click();
  const dialog = page.getByRole("dialog", { name: "Objective: Gateway" });
  const allows = dialog.getByRole("region", { name: "What it allows" });
  await expect(allows).toHaveText(/^99\.95 % in 30 days allows 22 min, or 6 of 12,040 requests/);
  await dialog.getByRole("combobox", { name: "Requests that succeed" }).click();
  await page.getByRole("option", { name: "99 %", exact: true }).click();
  await expect(allows).toHaveText(/^99 % in 30 days allows 7\.2 h, or 120 of 12,040 requests/);
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden();
  const gateway = defaults.getByRole("listitem").first();
  await expect(gateway).toContainText("99 % in 30 days");
  await expect(gateway).toContainText("changed");

  await page.getByRole("button", { name: "Edit the objective of First tokens" }).click();
  await page.getByRole("textbox", { name: "In time means within" }).fill("99");
  await expect(page.getByRole("alert")).toHaveText("a number from 100 to 60,000 ms");
});

test("the Overview lists what happened, and one kind of it", async ({ page }) => {
  await openPanel(page, { scenario: "failing" });
  await settled(page);
  await page.getByRole("radio", { name: "Events" }).click();
  const events = page.getByRole("region", { name: "Latest events" });
  await expect(events.getByText("Ollama is down")).toBeVisible();
  await page.getByRole("combobox", { name: "Kind of event" }).click();
  await page.getByRole("option", { name: "Keys" }).click();
  await expect(events.getByText("Ollama is down")).toBeHidden();
  await expect(events.getByRole("listitem").first()).toContainText("Key replace: groq");
});

test("an incident has its lanes, and its failed requests lead to their list", async ({ page }) => {
  await openPanel(page, { scenario: "failing", path: "/alerts/4" });
  await settled(page);
  const lanes = page.getByRole("slider", { name: /^States around the alert/ });
  await lanes.focus();
  await page.keyboard.press("ArrowUp");
  await expect(lanes).toHaveAttribute("aria-valuetext", /^Network: /);
  await page.getByRole("link", { name: "2", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Requests" })).toBeVisible();
  await expect(page).toHaveURL(/state=failed/);
  await expect(page).toHaveURL(/backend=ollama/);
});
