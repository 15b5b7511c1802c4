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

test("copies of a stored key are removed after a look at the masked diff, and put back", async () => {
  const { user, host } = renderWith("busy", <FindKeysDialog open onClose={() => {}} />);
  const removed = vi.spyOn(host, "keyCopiesRemove");
  await user.click(await screen.findByRole("button", { name: "Remove copies of OpenAI …x9Qk" }));
  const change = await screen.findByRole("region", { name: "Changes of ~/work/shop/.env" });
  expect(within(change).getByText("-OPENAI_API_KEY=…x9Qk")).toBeVisible();
  expect(within(change).getByText("+OPENAI_API_KEY=")).toBeVisible();
  expect(screen.getByText(/Git tracks this file/)).toBeVisible();
  expect(screen.getByText(/The file is a shell script/)).toBeVisible();
  expect(removed).not.toHaveBeenCalled();

  await user.click(screen.getByRole("button", { name: "Remove from 2 files" }));
  const changed = await screen.findByRole("list", { name: "Changed files" });
  expect(within(changed).getAllByText("openai is in the vault only.")).toHaveLength(2);
  await user.click(screen.getByRole("button", { name: "Done" }));
  const list = await screen.findByRole("list", { name: "Keys in plain text" });
  await waitFor(() => expect(within(list).queryByText("~/work/shop/.env:7")).toBeNull());
  expect(within(list).getByText("~/.zshrc:42")).toBeVisible();

  await user.click(await screen.findByRole("button", { name: "Undo in ~/work/shop/.env" }));
  expect(await within(list).findByText("~/work/shop/.env:7")).toBeVisible();
});

test("a plan that is no longer true is refused, and the next one is shown", async () => {
  const { user, host } = renderWith("busy", <FindKeysDialog open onClose={() => {}} />);
  await user.click(await screen.findByRole("button", { name: "Remove copies of OpenAI …x9Qk" }));
  await screen.findByRole("region", { name: "Changes of ~/.codex/auth.json" });
  const planned = vi.spyOn(host, "keyCopiesPlan");
  vi.spyOn(host, "keyCopiesRemove").mockRejectedValueOnce({
    code: "failed",
    message: "~/.codex/auth.json changed in the meantime; look at the plan again",
    hint: null,
    field: null,
  });
  await user.click(screen.getByRole("button", { name: "Remove from 2 files" }));
  expect(await screen.findByText(/changed in the meantime/)).toBeVisible();
  expect(planned).toHaveBeenCalled();
  expect(screen.queryByRole("list", { name: "Changed files" })).toBeNull();
});

test("what was imported just now can be removed from its files at once", async () => {
  const { user } = renderWith("fresh", <FindKeysDialog open onClose={() => {}} />);
  await user.click(await screen.findByRole("button", { name: "Import 3 keys" }));
  await screen.findByRole("list", { name: "Imported keys" });
  await user.click(screen.getByRole("button", { name: "Remove copies…" }));
  expect(await screen.findByRole("region", { name: "Changes of ~/.codex/auth.json" })).toBeVisible();
  expect(screen.getByText("~/.continue/config.yaml:11")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Back" }));
  expect(await screen.findByText("In the vault as openai")).toBeVisible();
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
