/** The product's own bundle, as the loopback panel serves it: no made-up world inside, nothing against the policy. */
import { expect, test, type Page } from "@playwright/test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fakeHost } from "@/ipc/fake-host";
import type { Scenario } from "@/ipc/fake/world";
import type { Operation } from "@/ipc/operations";
import { OPERATION_CHANGES } from "@/lib/tables";
import { stoppedClock } from "@/lib/clock";
import { snakeCase } from "@/lib/names";
import { watchFaults } from "./panel.ts";

const PRODUCT = "http://127.0.0.1:4174";
const BUNDLE = join(import.meta.dirname, "../../dist");

const NOW = Date.UTC(2026, 10, 20, 14, 20);
const OPERATION_NAMES = new Map(Object.keys(OPERATION_CHANGES).map((name) => [snakeCase(name), name as Operation]));

/** As if a link had been opened in this tab. */
async function signIn(page: Page): Promise<void> {
  await page.addInitScript(() => sessionStorage.setItem("gatehouse.session", "ghc_given"));
}

/** Puts the made-up core behind the product's own transport. Gives back what was asked, with the session's header. */
async function serveCore(page: Page, scenario: Scenario): Promise<string[]> {
  const host = fakeHost({ scenario, clock: stoppedClock(NOW), later: (_ms, run) => run() });
  await signIn(page);
  const asked: string[] = [];
  await page.route("**/control/v1/**", async (route) => {
    const name = new URL(route.request().url()).pathname.split("/").at(-1) ?? "";
    if (name === "events") return route.fulfill({ contentType: "text/event-stream", body: ": open\n\n" });
    asked.push(`${route.request().method()} ${name} ${route.request().headers()["authorization"]}`);
    const operation = OPERATION_NAMES.get(name);
    if (operation === undefined) return route.fulfill({ status: 404, json: { code: "not_found", message: name } });
    const call = host[operation] as (req: unknown) => Promise<unknown>;
    return route.fulfill({ json: await call(route.request().postDataJSON()) });
  });
  return asked;
}

test("the one-time token is exchanged before anything is asked, and leaves the address", async ({ page }) => {
  const faults = await watchFaults(page);
  const exchanged: (string | null)[] = [];
  await page.route("**/panel/exchange", (route) => {
    exchanged.push(route.request().postData());
    return route.fulfill({ json: { session: "ghc_exchanged" } });
  });
  const asked = await serveCore(page, "busy");
  await page.goto(`${PRODUCT}/index.html#one-time=abc123`);
  await expect(page.getByRole("heading", { level: 1, name: "Everything works" })).toBeVisible();
  expect(exchanged).toEqual(['{"one_time":"abc123"}']);
  expect(page.url()).not.toContain("abc123");
  expect(asked).toContain("POST status Bearer ghc_exchanged");
  expect(asked.filter((one) => !one.endsWith("Bearer ghc_exchanged"))).toEqual([]);
  expect(await faults()).toEqual([]);
});

test("every screen works with the prototypes frozen, as the desktop window freezes them", async ({ page }) => {
  const faults = await watchFaults(page);
  await page.addInitScript(() => Object.freeze(Object.prototype));
  await serveCore(page, "busy");
  for (const path of [
    "/",
    "/backends/openai",
    "/keys/openai",
    "/clients?connect=codex",
    "/usage?range=last_month",
    "/breakdown?look=treemap",
    "/requests?state=complete",
    "/readiness",
    "/health",
    "/alerts/rules",
    "/playground",
    "/settings",
  ]) {
    await page.goto(`${PRODUCT}/index.html#${path}`);
    await page.reload();
    await expect(page.locator("main h1")).toBeVisible();
    expect(await faults()).toEqual([]);
  }
});

