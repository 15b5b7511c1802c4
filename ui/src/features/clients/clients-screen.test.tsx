import { screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import type { Session } from "@/ipc/session";
import { renderPanel } from "../../../test/render-panel";
import { undo } from "../../../test/undo";

const card = (name: string) => screen.findByRole("region", { name });

test("a tool is connected after its changes were shown, and the toast takes it back", async () => {
  const { host, user } = renderPanel("busy", "/clients");
  const wire = vi.spyOn(host, "clientWire");
  const codex = within(await card("Codex CLI"));
  expect(codex.getByText("Not connected")).toBeVisible();
  await user.click(codex.getByRole("button", { name: "Connect" }));
  const sheet = within(await screen.findByRole("dialog", { name: "Connect Codex CLI" }));
  const diff = await sheet.findByRole("region", { name: "Changes of /home/ada/.codex/config.toml" });
  expect(within(diff).getByText('+model_provider = "gatehouse"')).toBeVisible();
  expect(wire).not.toHaveBeenCalled();
  const { fingerprint } = await host.clientWiringPlan({ tool: "codex", undo: false });
  await user.click(sheet.getByRole("button", { name: "Connect" }));
  expect(wire).toHaveBeenCalledWith({ tool: "codex", fingerprint });
  expect(await screen.findByText("Codex CLI is connected")).toBeVisible();
  expect(screen.getByText(/asks it\. Restart Codex CLI if it is running\.$/)).toBeVisible();
  expect(await within(await card("Codex CLI")).findByText("Connected")).toBeVisible();
  await undo(user);
  expect(await within(await card("Codex CLI")).findByText("Not connected")).toBeVisible();
});

test("a plan that is out of date is refused, and the next one is shown", async () => {
  const { host, user } = renderPanel("busy", "/clients?connect=codex");
  const sheet = within(await screen.findByRole("dialog", { name: "Connect Codex CLI" }));
  await sheet.findByText('+model_provider = "gatehouse"');
  const planned = vi.spyOn(host, "clientWiringPlan");
  const outdated = {
    code: "failed" as const,
    message: "config.toml has changed; look at the plan again",
    hint: null,
    field: null,
  };
  vi.spyOn(host, "clientWire").mockRejectedValueOnce(outdated);
  await user.click(sheet.getByRole("button", { name: "Connect" }));
  expect(await sheet.findByText(outdated.message)).toBeVisible();
  await waitFor(() => expect(planned).toHaveBeenCalledOnce());
});

test("keys that others changed are asked about, and a release keeps them", async () => {
  const { host, user } = renderPanel("failing", "/clients");
  const unwire = vi.spyOn(host, "clientUnwire");
  const planned = vi.spyOn(host, "clientWiringPlan");
  const claude = within(await card("Claude Code"));
  expect(claude.getByRole("list", { name: "Problems" })).toHaveTextContent(
    "env.ANTHROPIC_BASE_URL is http://127.0.0.1:3456, was http://127.0.0.1:4283",
  );
  expect(claude.getByRole("button", { name: "Re-apply" })).toBeVisible();
  await user.click(claude.getByRole("button", { name: "Release" }));
  const sheet = within(await screen.findByRole("dialog", { name: "Disconnect Claude Code" }));
  expect(sheet.getByRole("radio", { name: "Keep what is there now" })).toBeChecked();
  await user.click(sheet.getByRole("radio", { name: "Restore what was there before" }));
  await waitFor(() =>
    expect(planned).toHaveBeenLastCalledWith({ tool: "claude-code", undo: true, changed_keys: "restore" }),
  );
  await user.click(sheet.getByRole("radio", { name: "Keep what is there now" }));
  await user.click(sheet.getByRole("button", { name: "Disconnect" }));
  expect(unwire).toHaveBeenCalledWith({ tool: "claude-code", changed_keys: "keep" });
  expect(await screen.findByText("Claude Code is disconnected")).toBeVisible();
});

test("what is used instead is named once, and looked at again on request", async () => {
  const { host, user } = renderPanel("failing", "/clients");
  const codex = within(await card("Codex CLI"));
  expect(codex.getAllByText(/profiles\.work\.model_provider/)).toHaveLength(1);
  const asked = vi.spyOn(host, "clientsWiring");
  await user.click(codex.getByRole("button", { name: "Check again" }));
  expect(asked).toHaveBeenCalledOnce();
});

test("all tools are disconnected at once, and one that is not says why", async () => {
  const { host, user } = renderPanel("busy", "/clients");
  await card("Claude Code");
  const error = "settings.json cannot be written";
  vi.spyOn(host, "clientsUnwireAll").mockResolvedValueOnce([{ tool: "claude-code", name: "Claude Code", error }]);
  await user.click(screen.getByRole("button", { name: "More for all tools" }));
  await user.click(await screen.findByRole("menuitem", { name: "Disconnect all tools" }));
  const dialog = within(await screen.findByRole("dialog", { name: "Disconnect every tool?" }));
  expect(dialog.getByText("These tools stop using the gateway: Claude Code.")).toBeVisible();
  await user.click(dialog.getByRole("button", { name: "Disconnect all" }));
  expect(await dialog.findByText(error)).toBeVisible();
  expect(dialog.queryByRole("button", { name: "Disconnect all" })).not.toBeInTheDocument();
});

test("the address of the tray asks before every tool is disconnected, and says if none is", async () => {
  const { host, user } = renderPanel("busy", "/clients?disconnect=all");
  const unwire = vi.spyOn(host, "clientsUnwireAll");
  const dialog = within(await screen.findByRole("dialog", { name: "Disconnect every tool?" }));
  expect(unwire).not.toHaveBeenCalled();
  await user.click(dialog.getByRole("button", { name: "Disconnect all" }));
  expect(unwire).toHaveBeenCalledWith({ changed_keys: "keep" });
  await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
});

test("the address of the tray says that no tool is connected", async () => {
  renderPanel("fresh", "/clients?disconnect=all");
  const dialog = within(await screen.findByRole("dialog", { name: "Disconnect every tool?" }));
  expect(dialog.getByText("No tool is connected.")).toBeVisible();
  expect(dialog.queryByRole("button", { name: "Disconnect all" })).not.toBeInTheDocument();
});

test("the other tools say how they reach the gateway, those of this machine first", async () => {
  const { user } = renderPanel("busy", "/clients");
  const list = await screen.findByRole("list", { name: "Other tools" });
  const names = within(list).getAllByText(/^(Cursor|Cline)$/);
  expect(names.map((name) => name.textContent)).toEqual(["Cursor", "Cline"]);
  expect(within(list).getByText("Not possible")).toBeVisible();
  await user.click(within(list).getByText("Cline"));
  const steps = within(list).getByRole("list", { name: "Steps for Cline" });
  expect(within(steps).getByText("gatehouse clients add cline")).toBeVisible();
});

test("a tool that the user gives its token is not shown as connected until it came, and says how", async () => {
  const { user } = renderPanel("busy", "/clients");
  const zed = within(await card("Zed"));
  await user.click(zed.getByRole("button", { name: "Connect" }));
  const sheet = within(await screen.findByRole("dialog", { name: "Connect Zed" }));
  await user.click(await sheet.findByRole("button", { name: "Connect" }));
  expect(await zed.findByText("Token not entered")).toBeVisible();
  expect(zed.queryByText("Connected")).not.toBeInTheDocument();
  const steps = within(zed.getByRole("list", { name: "Steps for Zed" }));
  expect(steps.getByText("gatehouse token zed")).toBeVisible();
});

test("a tool that has drifted is named after the cause, and re-applied", async () => {
  const { host, cache, user } = renderPanel("busy", "/clients");
  await card("Claude Code");
  const sentence = "Claude Code starts /old/gatehouse, which is gone. Connect it again.";
  const tools = await host.clientsWiring({});
  const drifted = { state: "drifted", cause: "program_gone", sentence } as const;
  vi.spyOn(host, "clientsWiring").mockResolvedValue(
    tools.map((tool) => (tool.tool === "claude-code" ? { ...tool, ...drifted } : tool)),
  );
  await cache.invalidateQueries({ queryKey: ["clients_wiring"] });
  const claude = within(await card("Claude Code"));
  expect(await claude.findByText("Program gone")).toBeVisible();
  expect(claude.getByText(sentence)).toBeVisible();
  await user.click(claude.getByRole("button", { name: "Re-apply" }));
  expect(await screen.findByRole("dialog", { name: "Connect Claude Code" })).toBeVisible();
});

test("what a tool does is tried on request, and the step that fails is named", async () => {
  const { host, user } = renderPanel("busy", "/clients");
  const claude = within(await card("Claude Code"));
  await user.click(claude.getByRole("button", { name: "Try it" }));
  expect(await claude.findByText("The gateway answers as Claude Code asks it.")).toBeVisible();
  const reason = "/opt/gatehouse cannot be started: permission denied";
  vi.spyOn(host, "clientCheck").mockResolvedValueOnce({
    tool: "claude-code",
    name: "Claude Code",
    outcome: "fails",
    sentence: "Claude Code would fail.",
    steps: [{ title: "Token", state: "fail", detail: reason, fix: null, duration_ms: null }],
  });
  await user.click(claude.getByRole("button", { name: "Try it" }));
  expect(await claude.findByText("Claude Code would fail.")).toBeVisible();
  expect(claude.getByRole("list", { name: "Steps tried for Claude Code" })).toHaveTextContent(
    `Token Failed: ${reason}`,
  );
});

test("a tool that would fail once it is connected says so with the reason", async () => {
  const { host, user } = renderPanel("busy", "/clients?connect=codex");
  vi.spyOn(host, "clientCheck").mockResolvedValueOnce({
    tool: "codex",
    name: "Codex CLI",
    outcome: "fails",
    sentence: "Codex CLI would fail.",
    steps: [{ title: "Gateway", state: "fail", detail: "the gateway is paused", fix: null, duration_ms: null }],
  });
  const sheet = within(await screen.findByRole("dialog", { name: "Connect Codex CLI" }));
  await user.click(await sheet.findByRole("button", { name: "Connect" }));
  expect(await screen.findByText("Codex CLI is connected")).toBeVisible();
  expect(screen.getByText(/^Codex CLI would fail: the gateway is paused/)).toBeVisible();
});

test("without a tool on this machine, a client is added by hand", async () => {
  const { host, cache } = renderPanel("fresh", "/clients");
  await card("Claude Code");
  const tools = await host.clientsWiring({});
  const absent = tools.map((tool) => ({ ...tool, state: "not_installed" as const }));
  vi.spyOn(host, "clientsWiring").mockResolvedValue(absent);
  await cache.invalidateQueries({ queryKey: ["clients_wiring"] });
  expect(await screen.findByText("No tools found")).toBeVisible();
  expect(screen.getByText("Not found here: Claude Code, Codex CLI, OpenCode, Zed.")).toBeVisible();
  expect(screen.getByRole("button", { name: "Add client" })).toBeVisible();
});

test("a tool is launched in a terminal, in the folder that was used last", async () => {
  const { host, user } = renderPanel("busy", "/clients");
  const launch = vi.spyOn(host, "launchTool");
  await user.click(within(await card("Codex CLI")).getByRole("button", { name: "Launch…" }));
  const dialog = within(await screen.findByRole("dialog", { name: "Launch Codex CLI" }));
  expect(dialog.getByText("gatehouse run codex")).toBeVisible();
  const folder = dialog.getByRole("textbox", { name: "Folder" });
  expect(folder).toHaveValue("~");
  await user.click(dialog.getByRole("button", { name: "Choose…" }));
  await waitFor(() => expect(folder).toHaveValue("/home/ada/projects/atlas"));
  await user.click(dialog.getByRole("button", { name: "Open terminal" }));
  expect(await screen.findByText("Opened a terminal with Codex CLI")).toBeVisible();
  expect(launch).toHaveBeenCalledWith({ tool: "codex", folder: "/home/ada/projects/atlas" });
  await user.click(within(await card("Claude Code")).getByRole("button", { name: "Launch…" }));
  const next = within(await screen.findByRole("dialog", { name: "Launch Claude Code" }));
  expect(next.getByRole("textbox", { name: "Folder" })).toHaveValue("/home/ada/projects/atlas");
});

test("a folder that cannot be used is refused at its field, and nothing is lost", async () => {
  const { user } = renderPanel("busy", "/clients?launch=codex");
  const dialog = within(await screen.findByRole("dialog", { name: "Launch Codex CLI" }));
  const folder = dialog.getByRole("textbox", { name: "Folder" });
  await user.clear(folder);
  await user.type(folder, "projects");
  await user.click(dialog.getByRole("button", { name: "Open terminal" }));
  expect(await dialog.findByRole("alert")).toHaveTextContent("not a whole path");
  expect(folder).toHaveValue("projects");
  expect(folder).toBeInvalid();
});

test("the panel in a browser shows the command, since it cannot open a terminal", async () => {
  const { host, user } = renderPanel("busy", "/clients");
  host.session = { signedOut: () => () => {}, signOut: () => Promise.resolve() } as unknown as Session;
  await user.click(within(await card("Codex CLI")).getByRole("button", { name: "Launch…" }));
  const dialog = within(await screen.findByRole("dialog", { name: "Launch Codex CLI" }));
  expect(dialog.getByText("gatehouse run codex")).toBeVisible();
  expect(dialog.queryByRole("button", { name: "Open terminal" })).toBeNull();
});

test("a tool whose own key would be sent instead of its token says so instead of starting", async () => {
  const obstacle =
    "env.ANTHROPIC_AUTH_TOKEN in /home/ada/.claude/settings.json keeps the gateway out; change it there.";
  const { cache, host, user } = renderPanel("busy", "/clients");
  const tools = await host.clientsWiring({});
  const told = tools.map((tool) =>
    tool.tool === "claude-code" ? { ...tool, run_command: null, run_obstacle: obstacle } : tool,
  );
  vi.spyOn(host, "clientsWiring").mockResolvedValue(told);
  await card("Claude Code");
  await cache.invalidateQueries();
  await user.click(within(await card("Claude Code")).getByRole("button", { name: "Launch…" }));
  const dialog = within(await screen.findByRole("dialog", { name: "Launch Claude Code" }));
  expect(dialog.getByText(/It cannot be launched from here\./)).toHaveTextContent(obstacle);
  expect(dialog.queryByRole("button", { name: "Open terminal" })).toBeNull();
});
