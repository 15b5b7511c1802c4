import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { SettingsScreen } from "@/features/settings/settings-screen";
import { renderWith } from "../../../test/render-panel";

test("what agents may do is switched at once, with the tools that each permission opens", async () => {
  const { user } = renderWith("busy", <SettingsScreen />);
  const card = await screen.findByRole("region", { name: "Agents" });
  const send = await within(card).findByRole("switch", { name: "Send prompts" });
  expect(send).not.toBeChecked();
  expect(within(card).getByText("Always allowed")).toBeVisible();
  await user.click(send);
  await waitFor(() => expect(within(card).getByRole("switch", { name: "Send prompts" })).toBeChecked());
  expect(within(card).queryByText("switch_backend")).not.toBeVisible();
  await user.click(within(card).getByText("3 tools"));
  expect(within(card).getByText("switch_backend")).toBeVisible();
  await user.click(within(card).getByRole("switch", { name: "Serve over HTTP" }));
  expect(await within(card).findByText(/4283\/mcp/)).toBeVisible();
});

test("a program gets the server after its change was shown, and loses it again", async () => {
  const { user } = renderWith("busy", <SettingsScreen />);
  const card = await screen.findByRole("region", { name: "Programs with agents" });
  await user.click(await within(card).findByRole("button", { name: "Add to Codex CLI" }));
  const sheet = await screen.findByRole("dialog", { name: "Add Gatehouse to Codex CLI" });
  expect(await within(sheet).findByText(/mcp_servers\.gatehouse/)).toBeVisible();
  await user.click(within(sheet).getByRole("button", { name: "Add" }));
  const remove = await within(card).findByRole("button", { name: "Remove from Codex CLI" });
  await user.click(remove);
  const undo = await screen.findByRole("dialog", { name: "Remove Gatehouse from Codex CLI" });
  await within(undo).findByText(/mcp_servers\.gatehouse/);
  await user.click(within(undo).getByRole("button", { name: "Remove" }));
  expect(await within(card).findByRole("button", { name: "Add to Codex CLI" })).toBeVisible();
});

test("an entry that others changed is named, and the user decides", async () => {
  const { user } = renderWith("failing", <SettingsScreen />);
  const card = await screen.findByRole("region", { name: "Programs with agents" });
  await user.click(await within(card).findByRole("button", { name: "Remove from Claude Code" }));
  const sheet = await screen.findByRole("dialog", { name: "Remove Gatehouse from Claude Code" });
  expect(within(sheet).getByRole("region", { name: "Changed keys" })).toBeVisible();
});

test("the calls of agents alone are listed, with what they were not allowed", async () => {
  renderWith("busy", <SettingsScreen />);
  const card = await screen.findByRole("region", { name: "Calls of agents" });
  expect((await within(card).findAllByText("Not allowed")).length).toBeGreaterThan(0);
  expect(within(card).queryByText("Command line")).not.toBeInTheDocument();
});
