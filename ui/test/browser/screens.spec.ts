/** Every screen in both themes and in good and bad days: readable, quiet in the console, within the policy, in the window. */
import { expect, test, type Page } from "@playwright/test";
import { atRest, openPanel, SCREEN_NAMES, SCREENS, seriousFindings, settled, watchFaults } from "./panel.ts";

const DIALOGS = {
  "add backend": "/backends?add=true",
  "backend drawer": "/backends/openai",
  "add route": "/routing?add=true",
  "route drawer": "/routing/claude",
  "add key": "/keys?add=true",
  "key drawer": "/keys/openai",
  "add client": "/clients?add=true",
  "connect tool": "/clients?connect=codex",
  "disconnect tool": "/clients?disconnect=claude-code",
  "client drawer": "/clients/codex",
  "add budget": "/budgets?add=true",
};

/** Elements of the page that stick out of the window sideways. */
async function sidewaysOverflow(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const main = document.querySelector("main");
    const wide = [document.documentElement, document.body, main].filter(
      (element) => element !== null && element.scrollWidth > element.clientWidth + 1,
    );
    return wide.map((element) => `${element?.tagName} ${element?.scrollWidth} > ${element?.clientWidth}`);
  });
}

for (const theme of ["dark", "light"] as const) {
  for (const scenario of ["fresh", "busy", "failing", "offline", "invalid-settings"]) {
    test(`${scenario}, ${theme}: every screen`, async ({ page }) => {
      test.setTimeout(300_000);
      const faults = await watchFaults(page);
      for (const name of SCREEN_NAMES) {
        await test.step(name, async () => {
          await openPanel(page, { scenario, theme, path: SCREENS[name].path });
          await settled(page);
          await expect(page.locator("html")).toHaveCSS(
            "color-scheme",
            scenario === "invalid-settings" ? "light dark" : theme,
          );
          if (scenario !== "offline")
            await expect(page.getByRole("heading", { level: 1, name: SCREENS[name].heading })).toBeVisible();
          // What the colours do not decide is the same in both themes.
          expect(await seriousFindings(page, theme === "dark" ? "all" : "colours")).toEqual([]);
          expect(await sidewaysOverflow(page)).toEqual([]);
          expect(await faults()).toEqual([]);
        });
      }
    });
  }

  test(`${theme}: every dialog and drawer`, async ({ page }) => {
    test.setTimeout(300_000);
    const faults = await watchFaults(page);
    for (const [name, path] of Object.entries(DIALOGS)) {
      await test.step(name, async () => {
        await openPanel(page, { scenario: "busy", theme, path });
        await expect(page.getByRole("dialog")).toBeVisible();
        expect(await seriousFindings(page)).toEqual([]);
        expect(await faults()).toEqual([]);
      });
    }
  });
}

test("the overview fits 1280 by 800 without scrolling, with room to spare for other fonts", async ({ page }) => {
  for (const scenario of ["fresh", "busy", "failing"]) {
    for (const height of [800, 788]) {
      await page.setViewportSize({ width: 1280, height });
      await openPanel(page, { scenario });
      await settled(page);
      const overflow = await page.locator("main").evaluate((main) => main.scrollHeight - main.clientHeight);
      expect(overflow, `${scenario}, ${height} px`).toBeLessThanOrEqual(0);
      if (scenario === "fresh") continue;
      const recent = page.getByRole("region", { name: "Recent requests" });
      const rows = recent.getByRole("listitem");
      await expect(rows.first()).toBeVisible();
      // The last row is not cut off.
      const [card, last] = [await recent.boundingBox(), await rows.last().boundingBox()];
      expect((last?.y ?? 0) + (last?.height ?? 0)).toBeLessThanOrEqual((card?.y ?? 0) + (card?.height ?? 0));
    }
  }
});

test.describe("900 by 600", () => {
  test.use({ viewport: { width: 900, height: 600 } });
  test("every screen is usable: nothing sticks out, the main buttons are in the window", async ({ page }) => {
    const buttons = {
      backends: "Add backend",
      routing: "Add route",
      keys: "Add key",
      clients: "Add client",
      usage: "Export",
      activity: "Export",
      budgets: "Add budget",
      requests: "Filter",
      cache: "Purge",
      silences: "Add silence",
      readiness: "Run all checks",
      playground: "Send",
    };
    for (const name of SCREEN_NAMES) {
      await test.step(name, async () => {
        await openPanel(page, { scenario: "failing", path: SCREENS[name].path });
        await settled(page);
        expect(await sidewaysOverflow(page)).toEqual([]);
        const button = buttons[name as keyof typeof buttons];
        if (button) await expect(page.getByRole("button", { name: button, exact: true })).toBeInViewport({ ratio: 1 });
      });
    }
  });

  test("the backends keep what says whether they work, and drop money first", async ({ page }) => {
    await openPanel(page, { scenario: "failing", path: "/backends" });
    await settled(page);
    for (const name of ["State", "Breaker", "Checked"]) {
      await expect(page.getByRole("columnheader", { name })).toBeInViewport();
    }
    await expect(page.getByRole("columnheader", { name: "Spend 24 h" })).toBeHidden();
  });

  test("the add dialog shows its buttons and scrolls inside", async ({ page }) => {
    await openPanel(page, { scenario: "busy", path: "/backends?add=true" });
    await page.getByRole("button", { name: /^Custom/ }).click();
    await expect(page.getByRole("button", { name: "Add and test" })).toBeInViewport({ ratio: 1 });
  });
});

test("at 200 % zoom nothing sticks out", async ({ page }) => {
  // 1280 by 800 at twice the size is a page of half the width and height.
  await page.setViewportSize({ width: 640, height: 400 });
  for (const name of SCREEN_NAMES) {
    await openPanel(page, { scenario: "failing", path: SCREENS[name].path });
    await settled(page);
    expect(await sidewaysOverflow(page), name).toEqual([]);
  }
});

