/**
 * Puts the chosen colours on the document. The choice lives in the settings; the copy in local storage only spares a
 * flash of the wrong colours before the settings have arrived.
 */
import type { ThemeChoice } from "@/ipc/bindings";

const REMEMBERED_UNDER = "gatehouse.theme";

export function applyTheme(choice: ThemeChoice): void {
  if (choice === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = choice;
  localStorage.setItem(REMEMBERED_UNDER, choice);
}

export function applyRememberedTheme(): void {
  const remembered = localStorage.getItem(REMEMBERED_UNDER);
  if (remembered === "light" || remembered === "dark") applyTheme(remembered);
}
