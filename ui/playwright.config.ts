/**
 * Browser tests over the built bundle of the made-up world, served with the product's content security policy. The
 * machine's own Chromium is used where there is one; nothing is downloaded.
 */
import { defineConfig } from "@playwright/test";
import { existsSync } from "node:fs";

const PORT = Number(process.env["GATEHOUSE_PREVIEW_PORT"] ?? 4173);
const CHROMIUM = process.env["GATEHOUSE_CHROMIUM"] ?? "/usr/bin/chromium";

export default defineConfig({
  testDir: "test/browser",
  testIgnore: "shots.spec.ts",
  outputDir: "test-results/playwright",
  fullyParallel: true,
  workers: 2,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  reporter: [["list"]],
  use: {
    baseURL: `http://127.0.0.1:${PORT}`,
    viewport: { width: 1280, height: 800 },
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
    launchOptions: {
      ...(existsSync(CHROMIUM) ? { executablePath: CHROMIUM } : {}),
      args: [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  webServer: {
    command: `npx vite preview --mode fake --port ${PORT}`,
    url: `http://127.0.0.1:${PORT}/fake.html`,
    timeout: 120_000,
    reuseExistingServer: false,
  },
});
