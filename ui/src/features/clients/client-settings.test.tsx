import { screen, waitFor } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { choose } from "../../../test/choose";
import { renderPanel } from "../../../test/render-panel";

test("a client's limits and priority are shown and changed", async () => {
  const { user, host } = renderPanel("busy", "/clients/nightly-evals");
  const saved = vi.spyOn(host, "clientEdit");
  const before = (await host.clients()).find(({ id }) => id === "nightly-evals")?.expires_at;
  await user.click(await screen.findByRole("tab", { name: "Limits" }));
  expect(screen.getByLabelText("Requests per minute")).toHaveValue("30");
  expect(screen.getByLabelText("Priority when the gateway is busy")).toHaveTextContent("Low (background)");
  await user.clear(screen.getByLabelText("Concurrent requests"));
  expect(screen.getByLabelText(/^Allowed backends/)).toHaveValue("groq");
  await user.clear(screen.getByLabelText(/^Allowed backends/));
  await user.type(screen.getByLabelText(/^Allowed models/), "gpt-4o, claude-*,");
  await choose(user, screen.getByLabelText("Response cache"), "On");
  await choose(user, screen.getByLabelText("MCP over HTTP"), /^Allowed/);
  await user.type(screen.getByLabelText(/^Project/), " evals ");
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(saved).toHaveBeenCalled());
  expect(saved).toHaveBeenCalledWith({
    id: "nightly-evals",
    limits: { requests_per_minute: 30, tokens_per_minute: null, in_flight_max: null },
    cache: "on",
    priority: "background",
    scope: { models: ["gpt-4o", "claude-*"], backends: [], routes: [] },
    mcp: true,
    project: "evals",
    // What was not changed stays, though it is over.
    expires_at: before,
  });
  expect(await screen.findByText("Saved nightly-evals")).toBeVisible();
});

test("a token for metrics is made, which has no limits to set", async () => {
  const { user, host } = renderPanel("busy", "/clients?add=true");
  const added = vi.spyOn(host, "clientAdd");
  await user.type(await screen.findByLabelText("Name"), "prometheus");
  await choose(user, screen.getByLabelText("For"), /^Metrics/);
  await user.click(screen.getByRole("button", { name: "Create token" }));
  expect(await screen.findByText("Reads /metrics, and nothing else")).toBeVisible();
  expect(screen.queryByRole("tab", { name: "Limits" })).toBeNull();
  expect(added).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ id: "prometheus", reads_metrics: true }));
});
