import { screen, waitFor } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { AddKeyDialog } from "@/features/keys/add-key";
import { renderWith } from "../../../test/render-panel";

const SECRET = "sk-or-v1-marked-7f3a91";

function everything(): string {
  const values = [...document.querySelectorAll("input")].map((input) => input.value);
  return document.documentElement.outerHTML + values.join(" ");
}

test("a pasted key names its provider and fills in the rest", async () => {
  const { user } = renderWith("busy", <AddKeyDialog open onClose={() => {}} />);
  await user.click(await screen.findByLabelText("The key"));
  await user.paste(`  ${SECRET}\n`);
  expect(
    await screen.findByText(/Looks like a key of OpenRouter\. Spaces or line breaks around it were taken off\./),
  ).toBeVisible();
  expect(screen.getByLabelText(/^Name$/)).toHaveValue("openrouter");
  expect(screen.getByLabelText(/May be sent to/)).toHaveValue("https://openrouter.ai/api/v1");
  expect(screen.getByLabelText("The key")).toHaveValue(SECRET);
});

test("a key broken over two lines is told, not glued", async () => {
  const { user } = renderWith("busy", <AddKeyDialog open onClose={() => {}} />);
  await user.click(await screen.findByLabelText("The key"));
  await user.paste("sk-abc\ndef");
  expect(await screen.findByRole("alert")).toHaveTextContent("There is a space or a line break inside.");
});

test("a refused form keeps what was typed and marks the field the core names", async () => {
  const { user } = renderWith("busy", <AddKeyDialog open onClose={() => {}} />);
  await user.type(await screen.findByLabelText("The key"), SECRET);
  await user.clear(screen.getByLabelText(/^Name$/));
  await user.type(screen.getByLabelText(/^Name$/), "openai");
  await user.click(screen.getByRole("button", { name: "Add key" }));
  await waitFor(() => expect(screen.getByLabelText(/^Name$/)).toBeInvalid());
  expect(screen.getByLabelText(/^Name$/)).toHaveAccessibleDescription(/already/);
  expect(screen.getByLabelText(/^Name$/)).toHaveValue("openai");
  expect(screen.getByLabelText("The key")).toHaveValue(SECRET);
});

test("after it was added the key is nowhere in the page and nowhere in a cache", async () => {
  const onClose = vi.fn<() => void>();
  const { user, host, cache } = renderWith("fresh", <AddKeyDialog open onClose={onClose} />);
  const added = vi.spyOn(host, "keyAdd");
  await user.type(await screen.findByLabelText("The key"), SECRET);
  expect(document.documentElement.outerHTML).not.toContain(SECRET);
  await user.click(screen.getByRole("button", { name: "Add key" }));
  await waitFor(() => expect(onClose).toHaveBeenCalled());
  expect(added).toHaveBeenCalledWith(expect.objectContaining({ secret: SECRET, id: "openrouter" }));
  expect(everything()).not.toContain(SECRET);
  expect(
    JSON.stringify(
      cache
        .getMutationCache()
        .getAll()
        .map((mutation) => mutation.state),
    ),
  ).not.toContain(SECRET);
  expect(
    JSON.stringify(
      cache
        .getQueryCache()
        .getAll()
        .map((query) => query.state),
    ),
  ).not.toContain(SECRET);
});
