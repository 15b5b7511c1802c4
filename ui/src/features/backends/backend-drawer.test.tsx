import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { renderPanel } from "../../../test/render-panel";

async function removalOf(id: string, label: string): Promise<HTMLElement> {
  const { user } = renderPanel("busy", `/backends/${id}`);
  const drawer = await screen.findByRole("dialog", { name: label }, { timeout: 5_000 });
  await user.click(within(drawer).getByRole("button", { name: "More for this backend" }));
  await user.click(await screen.findByRole("menuitem", { name: /^Remove backend/ }));
  return screen.findByRole("dialog", { name: `Remove ${label}?` });
}

test("the dialog names the route that is left without a backend", async () => {
  const dialog = await removalOf("ollama", "Ollama");
  expect(dialog).toHaveTextContent("No other backend is left for the route local.");
  expect(dialog).not.toHaveTextContent("key");
});

test("the dialog names the routes that use their other backends", async () => {
  const dialog = await removalOf("openai", "OpenAI");
  expect(dialog).toHaveTextContent("The routes fast, claude, mini-test will use other backends.");
  expect(dialog).toHaveTextContent("Its key openai stays in the vault.");
  expect(dialog).not.toHaveTextContent("No other backend is left");
});
