/**
 * Not tests: pictures of every screen, theme, size and state, to be looked at one by one, and those in the README.
 */
import { expect, test, type Page } from "@playwright/test";
import { statSync } from "node:fs";
import { join } from "node:path";
import { startProgram } from "./program.ts";
import { compareTwo, openPanel, settled, SCREEN_NAMES, SCREENS } from "./panel.ts";

const SIZES = [
  { name: "1280", width: 1280, height: 800 },
  { name: "900", width: 900, height: 600 },
];

interface Extra {
  name: string;
  scenario: string;
  path: string;
  /** What is done before the picture is taken. */
  act?: (page: Page) => Promise<void>;
}

const EXTRA: Extra[] = [
  { name: "backend-drawer", scenario: "busy", path: "/backends/openai" },
  { name: "backend-down", scenario: "failing", path: "/backends/ollama" },
  { name: "backend-add", scenario: "busy", path: "/backends?add=true" },
  {
    name: "backend-add-custom",
    scenario: "busy",
    path: "/backends?add=true",
    act: (page) => page.getByRole("button", { name: "Custom address" }).click(),
  },
  { name: "requests-filtered", scenario: "failing", path: "/requests?state=failed&backend=ollama&within=24h" },
  { name: "requests-none", scenario: "busy", path: "/requests?client=nobody&min_cost=0.10&slower_than=5s" },
  {
    name: "requests-add-filter",
    scenario: "busy",
    path: "/requests?within=7d",
    act: async (page) => {
      await page.getByRole("button", { name: "Filter", exact: true }).click();
      await page.getByRole("menuitem", { name: "Failure" }).hover();
      await page.getByRole("menuitem", { name: "Rate limited" }).waitFor();
    },
  },
  {
    name: "requests-typing",
    scenario: "busy",
    path: "/requests",
    act: async (page) => {
      await page.getByRole("button", { name: "Pause" }).click();
      await page.getByRole("button", { name: "Filter", exact: true }).click();
      await page.getByRole("menuitem", { name: "Min cost…" }).click();
    },
  },
  {
    name: "request-drawer",
    scenario: "failing",
    path: "/requests?failure=server",
    act: async (page) => {
      await page.locator("button[data-row]").first().click();
      await page.getByRole("figure", { name: "Waterfall" }).waitFor();
    },
  },
  {
    name: "request-failed",
    scenario: "failing",
    path: "/requests?state=failed",
    act: async (page) => {
      await page.locator("button[data-row]").first().click();
      await page.getByText("Copy as code").click();
      await page.getByRole("button", { name: "Copy curl" }).waitFor();
    },
  },
  { name: "route-drawer", scenario: "failing", path: "/routing/fast" },
  {
    name: "route-edit",
    scenario: "busy",
    path: "/routing/claude",
    act: (page) => page.getByRole("tab", { name: "Settings" }).click(),
  },
  { name: "route-add", scenario: "fresh", path: "/routing?add=true" },
  { name: "backends-degraded", scenario: "degraded", path: "/backends" },
  { name: "overview-degraded", scenario: "degraded", path: "/" },
  { name: "routing-one-open", scenario: "one-open", path: "/routing" },
  {
    name: "routing-simulate",
    scenario: "busy",
    path: "/routing",
    act: async (page) => {
      await page.getByRole("radio", { name: "Simulate" }).click();
      await page.getByRole("combobox", { name: "Model" }).fill("mini-test");
      await page.getByLabel("Client", { exact: true }).click();
      await page.getByRole("option", { name: "zed" }).click();
      await page.getByText(/^openai would serve/).waitFor();
    },
  },
  {
    name: "backend-resilience",
    scenario: "failing",
    path: "/backends/groq",
    act: async (page) => {
      await page.getByRole("tab", { name: "Resilience" }).click();
      await page.getByRole("slider").focus();
      await page.keyboard.press("End");
    },
  },
  {
    name: "cache-purge",
    scenario: "busy",
    path: "/cache",
    act: (page) => page.getByRole("button", { name: "Purge" }).click(),
  },
  { name: "key-drawer", scenario: "failing", path: "/keys/openrouter" },
  { name: "key-add", scenario: "busy", path: "/keys?add=true" },
  { name: "client-drawer", scenario: "busy", path: "/clients/codex" },
  { name: "client-connect", scenario: "busy", path: "/clients?connect=codex" },
  { name: "client-disconnect", scenario: "failing", path: "/clients?disconnect=claude-code" },
  { name: "client-add", scenario: "busy", path: "/clients?add=true" },
  { name: "usage-month", scenario: "busy", path: "/usage?range=last_month&group=model" },
  {
    name: "health-objective",
    scenario: "busy",
    path: "/health/levels",
    act: (page) => page.getByRole("button", { name: "Edit the objective of Gateway" }).click(),
  },
  {
    name: "overview-events",
    scenario: "busy",
    path: "/",
    act: (page) => page.getByRole("radio", { name: "Events" }).click(),
  },
  { name: "alert-incident", scenario: "failing", path: "/alerts/4" },
  {
    name: "inbox",
    scenario: "failing",
    path: "/",
    act: (page) => page.getByRole("button", { name: /^Inbox/ }).click(),
  },
  { name: "settings-invalid", scenario: "invalid-settings", path: "/settings" },
  {
    name: "playground-streaming",
    scenario: "busy",
    path: "/playground",
    act: async (page) => {
      await compareTwo(page, "groq/llama-5-70b", "openai/gpt-5.2-mini");
      await page.getByText("Complete", { exact: true }).first().waitFor();
    },
  },
  {
    name: "playground-failed",
    scenario: "failing",
    path: "/playground",
    act: async (page) => {
      await compareTwo(page, "mock/chat", "ollama/gemma4:12b");
      await page.getByText("Complete", { exact: true }).first().waitFor();
    },
  },
  { name: "overview-offline", scenario: "offline", path: "/" },
  { name: "overview-slow", scenario: "slow", path: "/" },
  { name: "backends-slow", scenario: "slow", path: "/backends" },
];

