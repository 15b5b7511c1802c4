/** Takes an action back by its toast, as soon as the dialog of that action no longer covers the page. */
import { screen, waitFor } from "@testing-library/react";
import type { UserEvent } from "@testing-library/user-event";

export function undo(user: UserEvent): Promise<void> {
  return waitFor(() => user.click(screen.getByRole("button", { name: "Undo" })));
}
