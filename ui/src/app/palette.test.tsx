import { screen, waitFor, within } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { renderPanel } from "../../test/render-panel";

afterEach(() => localStorage.clear());

async function search(query: string) {
  const rendered = renderPanel("busy", "/");
  await screen.findByRole("heading", { level: 1, name: "Everything works" });
  await rendered.user.keyboard("{Control>}k{/Control}");
  const dialog = await screen.findByRole("dialog", { name: "Search or run" });
  await rendered.user.type(within(dialog).getByRole("combobox"), query);
  const names = () =>
    within(dialog)
      .queryAllByRole("option")
      .map((option) => option.textContent);
  return { ...rendered, dialog, names };
}

test("labels, models, settings and actions are found, names that begin with the query first", async () => {
  const { names, user, dialog } = await search("gro");
  await waitFor(() => expect(names()[0]).toBe("GroqBackend"));
  const input = within(dialog).getByRole("combobox");
  for (const [query, first] of [
    ["dark mode", "Dark themeAction"],
    ["copy", "Copy gateway addressAction"],
    ["disable groq", "Disable GroqAction"],
    ["gpt-5.2-mini", "openai/gpt-5.2-miniModel"],
    ["first token", "First tokenSetting"],
    ["passphrase", "VaultSetting"],
  ] as const) {
    await user.clear(input);
    await user.type(input, query);
    await waitFor(() => expect(names()[0]).toBe(first));
  }
});

test("scattered letters find nothing", async () => {
  const { names, dialog } = await search("gqo");
  expect(await within(dialog).findByText("No results")).toBeVisible();
  expect(names()).toEqual([]);
});

test("an action is carried out, and stands first the next time", async () => {
  const { user, host } = await search("disable groq");
  const switched = vi.spyOn(host, "backendSwitch");
  await user.keyboard("{Enter}");
  await waitFor(() => expect(switched).toHaveBeenCalledWith({ id: "groq", enabled: false }));
  expect(await screen.findByText("Groq is off")).toBeVisible();
  await user.keyboard("{Control>}k{/Control}");
  const recent = await screen.findByRole("group", { name: "Recent" });
  expect(within(recent).getAllByRole("option")[0]).toHaveTextContent("Enable Groq");
});

test("a setting leads to its part of the screen", async () => {
  const { user } = await search("redis");
  const shown: Element[] = [];
  vi.spyOn(Element.prototype, "scrollIntoView").mockImplementation(function (this: Element) {
    shown.push(this);
  });
  await user.keyboard("{Enter}");
  const part = await screen.findByRole("region", { name: "Shared cache" });
  await waitFor(() => expect(shown).toContain(part));
});
