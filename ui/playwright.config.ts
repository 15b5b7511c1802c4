/**
 * Browser tests over the built bundle of the made-up world, served with the product's content security policy. The
 * machine's own Chromium is used where there is one; nothing is downloaded.
 */
import { defineConfig } from "@playwright/test";
import { existsSync } from "node:fs";

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
    baseURL: "http://127.0.0.1:4173",
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
  webServer: [
    {
      command: "node node_modules/vite/bin/vite.js preview --mode fake --port 4173",
      url: "http://127.0.0.1:4173/fake.html",
      timeout: 120_000,
      reuseExistingServer: false,
    },
    {
      command: "node node_modules/vite/bin/vite.js preview --port 4174",
      url: "http://127.0.0.1:4174/index.html",
      timeout: 120_000,
      reuseExistingServer: false,
    },
  ],
});
