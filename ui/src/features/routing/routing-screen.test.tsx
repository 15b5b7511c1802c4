import { screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { fault } from "@/ipc/fake/rules";
import { choose } from "../../../test/choose";
import { undo } from "../../../test/undo";
import { renderPanel } from "../../../test/render-panel";

const rows = () => within(screen.getByRole("list", { name: "Routes" })).getAllByRole("button", { name: /^Open route/ });
const names = () => rows().map((row) => row.getAttribute("aria-label"));

test("the first line says where requests go, and every candidate its state in a word", async () => {
  renderPanel("failing", "/routing");
  expect(await screen.findByText(/^local is broken: its only backend, Ollama, is/)).toBeVisible();
  const strip = screen.getByRole("list", { name: "Candidates of fast" });
  const states = within(strip)
    .getAllByRole("link")
    .map((link) => link.getAttribute("aria-label")?.split(": ")[1]);
  expect(states).toEqual(["Cooling down", "Recovering", "Blocked"]);
});

test.each([
  ["one-open", "OpenAI, gpt-5.2-mini: Tripped"],
  ["cooling-down", "Groq, llama-5-70b: Cooling down"],
  ["blocked", "OpenRouter, google/gemini-3.5-flash: Blocked"],
] as const)("%s is told of the one candidate it is about", async (scenario, label) => {
  renderPanel(scenario, "/routing");
  const strip = await screen.findByRole("list", { name: "Candidates of fast" });
  expect(within(strip).getByRole("link", { name: label })).toBeVisible();
});

test("the arrow keys move a route, keep the focus on it and say its place", async () => {
  const { user, host } = renderPanel("busy", "/routing");
  const ordering = vi.spyOn(host, "routesOrder");
  const handle = await screen.findByRole("button", { name: "Move route fast, 1 of 5" });
  handle.focus();
  await user.keyboard("{ArrowDown}");
  expect(ordering).toHaveBeenCalledWith({ ids: ["claude", "fast", "mini-test", "local", "rest"] });
  expect(screen.getByRole("button", { name: "Move route fast, 2 of 5" })).toHaveFocus();
  expect(screen.getByText("route fast is now 2 of 5.")).toBeInTheDocument();
  await waitFor(() => expect(names().slice(0, 2)).toEqual(["Open route claude", "Open route fast"]));
  await user.keyboard("{End}");
  await waitFor(() => expect(names().at(-1)).toBe("Open route fast"));
});

test("an order the core refuses goes back, with its words", async () => {
  const { user, host } = renderPanel("busy", "/routing");
  await screen.findByRole("button", { name: "Move route fast, 1 of 5" });
  vi.spyOn(host, "routesOrder").mockRejectedValue({
    code: "settings_invalid",
    message: "The settings file has errors.",
    hint: "Repair it first.",
    field: null,
  });
  screen.getByRole("button", { name: "Move route fast, 1 of 5" }).focus();
  await user.keyboard("{ArrowDown}");
  expect(await screen.findByText("The settings file has errors.")).toBeVisible();
  expect(names()[0]).toBe("Open route fast");
});

test("without a route it says how requests go, and offers to make the first", async () => {
  const { user } = renderPanel("fresh", "/routing");
  await user.click(await screen.findByRole("button", { name: "Create a route named fast" }));
  const drawer = await screen.findByRole("dialog", { name: "Add route" });
  expect(within(drawer).getByLabelText("Name")).toHaveValue("fast");
  expect(within(drawer).getByLabelText("Backend 1")).toHaveTextContent("Mock");
  await user.click(within(drawer).getByRole("button", { name: "Add route" }));
  expect(await screen.findByRole("dialog", { name: "fast" })).toBeVisible();
  expect(await screen.findByText("Use fast as the model name.")).toBeVisible();
});

test("what the core refuses stands at its field, in its words, and what was typed stays", async () => {
  const { user } = renderPanel("busy", "/routing?add=true");
  const drawer = await screen.findByRole("dialog", { name: "Add route" });
  await user.type(within(drawer).getByLabelText("Name"), "local");
  await user.click(within(drawer).getByRole("button", { name: "Add route" }));
  expect(await within(drawer).findByRole("alert")).toHaveTextContent("There is a route named local already.");
  await user.type(within(drawer).getByLabelText("Name"), "-2");
  await choose(user, within(drawer).getByLabelText("Policy"), "Balanced");
  await user.clear(within(drawer).getByLabelText("Cost, %"));
  await user.type(within(drawer).getByLabelText("Cost, %"), "40");
  expect(within(drawer).getByRole("img", { name: /^Weights: .*cost 40 %/ })).toBeVisible();
  await user.click(within(drawer).getByRole("button", { name: "Add route" }));
  expect(await within(drawer).findByText(/The weights add up to 110 %/)).toBeVisible();
  expect(within(drawer).getByLabelText("Name")).toHaveValue("local-2");
});

test("candidates are put in order by the keyboard and saved in that order", async () => {
  const { user, host } = renderPanel("busy", "/routing/fast");
  const saving = vi.spyOn(host, "routeSet");
  await user.click(await screen.findByRole("tab", { name: "Settings" }));
  screen.getByRole("button", { name: "Move openai, 2 of 3" }).focus();
  await user.keyboard("{ArrowUp}");
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(saving).toHaveBeenCalled());
  const sent = saving.mock.calls[0]![0];
  expect(sent.candidates.map((candidate) => candidate.backend)).toEqual(["openai", "groq", "openrouter"]);
  expect(sent.candidates[0]!.model).toBe("gpt-5.2-mini");
});

