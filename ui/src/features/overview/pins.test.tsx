import { screen, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { choose } from "../../../test/choose";
import { undo } from "../../../test/undo";
import { renderPanel } from "../../../test/render-panel";

test("what is wrong with a name stands beside it", async () => {
  const { host, user } = renderPanel("busy", "/activity");
  const wrong = { code: "invalid_input", message: "four figures are pinned", hint: null, field: "name" };
  vi.spyOn(host, "pinSave").mockRejectedValue(wrong);
  await user.click(await screen.findByRole("button", { name: "Pin requests to the Overview" }));
  const dialog = within(await screen.findByRole("dialog", { name: "Pin to the Overview" }));
  await user.click(dialog.getByRole("button", { name: "Pin" }));
  expect(await dialog.findByText("four figures are pinned")).toBeVisible();
  expect(dialog.getByLabelText("Name")).toBeInvalid();
});

test("a figure of the costs is pinned with its filter, edited and unpinned on the Overview", async () => {
  const { host, user } = renderPanel("busy", "/usage?range=last_month&client=codex");
  await user.click(await screen.findByRole("button", { name: "Pin cost to the Overview" }));
  const dialog = within(await screen.findByRole("dialog", { name: "Pin to the Overview" }));
  expect(dialog.getByText("Counts the requests of client codex.")).toBeVisible();
  expect(dialog.getByLabelText("Name")).toHaveValue("cost-codex");
  await user.clear(dialog.getByLabelText("Name"));
  await user.type(dialog.getByLabelText("Name"), "codex");
  await user.click(dialog.getByRole("button", { name: "Pin" }));
  expect(await screen.findByText("Pinned codex to the Overview")).toBeVisible();

  await user.keyboard("{Control>}1{/Control}");
  const pins = await screen.findByRole("list", { name: "Pinned figures" });
  const pin = within(pins).getByRole("heading", { name: "codex" }).closest("li") as HTMLElement;
  expect(within(pin).getByRole("link")).toHaveAttribute("href", "#/usage?range=last_month&client=codex");
  await user.click(within(pin).getByRole("button", { name: "Actions for codex" }));
  await user.click(await screen.findByRole("menuitem", { name: "Edit" }));
  const edit = within(await screen.findByRole("dialog", { name: "Edit codex" }));
  await choose(user, edit.getByRole("combobox", { name: "Figure" }), "Tokens");
  await user.click(edit.getByRole("button", { name: "Save" }));
  expect(await within(pins).findByText(/^Tokens, client codex/)).toBeVisible();

  await user.click(within(pins).getByRole("button", { name: "Actions for codex" }));
  await user.click(await screen.findByRole("menuitem", { name: "Unpin" }));
  await undo(user);
  expect(await within(pins).findByText(/^Tokens, client codex/)).toBeVisible();
  expect((await host.pinsList({ zone: "local" })).at(-1)?.filter).toEqual({ client: "codex" });
});
