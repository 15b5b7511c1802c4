/** The playground: a stream one can watch, stop and compare, with the keyboard alone and with nothing jumping. */
import { expect, test, type Page } from "@playwright/test";
import { chooseModel, compareTwo, openPanel, pressScreenKey, seriousFindings, settled, watchFaults } from "./panel.ts";

const PROMPT = "Explain what a circuit breaker does.";

async function openPlayground(page: Page, scenario: string, theme: "light" | "dark" = "dark"): Promise<void> {
  await openPanel(page, { scenario, theme, path: "/playground" });
  await settled(page);
}

const prompt = (page: Page) => page.getByRole("textbox", { name: "Prompt" });
const figures = (page: Page) => page.getByRole("region", { name: "Figures" });
const complete = (page: Page) => figures(page).getByText("Complete", { exact: true });

test("from the first key to the answer without a pointer", async ({ page }) => {
  const faults = await watchFaults(page);
  await openPanel(page, { scenario: "fresh" });
  await settled(page);
  await pressScreenKey(page, "/playground");
  await expect(page.getByRole("heading", { level: 1, name: "Playground" })).toBeVisible();
  await page.keyboard.press("/");
  await expect(prompt(page)).toBeFocused();
  await page.keyboard.type(PROMPT);
  await page.keyboard.press("Control+Enter");
  await expect(complete(page)).toBeVisible();
  await expect(page.getByText(/^A circuit breaker watches/)).toBeVisible();
  await expect(prompt(page)).toBeFocused();
  expect(await faults()).toEqual([]);
});

for (const theme of ["dark", "light"] as const) {
  test(`${theme}: readable while it streams, when it is done, in every view, and when it fails`, async ({ page }) => {
    test.setTimeout(240_000);
    const faults = await watchFaults(page);
    await openPlayground(page, "failing", theme);
    await page.getByRole("button", { name: /^Model: / }).click();
    expect(await seriousFindings(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await compareTwo(page, "mock/slow", "ollama/gemma4:12b");
    await expect(figures(page).getByText("Streaming", { exact: true })).toBeVisible();
    await expect(figures(page).getByText("Failed", { exact: true })).toBeVisible();
    expect(await seriousFindings(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await expect(figures(page).getByText("Cancelled", { exact: true })).toBeVisible();
    const first = page.getByRole("region", { name: "Answer A" });
    for (const view of ["Details", "Raw", "Code"]) {
      await first.getByRole("tab", { name: view }).click();
      await settled(page);
      expect(await seriousFindings(page), view).toEqual([]);
    }
    expect(await faults()).toEqual([]);
  });
}

test("nothing jumps from the first press to the last word", async ({ page }) => {
  await openPlayground(page, "busy");
  await chooseModel(page, "Model", "openai/gpt-5.2-mini");
  await prompt(page).fill(PROMPT);
  const places = async () => {
    const parts = [
      figures(page),
      page.getByRole("tab", { name: "Answer" }),
      page.getByRole("region", { name: "Prompt" }),
    ];
    return Promise.all(parts.map(async (part) => part.boundingBox()));
  };
  const before = await places();
  await page.keyboard.press("Control+Enter");
  await expect(figures(page).getByText("Streaming", { exact: true })).toBeVisible();
  expect(await places()).toEqual(before);
  await expect(complete(page)).toBeVisible();
  expect(await places()).toEqual(before);
});

test("what was written and what came are still there after a look at another screen", async ({ page }) => {
  await openPlayground(page, "busy");
  await prompt(page).fill(PROMPT);
  await page.keyboard.press("Control+Enter");
  await page.keyboard.press("Control+1");
  await expect(page.getByRole("heading", { level: 1, name: "Everything works" })).toBeVisible();
  await pressScreenKey(page, "/playground");
  await expect(prompt(page)).toHaveValue(PROMPT);
  await expect(complete(page)).toBeVisible();
  const answer = page.getByRole("region", { name: "Answer" });
  await expect(answer.getByText(/^A circuit breaker.*can do something with it\.$/s)).toBeVisible();
});

test.describe("900 by 600", () => {
  test.use({ viewport: { width: 900, height: 600 } });
  test("two side by side, the list of models and the buttons are in the window", async ({ page }) => {
    await openPlayground(page, "busy");
    await compareTwo(page, "groq/llama-5-70b", "openai/gpt-5.2-mini");
    await expect(page.getByRole("button", { name: "Stop" })).toBeInViewport({ ratio: 1 });
    await expect(complete(page)).toHaveCount(2);
    for (const side of ["A", "B"])
      await expect(page.getByRole("region", { name: `Answer ${side}` }).getByRole("tablist")).toBeInViewport({
        ratio: 1,
      });
    await page.getByRole("button", { name: /^Model B: / }).click();
    await expect(page.getByRole("listbox")).toBeInViewport({ ratio: 1 });
  });
});
