import { screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { FindKeysDialog } from "@/features/keys/find-keys";
import { renderWith } from "../../../test/render-panel";

test("each key is listed with its places, and those in the vault cannot be chosen", async () => {
  renderWith("busy", <FindKeysDialog open onClose={() => {}} />);
  const list = await screen.findByRole("list", { name: "Keys in plain text" });
  expect(within(list).getByText("~/.zshrc:42")).toBeVisible();
  expect(within(list).getByText("In the vault as openai")).toBeVisible();
  expect(within(list).queryByRole("checkbox", { name: /^OpenAI/ })).toBeNull();
  expect(within(list).getByRole("checkbox", { name: "DeepSeek …7h2M" })).toBeChecked();
});

test("the chosen keys are imported by their fingerprints, and their lines are told", async () => {
  const { user, host } = renderWith("fresh", <FindKeysDialog open onClose={() => {}} />);
  const imported = vi.spyOn(host, "keysImport");
  await user.click(await screen.findByRole("checkbox", { name: "Unknown provider …Zz10" }));
  await user.click(screen.getByRole("button", { name: "Import 2 keys" }));
  const outcomes = await screen.findByRole("list", { name: "Imported keys" });
  expect(within(outcomes).getByText("Stored in the vault. Added the backend openai.")).toBeVisible();
  expect(imported).toHaveBeenCalledWith({
    scan: { known_files: true, paths: [] },
    keys: [
      { fingerprint: "3f0c9a51d27be684", name: "openai", add_backend: true },
      { fingerprint: "b81d44f07a9c2e35", name: "deepseek", add_backend: true },
    ],
  });
  expect(screen.getByText("~/.codex/auth.json:2")).toBeVisible();
  expect(screen.queryByText("~/.continue/config.yaml:11")).toBeNull();
});

test("backends are added only if that is wanted", async () => {
  const { user, host } = renderWith("fresh", <FindKeysDialog open onClose={() => {}} />);
  const imported = vi.spyOn(host, "keysImport");
  await user.click(await screen.findByRole("checkbox", { name: "Add backends too" }));
  await user.click(screen.getByRole("button", { name: "Import 3 keys" }));
  await waitFor(() => expect(imported).toHaveBeenCalled());
  expect(imported.mock.calls[0]?.[0].keys.every((key) => !key.add_backend)).toBe(true);
});

test("a further path is searched, and what cannot be read is told", async () => {
  const { user } = renderWith("fresh", <FindKeysDialog open onClose={() => {}} />);
  await screen.findByRole("list", { name: "Keys in plain text" });
  await user.type(screen.getByLabelText(/Also look into/), "/home/me/gone{Enter}");
  expect(await screen.findByText(/\/home\/me\/gone cannot be read/)).toBeVisible();
});
