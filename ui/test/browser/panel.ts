/** What browser tests share: opening a place of the made-up world, and collecting what must not happen there. */
import { expect, type Page } from "@playwright/test";
import axe, { type RunOptions } from "axe-core";
import { screenKey, SCREENS as NAVIGATION, type Screen } from "@/app/screens";

declare global {
  interface Window {
    axe: typeof axe;
  }
}

export const SCREENS = {
  overview: { path: "/", heading: /works|more\)$|^Not set up yet|^The settings file has errors$/ },
  backends: { path: "/backends", heading: "Backends" },
  routing: { path: "/routing", heading: "Routing" },
  keys: { path: "/keys", heading: "Keys" },
  clients: { path: "/clients", heading: "Clients" },
  usage: { path: "/usage", heading: "Usage" },
  breakdown: { path: "/breakdown", heading: "Usage" },
  savings: { path: "/savings", heading: "Usage" },
  anomalies: { path: "/anomalies", heading: "Usage" },
  plans: { path: "/plans", heading: "Usage" },
  billing: { path: "/billing", heading: "Usage" },
  activity: { path: "/activity", heading: "Usage" },
  budgets: { path: "/budgets", heading: "Usage" },
  requests: { path: "/requests", heading: "Requests" },
  cache: { path: "/cache", heading: "Usage" },
  prices: { path: "/prices", heading: "Usage" },
  "session logs": { path: "/session-logs", heading: "Usage" },
  health: { path: "/health", heading: "Health" },
  "health timeline": { path: "/health/timeline?range=7d", heading: "Health" },
  "service levels": { path: "/health/levels", heading: "Health" },
  "this machine": { path: "/health/local", heading: "Health" },
  alerts: { path: "/alerts", heading: "Alerts" },
  "alert history": { path: "/alerts/history", heading: "Alerts" },
  "alert rules": { path: "/alerts/rules", heading: "Alerts" },
  "alert channels": { path: "/alerts/channels", heading: "Alerts" },
  silences: { path: "/alerts/silences", heading: "Alerts" },
  readiness: { path: "/readiness", heading: "Readiness" },
  playground: { path: "/playground", heading: "Playground" },
  settings: { path: "/settings", heading: "Settings" },
} as const;

export type ScreenName = keyof typeof SCREENS;
export const SCREEN_NAMES = Object.keys(SCREENS) as ScreenName[];

interface Place {
  scenario: string;
  theme?: "light" | "dark";
  path?: string;
  /** How many times as long as usual the world takes. */
  pace?: number;
}

export async function openPanel(page: Page, { scenario, theme = "dark", path = "/", pace = 1 }: Place): Promise<void> {
  // A broken settings file leaves the colours to the desktop.
  await page.emulateMedia({ colorScheme: theme });
  await page.goto(`/fake.html?scenario=${scenario}&theme=${theme}&clock=stopped&pace=${pace}#${path}`);
  // By selector: an open dialog hides the rest of the page from the accessibility tree.
  await expect(page.locator("nav[aria-label=Screens]")).toBeVisible();
  await page.evaluate(() => document.fonts.ready);
}

/** Goes to a screen by its key. */
export async function pressScreenKey(page: Page, path: Screen["path"]): Promise<void> {
  const screen = NAVIGATION.find((one) => one.path === path);
  await page.keyboard.press(`Control+${screen === undefined ? "none" : screenKey(screen)}`);
}

/** Waits until nothing is being read. */
export async function settled(page: Page): Promise<void> {
  await expect(page.getByRole("status", { name: /^Loading/ })).toHaveCount(0);
}

/** Waits until what moves has come to rest; what moves for ever (a spinner) is not waited for. */
export async function atRest(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const finite = document.getAnimations().filter((one) => one.effect?.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(finite.map((one) => one.finished));
  });
}

/** The rules whose verdict depends on the colours, so on the theme. */
const COLOUR_RULES = ["color-contrast", "link-in-text-block"];

/**
 * What axe finds serious or worse, once nothing moves: it knows an open dialog by what lies in front. Its rules run in
 * the page as they are: the panel has no frames to be gathered, and no style sheet of another origin to be fetched.
 */
export async function seriousFindings(page: Page, rules: "all" | "colours" = "all"): Promise<string[]> {
  await atRest(page);
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe.source);
  const options: RunOptions = {
    resultTypes: ["violations"],
    preload: false,
    ...(rules === "colours" ? { runOnly: COLOUR_RULES } : {}),
  };
  const { violations } = await page.evaluate((given) => window.axe.run(given), options);
  return violations
    .filter((violation) => violation.impact === "serious" || violation.impact === "critical")
    .flatMap((violation) =>
      violation.nodes.map((node) => `${violation.id}: ${node.target.join(" ")} ${node.failureSummary ?? ""}`),
    );
}

/** Everything a page must never do, collected from its first moment on. */
export async function watchFaults(page: Page): Promise<() => Promise<string[]>> {
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(`page error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning")
      faults.push(`console ${message.type()}: ${message.text()}`);
  });
  await page.addInitScript(() => {
    const seen: string[] = [];
    Object.assign(window, { securityFaults: seen });
    document.addEventListener("securitypolicyviolation", (event) =>
      seen.push(`${event.violatedDirective}: ${event.blockedURI}`),
    );
  });
  return async () => {
    const policy = await page.evaluate(() => (window as unknown as { securityFaults: string[] }).securityFaults);
    return [...faults, ...policy];
  };
}

/** Chooses a model of the playground by typing its name. */
export async function chooseModel(page: Page, picker: string, model: string): Promise<void> {
  await page.getByRole("button", { name: new RegExp(`^${picker}: `) }).click();
  await page.getByPlaceholder("Search models or type a name").fill(model);
  await page.keyboard.press("Enter");
}

/** Sends one prompt to two models. */
export async function compareTwo(page: Page, first: string, second: string): Promise<void> {
  await page.getByRole("radio", { name: "Compare two" }).click();
  await chooseModel(page, "Model A", first);
  await chooseModel(page, "Model B", second);
  await page.getByRole("textbox", { name: "Prompt" }).fill("Explain what a circuit breaker does.");
  await page.keyboard.press("Control+Enter");
}