test("what is asked for slowly shows its shape first and does not jump", async ({ page }) => {
  const top = async (name: string) => {
    const skeleton = page.getByRole("status", { name, exact: true });
    await expect(skeleton).toBeVisible();
    return (await skeleton.boundingBox())?.y ?? 0;
  };
  // Neither while the screen's script is loaded nor while its data is.
  let first = -1;
  await page.route("**/assets/backends-screen-*.js", async (route) => {
    first = await top("Loading Backends");
    await route.continue();
  });
  await openPanel(page, { scenario: "slow", path: "/backends" });
  const second = await top("Loading backends");
  await settled(page);
  const last = (await page.getByRole("region", { name: "Backends" }).boundingBox())?.y ?? 0;
  for (const before of [first, second]) expect(Math.abs(last - before)).toBeLessThanOrEqual(2);
});

for (const size of [
  { width: 1280, height: 800 },
  { width: 900, height: 600 },
]) {
  test(`adding a backend at ${size.width} by ${size.height}: nothing moves from the list to the last field`, async ({
    page,
  }) => {
    await page.setViewportSize(size);
    await openPanel(page, { scenario: "busy", path: "/backends?add=true" });
    const dialog = page.getByRole("dialog");
    await expect(page.getByRole("option").first()).toBeVisible();
    await atRest(page);
    const frame = await dialog.boundingBox();
    await page.getByRole("button", { name: "Custom address" }).click();
    const button = page.getByRole("button", { name: "Add and test" });
    const place = await button.boundingBox();
    const stays = async (after: string) => {
      expect(await dialog.boundingBox(), after).toEqual(frame);
      expect(await button.boundingBox(), after).toEqual(place);
    };
    await stays("the second step");
    for (const [field, text] of [
      [/^ID/, "a-name-so-long-that-its-help-needs-a-second-line"],
      [/^Display name/, "Corporate proxy"],
      [/^Address/, "not an address"],
      [/^API key/, "sk-one two"],
      [/^Models/, "one, two, three"],
    ] as const) {
      await dialog.getByLabel(field).pressSequentially(text);
      await stays(field.source);
    }
    for (const source of ["Stored key", "No key", "New key"]) {
      await page.getByRole("radio", { name: source }).click();
      await stays(source);
    }
    await button.click();
    await expect(page.getByRole("alert").first()).toBeVisible();
    await stays("what the core has to say");
    await page.getByText("Advanced", { exact: true }).click();
    await stays("the advanced part");
  });
}

test("only the content scrolls, never the frame around it", async ({ page }) => {
  for (const name of ["usage", "settings"] as const) {
    const { path, heading } = SCREENS[name];
    await openPanel(page, { scenario: "busy", path });
    await expect(page.getByRole("heading", { level: 1, name: heading })).toBeVisible();
    await settled(page);
    const frame = () =>
      page.evaluate(() => [
        document.documentElement.scrollTop,
        document.body.scrollTop,
        document.getElementById("root")?.scrollTop,
        document.querySelector("nav")?.getBoundingClientRect().top,
      ]);
    // Whatever asks for a place in the page: a script, find-in-page, the focus.
    const moved = await page.evaluate(() => {
      const main = document.querySelector("main");
      let furthest = 0;
      for (const block of ["start", "center", "end"] as const)
        for (const one of document.querySelectorAll("h2, h3, button, input")) {
          one.scrollIntoView({ block, inline: "start" });
          furthest = Math.max(furthest, main?.scrollTop ?? 0);
        }
      document.documentElement.scrollTop = 500;
      document.body.scrollTop = 500;
      window.scrollTo(0, 500);
      return furthest;
    });
    expect(moved, `${path} is longer than the window`).toBeGreaterThan(0);
    expect(await frame(), path).toEqual([0, 0, 0, 0]);
  }
});

test("forced colours keep every state readable by its word", async ({ page }) => {
  await page.emulateMedia({ forcedColors: "active" });
  await openPanel(page, { scenario: "failing", path: "/backends" });
  await expect(page.getByRole("row", { name: /OpenRouter/ })).toContainText("Down");
});

test("with reduced motion nothing animates for longer than a frame", async ({ page }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await openPanel(page, { scenario: "busy", path: "/backends/openai" });
  const seconds = await page
    .getByRole("dialog")
    .evaluate((dialog) => Number.parseFloat(getComputedStyle(dialog).animationDuration));
  expect(seconds).toBeLessThanOrEqual(0.001);
});

test("digits are of one width, and the hyphen of a name is not as wide as they are", async ({ page }) => {
  await openPanel(page, { scenario: "busy" });
  const [one, zero, hyphen] = await page.evaluate(() => {
    const probe = document.body.appendChild(document.createElement("span"));
    return ["1", "0", "-"].map((letter) => {
      probe.textContent = letter.repeat(20);
      return probe.getBoundingClientRect().width;
    });
  });
  expect(one).toBe(zero);
  expect(hyphen).toBeLessThan(0.8 * (zero ?? 0));
});

test("choosing a tab moves no other", async ({ page }) => {
  await openPanel(page, { scenario: "busy", path: "/usage" });
  const tabs = page.getByRole("navigation", { name: "Parts of Usage" }).getByRole("link");
  const places = () => tabs.evaluateAll((links) => links.map((link) => link.getBoundingClientRect().left));
  await expect(tabs.last()).toBeVisible();
  const before = await places();
  await tabs.getByText("Session logs").click();
  await expect(tabs.last()).toHaveAttribute("aria-current", "page");
  expect(await places()).toEqual(before);
});
