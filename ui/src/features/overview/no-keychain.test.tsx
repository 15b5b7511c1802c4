import { screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { renderPanel } from "../../../test/render-panel";

const CARD = { name: "Where should API keys be stored?" };

test("without a keychain the first card makes an encrypted file, in force at once", async () => {
  const { user, host } = renderPanel("no-keychain", "/");
  const set = vi.spyOn(host, "vaultSet");
  expect(await screen.findByRole("heading", { level: 1, name: "Not set up yet: add a backend" })).toBeVisible();
  const card = screen.getByRole("region", CARD);
  await user.click(within(card).getByRole("button", { name: "Create an encrypted key file" }));
  const passphrase = within(card).getByLabelText("Passphrase");
  expect(passphrase).toHaveAccessibleDescription(/cannot be recovered/);
  await user.type(passphrase, "correct horse battery");
  expect(passphrase).toHaveAccessibleDescription("Good.");
  await user.type(within(card).getByLabelText("Repeat passphrase"), "correct horse batery");
  await user.click(within(card).getByRole("button", { name: "Create encrypted file" }));
  await waitFor(() => expect(within(card).getByLabelText("Repeat passphrase")).toBeInvalid());
  expect(set).not.toHaveBeenCalled();
  await user.clear(within(card).getByLabelText("Repeat passphrase"));
  await user.type(within(card).getByLabelText("Repeat passphrase"), "correct horse battery{Enter}");
  await waitFor(() => expect(screen.queryByRole("region", CARD)).not.toBeInTheDocument());
  expect(set).toHaveBeenCalledWith({ kind: "file", passphrase: "correct horse battery", move_keys: false });
  expect(await screen.findByRole("heading", { level: 1, name: "Not set up yet: add a backend" })).toBeVisible();
  expect(document.documentElement.outerHTML).not.toContain("correct horse");
});

test("going on without keys puts the card away for good, and the issue stays", async () => {
  const { user } = renderPanel("no-keychain", "/");
  const card = await screen.findByRole("region", CARD);
  await user.click(within(card).getByRole("button", { name: "Continue without keys" }));
  expect(screen.queryByRole("region", CARD)).not.toBeInTheDocument();
  expect(screen.getByText("There is no keychain")).toBeVisible();
  expect(localStorage.length).toBe(1);
});
