import { screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { renderPanel, type Rendered } from "../../test/render-panel";

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

async function openPalette(user: Rendered["user"]) {
  await user.keyboard("{Control>}k{/Control}");
  return within(await screen.findByRole("dialog", { name: "Search or run" }));
}

const labelsOf = (group: HTMLElement) =>
  within(group)
    .getAllByRole("option")
    .map((option) => option.textContent);

test("what is open comes first with its own actions, and they are those of its buttons", async () => {
  const { user, host } = renderPanel("busy", "/keys/openai");
  const verify = vi.spyOn(host, "keyVerify");
  await screen.findByRole("dialog", { name: "OpenAI" });
  const palette = await openPalette(user);
  const own = await palette.findByRole("group", { name: "Key OpenAI" });
  expect(labelsOf(own)).toEqual(["Verify", "Show requests", "Replace", "Edit name, expiry and note", "Remove key"]);
  await user.keyboard("{Enter}");
  await waitFor(() => expect(verify).toHaveBeenCalledWith({ id: "openai" }));
  const again = await openPalette(user);
  await user.type(again.getByRole("combobox"), "replace openai");
  expect(await again.findByRole("option", { name: /^Replace/ })).toHaveTextContent("ReplaceKey OpenAI");
  await user.keyboard("{Enter}");
  expect(await screen.findByRole("dialog", { name: "Replace the OpenAI key" })).toBeVisible();
  // What had the focus was in the palette, which is gone.
  await user.keyboard("{Escape}");
  await waitFor(() => expect(screen.getByRole("dialog", { name: "OpenAI" })).toHaveFocus());
});

test("an open backend is tested and disabled; nothing of it is offered once it is closed", async () => {
  const { user, host } = renderPanel("busy", "/backends/groq");
  const tested = vi.spyOn(host, "backendTest");
  await screen.findByRole("dialog", { name: "Groq" });
  const palette = await openPalette(user);
  const own = await palette.findByRole("group", { name: "Backend Groq" });
  expect(labelsOf(own)).toEqual([
    "Test",
    "Show requests",
    "Open key",
    "Copy address",
    "Disable Groq",
    "Ask a model of Groq…",
    "Remove backend",
  ]);
  await user.keyboard("{Enter}");
  await waitFor(() => expect(tested).toHaveBeenCalledWith({ id: "groq" }));
  const drawer = await screen.findByRole("dialog", { name: "Groq" });
  expect(await within(drawer).findByRole("tab", { name: "Test", selected: true })).toBeVisible();
  await user.keyboard("{Escape}");
  await waitFor(() => expect(screen.queryByRole("dialog", { name: "Groq" })).not.toBeInTheDocument());
  const next = await openPalette(user);
  expect(await next.findByRole("group", { name: "Screens" })).toBeVisible();
  expect(next.queryByRole("group", { name: "Backend Groq" })).not.toBeInTheDocument();
});

test("what cannot be done now says why and is not chosen", async () => {
  const { user } = renderPanel("busy", "/backends/mock");
  await screen.findByRole("dialog", { name: /mock/i });
  const palette = await openPalette(user);
  const remove = await palette.findByRole("option", { name: /Remove backend/ });
  expect(remove).toHaveTextContent("Built in. Switch it off instead.");
  expect(remove).toHaveAttribute("aria-disabled", "true");
});

test("an alert is acknowledged by name where it is listed", async () => {
  const { user, host } = renderPanel("failing", "/alerts");
  const acknowledge = vi.spyOn(host, "alertAcknowledge");
  await screen.findByRole("button", { name: "More for Ollama is down" });
  const palette = await openPalette(user);
  await palette.findByRole("group", { name: "Screens" });
  expect(palette.queryByRole("group", { name: /^Alert/ })).not.toBeInTheDocument();
  await user.type(palette.getByRole("combobox"), "acknowledge ollama");
  await palette.findByRole("option", { name: /^Acknowledge/ });
  await user.keyboard("{Enter}");
  await waitFor(() => expect(acknowledge).toHaveBeenCalledWith({ number: 4 }));
});

test("the gateway is paused and resumed", async () => {
  const { host, user } = await search("pause gateway");
  const [pause, resume] = [vi.spyOn(host, "gatewayPause"), vi.spyOn(host, "gatewayResume")];
  await user.keyboard("{Enter}");
  await waitFor(() => expect(pause).toHaveBeenCalledOnce());
  expect(await screen.findByText("New requests are refused; requests in flight continue.")).toBeVisible();
  const palette = await openPalette(user);
  await user.type(palette.getByRole("combobox"), "resume");
  await palette.findByRole("option", { name: /^Resume gateway/ });
  await user.keyboard("{Enter}");
  await waitFor(() => expect(resume).toHaveBeenCalledOnce());
});