test("a screen whose script is gone says so; a reload brings it once it is there", async ({ page }) => {
  await serveCore(page, "busy");
  const palette = "**/assets/palette-*.js";
  await page.route(palette, (route) => route.fulfill({ status: 404, body: "" }));
  // Gone until the reload: the panel also loads screens ahead while it is idle.
  let isGone = true;
  await page.route("**/assets/settings-screen-*.js", (route) =>
    isGone ? route.fulfill({ status: 404, body: "" }) : route.fallback(),
  );
  await page.goto(`${PRODUCT}/index.html`);
  await expect(page.getByRole("heading", { level: 1, name: "Everything works" })).toBeVisible();
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("alert")).toContainText("This part of the panel could not be loaded");
  await page.getByRole("button", { name: "Dismiss" }).click();
  await page.getByRole("link", { name: "Settings" }).click();
  const notLoaded = page.getByRole("alert", { name: "Not loaded" });
  await expect(notLoaded).toBeVisible();
  await page.getByRole("link", { name: "Backends" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Backends" })).toBeVisible();
  await page.getByRole("link", { name: "Settings" }).click();
  await expect(notLoaded).toBeVisible();
  await page.unroute(palette);
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("dialog", { name: "Search or run" })).toBeVisible();
  await page.keyboard.press("Escape");
  page.once("framenavigated", () => {
    isGone = false;
  });
  await page.getByRole("button", { name: "Reload" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Settings" })).toBeVisible();
});

/** Each screen is one import in the file that lists them. */
const SCREENS = readFileSync("src/app/lazy-screens.tsx", "utf8").match(/import\(/g)?.length;

test("the first screen's script is loaded first, then those of the others", async ({ page }) => {
  const asked: string[] = [];
  page.on("request", (request) => {
    const name = /assets\/(.+-screen)-[^/]+\.js$/.exec(request.url())?.[1];
    if (name !== undefined) asked.push(name);
  });
  await serveCore(page, "busy");
  await page.goto(`${PRODUCT}/index.html#/usage`);
  await expect(page.getByRole("heading", { level: 1, name: "Usage" })).toBeVisible();
  expect(asked[0]).toBe("costs-screen");
  await expect.poll(() => new Set(asked).size).toBe(SCREENS);
});

const STONE = { dark: "rgb(21, 19, 16)", light: "rgb(245, 243, 238)" };

for (const { desktop, chosen, shown } of [
  { desktop: "dark", chosen: null, shown: "dark" },
  { desktop: "light", chosen: null, shown: "light" },
  { desktop: "light", chosen: "dark", shown: "dark" },
  { desktop: "dark", chosen: "light", shown: "light" },
  { desktop: "dark", chosen: "system", shown: "dark" },
] as const) {
  test(`a ${desktop} desktop, ${chosen ?? "nothing"} chosen: the first frame is ${shown} though no script has run`, async ({
    page,
  }) => {
    const faults = await watchFaults(page);
    await page.emulateMedia({ colorScheme: desktop });
    await page.addInitScript((theme) => theme && localStorage.setItem("gatehouse.theme", theme), chosen);
    // The panel's own scripts never come.
    await page.route("**/assets/*.js", () => {});
    await page.goto(`${PRODUCT}/index.html`, { waitUntil: "commit" });
    await page.waitForFunction(() => performance.getEntriesByType("paint").length > 0);
    await expect(page.locator("body")).toHaveCSS("background-color", STONE[shown]);
    await expect(page.locator("html")).toHaveCSS(
      "color-scheme",
      chosen === null || chosen === "system" ? "light dark" : shown,
    );
    await expect(page.locator("#root")).toBeEmpty();
    expect(await faults()).toEqual([]);
  });
}

test("without a core it says so and offers to try again", async ({ page }) => {
  await signIn(page);
  await page.route("**/control/v1/**", (route) => route.abort());
  await page.goto(`${PRODUCT}/index.html`);
  await expect(page.getByText("Not connected", { exact: true })).toBeVisible();
  await expect(page.getByRole("button", { name: "Try again" })).toBeVisible();
});

test("the bundle holds no made-up world and nothing that must be evaluated", () => {
  const scripts = readdirSync(join(BUNDLE, "assets")).filter((name) => name.endsWith(".js"));
  expect(scripts.length).toBeGreaterThan(0);
  const text = scripts.map((name) => readFileSync(join(BUNDLE, "assets", name), "utf8")).join("\n");
  expect(text).not.toContain("nightly-evals");
  expect(text).not.toMatch(/\bnew Function\(|\beval\(/);
  const page = readFileSync(join(BUNDLE, "index.html"), "utf8");
  expect(page).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
  expect(page).not.toMatch(/(src|href)="\//);
});

test("the watch itself sees a forbidden style, a forbidden script and a console error", async ({ page }) => {
  const faults = await watchFaults(page);
  await serveCore(page, "busy");
  await page.goto(`${PRODUCT}/index.html`);
  await page.evaluate(() => {
    document.head.append(Object.assign(document.createElement("style"), { textContent: "body { color: red }" }));
    document.head.append(Object.assign(document.createElement("script"), { textContent: "window.ran = true" }));
    console.error("seen");
  });
  await expect.poll(async () => (await faults()).join("\n")).toMatch(/style-src/);
  const seen = (await faults()).join("\n");
  expect(seen).toMatch(/script-src/);
  expect(seen).toContain("console error: seen");
});
