import { screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { choose } from "../../../test/choose";
import { undo } from "../../../test/undo";
import { renderPanel } from "../../../test/render-panel";

const PLACE = "Where requests of codex go";

test("a client is switched to a backend at once, and the toast takes it back", async () => {
  const { user, host } = renderPanel("busy", "/clients/codex");
  const switched = vi.spyOn(host, "clientSwitch");
  const drawer = within(await screen.findByRole("dialog", { name: "codex" }));
  const place = await drawer.findByRole("combobox", { name: PLACE });
  expect(place).toHaveTextContent("Routing rules");
  await choose(user, place, "Groq");
  expect(switched).toHaveBeenLastCalledWith({ id: "codex", backend: "groq", route: null });
  expect(await screen.findByText("codex: Groq")).toBeVisible();
  await waitFor(() => expect(drawer.getByRole("combobox", { name: PLACE })).toHaveTextContent("Groq"));
  await undo(user);
  expect(switched).toHaveBeenLastCalledWith({ id: "codex", backend: null, route: null });
  await waitFor(() => expect(drawer.getByRole("combobox", { name: PLACE })).toHaveTextContent("Routing rules"));
});

test("a client that may use one backend is offered nothing else", async () => {
  const { user } = renderPanel("busy", "/clients/nightly-evals");
  const place = await screen.findByRole("combobox", { name: "Where requests of nightly-evals go" });
  await user.click(place);
  const offered = (await screen.findAllByRole("option")).map((option) => option.textContent);
  expect(offered.slice(0, 2)).toEqual(["Routing rules", "Groq"]);
  expect(offered.slice(2).every((label) => label.startsWith("Route "))).toBe(true);
});

test("a client is blocked with a click and allowed again from the toast", async () => {
  const { user, host } = renderPanel("busy", "/clients/codex");
  const [blocked, allowed] = [vi.spyOn(host, "clientBlock"), vi.spyOn(host, "clientAllow")];
  const drawer = within(await screen.findByRole("dialog", { name: "codex" }));
  await user.click(drawer.getByRole("button", { name: "Block" }));
  expect(blocked).toHaveBeenCalledExactlyOnceWith({ id: "codex" });
  const toast = (await screen.findByText("codex is blocked")).closest("li") as HTMLElement;
  expect(toast).toHaveTextContent("Its new requests are refused. Its token stays.");
  expect(await drawer.findByText("Blocked")).toBeVisible();
  expect(drawer.getByRole("button", { name: "Allow" })).toBeVisible();
  await user.click(within(toast).getByRole("button", { name: "Undo" }));
  expect(allowed).toHaveBeenCalledExactlyOnceWith({ id: "codex" });
  expect(await drawer.findByRole("button", { name: "Block" })).toBeVisible();
});

test("the last day of a token is moved and removed", async () => {
  const { user, host } = renderPanel("busy", "/clients/codex");
  const saved = vi.spyOn(host, "clientEdit");
  await user.click(await screen.findByRole("tab", { name: "Limits" }));
  const day = screen.getByLabelText(/^Last day of its token/);
  await user.clear(day);
  await user.type(day, "2027-03-31");
  await user.click(screen.getByRole("button", { name: "Save" }));
  const end = new Date(2027, 2, 31, 23, 59, 59, 999).getTime();
  await waitFor(() => expect(saved).toHaveBeenLastCalledWith(expect.objectContaining({ expires_at: end })));
  await user.clear(day);
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(saved).toHaveBeenLastCalledWith(expect.objectContaining({ expires_at: null })));
});

test("a new client has its scope, budget, project and expiry from the start", async () => {
  const { user, host } = renderPanel("busy", "/clients?add=true");
  const added = vi.spyOn(host, "clientAdd");
  await user.type(await screen.findByLabelText("Name"), "reviewer");
  await choose(user, screen.getByLabelText("Expires"), "In 30 days");
  await user.type(screen.getByLabelText(/^Monthly budget/), "20");
  await user.type(screen.getByLabelText(/^Project/), "website");
  await user.type(screen.getByLabelText(/^Allowed models/), "gpt-*");
  await user.type(screen.getByLabelText(/^Allowed backends/), "openai, groq");
  await user.type(screen.getByLabelText(/^Allowed routes/), "fast");
  await user.click(screen.getByRole("button", { name: "Create token" }));
  expect(added).toHaveBeenCalledExactlyOnceWith({
    id: "reviewer",
    expires_in_days: 30,
    scope: { models: ["gpt-*"], backends: ["openai", "groq"], routes: ["fast"] },
    reads_metrics: false,
    monthly_limit_usd: "20",
    project: "website",
  });
});

test("revoking a client says which budgets end and stay, and undo brings both back", async () => {
  const { user, host } = renderPanel("busy", "/clients/reviewer");
  const scope = { models: [], backends: [], routes: [] };
  await host.clientAdd({ id: "reviewer", expires_in_days: null, scope, monthly_limit_usd: "20" });
  const budgets = async () => (await host.budgets()).map(({ id }) => id);
  await user.click(await screen.findByRole("button", { name: "More for this client" }));
  await user.click(await screen.findByRole("menuitem", { name: "Revoke token" }));
  expect(await screen.findByText("The budget reviewer of its requests, which has its name, ends too.")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Revoke token" }));
  expect(
    await screen.findByText(
      "Its budget reviewer ended with it. For ten minutes also: gatehouse clients restore reviewer",
    ),
  ).toBeVisible();
  expect(await budgets()).not.toContain("reviewer");
  await undo(user);
  await waitFor(async () => expect(await budgets()).toContain("reviewer"));
  expect((await host.clients()).map(({ id }) => id)).toContain("reviewer");
});

test("a budget that the user made of a client's requests stays, and the question says so", async () => {
  const { user } = renderPanel("busy", "/clients/claude-code");
  await user.click(await screen.findByRole("button", { name: "More for this client" }));
  await user.click(await screen.findByRole("menuitem", { name: "Revoke token" }));
  expect(await screen.findByText("Other budgets for its requests stay: agents.")).toBeVisible();
});
