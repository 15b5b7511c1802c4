/** What browser tests share: opening a place of the made-up world, and collecting what must not happen there. */
import { expect, type Page } from "@playwright/test";

export const SCREENS = {
  overview: { path: "/", heading: /works|need/ },
  backends: { path: "/backends", heading: "Backends" },
  keys: { path: "/keys", heading: "Keys" },
  clients: { path: "/clients", heading: "Keys" },
  usage: { path: "/usage", heading: "Usage" },
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
}

export async function openPanel(page: Page, { scenario, theme = "dark", path = "/" }: Place): Promise<void> {
  // A broken settings file leaves the colours to the desktop.
  await page.emulateMedia({ colorScheme: theme });
  await page.goto(`/fake.html?scenario=${scenario}&theme=${theme}&clock=stopped#${path}`);
  // By selector: an open dialog hides the rest of the page from the accessibility tree.
  await expect(page.locator("nav[aria-label=Screens]")).toBeVisible();
  await page.evaluate(() => document.fonts.ready);
}

/** Waits until nothing is being read. */
export async function settled(page: Page): Promise<void> {
  await expect(page.getByRole("status", { name: /^Reading/ })).toHaveCount(0);
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
