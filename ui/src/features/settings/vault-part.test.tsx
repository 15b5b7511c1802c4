import { screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { SettingsScreen } from "@/features/settings/settings-screen";
import { choose } from "../../../test/choose";
import { renderWith } from "../../../test/render-panel";

test("another vault is set with its passphrase twice, with the keys, in force without a restart", async () => {
  const { user, host } = renderWith("busy", <SettingsScreen />);
  const [set, edit] = [vi.spyOn(host, "vaultSet"), vi.spyOn(host, "settingsEdit")];
  const vault = await screen.findByRole("region", { name: "Vault" });
  await choose(user, within(vault).getByLabelText("Key storage"), "Encrypted file");
  expect(set).not.toHaveBeenCalled();
  expect(await within(vault).findByRole("checkbox", { name: /^Move \d+ stored keys$/ })).toBeChecked();
  await user.type(within(vault).getByLabelText("Passphrase"), "a long passphrase");
  await user.click(within(vault).getByRole("button", { name: "Create encrypted file" }));
  await waitFor(() => expect(within(vault).getByLabelText("Repeat passphrase")).toBeInvalid());
  await user.type(within(vault).getByLabelText("Repeat passphrase"), "a long passphrase{Enter}");
  await waitFor(() =>
    expect(set).toHaveBeenCalledWith({ kind: "file", passphrase: "a long passphrase", move_keys: true }),
  );
  await waitFor(() => expect(within(vault).queryByLabelText("Passphrase")).not.toBeInTheDocument());
  expect(within(vault).getByLabelText("Key storage")).toHaveTextContent("Encrypted file");
  expect(within(vault).getByText("Ready")).toBeVisible();
  expect(edit).not.toHaveBeenCalled();
  expect(screen.queryByText(/Restart Gatehouse/)).not.toBeInTheDocument();
});

test("a change can be put off, and the keys can be left where they are", async () => {
  const { user, host } = renderWith("busy", <SettingsScreen />);
  const set = vi.spyOn(host, "vaultSet");
  const vault = await screen.findByRole("region", { name: "Vault" });
  await choose(user, within(vault).getByLabelText("Key storage"), /^Memory/);
  await user.click(within(vault).getByRole("button", { name: "Cancel" }));
  expect(within(vault).getByLabelText("Key storage")).toHaveTextContent("System keychain");
  await choose(user, within(vault).getByLabelText("Key storage"), /^Memory/);
  await user.click(await within(vault).findByRole("checkbox", { name: /^Move/ }));
  await user.click(within(vault).getByRole("button", { name: "Use memory" }));
  await waitFor(() => expect(set).toHaveBeenCalledWith({ kind: "memory", passphrase: null, move_keys: false }));
});
