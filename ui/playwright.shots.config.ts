/**
 * Screenshots of every screen for looking at: `npm run shots`, into test-results/shots. Those that the README shows:
 * `npm run pictures`, into pictures.
 */
import { defineConfig } from "@playwright/test";
import tests from "./playwright.config.ts";

export default defineConfig(tests, { testIgnore: [], testMatch: "shots.spec.ts" });
