import { expect, test } from "vitest";
import { screen, within } from "@testing-library/react";
import { BackupPart } from "@/features/settings/backup-part";
import { renderWith } from "../../../test/render-panel";

test("a backup says where it lies", async () => {
  const { user } = renderWith("fresh", <BackupPart />);
  const part = await screen.findByRole("region", { name: "Backup" });
  expect(await within(part).findByText("No backup yet")).toBeInTheDocument();
  await user.click(within(part).getByRole("button", { name: "Back up everything" }));
  expect(await within(part).findByText("Last backup")).toBeInTheDocument();
  expect(within(part).getByText(/gatehouse-now\.tar\.zst/)).toBeInTheDocument();
});

test("a restore shows first what it changes and which keys are missing", async () => {
  const { user } = renderWith("busy", <BackupPart />);
  await user.click(await screen.findByRole("button", { name: "Restore…" }));
  const dialog = await screen.findByRole("dialog");
  expect(within(dialog).queryByRole("button", { name: "Restore" })).not.toBeInTheDocument();
  await user.click(within(dialog).getByRole("button", { name: "Check" }));
  expect(await within(dialog).findByText("gateway.port")).toBeInTheDocument();
  expect(within(dialog).getByText("To be added again: groq")).toBeInTheDocument();
  await user.click(within(dialog).getByRole("button", { name: "Restore" }));
  expect(await screen.findByText(/and all settings of the backup/)).toBeInTheDocument();
});

test("a path that is not whole is refused at its field", async () => {
  const { user } = renderWith("busy", <BackupPart />);
  await user.click(await screen.findByRole("button", { name: "Restore…" }));
  const dialog = await screen.findByRole("dialog");
  const field = within(dialog).getByRole("textbox", { name: "File" });
  await user.clear(field);
  await user.type(field, "mine.tar.zst");
  await user.click(within(dialog).getByRole("button", { name: "Check" }));
  expect(await within(dialog).findByText("give the whole path, from the root on")).toBeInTheDocument();
});
