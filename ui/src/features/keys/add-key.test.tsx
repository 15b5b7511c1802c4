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
  await user.click(await screen.findByLabelText("API key"));
  await user.paste(`  ${SECRET}\n`);
  expect(
    await screen.findByText(/Looks like a key from OpenRouter\. Surrounding whitespace was removed\./),
  ).toBeVisible();
  expect(screen.getByLabelText(/^ID$/)).toHaveValue("openrouter");
  expect(screen.getByLabelText(/Allowed host/)).toHaveValue("https://openrouter.ai/api/v1");
  expect(screen.getByLabelText("API key")).toHaveValue(SECRET);
});

test("a key broken over two lines is told, not glued", async () => {
  const { user } = renderWith("busy", <AddKeyDialog open onClose={() => {}} />);
  await user.click(await screen.findByLabelText("API key"));
  await user.paste("sk-abc\ndef");
  expect(await screen.findByRole("alert")).toHaveTextContent("The key contains a space or line break.");
});

test("a refused form keeps what was typed and marks the field the core names", async () => {
  const { user } = renderWith("busy", <AddKeyDialog open onClose={() => {}} />);
  await user.type(await screen.findByLabelText("API key"), SECRET);
  await user.clear(screen.getByLabelText(/^ID$/));
  await user.type(screen.getByLabelText(/^ID$/), "openai");
  await user.click(screen.getByRole("button", { name: "Add key" }));
  await waitFor(() => expect(screen.getByLabelText(/^ID$/)).toBeInvalid());
  expect(screen.getByLabelText(/^ID$/)).toHaveAccessibleDescription(/already/);
  expect(screen.getByLabelText(/^ID$/)).toHaveValue("openai");
  expect(screen.getByLabelText("API key")).toHaveValue(SECRET);
});

test("after it was added the key is nowhere in the page and nowhere in a cache", async () => {
  const onClose = vi.fn<() => void>();
  const { user, host, cache } = renderWith("fresh", <AddKeyDialog open onClose={onClose} />);
  const added = vi.spyOn(host, "keyAdd");
  await user.type(await screen.findByLabelText("API key"), SECRET);
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