for (const theme of ["dark", "light"] as const) {
  for (const size of SIZES) {
    test(`${theme} ${size.name}`, async ({ page }) => {
      test.setTimeout(300_000);
      await page.setViewportSize(size);
      const shoot = (name: string) =>
        page.screenshot({ path: `test-results/shots/${name}-${theme}-${size.name}.png`, animations: "disabled" });
      for (const scenario of ["fresh", "busy", "failing"]) {
        for (const name of SCREEN_NAMES) {
          await openPanel(page, { scenario, theme, path: SCREENS[name].path });
          await settled(page);
          await shoot(`${name}-${scenario}`);
        }
      }
      for (const extra of EXTRA) {
        await openPanel(page, { scenario: extra.scenario, theme, path: extra.path });
        if (extra.scenario !== "slow") await settled(page);
        await extra.act?.(page);
        await shoot(extra.name);
      }
    });
  }
}

/** What the repository keeps, in both themes. */
const README = [
  { name: "overview", path: "/" },
  { name: "usage", path: "/usage?range=last_month" },
  { name: "requests", path: "/requests" },
  { name: "failing", path: "/" },
];
const PICTURES = join(import.meta.dirname, "../../pictures");
const PICTURE_BYTES_MAX = 200_000;

test("the pictures of the README", async ({ page }) => {
  const program = await startProgram();
  try {
    await page.goto(program.panel);
    await page.getByRole("heading", { level: 1 }).waitFor();
    for (const { name, path } of README) {
      if (name === "failing") await program.fail();
      for (const theme of ["dark", "light"] as const) {
        await page.emulateMedia({ colorScheme: theme });
        await page.evaluate((hash) => location.assign(hash), `#${path}`);
        await settled(page);
        if (name === "failing") await expect(page.getByText("Down", { exact: true })).toHaveCount(2);
        const file = join(PICTURES, `${name}-${theme}.png`);
        await page.screenshot({ path: file, animations: "disabled" });
        expect(statSync(file).size, name).toBeLessThan(PICTURE_BYTES_MAX);
      }
    }
  } finally {
    program.stop();
  }
});
