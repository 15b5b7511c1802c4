/**
 * Puts the chosen colours on the document. The choice lives in the settings; the copy in local storage is for
 * `public/first-paint.js`, which spares the next start a flash of the other colours.
 */
import type { ThemeChoice } from "@/ipc/bindings";

const REMEMBERED_UNDER = "gatehouse.theme";

export function applyTheme(choice: ThemeChoice): void {
  if (choice === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = choice;
  localStorage.setItem(REMEMBERED_UNDER, choice);
}
