import { expect, test } from "vitest";
import { screen, within } from "@testing-library/react";
import { ExportPart } from "@/features/settings/export-part";
import { renderWith } from "../../../test/render-panel";

test("an import shows what changes and what stays, by the choice", async () => {
  const { user } = renderWith("busy", <ExportPart />);
  await user.click(screen.getByRole("button", { name: "Import…" }));
  const dialog = await screen.findByRole("dialog");
  await user.type(within(dialog).getByRole("textbox", { name: "File" }), "/home/dev/settings.toml");
  await user.click(within(dialog).getByRole("button", { name: "Show changes" }));
  expect(await within(dialog).findByText("budgets.team")).toBeInTheDocument();
  expect(within(dialog).getByText(/kept as here: gateway\.port/)).toBeInTheDocument();
  expect(within(dialog).getByText("New clients: laptop")).toBeInTheDocument();
  await user.click(within(dialog).getByRole("radio", { name: "Take the file's" }));
  expect(within(dialog).queryByText("budgets.team")).not.toBeInTheDocument();
  await user.click(within(dialog).getByRole("button", { name: "Show changes" }));
  expect(await within(dialog).findByText("gateway.port")).toBeInTheDocument();
  await user.click(within(dialog).getByRole("button", { name: "Import" }));
  expect(await screen.findByText("Imported: 2 changes")).toBeInTheDocument();
});

test("keys are exported after a word, with a passphrase typed twice alike", async () => {
  const { user } = renderWith("busy", <ExportPart />);
  await user.click(screen.getByRole("button", { name: "Export keys…" }));
  const dialog = await screen.findByRole("dialog");
  await user.type(within(dialog).getByRole("textbox", { name: "File" }), "/home/dev/keys.age");
  await user.type(within(dialog).getByLabelText("Passphrase"), "correct-horse");
  await user.type(within(dialog).getByLabelText("Repeat passphrase"), "correct-hores");
  expect(within(dialog).getByRole("button", { name: "Export" })).toBeDisabled();
  await user.type(within(dialog).getByRole("textbox", { name: "Confirm" }), "export");
  await user.click(within(dialog).getByRole("button", { name: "Export" }));
  expect(await within(dialog).findByText("The passphrases do not match.")).toBeInTheDocument();
  await user.clear(within(dialog).getByLabelText("Repeat passphrase"));
  await user.type(within(dialog).getByLabelText("Repeat passphrase"), "correct-horse");
  await user.click(within(dialog).getByRole("button", { name: "Export" }));
  expect(await screen.findByText("/home/dev/keys.age")).toBeInTheDocument();
});
