/**
 * Two bundles from one configuration: the product (`index.html` into `dist`) and, in mode `fake`, the panel over a
 * made-up world (`fake.html`) for development, screenshots and browser tests. Neither loads the other's host.
 */
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { CONTENT_SECURITY_POLICY } from "./csp.config.ts";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/**
 * The window freezes `Object.prototype`, so that a page that was broken into cannot poison it. Under that, assigning an
 * inherited name (`X.prototype.toString = …`, as d3 does) throws; an own, writable property in its place does not.
 */
function survivesFrozenPrototype(): Plugin {
  const assignment = /\b((?:\w+\.)?prototype)\.(constructor|toString|valueOf|toLocaleString) = /g;
  const own = 'Object.defineProperty($1, "$2", { value: undefined, writable: true, configurable: true }).$2 = ';
  return {
    name: "survives-frozen-prototype",
    transform(code, id) {
      const mended = id.includes("node_modules") ? code.replace(assignment, own) : code;
      return mended === code ? null : { code: mended, map: null };
    },
  };
}

// Before a worker starts: a thread has the time zone of its process.
if (process.env["VITEST"] === "true") process.env["TZ"] = "Europe/Berlin";

export default defineConfig(({ mode }) => ({
  // Relative, because the same files are served under tauri:// and under http://127.0.0.1.
  base: "./",
  plugins: [react(), tailwindcss(), survivesFrozenPrototype()],
  resolve: { alias: { "@": path("./src") } },
  build: {
    outDir: mode === "fake" ? "test-results/fake-bundle" : "dist",
    emptyOutDir: true,
    target: "safari17",
    // A data: font or an inline script would break the content security policy.
    assetsInlineLimit: 0,
    modulePreload: {
      polyfill: false,
      // The page names its own scripts. What a screen imports is on this machine, so it is found soon enough, and a list
      // of every screen's scripts would be a part of what is loaded before the first one.
      resolveDependencies: (_name, files, { hostType }) =>
        hostType === "html" ? files : files.filter((file) => file.endsWith(".css")),
    },
    rolldownOptions: { input: path(mode === "fake" ? "./fake.html" : "./index.html") },
  },
  // By name, as the desktop shell looks for it: on some machines that is ::1.
  server: { host: "localhost", port: 5173, strictPort: true },
  preview: {
    host: "127.0.0.1",
    port: 4173,
    strictPort: true,
    headers: { "Content-Security-Policy": CONTENT_SECURITY_POLICY },
  },
  test: {
    environment: "jsdom",
    // Not vmThreads, which takes three fifths of the time: screens load at once and share parts, which then never come
    // (https://github.com/vitest-dev/vitest/pull/11096).
    pool: "threads",
    // One page and one loading of the panel for each worker, not for each file: the tests need two fifths of the time.
    // What a test leaves behind is taken away in the setup file; any order of files passes (--sequence.shuffle).
    isolate: false,
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["./test/setup.ts"],
    restoreMocks: true,
    // By itself it leaves one processor free, which on two of them is half of the work.
    maxWorkers: "100%",
    testTimeout: 30_000,
  },
}));
