/** Every flow with the keyboard alone: no pointer is used in this file. */
import { expect, test, type Locator, type Page } from "@playwright/test";
import { openPanel, seriousFindings, settled, watchFaults } from "./panel.ts";

const TABS_MAX = 60;

function isFocused(target: Locator): Promise<boolean> {
  return target.evaluate((element) => element === document.activeElement);
}

/** Presses Tab until the target has the focus, as a person would. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  for (let presses = 0; presses < TABS_MAX; presses += 1) {
    if (await isFocused(target)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`no way to ${String(target)} within ${TABS_MAX} tabs`);
}

test("add a backend from a preset, with a new key, and see its test pass", async ({ page }) => {
  const faults = await watchFaults(page);
  await openPanel(page, { scenario: "fresh", path: "/backends" });
  await settled(page);
  await tabTo(page, page.getByRole("button", { name: "Add backend", exact: true }));
  await page.keyboard.press("Enter");
  await expect(page.getByPlaceholder(/Search providers/)).toBeFocused();
  await page.keyboard.type("api.groq");
  await expect(page.getByRole("option", { name: /^Groq/ })).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("Enter");
  await tabTo(page, page.getByLabel("API key", { exact: true }));
  await page.keyboard.type("gsk_marked-1234");
  await expect(page.getByText("Looks like a key from Groq.")).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page.getByText("It works. All steps passed.")).toBeVisible();
  await tabTo(page, page.getByRole("button", { name: "Done" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByRole("row", { name: /Groq/ })).toBeVisible();
  expect(await page.content()).not.toContain("gsk_marked-1234");
  expect(await faults()).toEqual([]);
});

test("add backend: the first field to fill has the focus, and one Escape closes the dialog over an open hint", async ({
  page,
}) => {
  await openPanel(page, { scenario: "fresh", path: "/backends" });
  await settled(page);
  const add = page.getByRole("button", { name: "Add backend", exact: true });
  const search = page.getByPlaceholder(/Search providers/);
  await tabTo(page, add);
  await page.keyboard.press("Enter");
  await expect(search).toBeFocused();
  await page.keyboard.type("groq");
  await page.keyboard.press("Enter");
  // All that is missing of a known provider is the key.
  await expect(page.getByLabel("API key", { exact: true })).toBeFocused();
  await tabTo(page, page.getByRole("button", { name: "Back" }));
  await page.keyboard.press("Enter");
  await expect(search).toBeFocused();
  await tabTo(page, page.getByRole("button", { name: "Custom address" }));
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("ID", { exact: true })).toBeFocused();

  await page.keyboard.press("Shift+Tab");
  await expect(page.getByRole("button", { name: "Close" })).toBeFocused();
  await expect(page.getByRole("tooltip", { name: "Close" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByRole("tooltip")).toHaveCount(0);
  await expect(add).toBeFocused();
});

test("add a key, open it along the rows, verify it, remove it", async ({ page }) => {
  await openPanel(page, { scenario: "busy", path: "/keys" });
  await settled(page);
  await tabTo(page, page.getByRole("button", { name: "Add key", exact: true }));
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("API key", { exact: true })).toBeFocused();
  await page.keyboard.type("plain-service-key-0001");
  await page.keyboard.press("Tab");
  await page.keyboard.type("github");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByRole("row", { name: /github/ })).toBeVisible();

  // The row says its notice too, "OpenAI Old".
  await tabTo(page, page.getByRole("button", { name: /^OpenAI/ }));
  await page.keyboard.press("End");
  await expect(page.getByRole("button", { name: "github", exact: true })).toBeFocused();
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog", { name: "Groq" })).toBeVisible();
  await tabTo(page, page.getByRole("button", { name: "Verify" }));
  await page.keyboard.press("Enter");
  await expect(page.getByText(/answered 200/)).toBeVisible();
  await tabTo(page, page.getByRole("button", { name: "More for this key" }));
  await page.keyboard.press("Enter");
  await page.keyboard.press("End");
  await expect(page.getByRole("menuitem", { name: "Remove key" })).toBeFocused();
  await page.keyboard.press("Enter");
  const question = page.getByRole("dialog", { name: "Remove the Groq key?" });
  await expect(question.getByRole("button", { name: "Cancel" })).toBeFocused();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("row", { name: /Groq/ })).toHaveCount(0);
});

test("connect a tool after reading what changes, and take it back", async ({ page }) => {
  await openPanel(page, { scenario: "busy", path: "/clients" });
  await settled(page);
  const tool = page.getByRole("region", { name: "Codex CLI" });
  await tabTo(page, tool.getByRole("button", { name: "Connect", exact: true }));
  await page.keyboard.press("Enter");
  const sheet = page.getByRole("dialog", { name: "Connect Codex CLI" });
  await tabTo(page, sheet.getByRole("region", { name: /^Changes of / }));
  await tabTo(page, sheet.getByRole("button", { name: "Connect" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("region", { name: "Codex CLI" }).getByText("Connected", { exact: true })).toBeVisible();
  await tabTo(page, page.getByRole("button", { name: "Undo" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("region", { name: "Codex CLI" }).getByText("Not connected")).toBeVisible();
});

test("add a client and reach its snippets", async ({ page }) => {
  await openPanel(page, { scenario: "fresh", path: "/clients" });
  await settled(page);
  await tabTo(page, page.getByRole("button", { name: "Add client", exact: true }));
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("Name")).toBeFocused();
  await page.keyboard.type("aider");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog", { name: "aider" })).toBeVisible();
  await tabTo(page, page.getByRole("button", { name: "Copy curl" }));
});

test("run the checks to their verdict and open a failed one's repair", async ({ page }) => {
  await openPanel(page, { scenario: "failing", path: "/readiness" });
  await settled(page);
  await tabTo(page, page.getByRole("button", { name: "Run all checks" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("progressbar", { name: "Checks done" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Run all checks" })).toBeVisible({ timeout: 60_000 });
  const repair = page.getByRole("region", { name: "Checks" }).getByRole("link", { name: "Open key" });
  await tabTo(page, repair);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog", { name: "OpenRouter" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
});

test("cancel a run", async ({ page }) => {
  // So slow that the first check is still running when this test has to be over.
  await openPanel(page, { scenario: "busy", path: "/readiness", pace: 1_000 });
  await settled(page);
  await tabTo(page, page.getByRole("button", { name: "Run all checks" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "Cancel run" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByText("Cancelled.", { exact: true })).toBeVisible();
});

test("find a setting with the slash key, change it, save it, switch the colours", async ({ page }) => {
  await openPanel(page, { scenario: "busy", path: "/settings" });
  await settled(page);
  await page.keyboard.press("/");
  await expect(page.getByLabel("Search settings")).toBeFocused();
  await page.keyboard.type("port");
  await tabTo(page, page.getByLabel("Port", { exact: true }));
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("4300");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "Save" })).toBeHidden();
  await page.keyboard.press("/");
  await page.getByLabel("Port", { exact: true }).blur();
  await page.keyboard.press("/");
  await page.keyboard.press("Escape");
  await tabTo(page, page.getByRole("radio", { name: "Dark" }));
  await page.keyboard.press("ArrowLeft");
  await expect(page.getByRole("radio", { name: "Light" })).toBeFocused();
  await page.keyboard.press("Space");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "light");
});

test("the palette goes, opens and runs; numbers switch screens; ? lists the shortcuts", async ({ page }) => {
  await openPanel(page, { scenario: "busy" });
  await settled(page);
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("combobox")).toBeFocused();
  await page.keyboard.type("ollama");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog", { name: "Ollama" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);

  await page.keyboard.press("Control+k");
  await page.keyboard.type("quick checks");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Readiness" })).toBeVisible();

  await page.keyboard.press("Control+6");
  await expect(page.getByRole("heading", { level: 1, name: "Usage" })).toBeVisible();
  await page.keyboard.press("Control+1");
  await expect(page.getByRole("heading", { level: 1, name: "Everything works" })).toBeVisible();
  await tabTo(page, page.getByRole("button", { name: "Run quick checks" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Readiness" })).toBeVisible();
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
  await page.keyboard.press("Escape");
});

test("usage: the bars' cursor; Enter opens the requests of a bar, and Back returns", async ({ page }) => {
  await openPanel(page, { scenario: "busy", path: "/usage" });
  await settled(page);
  const chart = page.getByRole("slider", { name: /by day/ });
  await tabTo(page, chart);
  await page.keyboard.press("End");
  await expect(chart).toHaveAttribute("aria-valuetext", /20 Nov: .*\$/);
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Enter");
  await expect(page.getByText("Time: 19 Nov")).toBeInViewport({ ratio: 1 });
  await tabTo(page, page.getByRole("button", { name: "Clear time filter" }));
  await page.goBack();
  await expect(chart).toBeVisible();
  await page.goForward();
  await page.getByRole("button", { name: "Clear time filter" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByText(/^Time:/)).toHaveCount(0);
});

test("requests: the rows are one stop, and a request's drawer", async ({ page }) => {
  await openPanel(page, { scenario: "busy", path: "/requests?within=7d" });
  await settled(page);
  const rows = page.getByRole("region", { name: "Requests", exact: true }).locator("button[data-row]");
  await tabTo(page, rows.first());
  const wanted = rows.filter({ hasText: "groq" }).first();
  for (let presses = 0; presses < TABS_MAX && !(await isFocused(wanted)); presses += 1)
    await page.keyboard.press("ArrowDown");
  await expect(wanted).toBeFocused();
  // Only the rows in view are drawn; the last one comes when it is asked for, and so does the first.
  const table = page.getByRole("region", { name: "Requests", exact: true }).getByRole("table");
  const focusedRow = () => page.locator("tr:has(button[data-row]:focus)").getAttribute("aria-rowindex");
  const count = await table.getAttribute("aria-rowcount");
  await page.keyboard.press("End");
  await expect.poll(focusedRow).toBe(count);
  await page.keyboard.press("ArrowUp");
  await expect.poll(focusedRow).toBe(String(Number(count) - 1));
  await page.keyboard.press("Home");
  await expect.poll(focusedRow).toBe("2");
  // All rows are one stop: the next one lies behind the table.
  await page.keyboard.press("Tab");
  await expect(page.locator("button[data-row]:focus")).toHaveCount(0);
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog").getByText("Routing reason")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
});

test("what is closed gives the focus back to what opened it, over the same list", async ({ page }) => {
  await openPanel(page, { scenario: "busy", path: "/backends" });
  await settled(page);
  const add = page.getByRole("button", { name: "Add backend", exact: true });
  await tabTo(page, add);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(add).toBeFocused();

  await tabTo(page, page.getByLabel("Filter backends"));
  await page.keyboard.type("groq");
  const row = page.getByRole("button", { name: "Groq", exact: true });
  await tabTo(page, row);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog", { name: "Groq" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(row).toBeFocused();
  await expect(page.getByLabel("Filter backends")).toHaveValue("groq");
});

test("the palette acts on the open key, and the focus comes back to its drawer", async ({ page }) => {
  const faults = await watchFaults(page);
  await openPanel(page, { scenario: "busy", path: "/keys/openai" });
  await settled(page);
  await page.keyboard.press("Control+k");
  const palette = page.getByRole("dialog", { name: "Search or run" });
  await expect(palette.getByRole("group", { name: "Key OpenAI" }).getByRole("option").first()).toHaveText("Verify");
  await page.keyboard.type("replace");
  await page.keyboard.press("Enter");
  const replace = page.getByRole("dialog", { name: "Replace the OpenAI key" });
  await expect(replace).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(replace).toHaveCount(0);
  await expect(page.getByRole("dialog", { name: "OpenAI" })).toBeFocused();
  expect(await faults()).toEqual([]);
});

test("make the first route, put its candidates in order, and ask what it would do", async ({ page }) => {
  const faults = await watchFaults(page);
  await openPanel(page, { scenario: "busy", path: "/routing" });
  await settled(page);
  await page.keyboard.press("Control+3");
  const handle = page.getByRole("button", { name: "Move route fast, 1 of 5" });
  await tabTo(page, handle);
  await page.keyboard.press("ArrowDown");
  await expect(page.getByRole("button", { name: "Move route fast, 2 of 5" })).toBeFocused();
  await tabTo(page, page.getByRole("button", { name: "Open route fast" }));
  await page.keyboard.press("Enter");
  await tabTo(page, page.getByRole("tab", { name: "Now" }));
  await page.keyboard.press("ArrowRight");
  await tabTo(page, page.getByRole("button", { name: "Move openai, 2 of 3" }));
  await page.keyboard.press("ArrowUp");
  await tabTo(page, page.getByRole("button", { name: "Save" }));
  await page.keyboard.press("Enter");
  await expect(page.getByText("Saved route fast").first()).toBeVisible();
  // The first closes the toast, which lies in front.
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByText("openai serves it with gpt-5.2-mini, by the route fast.")).toBeVisible();
  expect(await faults()).toEqual([]);
});

test("a backend's resilience: its timeline walked, its breaker held and let go", async ({ page }) => {
  await openPanel(page, { scenario: "failing", path: "/backends/groq" });
  await tabTo(page, page.getByRole("tab", { name: "Summary" }));
  await page.keyboard.press("ArrowRight");
  await tabTo(page, page.getByRole("button", { name: "Block traffic 15 min" }));
  await page.keyboard.press("Enter");
  await expect(page.getByText(/^Traffic blocked by you/)).toContainText("15 min left");
  await tabTo(page, page.getByRole("slider", { name: /^States/ }));
  await page.keyboard.press("Home");
  await expect(page.getByRole("slider", { name: /^States/ })).toHaveAttribute("aria-valuetext", /^Healthy for/);
  await page.keyboard.press("Shift+Tab");
  await tabTo(page, page.getByRole("button", { name: "Reset" }));
  await page.keyboard.press("Enter");
  await expect(page.getByText(/^Traffic blocked by you/)).toHaveCount(0);
});

test("from the inbox to an alert and its note", async ({ page }) => {
  const faults = await watchFaults(page);
  await openPanel(page, { scenario: "failing", path: "/" });
  await settled(page);
  await tabTo(page, page.getByRole("button", { name: "Inbox, 3 unread entries" }));
  await page.keyboard.press("Enter");
  const inbox = page.getByRole("dialog", { name: "Inbox" });
  await tabTo(page, inbox.getByRole("link", { name: /^Unread, Critical: Ollama is down/ }));
  expect(await seriousFindings(page)).toEqual([]);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Ollama is down" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Inbox, 2 unread entries" })).toBeVisible();
  await tabTo(page, page.getByLabel("Note"));
  await page.keyboard.type("The disk was full.");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("list", { name: "Time line" })).toContainText("The disk was full.");
  expect(await seriousFindings(page)).toEqual([]);
  expect(await faults()).toEqual([]);
});

test("take back what was done in a drawer while it is open", async ({ page }) => {
  const faults = await watchFaults(page);
  await openPanel(page, { scenario: "busy", path: "/backends/openai" });
  await settled(page);
  await tabTo(page, page.getByRole("tab", { name: "Summary" }));
  await page.keyboard.press("ArrowRight");
  const drawer = page.getByRole("dialog");
  const held = drawer.getByText(/^Traffic blocked by you/);
  await tabTo(page, drawer.getByRole("button", { name: /^Block traffic/ }));
  await page.keyboard.press("Enter");
  await expect(held).toBeVisible();
  const undo = drawer.getByRole("button", { name: "Undo" });
  await tabTo(page, undo);
  // Nothing lies over it.
  await undo.click({ trial: true });
  await page.keyboard.press("Enter");
  await expect(held).toHaveCount(0);
  await expect(drawer).toBeVisible();
  expect(await faults()).toEqual([]);
});
