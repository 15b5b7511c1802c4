/**
 * Applies the theme to the document. The setting is the source; the copy in local storage is for
 * `public/first-paint.js`, which prevents a flash of the other theme at the next start.
 */
import type { SettingsValues } from "@/ipc/bindings";

const REMEMBERED_UNDER = "gatehouse.theme";

export function applyTheme(choice: SettingsValues["theme"]): void {
  if (choice === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = choice;
  localStorage.setItem(REMEMBERED_UNDER, choice);
}
