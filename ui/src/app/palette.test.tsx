import { screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { renderPanel } from "../../test/render-panel";

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
    ["ask a model of gr", "Ask a model of Groq…Action"],
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

test("a client is switched and blocked by name", async () => {
  const { user, host, dialog } = await search("switch codex groq");
  const [switched, blocked] = [vi.spyOn(host, "clientSwitch"), vi.spyOn(host, "clientBlock")];
  await within(dialog).findByRole("option", { name: /Switch codex to Groq/ });
  await user.keyboard("{Enter}");
  await waitFor(() => expect(switched).toHaveBeenCalledWith({ id: "codex", backend: "groq", route: null }));
  await user.keyboard("{Control>}k{/Control}");
  const next = await screen.findByRole("dialog", { name: "Search or run" });
  await user.type(within(next).getByRole("combobox"), "block codex");
  await within(next).findByRole("option", { name: /Block codex/ });
  await user.keyboard("{Enter}");
  await waitFor(() => expect(blocked).toHaveBeenCalledWith({ id: "codex" }));
});

test("budgets, alerts, services and requests by id are found", async () => {
  const { host, user, dialog, names } = await search("agents");
  await waitFor(() => expect(names()).toContain("agentsBudget"));
  const input = within(dialog).getByRole("combobox");
  const { services } = await host.services();
  const { requests } = await host.requests({ limit: 1 });
  const [service, request] = [services[0], requests[0]];
  if (service === undefined || request === undefined) throw new Error("the busy world has services and requests");
  await user.clear(input);
  await user.type(input, service.label);
  await waitFor(() => expect(names()).toContain(`${service.label}Service`));
  await user.clear(input);
  await user.type(input, request.id.slice(0, -4));
  await waitFor(() => expect(names()).toContain(`${request.id}Request`));
  const unseen = `req_${"0".repeat(32)}`;
  await user.clear(input);
  await user.type(input, unseen);
  await waitFor(() => expect(names()).toEqual([`${unseen}Request`]));
});
