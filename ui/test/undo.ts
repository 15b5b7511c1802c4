/**
 * Takes the latest action back by its toast, as soon as the dialog of that action no longer covers the page. Toasts of
 * earlier actions may still be there.
 */
import { screen, waitFor } from "@testing-library/react";
import type { UserEvent } from "@testing-library/user-event";

export function undo(user: UserEvent): Promise<void> {
  return waitFor(() => user.click(screen.getAllByRole("button", { name: "Undo" }).at(-1) ?? document.body));
}
