/**
 * Two bundles from one configuration: the product (`index.html` into `dist`) and, in mode `fake`, the panel over a
 * made-up world (`fake.html`) for development, screenshots and browser tests. Neither loads the other's host.
 */
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { CONTENT_SECURITY_POLICY } from "./csp.config.ts";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

export default defineConfig(({ mode }) => ({
  // Relative, because the same files are served under tauri:// and under http://127.0.0.1.
  base: "./",
  plugins: [react(), tailwindcss()],
  resolve: { alias: { "@": path("./src") } },
  build: {
    outDir: mode === "fake" ? "test-results/fake-bundle" : "dist",
    emptyOutDir: true,
    target: "safari17",
    // A data: font or an inline script would break the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
    rolldownOptions: { input: path(mode === "fake" ? "./fake.html" : "./index.html") },
  },
  server: { host: "127.0.0.1", port: 5173, strictPort: true },
  preview: {
    host: "127.0.0.1",
    port: 4173,
    strictPort: true,
    headers: { "Content-Security-Policy": CONTENT_SECURITY_POLICY },
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["./test/setup.ts"],
    restoreMocks: true,
    testTimeout: 30_000,
    env: { TZ: "Europe/Berlin" },
  },
}));