test("a removed route comes back from the toast", async () => {
  const { user } = renderPanel("busy", "/routing/local");
  await user.click(await screen.findByRole("button", { name: "More for this route" }));
  await user.click(await screen.findByRole("menuitem", { name: "Remove route" }));
  await waitFor(() => expect(names()).not.toContain("Open route local"));
  await undo(user);
  await waitFor(() => expect(names()).toContain("Open route local"));
});

test("a removed route names the clients that were switched to it, and undo switches them back", async () => {
  const { user, host } = renderPanel("busy", "/routing/local");
  await host.clientSwitch({ id: "codex", route: "local" });
  const switched = vi.spyOn(host, "clientSwitch");
  await user.click(await screen.findByRole("button", { name: "More for this route" }));
  await user.click(await screen.findByRole("menuitem", { name: "Remove route" }));
  expect(await screen.findByText(/codex, switched to it, follows the routing rules again/)).toBeVisible();
  await undo(user);
  await waitFor(() => expect(switched).toHaveBeenCalledExactlyOnceWith({ id: "codex", route: "local" }));
});

test("an undo that cannot switch every client back names each one that stays, with its reason", async () => {
  const { user, host } = renderPanel("busy", "/routing/local");
  const clients = ["claude-code", "codex", "zed"];
  for (const id of clients) await host.clientSwitch({ id, route: "local" });
  const real = host.clientSwitch;
  vi.spyOn(host, "clientSwitch").mockImplementation((req) =>
    req.id === "codex" ? real(req) : Promise.reject(fault("failed", `${req.id} is busy.`, "Try again.")),
  );
  await user.click(await screen.findByRole("button", { name: "More for this route" }));
  await user.click(await screen.findByRole("menuitem", { name: "Remove route" }));
  await undo(user);
  const reasons = "claude-code (claude-code is busy), zed (zed is busy)";
  expect(await screen.findByText(`Route local is back, but not switched to it: ${reasons}.`)).toBeVisible();
  expect(screen.getByText("Try again.")).toBeVisible();
});

test("a request that is thought of is explained, and who lacks what it needs is named", async () => {
  const { user, host } = renderPanel("busy", "/routing");
  const asking = vi.spyOn(host, "routeExplain");
  const panel = await screen.findByRole("region", { name: "Try a request" });
  expect(await within(panel).findByText("groq serves it with llama-5-70b, by the route fast.")).toBeVisible();
  await user.click(within(panel).getByRole("checkbox", { name: "images" }));
  const passed = await within(panel).findByRole("region", { name: "Skipped" });
  expect(passed).toHaveTextContent("groq llama-5-70b: It does not support images.");
  expect(asking).toHaveBeenLastCalledWith(expect.objectContaining({ model: "fast", vision: true }));
});

test("a simulation shows shares beside those promised, as a table too, and what closing a backend does", async () => {
  const { user } = renderPanel("busy", "/routing");
  const panel = await screen.findByRole("region", { name: "Try a request" });
  await user.click(within(panel).getByRole("radio", { name: "Simulate" }));
  await user.clear(within(panel).getByLabelText("Model"));
  await user.type(within(panel).getByLabelText("Model"), "mini-test");
  await choose(user, within(panel).getByLabelText("Client"), "zed");
  expect(await within(panel).findByText("openai would serve 71 % of 1,000 requests.")).toBeVisible();
  expect(within(panel).getByText("70 % by weight")).toBeVisible();
  await user.click(within(panel).getByRole("button", { name: "Show as table" }));
  expect(within(panel).getByRole("row", { name: /openai gpt-5.2-mini 708 71 % 70 %/ })).toBeVisible();
  await user.click(within(panel).getByRole("checkbox", { name: "openai" }));
  await user.click(within(panel).getByRole("checkbox", { name: "groq" }));
  expect(await within(panel).findByText("1,000 would fail.")).toBeVisible();
});
