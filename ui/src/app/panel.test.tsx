import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, test, vi } from "vitest";
import { SCENARIOS } from "@/ipc/fake/world";
import { renderPanel } from "../../test/render-panel";
import { undo } from "../../test/undo";

const PATHS = [
  "/",
  "/backends",
  "/routing",
  "/keys",
  "/clients",
  "/usage",
  "/breakdown",
  "/savings",
  "/anomalies",
  "/billing",
  "/requests",
  "/cache",
  "/prices",
  "/readiness",
  "/health",
  "/health/timeline",
  "/health/levels",
  "/health/local",
  "/alerts",
  "/alerts/history",
  "/alerts/rules",
  "/alerts/silences",
  "/alerts/channels",
  "/settings",
];

describe.each(SCENARIOS)("the world %s", (scenario) => {
  test.each(PATHS)("renders %s", async (path) => {
    const { elapse } = renderPanel(scenario, path);
    await screen.findByRole("navigation", { name: "Screens" });
    if (scenario === "slow") {
      await screen.findAllByRole("status", { name: /^Loading/ });
      elapse();
    }
    await waitFor(() => {
      elapse();
      expect(screen.queryByRole("status", { name: /^Loading/ })).not.toBeInTheDocument();
    });
    if (scenario === "offline") expect(screen.getAllByText("Gatehouse is not responding.").length).toBeGreaterThan(0);
    else expect(screen.getByRole("heading", { level: 1 })).toBeVisible();
  });
});

test("a fresh install is led through its first steps", async () => {
  renderPanel("fresh", "/");
  const steps = await screen.findByRole("region", { name: "First steps" });
  expect(within(steps).getByText("0 of 4 done")).toBeVisible();
  expect(within(steps).getByRole("link", { name: "Add backend" })).toHaveAttribute("href", "#/backends?add=true");
});

test("what breaks is said first, the worst on top, with its button", async () => {
  renderPanel("failing", "/");
  expect(await screen.findByRole("heading", { level: 1, name: / \(and 4 more\)$/ })).toBeVisible();
  const needs = screen.getByRole("region", { name: "Issues" });
  const [first] = within(needs).getAllByRole("listitem");
  expect(first).toHaveTextContent("The keychain is locked");
  expect(within(first!).getByRole("link", { name: "Open vault settings" })).toHaveAttribute(
    "href",
    "#/settings?part=Vault",
  );
});

test("when the core goes away the page stays, marked as old, until it is back", async () => {
  const { host } = renderPanel("busy", "/backends");
  expect(await screen.findByRole("button", { name: "OpenAI" })).toBeVisible();
  host.drop();
  host.announce({ kind: "changed", tags: ["backends", "status"] });
  expect(await screen.findByText("This data is from", { exact: false })).toBeVisible();
  expect(screen.getByText(/Out of date/)).toBeVisible();
  expect(screen.getByRole("button", { name: "OpenAI" })).toBeVisible();
  expect(screen.getByText("Not connected")).toBeVisible();
});

test("a run is shown while it goes, check by check, and its end brings the verdict", async () => {
  const { user, elapse } = renderPanel("failing", "/readiness");
  await user.click(await screen.findByRole("button", { name: "Run quick checks" }));
  const progress = await screen.findByRole("progressbar", { name: "Checks done" });
  expect(progress).toHaveAttribute("aria-valuenow", "0");
  expect(screen.getByRole("button", { name: "Cancel run" })).toBeVisible();
  elapse();
  expect(await screen.findByRole("button", { name: "Run quick checks" })).toBeVisible();
  expect(screen.getByText("1 blocker: The login keyring is locked.")).toBeVisible();
});

test("a cancelled run says so", async () => {
  const { user } = renderPanel("busy", "/readiness");
  await user.click(await screen.findByRole("button", { name: "Run all checks" }));
  await user.click(await screen.findByRole("button", { name: "Cancel run" }));
  expect(await screen.findByText("Cancelled.")).toBeVisible();
});

test("the focus stays on the button that starts and cancels a run", async () => {
  const { user, elapse } = renderPanel("busy", "/readiness");
  (await screen.findByRole("button", { name: "Run all checks" })).focus();
  await user.keyboard("{Enter}");
  expect(await screen.findByRole("button", { name: "Cancel run" })).toHaveFocus();
  await user.keyboard("{Enter}");
  expect(await screen.findByRole("button", { name: "Run all checks" })).toHaveFocus();
  await user.tab({ shift: true });
  expect(screen.getByRole("button", { name: "Run quick checks" })).toHaveFocus();
  await user.keyboard("{Enter}");
  expect(await screen.findByRole("button", { name: "Cancel run" })).toHaveFocus();
  elapse();
  expect(await screen.findByRole("button", { name: "Run all checks" })).toHaveFocus();
});

test("switching a backend off can be undone from the toast", async () => {
  const { user, host } = renderPanel("busy", "/backends");
  const toggle = await screen.findByRole("switch", { name: "Groq switched on" });
  const switching = vi.spyOn(host, "backendSwitch");
  await user.click(toggle);
  await waitFor(() => expect(toggle).not.toBeChecked());
  await undo(user);
  await waitFor(() => expect(toggle).toBeChecked());
  expect(switching).toHaveBeenCalledTimes(2);
});

test("removing a key says what is lost, and Escape keeps it", async () => {
  const { user, host } = renderPanel("busy", "/keys/groq");
  const removing = vi.spyOn(host, "keyRemove");
  await user.click(await screen.findByRole("button", { name: "More for this key" }));
  await user.click(await screen.findByRole("menuitem", { name: "Remove key" }));
  expect(await screen.findByText("These backends lose their key: groq.")).toBeVisible();
  await user.keyboard("{Escape}");
  expect(removing).not.toHaveBeenCalled();
});

test("the dialog that removes a key names the routes that lose a backend with it", async () => {
  const { user } = renderPanel("busy", "/keys/openai");
  await user.click(await screen.findByRole("button", { name: "More for this key" }));
  await user.click(await screen.findByRole("menuitem", { name: "Remove key" }));
  const dialog = await screen.findByRole("dialog", { name: /^Remove the .* key\?$/ });
  expect(dialog).toHaveTextContent("These backends lose their key: openai.");
  expect(dialog).toHaveTextContent("The routes fast, claude, mini-test will use other backends.");
  expect(dialog).toHaveTextContent("It is deleted from the vault and cannot be restored.");
});

test("a place that does not exist leads to the overview", async () => {
  renderPanel("busy", "/no/such/place");
  expect(await screen.findByRole("heading", { level: 1, name: "Everything works" })).toBeVisible();
});

test("the desktop window, which takes no downloads, offers to copy the usage and to save statements", async () => {
  vi.stubGlobal("__TAURI_INTERNALS__", {});
  const { user } = renderPanel("busy", "/usage");
  await user.click(await screen.findByText("Export"));
  const names = screen.getAllByRole("menuitem").map((item) => item.textContent);
  expect(names).toEqual(["Copy CSV", "Statement of a month…"]);
  vi.unstubAllGlobals();
});

test("a connected client's snippet stands in the first steps until it was used", async () => {
  const { user, host } = renderPanel("fresh", "/");
  const steps = await screen.findByRole("region", { name: "First steps" });
  expect(within(steps).queryByRole("button", { name: /^Copy/ })).not.toBeInTheDocument();
  await host.clientAdd({ id: "codex", expires_in_days: null, scope: { models: [], backends: [], routes: [] } });
  await user.click(await within(steps).findByRole("button", { name: "Copy Shell" }));
  expect(within(steps).getByText(/gatehouse token codex/)).toBeVisible();
});
