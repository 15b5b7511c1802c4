import { screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { alertsAbout } from "@/features/overview/issue-alerts";
import type { StatusIssueView } from "@/ipc/bindings";
import { NOW, makeHost, renderPanel } from "../../../test/render-panel";

const HOUR_MS = 3_600_000;

async function issue(name: string) {
  const issues = within(await screen.findByRole("region", { name: /^Issues/ }));
  return (await issues.findByText(name)).closest("li")!;
}

test("the alert of an issue is acknowledged and silenced with the keyboard", async () => {
  const { host, user } = renderPanel("failing", "/");
  const [acknowledge, silence] = [vi.spyOn(host, "alertAcknowledge"), vi.spyOn(host, "alertSilence")];
  const row = await issue("Ollama is down");
  const menu = await within(row).findByRole("button", { name: "More for Ollama is down" });
  menu.focus();
  await user.keyboard("{Enter}");
  await screen.findByRole("menuitem", { name: "Acknowledge" });
  await user.keyboard("{Enter}");
  await waitFor(() => expect(acknowledge).toHaveBeenCalledWith({ number: 4 }));
  await waitFor(() => expect(row).toHaveTextContent("Acknowledged."));
  menu.focus();
  await user.keyboard("{Enter}");
  expect(await screen.findByRole("menuitem", { name: "Silence for 1 hour" })).toBeVisible();
  expect(screen.queryByRole("menuitem", { name: "Acknowledge" })).not.toBeInTheDocument();
  await user.keyboard("{ArrowDown}{Enter}");
  await waitFor(() =>
    expect(silence).toHaveBeenCalledWith({
      rule: "backend-down",
      scope: "ollama",
      reason: "Ollama is down",
      until: NOW + 8 * HOUR_MS,
    }),
  );
  await waitFor(() => expect(row).toHaveTextContent("Silenced, ends in 8 h."));
});

function issueOf(id: string, action: StatusIssueView["action"]): StatusIssueView {
  return { id, level: "problem", title: "", impact: "", since: null, action };
}

test("an issue has the alerts of its own name on its own screen, and none of others", async () => {
  const { host } = makeHost("failing");
  const { alerts } = await host.alerts();
  const numbers = (one: StatusIssueView) => alertsAbout(one, alerts).map(({ number }) => number);
  expect(numbers(issueOf("backend/ollama", { kind: "open_backend", id: "ollama" }))).toEqual([4]);
  expect(numbers(issueOf("key/openrouter", { kind: "open_key", id: "openrouter" }))).toEqual([5]);
  expect(numbers(issueOf("backend/openrouter", { kind: "open_backend", id: "openrouter" }))).toEqual([]);
  // Pending: it does not fire yet.
  expect(numbers(issueOf("budget/agents", { kind: "open_budget", id: "agents" }))).toEqual([]);
  expect(numbers(issueOf("network", { kind: "run_checks" }))).toEqual([]);
});
