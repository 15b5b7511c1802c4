import { expect, test, vi } from "vitest";
import { screen, within } from "@testing-library/react";
import { LevelsScreen } from "@/features/health/levels-screen";
import { choose } from "../../../test/choose";
import { renderWith } from "../../../test/render-panel";

async function openRow(name: string) {
  const { user, host } = renderWith("busy", <LevelsScreen />);
  const set = vi.spyOn(host, "serviceLevelSet");
  await user.click(await screen.findByRole("button", { name: `Edit the objective of ${name}` }));
  const dialog = await screen.findByRole("dialog", { name: `Objective: ${name}` });
  return { user, set, dialog, allows: within(dialog).getByRole("region", { name: "What it allows" }) };
}

test("a service is a row of its observed time, and only what has an objective of its own is marked", async () => {
  renderWith("busy", <LevelsScreen />);
  const row = await screen.findByRole("row", { name: /^Service GitHub/ });
  expect(within(row).getByText("own")).toBeVisible();
  expect(within(row).getByRole("meter", { name: "Service GitHub: allowed downtime left" })).toBeVisible();
  const vectors = screen.getByRole("row", { name: /^Service Vector store/ });
  expect(within(vectors).queryByText("own")).toBeNull();
  expect(within(vectors).getByText(/8 min of 45 h down/)).toBeVisible();
});

test("a row that follows the default gets an objective of its own, shown before it is saved", async () => {
  const { user, set, dialog, allows } = await openRow("Service Vector store");
  expect(within(dialog).getByRole("radio", { name: "Default" })).toBeChecked();
  expect(within(dialog).queryByRole("combobox")).toBeNull();
  await user.click(within(dialog).getByRole("radio", { name: "Its own" }));
  await choose(user, within(dialog).getByLabelText("Time in which it answers"), "99 %");
  expect(await within(allows).findByText(/^99 % in 7 days allows 101 min of downtime/)).toBeVisible();
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  expect(set).toHaveBeenLastCalledWith({ target: "service", name: "vectors", goal: "99", period: "7d" });
  const row = screen.getByRole("row", { name: /^Service Vector store/ });
  expect(await within(row).findByText("own")).toBeVisible();
});

test("an objective of its own goes back to the default", async () => {
  const { user, set, dialog, allows } = await openRow("Service GitHub");
  expect(within(dialog).getByRole("radio", { name: "Its own" })).toBeChecked();
  await user.click(within(dialog).getByRole("radio", { name: "Default" }));
  expect(await within(allows).findByText(/^99.5 % in 7 days/)).toBeVisible();
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  expect(set).toHaveBeenLastCalledWith({ target: "service", name: "github", to_default: true });
  const row = screen.getByRole("row", { name: /^Service GitHub/ });
  await vi.waitFor(() => expect(within(row).queryByText("own")).toBeNull());
});

test("a backend's first tokens have a longest time of their own, within its limits", async () => {
  const { user, set, dialog } = await openRow("Ollama, first tokens");
  expect(within(dialog).queryByRole("combobox")).toBeNull();
  const max = within(dialog).getByRole("textbox", { name: "In time means within" });
  expect(max).toHaveValue("8000");
  await user.clear(max);
  await user.type(max, "99");
  expect(await within(dialog).findByRole("alert")).toHaveTextContent("a number from 100 to 60,000 ms");
  await user.clear(max);
  await user.type(max, "9000");
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  expect(set).toHaveBeenLastCalledWith({ target: "first-token", name: "ollama", goal: null, max_ms: 9_000 });
});
